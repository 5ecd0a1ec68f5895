"""The job `explain`: one patient's place in a trial, and for one who is not listed the reason why."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date

from duckdb import DuckDBPyConnection

from cohortfinder.engine.duckdb_engine import DuckDBEngine
from cohortfinder.engine.plan import standing_statements
from cohortfinder.engine.screening import gather_for_one
from cohortfinder.engine.sources import codes_of
from cohortfinder.errors import InputError
from cohortfinder.gates import read_gates
from cohortfinder.jobs.answers import NO_ANSWERS
from cohortfinder.jobs.screen import screen_store
from cohortfinder.jobs.screened import known_types
from cohortfinder.jobs.why_not import ask_why_not
from cohortfinder.model import Answers, Trial
from cohortfinder.ranking.candidates import run
from cohortfinder.ranking.gates import GATES
from cohortfinder.report.explain import Explanation
from cohortfinder.report.screening import Screening
from cohortfinder.report.why_not import WhyNots
from cohortfinder.settings import Settings
from cohortfinder.terminology import Terminology
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.state import loaded_types

Log = Callable[[str], None]


def explain_patient(
    trial: Trial, terminology: Terminology, settings: Settings, *, patient: str, as_of: date,
    answers: Answers = NO_ANSWERS, log: Log = lambda _: None,
) -> tuple[Explanation, int]:  # fmt: skip
    """Return what is to be said of a patient, and the exit status.

    The entry criteria alone tell whether a living patient is listed. The whole trial is asked of
    everybody, for her rank, where she is; else of her alone.
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
    listing = screen_store(only_entries, terminology, settings, as_of=as_of, in_full=0, alone=person, answers=answers)
    listed = {one.arm for one in listing.screening.candidates}
    asker = _Asker(trial, terminology, settings, answers, person, listed)
    if listed:
        result = screen_store(
            trial, terminology, settings, as_of=as_of, in_full=person, answers=answers, log=log, then=asker.of_excluding
        )
        return replace(known, listed=result.screening, why_not=asker.found), result.exit_status
    log("not listed: asking what would have to change")
    result = screen_store(
        only_entries, terminology, settings, as_of=as_of, everyone=True, alone=person, in_full=person, answers=answers,
        then=asker.of_all,
    )  # fmt: skip
    return replace(known, entries=result.screening, why_not=asker.found), result.exit_status


@dataclass(slots=True)
class _Asker:
    """Asks why a patient is no candidate, where a screening has just been; `listed` are the arms that list her."""

    trial: Trial
    terminology: Terminology
    settings: Settings
    answers: Answers
    patient: str
    listed: Collection[str]
    found: WhyNots | None = None

    def of_excluding(self, connection: DuckDBPyConnection, screening: Screening, loaded: Mapping[str, bool]) -> None:
        """Ask of the arms that exclude her."""
        own = [one for one in screening.candidates if one.patient_id == self.patient]
        if arms := [one.arm for one in own if one.status == "excluded"]:
            self._ask(connection, screening, loaded, arms)

    def of_all(self, connection: DuckDBPyConnection, screening: Screening, _: Mapping[str, bool]) -> None:
        """Ask of all arms, after their entry criteria alone."""
        gather_for_one(
            connection, self.trial, self.terminology, as_of=screening.as_of, patient=self.patient,
            gates=read_gates(self.settings.gates), answers=self.answers.answers,
        )  # fmt: skip
        loaded = known_types(loaded_types(connection), codes_of(self.trial, self.terminology))
        self._ask(connection, screening, loaded, [arm.id for arm in self.trial.arms])

    def _ask(
        self, connection: DuckDBPyConnection, screening: Screening, loaded: Mapping[str, bool], arms: Collection[str]
    ) -> None:
        self.found = ask_why_not(
            connection, self.trial, self.terminology, screening.language, loaded=loaded, patient=self.patient,
            arms=arms, listed=self.listed,
        )  # fmt: skip


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
