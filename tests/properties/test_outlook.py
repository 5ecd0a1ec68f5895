"""What is said of the coming weeks is what the oracle says when it is asked on each of those days.

Half of the patients have answers of people, which decide on every day; some are behind a gate, and nothing is said of them.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest

from cohortfinder.engine.screening import screen
from cohortfinder.gates import Gates
from cohortfinder.model import Answer, Arm, Trial
from length import AT_LENGTH
from properties.engine import landed, screened, terminology
from properties.moments import AS_OFS
from properties.resources import drawn, hospital
from properties.test_against_the_oracle import site_of
from properties.test_answers_decide import some_answers
from properties.trials import a_trial, rules
from reference.answers import latest, with_answer
from reference.evaluate import outcome_of
from reference.site import Site

WEEKS = 12 if AT_LENGTH else 2
# the listed patients alone, or everyone
CASES = [(seed, everyone) for seed in range(3 if AT_LENGTH else 1) for everyone in (True, False)]
cases = pytest.mark.parametrize(("seed", "everyone"), CASES)
PEOPLE = 40
WORSE = ("eligible", "possible", "excluded")
# patient, arm, criterion
Key = tuple[str, str, str]
Place = tuple[str, str]


def a_trial_of_arms(seed: int) -> Trial:
    """Arms of one, two and three criteria, the last of some a judgement, so that there are patients of every status."""
    trial = a_trial(drawn(rules(depth=1), 12, seed))
    arms = [trial.criteria[first : first + size] for first, size in ((0, 1), (1, 1), (2, 2), (4, 2), (6, 3), (9, 3))]
    return replace(
        trial,
        arms=tuple(Arm(f"A{number}", "Arm", own[0].id) for number, own in enumerate(arms)),
        criteria=tuple(
            replace(one, arms=(f"A{number}",), certainty="judgement" if one is own[-1] and len(own) > 1 else "exact")
            for number, own in enumerate(arms)
            for one in own
        ),
    )


@dataclass
class Days:
    """The verdicts and statuses of the index date and of each day after it, as the oracle has them."""

    verdicts: list[dict[Key, str]]
    statuses: list[dict[Place, str]]

    def first(self, when: str, places: set[Place]) -> dict[Place, int]:
        """The first day after the index date on which the status is worse than today's, or `better`: no longer excluded."""
        found: dict[Place, int] = {}
        today = self.statuses[0]
        for number, statuses in enumerate(self.statuses):
            for place in places:
                moved = WORSE.index(statuses[place]) - WORSE.index(today[place])
                if moved > 0 if when == "worse" else moved < 0 and today[place] == "excluded":
                    found.setdefault(place, number)
        return found


@dataclass
class Case:
    """What the engine has told of the coming weeks, and what the oracle says of each day."""

    as_of: date
    engine: duckdb.DuckDBPyConnection
    days: Days
    answers: list[Answer] = field(default_factory=list)
    hidden: Days = field(default_factory=lambda: Days([], []))

    def told(self, query: str) -> list[tuple]:
        """Rows of which the last has the number of the day; those of later days are left out."""
        rows = [(*row[:-1], (row[-1] - self.as_of).days) for row in self.engine.execute(query).fetchall()]
        return [row for row in rows if row[-1] < len(self.days.verdicts)]


def statuses(trial: Trial, verdicts: dict[Key, str]) -> dict[Place, str]:
    """The status of each patient and arm, by counting."""
    weak = {one.id for one in trial.criteria if one.certainty == "judgement"}
    found: dict[Place, Counter[str]] = {}
    for (patient, arm, criterion), verdict in verdicts.items():
        counted = "pass" if verdict == "unknown" and criterion in weak else verdict
        found.setdefault((patient, arm), Counter())[counted] += 1
    return {
        place: "excluded" if own["fail"] else "possible" if own["unknown"] else "eligible"
        for place, own in found.items()
    }


