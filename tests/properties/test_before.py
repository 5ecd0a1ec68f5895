"""Of those whose screening ended, the engine asks what the oracle says of the day before anybody looked."""

from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import duckdb
import pytest

from cohortfinder.model import Outcome
from length import AT_LENGTH
from properties.engine import screened
from properties.moments import AS_OFS
from properties.resources import drawn, hospital
from properties.test_against_the_oracle import site_of
from properties.test_answers_decide import some_answers
from properties.trials import ZONE, a_trial, rules
from reference.evaluate import outcome_of
from reference.truth import VERDICT


def some_outcomes(patients: list[str], as_of: date, seed: int) -> list[Outcome]:
    """Outcomes of the last two years and of next week, several of one patient, some that say nothing; in any order."""
    random, zone = Random(seed), ZoneInfo(ZONE)
    now = datetime(as_of.year, as_of.month, as_of.day, tzinfo=zone)
    chosen = random.choices(patients, k=len(patients))
    times = [now - timedelta(days=random.randint(-7, 700)) for _ in chosen]
    made = zip(chosen, times, strict=True)
    return [
        Outcome(one, "A", random.choice((True, False, None)), at, line) for line, (one, at) in enumerate(made, start=2)
    ]


@pytest.mark.parametrize("seed", range(3 if AT_LENGTH else 1))
def test_the_truths_before_are_those_of_that_day(
    connection: duckdb.DuckDBPyConnection, folder: Path, seed: int
) -> None:
    as_of = AS_OFS[seed]
    trial, resources = a_trial(drawn(rules(depth=1), 10, seed + 40)), hospital(as_of, 30, seed + 40)
    site = site_of(resources)
    patients = sorted(site.by_patient)
    answers = sorted(some_answers(trial, patients[::2], as_of, seed), key=lambda one: (one.at, one.line))
    outcomes = sorted(some_outcomes(patients, as_of, seed), key=lambda one: (one.at, one.line))
    screened(connection, trial, resources, folder, as_of, answers=answers, outcomes=outcomes)
    living = {patient for (patient,) in connection.execute("SELECT patient_id FROM listing").fetchall()}
    days = {
        one.patient_id: min(
            as_of,
            *(
                said.at.date() - timedelta(days=1)
                for said in (*answers, *outcomes)
                if said.patient_id == one.patient_id
            ),
        )
        for one in outcomes
    }
    latest = {one.patient_id: one.passed for one in outcomes}
    told = connection.execute("SELECT patient_id, passed, listed, as_of FROM outcome").fetchall()
    assert {patient: rest for patient, *rest in told} == {
        patient: [passed, patient in living, days[patient]] for patient, passed in latest.items()
    }
    assert {*latest.values()} == {True, False, None}
    rows = connection.execute("SELECT patient_id, criterion_id, truth, as_of FROM truth_before").fetchall()
    criteria = {one.id: one for one in trial.criteria}
    assert {(patient, name, VERDICT[criteria[name].kind, truth]) for patient, name, truth, _ in rows} == {
        (patient, name, outcome_of(site, one, patient, days[patient]).verdict)
        for patient, passed in latest.items()
        if passed is not None and patient in living
        for name, one in criteria.items()
    }
    today = {
        (patient, name): truth
        for patient, name, truth in connection.execute(
            "SELECT patient_id, criterion_id, truth FROM criterion_truth"
        ).fetchall()
    }
    assert any(truth != today[patient, name] for patient, name, truth, _ in rows), "the day makes no difference"
