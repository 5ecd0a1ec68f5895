"""The job `explain`: one patient's place in a trial, and for one who is not listed the reason why."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from cohortfinder.engine.duckdb_engine import DuckDBEngine
from cohortfinder.engine.plan import standing_statements
from cohortfinder.errors import InputError
from cohortfinder.gates import read_gates
from cohortfinder.jobs.answers import NO_ANSWERS
from cohortfinder.jobs.screen import screen_store
from cohortfinder.model import Answers, Trial
from cohortfinder.ranking.candidates import run
from cohortfinder.ranking.gates import GATES
from cohortfinder.report.explain import Explanation
from cohortfinder.settings import Settings
from cohortfinder.terminology import Terminology
from cohortfinder.warehouse.connection import open_warehouse

Log = Callable[[str], None]


def explain_patient(
    trial: Trial, terminology: Terminology, settings: Settings, *, patient: str, as_of: date,
    answers: Answers = NO_ANSWERS, log: Log = lambda _: None,
) -> tuple[Explanation, int]:  # fmt: skip
    """Return what is to be said of a patient, and the exit status.

    The entry criteria alone tell whether a living patient is listed. Of one who is, the whole trial is asked; of one
    who is not, the entry criteria are asked of everybody.
    Raises InputError when the store holds no such patient.
    """
    asked = patient.removeprefix("Patient/")
    person, standing = _standing(trial, terminology, settings, asked, as_of)
    known = Explanation(trial, as_of, asked, person, standing)
    if standing != "living":
        return known, 0
    # how other screenings ended changes nothing of this patient
    answers = replace(answers, outcomes=())
    only_entries = _only_entries(trial)
    listing = screen_store(only_entries, terminology, settings, as_of=as_of, in_full=0, answers=answers)
    if any(one.patient_id == person for one in listing.screening.candidates):
        result = screen_store(trial, terminology, settings, as_of=as_of, in_full=person, answers=answers, log=log)
        return replace(known, listed=result.screening), result.exit_status
    log("not listed: asking the entry criteria of everybody")
    entries = screen_store(
        only_entries, terminology, settings, as_of=as_of, everyone=True, in_full=person, answers=answers
    )
    return replace(known, entries=entries.screening), entries.exit_status


def _standing(trial: Trial, terminology: Terminology, settings: Settings, patient: str, as_of: date) -> tuple[str, str]:
    """Return the record that goes on with a patient id, mostly itself, and its standing."""
    with open_warehouse(settings.store, read_only=True, memory_limit=settings.memory_limit) as connection:
        engine = DuckDBEngine(connection)
        engine.run_all(standing_statements(trial, terminology, as_of, read_gates(settings.gates)))
        rows = run(connection, "warehouse/patient_standing.sql.jinja", patient=patient, gates=GATES).fetchall()
    if not rows:
        raise InputError(
            "the store holds no patient with this id; write Patient.id as it was sent (capitals count, see patient_id "
            "in candidates.csv), or load the patient's files first"
        )
    return rows[0][0], rows[0][1]


def _only_entries(trial: Trial) -> Trial:
    """Return the trial with nothing but its entry criteria."""
    entries = {arm.entry for arm in trial.arms}
    return replace(trial, criteria=tuple(one for one in trial.criteria if one.id in entries))