@cache
def case_of(seed: int, everyone: bool) -> Case:
    as_of, trial, filled = AS_OFS[seed], a_trial_of_arms(seed), duckdb.connect()
    resources = hospital(as_of, PEOPLE, seed)
    with TemporaryDirectory() as folder:
        screened(filled, trial, resources, Path(folder), as_of)
        loaded = landed(resources, Path(folder))
    everybody = [patient for (patient,) in filled.execute("SELECT DISTINCT patient_id FROM verdict").fetchall()]
    kept_off = sorted(everybody)[::5]
    answers = answered(trial, sorted(everybody)[::2], as_of, seed)
    engine, known = filled.cursor(), terminology()
    screen(
        engine, trial, known, as_of=as_of, loaded=loaded, everyone=everyone, horizon_years=1, outlook_weeks=WEEKS,
        answers=answers, gates=Gates(do_not_contact=tuple(kept_off)),
    )  # fmt: skip
    site = site_of(resources)
    listed = set(engine.execute("SELECT patient_id, arm FROM listing").fetchall())
    hidden = {(patient, arm.id) for patient in kept_off for arm in trial.arms}
    told, untold = (days_of(trial, site, places, as_of, answers) for places in (listed, hidden))
    return Case(as_of, engine, told, answers, untold)


def answered(trial: Trial, patients: list[str], as_of: date, seed: int) -> list[Answer]:
    """Answers of some patients, some older than what the data say, the earliest first."""
    arms = {one.id: one.arms[0] for one in trial.criteria}
    said = [replace(one, arm=arms[one.criterion_id]) for one in some_answers(trial, patients, as_of, seed)]
    return sorted(said, key=lambda one: (one.at, one.line))


def days_of(trial: Trial, site: Site, places: set[Place], as_of: date, answers: list[Answer]) -> Days:
    """What the oracle says of some patients and arms on each day."""
    asked = [(patient, arm, one) for patient, arm in sorted(places) for one in trial.criteria_of(arm)]
    said = {(patient, arm, one.id): latest(answers, patient, arm, one.id) for patient, arm, one in asked}
    verdicts = [
        {
            key: with_answer(one, outcome_of(site, one, patient, day), said[key])
            for patient, arm, one in asked
            for key in [(patient, arm, one.id)]
        }
        for day in (as_of + timedelta(days=number) for number in range(7 * WEEKS + 1))
    ]
    return Days(verdicts, [statuses(trial, one) for one in verdicts])


def moved(days: list[dict]) -> set[tuple]:
    """What differs from the day before: the key, before, after, the number of the day."""
    pairs = enumerate(pairwise(days), start=1)
    return {(*key, old[key], new[key], number) for number, (old, new) in pairs for key in old if old[key] != new[key]}


@cases
def test_every_change_of_a_verdict_is_told(seed: int, everyone: bool) -> None:
    case = case_of(seed, everyone)
    told = case.told("SELECT patient_id, arm, criterion_id, verdict_from, verdict_to, day FROM verdict_turn")
    assert set(told) == moved(case.days.verdicts)


@cases
def test_every_change_of_a_status_is_told(seed: int, everyone: bool) -> None:
    case = case_of(seed, everyone)
    told = case.told("SELECT patient_id, arm, status_from, status_to, day FROM status_turn")
    assert {row for row in told if row[2] != row[3]} == moved(case.days.statuses)


@cases
def test_who_stops_being_eligible_does_so_on_the_first_day_of_a_worse_status(seed: int, everyone: bool) -> None:
    case = case_of(seed, everyone)
    told = {(patient, arm): day for patient, arm, day in case.told("SELECT patient_id, arm, stops_on FROM stop")}
    assert told == case.days.first("worse", set(case.days.statuses[0]))


@cases
def test_who_is_eligible_from_a_day_is_so_on_the_first_day_without_a_fail(seed: int, everyone: bool) -> None:
    case = case_of(seed, everyone)
    told = {(patient, arm): day for patient, arm, day in case.told("FROM eligible_from")}
    assert told == case.days.first("better", set(case.days.statuses[0]))


