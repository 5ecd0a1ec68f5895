"""What is said of the coming weeks is what the oracle says when it is asked on each of those days."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest

from cohortfinder.engine.screening import screen
from cohortfinder.model import Arm, Trial
from length import AT_LENGTH
from properties.engine import landed, screened, terminology
from properties.moments import AS_OFS
from properties.resources import drawn, hospital
from properties.test_against_the_oracle import site_of
from properties.trials import a_trial, rules
from reference.evaluate import outcome_of

WEEKS = 12 if AT_LENGTH else 2
SEEDS = range(3 if AT_LENGTH else 1)
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
def case_of(seed: int) -> Case:
    as_of, trial, filled = AS_OFS[seed], a_trial_of_arms(seed), duckdb.connect()
    resources = hospital(as_of, PEOPLE, seed)
    with TemporaryDirectory() as folder:
        screened(filled, trial, resources, Path(folder), as_of)
        loaded = landed(resources, Path(folder))
    engine, known = filled.cursor(), terminology()
    screen(engine, trial, known, as_of=as_of, loaded=loaded, everyone=True, horizon_years=1, outlook_weeks=WEEKS)
    site = site_of(resources)
    living = [patient for (patient,) in engine.execute("SELECT DISTINCT patient_id FROM verdict").fetchall()]
    asked = [(patient, one.arms[0], one) for patient in living for one in trial.criteria]
    verdicts = [
        {(patient, arm, one.id): outcome_of(site, one, patient, day).verdict for patient, arm, one in asked}
        for day in (as_of + timedelta(days=number) for number in range(7 * WEEKS + 1))
    ]
    return Case(as_of, engine, Days(verdicts, [statuses(trial, said) for said in verdicts]))


def moved(days: list[dict]) -> set[tuple]:
    """What differs from the day before: the key, before, after, the number of the day."""
    pairs = enumerate(pairwise(days), start=1)
    return {(*key, old[key], new[key], number) for number, (old, new) in pairs for key in old if old[key] != new[key]}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_change_of_a_verdict_is_told(seed: int) -> None:
    case = case_of(seed)
    told = case.told("SELECT patient_id, arm, criterion_id, verdict_from, verdict_to, day FROM verdict_turn")
    assert set(told) == moved(case.days.verdicts)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_change_of_a_status_is_told(seed: int) -> None:
    case = case_of(seed)
    told = case.told("SELECT patient_id, arm, status_from, status_to, day FROM status_turn")
    assert {row for row in told if row[2] != row[3]} == moved(case.days.statuses)


@pytest.mark.parametrize("seed", SEEDS)
def test_who_stops_being_eligible_does_so_on_the_first_day_of_a_worse_status(seed: int) -> None:
    case = case_of(seed)
    told = {(patient, arm): day for patient, arm, day in case.told("SELECT patient_id, arm, stops_on FROM stop")}
    assert told == case.days.first("worse", set(case.days.statuses[0]))


@pytest.mark.parametrize("seed", SEEDS)
def test_who_is_eligible_from_a_day_is_so_on_the_first_day_without_a_fail(seed: int) -> None:
    case = case_of(seed)
    told = {(patient, arm): day for patient, arm, day in case.told("FROM eligible_from")}
    assert told == case.days.first("better", set(case.days.statuses[0]))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_change_has_a_leaf_that_changes_on_its_day(seed: int) -> None:
    case = case_of(seed)
    turned = {(*row[:2], row[-1]) for row in case.told("SELECT patient_id, asked, leaf, day FROM turned_leaf")}
    told = case.told("SELECT patient_id, criterion_id, day FROM verdict_turn")
    assert set(told) == turned


def test_there_is_something_to_tell() -> None:
    """Verdicts that change twice, statuses of every kind, people who begin and who stop being eligible."""
    case = case_of(0)
    told = case.told("SELECT patient_id, arm, criterion_id, day FROM verdict_turn")
    assert max(Counter(row[:3] for row in told).values()) > 1
    statuses = case.told("SELECT status_from, status_to, day FROM status_turn")
    assert {status for row in statuses for status in row[:2]} == set(WORSE)
    assert len(told) > 10
    assert case.told("FROM eligible_from")
    assert case.told("FROM stop")
