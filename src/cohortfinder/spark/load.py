"""FHIR files to typed tables as Parquet by Spark: the views run in the tasks, in DuckDB, as `load` runs them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from cohortfinder import __version__
from cohortfinder.errors import CohortFinderError, InputError
from cohortfinder.landing.manifest import Manifest
from cohortfinder.landing.people import Erased
from cohortfinder.spark.chunk import Plan
from cohortfinder.spark.hadoop import HadoopFiles, is_url
from cohortfinder.spark.inputs import Inputs, find_inputs
from cohortfinder.spark.session import refusals_told
from cohortfinder.spark.staged import Staged, TypeCount, stage
from cohortfinder.sql.dialect import Dialect
from cohortfinder.sql.environment import render
from cohortfinder.warehouse.fill import Filled
from cohortfinder.warehouse.parquet import Disk, Files, NodeManifest, Written, newest, read_manifests
from cohortfinder.warehouse.parquet_files import held, make_private, require_none_twice
from cohortfinder.warehouse.parquet_files import refusals_told as disk_told
from cohortfinder.warehouse.parquet_runs import (
    REJECTED,
    STAGING,
    Target,
    buckets_of,
    checked_name,
    discard,
    next_run,
    publish,
    require_same_names,
)
from cohortfinder.warehouse.parquet_tables import PATIENT, ParquetTable, current_schema, parquet_tables
from cohortfinder.warehouse.state import TypeState
from cohortfinder.warehouse.tables import typed_tables
from cohortfinder.warehouse.versions import believed_until

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SparkLoad:
    """What a job has written, and what became of the resources by type, as `load` tells it."""

    manifest: NodeManifest
    types: Mapping[str, Filled]
    reasons: Mapping[str, int]
    skipped: tuple[str, ...]
    deleted: Mapping[str, int]
    rejected: str


def load_by_spark(
    session: Any, places: Sequence[str], target: Target, *, erased: Erased, memory_limit: str | None = None,
    log: Log = lambda _: None,
) -> SparkLoad:  # fmt: skip
    """Bring FHIR files into the tables of a node, and return what was written. People who were `erased` are left out.

    Raises InputError when a place does not exist or nothing in it can be loaded, LockedError when the node is being
    written on this machine, ReadWriteError when the disk refuses: the folder then holds what it held before.
    """
    checked_name(target)
    hadoop = HadoopFiles(session)
    files: Files = hadoop if is_url(target.place) else Disk()
    inputs = find_inputs(places, hadoop)
    with _held(target), refusals_told(target.place):
        known = read_manifests(target.place, files, any_layout=True) if _begun(target, files) else ()
        require_same_names(target, known, "")
        job = _Job(
            session, inputs, target, files, buckets_of(target, known), next_run(target.place, target.node, files)
        )
        try:
            begun = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
            done = job.run(Plan(job.buckets, erased, begun, memory_limit), known, log)
        except BaseException:
            with suppress(CohortFinderError, OSError):
                discard(target.place, target.node, job.name, files)
            raise
    return done


@contextmanager
def _held(target: Target) -> Iterator[None]:
    """Hold the node on this machine; elsewhere nobody can, and who starts it sees to it."""
    with ExitStack() as stack:
        stack.enter_context(disk_told(target.place) if is_url(target.place) else held(target))
        yield


def _begun(target: Target, files: Files) -> bool:
    try:
        return bool(files.names(target.place))
    except FileNotFoundError:
        return False


class _Job:
    """One run of a node by Spark."""

    def __init__(self, session: Any, inputs: Inputs, target: Target, files: Files, buckets: int, name: str) -> None:
        self._session, self._inputs, self._target, self._files = session, inputs, target, files
        self.buckets, self.name = buckets, name

    def run(self, plan: Plan, known: Sequence[NodeManifest], log: Log) -> SparkLoad:
        """Read, decide, write, and let it count."""
        staging = self._place(STAGING)
        log(f"reading {len(self._inputs.lines) + len(self._inputs.wholes)} files")
        stage(self._session, self._inputs, plan, self._files.url(staging))
        kinds = [name.removeprefix("kind=") for name in self._files.names(staging) if name.startswith("kind=")]
        staged = Staged(self._session, self._files.url(staging), kinds)
        settled, read = staged.settle(believed_until(Manifest("spark", plan.started_at))), staged.read()
        quarantine, reasons = self._put_aside(staged)
        if not any(one.loaded or one.deleted for one in settled.values()):
            raise InputError(self._nothing(reasons))
        log(f"writing the tables to {self._target.place}")
        types = {**{table.name: table.resource_type for table in typed_tables()}, "exact_number": "Observation"}
        tables = {
            table.name: self._write(table, staged.rows(table, types[table.name]))
            for table in parquet_tables()
            if table.name in types
        }
        manifest = self._manifest({**tables, "quarantine": quarantine}, settled, len(plan.erased.people))
        self._require_other_patients(manifest, known)
        with suppress(CohortFinderError, OSError):
            self._files.remove(staging.rpartition("/")[0])
        publish(self._target.place, manifest, known, self._files)
        return SparkLoad(
            manifest, {name: _filled(one, settled.get(name)) for name, one in read.items() if name}, reasons,
            (*self._inputs.skipped, *_left_out(read)),
            {name: one.deleted for name, one in settled.items() if one.deleted}, self._place(REJECTED),
        )  # fmt: skip

    def _place(self, table: str) -> str:
        return f"{self._target.place}/{table}/node={self._target.node}/run={self.name}"

    def _put_aside(self, staged: Staged) -> tuple[Written, dict[str, int]]:
        """Write the bad lines, and the table that tells of them; return why they are bad."""
        bad = staged.rejected(self._inputs)
        if bad is None:
            return Written(0, 0, 0), {}
        bad.hint("rebalance").write.json(self._files.url(self._place(REJECTED)))
        self._leave_to_owner(self._place(REJECTED))
        columns = "file STRING, line BIGINT, resource_type STRING, reason STRING"
        told = self._session.read.schema(columns).json(self._files.url(self._place(REJECTED)))
        told.createOrReplaceTempView("staged_bad")
        query = render("spark/reasons.sql.jinja", dialect=Dialect.SPARK)
        reasons = {one["reason"]: one["lines"] for one in self._session.sql(query.text).collect()}
        (table,) = (one for one in parquet_tables() if one.name == "quarantine")
        return self._write(table, told), reasons

    def _write(self, table: ParquetTable, rows: Any | None) -> Written:
        if rows is None:
            return Written(0, 0, 0)
        place = self._place(table.name)
        # files of a good size, one for each bucket and more for a large one
        even = rows.hint("rebalance", "bucket") if table.bucketed else rows.hint("rebalance")
        writer = even.write.option("compression", "zstd")
        (writer.partitionBy("bucket") if table.bucketed else writer).parquet(self._files.url(place))
        self._leave_to_owner(place)
        written = self._session.read.schema(table.spark_schema).parquet(self._files.url(place)).count()
        if not written:
            self._files.remove(place)
            return Written(0, 0, 0)
        return Written(written, *self._files.measure(place))

    def _leave_to_owner(self, place: str) -> None:
        """Leave what Spark has written on this machine to its owner, with the folders above, whichever umask it had."""
        if is_url(place):
            return
        make_private(Path(place))
        for above in (*Path(place).parents[:2], Path(self._target.place) / STAGING):
            # one that another owner has made is of that one
            with suppress(OSError):
                above.chmod(0o700)

    def _manifest(self, tables: Mapping[str, Written], settled: Mapping[str, TypeCount], erased: int) -> NodeManifest:
        types = {name: TypeState(one.loaded, complete=True) for name, one in sorted(settled.items())}
        return NodeManifest(
            node=self._target.node, run=self.name, release=__version__, engine="spark", duckdb=duckdb.__version__,
            written_at=datetime.now(UTC).isoformat(timespec="seconds"), buckets=self.buckets, tables=tables,
            types=types, schema=current_schema(), erased=erased,
        )  # fmt: skip

    def _require_other_patients(self, manifest: NodeManifest, known: Sequence[NodeManifest]) -> None:
        for other in newest(one for one in known if one.node != manifest.node):
            if not (manifest.tables[PATIENT].files and other.tables[PATIENT].files):
                continue
            for name, node in (("own_patient", manifest), ("other_patient", other)):
                place = self._files.url(f"{self._target.place}/{node.folder(PATIENT)}")
                self._session.read.schema("id STRING").parquet(place).createOrReplaceTempView(name)
            query = render("spark/patients_twice.sql.jinja", dialect=Dialect.SPARK)
            (found,) = self._session.sql(query.text).collect()
            require_none_twice(self._target.place, manifest.node, other.node, found["patients"])

    def _nothing(self, reasons: Mapping[str, int]) -> str:
        names = ", ".join((*self._inputs.lines, *self._inputs.wholes)[:3])
        why = next(iter(reasons), "there is no resource in it")
        return f"{names}: nothing here can be loaded ({why}); give FHIR R4 resources as JSON or NDJSON"


def _filled(read: tuple[int, int, int], settled: TypeCount | None) -> Filled:
    resources, quarantined, _ = read
    loaded = settled.loaded + settled.deleted if settled else 0
    return Filled(resources, loaded, resources - loaded - quarantined, quarantined)


def _left_out(read: Mapping[str, tuple[int, int, int]]) -> Iterator[str]:
    if found := sum(left_out for *_, left_out in read.values()):
        yield f"{found} resources of people who were erased were left out"