@cases
def test_every_change_has_a_leaf_that_changes_on_its_day(seed: int, everyone: bool) -> None:
    case = case_of(seed, everyone)
    turned = {(*row[:2], row[-1]) for row in case.told("SELECT patient_id, asked, leaf, day FROM turned_leaf")}
    told = case.told("SELECT patient_id, criterion_id, day FROM verdict_turn")
    assert set(told) == turned


# the changes that make a status on a later day, each with the place whose status it is
LATER = {
    "begin": """
        SELECT patient_id, arm, asked, day
        FROM eligible_from JOIN verdict_turn USING (patient_id, arm)
        WHERE day = eligible_from AND day > $until AND verdict_from = 'fail'
    """,
    "end": """
        SELECT patient_id, arm, asked, day
        FROM stop JOIN verdict_turn USING (patient_id, arm) JOIN status_turn USING (patient_id, arm, day)
        WHERE day = stops_on AND day > $until AND (status_to, verdict_to) IN (('excluded', 'fail'), ('possible', 'unknown'))
    """,
}


def test_of_later_changes_those_are_told_that_make_somebody_eligible_or_end_it_and_no_others() -> None:
    case = case_of(1, True)
    until = {"until": case.as_of + timedelta(weeks=WEEKS)}
    turned = "SELECT DISTINCT patient_id, asked, day FROM turned_leaf WHERE day > $until"
    told = set(case.engine.execute(turned, until).fetchall())
    making = {kind: case.engine.execute(query, until).fetchall() for kind, query in LATER.items()}
    assert told == {(patient, asked, day) for rows in making.values() for patient, _, asked, day in rows}
    for kind, days in (
        ("begin", "SELECT patient_id, arm, eligible_from AS day FROM eligible_from"),
        ("end", "FROM stop"),
    ):
        late = {row[:2] for row in case.engine.execute(days).fetchall() if row[2] > until["until"]}
        assert late == {row[:2] for row in making[kind]}
        assert late, f"nobody has a late day: {kind}"


def test_there_is_something_to_tell() -> None:
    """Verdicts that change twice, statuses of every kind, people who begin and who stop being eligible."""
    case = case_of(0, True)
    told = case.told("SELECT patient_id, arm, criterion_id, day FROM verdict_turn")
    assert case_of(0, False).told("SELECT patient_id, day FROM verdict_turn")
    assert max(Counter(row[:3] for row in told).values()) > 1
    statuses = case.told("SELECT status_from, status_to, day FROM status_turn")
    assert {status for row in statuses for status in row[:2]} == set(WORSE)
    assert len(told) > 10
    assert case.told("FROM eligible_from")
    assert case.told("FROM stop")


def test_answers_make_a_difference_and_somebody_behind_a_gate_would_have_had_something_to_tell() -> None:
    """Answers of every kind, also one that newer data contradict, on criteria of which the data change; and changes of those who are hidden."""
    case = case_of(0, True)
    assert {one.truth for one in case.answers} == {True, False, None}
    flags = {
        flag for (flags,) in case.engine.execute("SELECT DISTINCT flags FROM verdict").fetchall() for flag in flags
    }
    assert {"contradicted", "not_sure"} <= flags
    decided = {(one.patient_id, one.arm, one.criterion_id) for one in case.answers if one.truth is not None}
    rules = case.engine.execute(
        "SELECT DISTINCT turn.patient_id, trial_criterion.arm, trial_criterion.criterion_id FROM turn JOIN trial_criterion ON asked = turn.criterion_id"
    ).fetchall()
    assert decided & {*rules}, "no answer holds a verdict that the data would change"
    assert moved(case.hidden.verdicts)
    gated = {patient for patient, _ in case.hidden.statuses[0]}
    tables = ("verdict_turn", "status_turn", "stop", "eligible_from", "turned_leaf")
    named = {row[0] for table in tables for row in case.engine.execute(f"SELECT patient_id FROM {table}").fetchall()}
    assert named & gated == set()
