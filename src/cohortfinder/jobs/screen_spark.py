"""The job `screen --engine spark`: tables as Parquet to the same list and files, the patients evaluated by Spark.

parts of the tables ──► each worker: the screening of one machine ──► results of the listed ──► here: ranks, files
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from duckdb import DuckDBPyConnection

from cohortfinder.engine.screening import screen
from cohortfinder.errors import InputError, StoreError
from cohortfinder.jobs.answers import NO_ANSWERS
from cohortfinder.jobs.collector import collector_at_rest
from cohortfinder.jobs.parts.files import Fetched
from cohortfinder.jobs.parts.task import PEOPLE, Done, Task, evaluate, task_of, told_tables
from cohortfinder.jobs.screen import Log, ScreenResult, processes_of, tell_begin
from cohortfinder.jobs.screened import basis_of, count_all, outlook_weeks_of, read_result
from cohortfinder.model import Answers, Trial
from cohortfinder.ranking.candidates import run
from cohortfinder.report.files import make_folder, replacing
from cohortfinder.report.outputs import FORMATS, write_outputs
from cohortfinder.report.proof_files import write_proof_records
from cohortfinder.report.screening import Screening
from cohortfinder.settings import Settings
from cohortfinder.spark.hadoop import HadoopFiles, is_url
from cohortfinder.spark.session import refusals_told, spark_session
from cohortfinder.terminology import Terminology
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.parquet import Layout, read_layout
from cohortfinder.warehouse.parquet_tables import parquet_tables
from cohortfinder.warehouse.part_store import read_links
from cohortfinder.warehouse.parts import Link, plan_parts

# of so many patients a part is made: planning its statements takes as long as evaluating some thousand
PATIENTS_A_PART = 10_000
_PEOPLE_FILE, _RECORDS_FILE = "proof/people.parquet", "proof/records.parquet"


@dataclass(frozen=True, slots=True)
class SparkRun:
    """Where the tables lie, and where the results of a run get a folder of their own.

    Without `results` they lie where the temporary files of this machine are, as long as they are needed: that is
    enough where the workers are on this machine.
    """

    tables: str
    results: str | None = None
    patients_a_part: int = PATIENTS_A_PART


def screen_tables(
    asked: SparkRun, trial: Trial, terminology: Terminology, settings: Settings, *, as_of: date,
    out: Path | None = None, everyone: bool = False, in_full: int | str | None = None, answers: Answers = NO_ANSWERS,
    log: Log = lambda _: None,
) -> ScreenResult:  # fmt: skip
    """Screen a folder of tables for one trial with Spark, and write the outputs into `out`, where one is given.

    They are those of `screen_store` over the same patients; other numbers (what-if) are not tried.
    """
    if out:
        make_folder(out)
    place = _absolute(asked.tables)
    # what lies here is looked through before Java starts, which takes seconds and says much
    here = None if is_url(place) else read_layout(place)
    with TemporaryDirectory(prefix="cohortfinder-spark-") as name, spark_session(threads=settings.threads) as session:
        scratch, started = Path(name), time.perf_counter()
        hadoop = HadoopFiles(session)
        layout = here or read_layout(hadoop.full(place), hadoop)
        basis = basis_of(trial, terminology, settings, layout.types, as_of, answers, everyone=everyone)
        tell_begin(trial, terminology, as_of, log)
        results = _results(asked, trial, scratch, hadoop, log)
        task = task_of(basis, results, outlook_weeks=outlook_weeks_of(out, in_full, everyone=everyone))
        done = evaluate_parts(session, layout, task, asked.patients_a_part, scratch, log)
        told = _told(layout, task, len(done), scratch)
        with _joined(told, task, scratch, settings, out) as connection:
            count_all(connection, trial, terminology, as_of, counted=True)
            seconds = time.perf_counter() - started
            with collector_at_rest():
                screening = read_result(
                    connection, basis, seconds=seconds, in_full=in_full, engine=_engine_record(session, layout, done)
                )
                files = _write(out, screening, connection, settings, told) if out else ()
    return ScreenResult(screening, files)


def evaluate_parts(
    session: Any, layout: Layout, task: Task, patients: int, scratch: Path, log: Log = lambda _: None
) -> tuple[Done, ...]:
    """Have the workers of Spark evaluate all patients of a folder of tables, and return what each part has taken."""
    context = session.sparkContext
    parts = plan_parts(layout, _links(layout, scratch), patients=patients, at_least=context.defaultParallelism)
    log(f"{sum(one.tables['patient'].rows for one in layout.nodes)} patient records in {len(parts)} parts")
    with refusals_told(task.results):
        found = context.parallelize(parts, len(parts)).map(partial(evaluate, task=task)).collect()
    _require_all(layout, found)
    return tuple(sorted(found, key=lambda one: one.number))


def _require_all(layout: Layout, done: Sequence[Done]) -> None:
    """Raise StoreError where the parts together had not every Patient record: nobody may be missing without a word."""
    written, seen = sum(node.tables["patient"].rows for node in layout.nodes), sum(one.patients for one in done)
    if written != seen:
        raise StoreError(
            f"{layout.folder}: there are {written} Patient records and the workers have seen {seen}; check that "
            "nobody writes or removes tables here, then run again"
        )


def _links(layout: Layout, scratch: Path) -> dict[str, tuple[Link, ...]]:
    """Read which Patient records of each node are those of one person; of others nothing comes here."""
    fetched, found = Fetched(scratch / "links"), {}
    for node in layout.nodes:
        folder = f"{layout.folder}/{node.folder('patient')}"
        own = [file for bucket in range(node.buckets) for file in fetched.fetch(f"{folder}/bucket={bucket}")]
        found[node.node] = read_links(own)
    return found


def _results(asked: SparkRun, trial: Trial, scratch: Path, files: HadoopFiles, log: Log) -> str:
    """Return the folder of the results of a run; what a URL names is made here, for its owner alone."""
    place = _absolute(asked.results or str(scratch)).rstrip("/")
    results = f"{files.full(place) if is_url(place) else place}/{_run_name(trial)}"
    if asked.results:
        log(f"results go to {results}")
    if is_url(place):
        files.make(results)
    return results


def _absolute(place: str) -> str:
    """Return a place as it is named from any folder: a worker may run in another one."""
    return place if is_url(place) else str(Path(place).absolute())


def _run_name(trial: Trial) -> str:
    """Return the name of a run, which no other one has."""
    return f"{trial.id}.{datetime.now(UTC):%Y%m%dT%H%M%S}.{uuid4().hex[:8]}"


@dataclass(frozen=True, slots=True)
class _Told:
    """The files of each table on this machine: what all parts have told, and what is of no patient."""

    tables: Mapping[str, list[str]]
    people: list[str]

    @property
    def folders(self) -> list[Path]:
        """The folders in which they lie."""
        files = [file for found in (*self.tables.values(), self.people) for file in found]
        return sorted({Path(file).parent for file in files})


def _told(layout: Layout, task: Task, parts: int, scratch: Path) -> _Told:
    """Return the files of all parts. Raises InputError where some did not come to where this machine looks."""
    fetched, results = Fetched(scratch / "joined"), task.results

    def names(folder: str) -> list[str]:
        return [str(file) for file in fetched.fetch(folder)]

    told = {table: names(f"{results}/{table}") for table in (*told_tables(task), PEOPLE)}
    if any(len(files) != parts for files in told.values()):
        raise InputError(
            f"{results}: the workers of Spark have written their results elsewhere; name with --results a folder that "
            "all machines share, or a URL"
        )
    people = told.pop(PEOPLE)
    folders = [
        (table, node.folder(table.name)) for table in parquet_tables() if not table.bucketed for node in layout.nodes
    ]
    for table, folder in folders:
        told.setdefault(table.name, []).extend(names(f"{layout.folder}/{folder}"))
    return _Told({table: files for table, files in told.items() if files}, people)


@contextmanager
def _joined(
    told: _Told, task: Task, scratch: Path, settings: Settings, out: Path | None
) -> Iterator[DuckDBPyConnection]:
    """Yield a connection with the tables of a screening as all parts together have made them.

    What is not of patients (criteria, rules, mappings) comes from a screening of nobody.
    """
    store = scratch / "store"
    with open_warehouse(store):
        pass
    with open_warehouse(
        store, read_only=True, memory_limit=settings.memory_limit, threads=settings.threads,
        reaches=[*told.folders, *([out] if out else ())],
    ) as connection:  # fmt: skip
        screen(
            connection, task.trial, task.terminology, as_of=task.as_of, loaded=task.loaded, gates=task.gates,
            everyone=task.everyone, outlook_weeks=task.outlook_weeks,
        )  # fmt: skip
        for table, files in told.tables.items():
            template = "parts/take_codes.sql.jinja" if table == "seen_code" else "parts/take.sql.jinja"
            run(connection, template, table=table, files=files)
        yield connection


def _write(
    out: Path, screening: Screening, connection: DuckDBPyConnection, settings: Settings, told: _Told
) -> tuple[Path, ...]:
    """Write the outputs; the standing of everybody was told by the parts, each of its own patients.

    Of the records here are those that prove the run, and no others.
    """
    formats = [name for name in FORMATS if name not in (_PEOPLE_FILE, _RECORDS_FILE)]
    files = write_outputs(out, screening, connection, formats, processes=processes_of(settings))
    write_proof_records(out / _RECORDS_FILE, connection, among_all=False)
    with replacing(out / _PEOPLE_FILE) as temporary:
        temporary.touch()
        run(connection, "parts/people.sql.jinja", files=told.people, target=str(temporary))
    return (*files, out / _RECORDS_FILE, out / _PEOPLE_FILE)


def _engine_record(session: Any, layout: Layout, done: tuple[Done, ...]) -> dict[str, Any]:
    return {
        "name": "spark",
        "spark": session.version,
        "nodes": {node.node: node.run for node in layout.nodes},
        "parts": len(done),
        "slowest_part_seconds": round(max(one.seconds for one in done), 3),
        "most_memory_mb": round(max(one.megabytes for one in done)),
    }
