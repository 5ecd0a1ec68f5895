"""What a worker of Spark does with a part of the patients: the screening of one machine, and what the run needs of it.

A part is filled into a store of its own, which goes when it was evaluated. What comes out of it are Parquet files, one
a table: rows of the listed patients, counts of codes, and hashes of the rest.
"""

import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from duckdb import DuckDBPyConnection

from cohortfinder import __version__
from cohortfinder.disk import make_folders
from cohortfinder.engine.screening import screen
from cohortfinder.errors import ConfigurationError
from cohortfinder.gates import Gates
from cohortfinder.jobs.parts.files import Fetched, hand_over
from cohortfinder.jobs.screened import Basis
from cohortfinder.model import Answer, Answers, Outcome, Trial
from cohortfinder.ranking.candidates import run
from cohortfinder.ranking.quality import count_codes
from cohortfinder.report.proof_files import write_proof_people
from cohortfinder.terminology import Terminology
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.parquet_tables import parquet_tables
from cohortfinder.warehouse.part_store import fill_store
from cohortfinder.warehouse.parts import Part
from cohortfinder.warehouse.tables import typed_tables

# what the outputs are made of; where a column stands, of the listed patients alone
TOLD = {
    "gate": None, "listing": None, "verdict": None, "answered": None, "eligible_from": None, "funnel_truth": None,
    "concept_record": None, "record": None, "unnamed_drug": None, "open_verdict": None, "verdict_turn": None,
    "status_turn": None, "stop": None, "told_turn": None, "turned_leaf": None, "result_problem": None,
    "seen_code": None, "observed": "patient_id", "person": "person_id",
}  # fmt: skip
TOLD_OF_OUTCOMES = ("outcome", "truth_before")
PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Task:
    """What every worker is told: the trial, whom the gates keep off, what people have answered, and where to put it."""

    trial: Trial
    terminology: Terminology
    as_of: date
    loaded: dict[str, bool]
    gates: Gates
    answers: Answers
    everyone: bool
    outlook_weeks: int
    memory_limit: str | None
    results: str
    release: str

    @property
    def ids(self) -> tuple[str, ...]:
        """The patients whom a list of the site or an answer names: whether there are such is told."""
        given: tuple[Answer | Outcome, ...] = (*self.answers.answers, *self.answers.outcomes)
        return (*self.gates.test_patients, *self.gates.do_not_contact, *(one.patient_id for one in given))


def task_of(basis: Basis, results: str, *, outlook_weeks: int) -> Task:
    """Return what every worker is told of a screening whose results go to a place."""
    return Task(
        basis.trial, basis.terminology, basis.as_of, basis.known, basis.gates, basis.answers, basis.everyone,
        outlook_weeks, basis.settings.memory_limit, results, __version__,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Done:
    """What a part has taken: patients, seconds, and the most memory that its process has had, in MB."""

    number: int
    patients: int
    seconds: float
    megabytes: float


def evaluate(part: Part, task: Task) -> Done:
    """Evaluate the patients of a part and write what the run needs of them."""
    if task.release != __version__:
        raise ConfigurationError(
            f"a worker of Spark has cohortfinder {__version__} and the run {task.release}; send the same to all workers"
        )
    began = time.perf_counter()
    with TemporaryDirectory(prefix="cohortfinder-part-") as name:
        scratch = Path(name)
        fetched, told = Fetched(scratch / "copies"), scratch / "told"
        make_folders(told)
        fill_store(
            scratch / "store", part, fetched.fetch, reaches=fetched.reaches(part), memory_limit=task.memory_limit
        )
        with open_warehouse(
            scratch / "store", read_only=True, memory_limit=task.memory_limit, threads=1, sealed=False, reaches=(told,)
        ) as connection:
            (patients,) = run(connection, "parts/patients.sql.jinja").fetchone()
            _screen(connection, task)
            _tell(connection, task, told)
        hand_over(told, task.results, part.number)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Done(part.number, patients, time.perf_counter() - began, peak)


def _screen(connection: DuckDBPyConnection, task: Task) -> None:
    here = {patient for (patient,) in run(connection, "parts/known.sql.jinja", ids=task.ids).fetchall()}
    screen(
        connection, task.trial, task.terminology, as_of=task.as_of, loaded=task.loaded, gates=task.gates,
        everyone=task.everyone, outlook_weeks=task.outlook_weeks,
        answers=[one for one in task.answers.answers if one.patient_id in here],
        outcomes=[one for one in task.answers.outcomes if one.patient_id in here],
    )  # fmt: skip


def _tell(connection: DuckDBPyConnection, task: Task, told: Path) -> None:
    """Write what the run needs of this part into a folder of this machine."""

    def target(table: str) -> Path:
        return told / f"{table}.parquet"

    count_codes(connection)
    run(connection, "quality/unmapped_code.sql.jinja")
    run(connection, "parts/told_resource.sql.jinja", ids=task.ids)
    for table, kind, listed in _told(task):
        run(connection, "parts/tell.sql.jinja", table=table, kind=kind, listed=listed, target=str(target(table)))
    write_proof_people(target(PEOPLE), connection)


def told_tables(task: Task) -> tuple[str, ...]:
    """Return the tables that every part tells."""
    return tuple(table for table, *_ in _told(task))


def _told(task: Task) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield each table that is told, for a typed one its type of resource, and the column of the listed patients."""
    yield from ((table, None, listed) for table, listed in TOLD.items())
    yield from ((table, None, None) for table in TOLD_OF_OUTCOMES if task.answers.outcomes)
    of_patients = {table.name for table in parquet_tables() if table.bucketed}
    yield from ((one.name, one.resource_type, None) for one in typed_tables() if one.name in of_patients)
