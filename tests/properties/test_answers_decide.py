"""For every small trial and hospital, answers decide as the oracle says, and whatever else is as it was without them."""

from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import duckdb
import pytest

from cohortfinder.model import Answer, Trial
from length import AT_LENGTH
from properties.engine import screened
from properties.moments import AS_OFS
from properties.resources import drawn, hospital
from properties.test_against_the_oracle import by_patient, site_of
from properties.trials import ZONE, a_trial, rules
from reference.answers import latest, with_answer
from reference.site import Site

Verdicts = dict[tuple[str, str], tuple[str, list[str], date | None]]


def some_answers(trial: Trial, patients: list[str], as_of: date, seed: int) -> list[Answer]:
    """Answers of some patients to some criteria, several to one, of the last twenty months."""
    random, zone = Random(seed), ZoneInfo(ZONE)
    named = [(patient, criterion.id) for patient in patients for criterion in trial.criteria]
    chosen = random.choices(named, k=len(named) // 2)
    now = datetime(as_of.year, as_of.month, as_of.day, tzinfo=zone)
    times = [now - timedelta(days=random.randint(0, 600)) for _ in chosen]
    return [
        Answer(patient, "A", criterion, random.choice((True, False, None)), "Dr. Li", at, at.isoformat(), "", line)
        for line, ((patient, criterion), at) in enumerate(zip(chosen, times, strict=True), start=2)
    ]


def verdicts(connection: duckdb.DuckDBPyConnection) -> Verdicts:
    rows = connection.execute("SELECT patient_id, criterion_id, verdict, flags, changes_on FROM verdict").fetchall()
    return {(patient, criterion): tuple(rest) for patient, criterion, *rest in rows}  # type: ignore[misc]


def newest(site: Site, connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], tuple[bool | None, date | None]]:
    """What the data say without answers, and the last day on which the newest of them may lie."""
    rows = connection.execute("SELECT patient_id, criterion_id, truth, evidence FROM criterion_truth").fetchall()
    spans = {
        (p, c): (truth, [span.hi for item in evidence if (span := site.span(item["date"]))])
        for p, c, truth, evidence in rows
    }
    return {key: (truth, max(days, default=None)) for key, (truth, days) in spans.items()}


@pytest.mark.parametrize("seed", range(6 if AT_LENGTH else 2))
def test_an_answer_decides_and_is_contradicted_as_the_oracle_says(
    connection: duckdb.DuckDBPyConnection, folder: Path, seed: int
) -> None:
    as_of = AS_OFS[seed % 3]
    trial, resources = a_trial(drawn(rules(), 12, 3 * seed + 70)), hospital(as_of, 40, seed + 70)
    criteria = {criterion.id: criterion for criterion in trial.criteria}
    oracle, site = by_patient(trial, resources, as_of), site_of(resources)
    answers = some_answers(trial, sorted(site.by_patient), as_of, seed)
    screened(connection, trial, resources, folder, as_of, answers=sorted(answers, key=lambda one: (one.at, one.line)))
    told, data = verdicts(connection), newest(site, connection)
    said = {key: latest(answers, key[0], "A", key[1]) for key in told}
    assert {key: row[0] for key, row in told.items()} == {
        key: with_answer(criteria[key[1]], oracle[key], said[key]) for key in told
    }
    contradicted = {
        key
        for key, one in said.items()
        if one is not None and one.truth is not None
        for truth, day in [data[key]]
        if truth is not None and truth != one.truth and day is not None and day > one.at.date()
    }
    assert {key for key, row in told.items() if "contradicted" in row[1]} == contradicted
    assert contradicted or seed % 3
    assert {key for key, row in told.items() if "not_sure" in row[1]} == {
        key for key, one in said.items() if one is not None and one.truth is None
    }
    assert [row for key, row in told.items() if said[key] and said[key].truth is not None and row[2]] == []


def test_listing_and_eligible_from_heed_answers(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """A patient whom a person says to have the disease is listed; one of whom a person says a failing criterion never waits."""
    as_of = AS_OFS[0]
    trial, resources = a_trial(drawn(rules(depth=1), 8, 90)), hospital(as_of, 60, 90)
    screened(connection, trial, resources, folder, as_of, everyone=False, horizon_years=1)
    before = listed(connection)
    waiting = connection.execute("SELECT patient_id FROM eligible_from").fetchall()
    answers = some_answers(trial, sorted(site_of(resources).by_patient), as_of, 90)
    screened(connection, trial, resources, folder, as_of, everyone=False, horizon_years=1, answers=answers)
    after = listed(connection)
    entries = {one.patient_id: one.truth for one in answers if one.criterion_id == "C1"}
    for patient in before ^ after:
        assert entries[patient] is (patient in after), patient
    assert before - after
    assert after - before
    never = {
        patient
        for (patient, _), (verdict, _, changes_on) in verdicts(connection).items()
        if verdict == "fail" and changes_on is None
    }
    now = {patient for (patient,) in connection.execute("SELECT patient_id FROM eligible_from").fetchall()}
    assert waiting
    assert now & never == set()


def listed(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {patient for (patient,) in connection.execute("SELECT patient_id FROM listing").fetchall()}
