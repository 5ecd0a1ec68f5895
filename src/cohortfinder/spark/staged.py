"""What the tasks of a Spark job make of FHIR files, kept until it is decided which version of each resource holds.

files ──► packets (each task by itself) ──► staging/ ──► which versions hold ──► the rows of a table
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from cohortfinder.spark.chunk import COUNTED, DELETION, KINDS, REJECTED, RESOURCE, Plan, packets
from cohortfinder.spark.inputs import Inputs, named
from cohortfinder.sql.dialect import Dialect
from cohortfinder.sql.environment import render
from cohortfinder.warehouse.parquet_tables import ParquetTable

_PACKETS = "kind STRING, chunk BIGINT, rows BIGINT, payload BINARY"
_STANDING = "standing"
# lines and packets are large: Python takes few of them at a time
_BATCH = ("spark.sql.execution.arrow.maxRecordsPerBatch", "256")


@dataclass(frozen=True, slots=True)
class TypeCount:
    """Of a type how many resources hold, how many were deleted, and how many versions do not hold."""

    loaded: int
    deleted: int
    lost: int


def stage(session: Any, inputs: Inputs, plan: Plan, place: str) -> None:
    """Read all files, each task some of them, and write what they come to into `place`."""
    session.conf.set(*_BATCH)
    found = None
    for files, whole in ((inputs.lines, False), (inputs.wholes, True)):
        if files:
            task = partial(_task, replace(plan, whole=whole))
            own = _lines(session, files, whole=whole).mapInArrow(task, schema=_PACKETS)
            found = own if found is None else found.union(own)
    if found is not None:
        # what is in a packet is packed already
        found.write.partitionBy("kind").option("compression", "uncompressed").parquet(place)


def _lines(session: Any, files: Iterable[str], *, whole: bool) -> Any:
    """Return a row a line, or a file, with its file and the first byte of the part of it that a task has."""
    from pyspark.sql import functions

    # one end of lines, so that a line has the same number for everybody; no columns out of the names of folders
    reader = session.read.option("lineSep", "\n").option("recursiveFileLookup", "true")
    lines = reader.option("wholetext", str(whole).lower()).text([*files])
    return lines.select(
        functions.col("_metadata.file_path").alias("file"),
        functions.col("_metadata.file_block_start").alias("start"),
        functions.col("value").cast("binary").alias("content"),
    )


def _task(plan: Plan, batches: Iterable[Any]) -> Iterator[Any]:
    """Make packets of the lines of one task, in a worker of Spark."""
    import pyarrow
    from pyspark import TaskContext

    context: Any = TaskContext.get()
    for one in packets(plan, _rows(batches), context.partitionId()):
        yield pyarrow.RecordBatch.from_pydict(
            {"kind": [one.kind], "chunk": [one.chunk], "rows": [one.rows], "payload": [one.payload]}
        )


def _rows(batches: Iterable[Any]) -> Iterator[tuple[str, int, bytes]]:
    for batch in batches:
        columns = batch.to_pydict()
        yield from zip(columns["file"], columns["start"], columns["content"], strict=True)


def _unpacked(batches: Iterable[Any]) -> Iterator[Any]:
    """Make rows of packets, each with its chunk, in a worker of Spark."""
    import pyarrow

    for batch in batches:
        for chunk, payload in zip(batch.column("chunk").to_pylist(), batch.column("payload"), strict=True):
            for rows in pyarrow.ipc.open_stream(payload.as_buffer()):
                yield rows.append_column("chunk", pyarrow.array([chunk] * rows.num_rows, pyarrow.int64()))


class Staged:
    """The packets in a folder, as frames of Spark; `kinds` are those of which there are some."""

    def __init__(self, session: Any, place: str, kinds: Iterable[str]) -> None:
        self._session, self._place, self._kinds = session, place, frozenset(kinds)
        self._losing: frozenset[str] = frozenset()

    def settle(self, believed_until: str) -> dict[str, TypeCount]:
        """Decide which version of each resource holds, and return the counts of each type.

        The rule is that of `load`: the later lastUpdated, then the higher versionId, then the larger hash of the text;
        and what was deleted since is not there. A lastUpdated after `believed_until` is not believed.
        """
        if RESOURCE not in self._kinds:
            return {}
        self._view(RESOURCE)
        if DELETION in self._kinds:
            self._view(DELETION)
        else:
            empty = self._session.createDataFrame([], KINDS[DELETION])
            empty.createOrReplaceTempView(f"staged_{DELETION}")
        self._asked("standing", believed_until=believed_until).write.parquet(f"{self._place}/{_STANDING}")
        self._session.read.parquet(f"{self._place}/{_STANDING}").createOrReplaceTempView(f"staged_{_STANDING}")
        counted = self._asked("standing_counts").collect()
        found = {one["resource_type"]: TypeCount(one["loaded"], one["deleted"], one["lost"]) for one in counted}
        self._losing = frozenset(name for name, one in found.items() if one.lost)
        return found

    def rows(self, table: ParquetTable, resource_type: str) -> Any | None:
        """Return the rows of a table that hold, with their buckets; None where there are none at all."""
        if table.name not in self._kinds:
            return None
        found = self._frame(table.name, table.spark_schema + (", bucket INT" if table.bucketed else ""))
        if resource_type not in self._losing:
            return found.drop("chunk")
        found.createOrReplaceTempView("staged_rows")
        return self._asked("rows", resource_type=resource_type)

    def rejected(self, inputs: Inputs) -> Any | None:
        """Return the lines that were put aside, each with its number in its file; None where there are none."""
        if REJECTED not in self._kinds:
            return None
        self._view(REJECTED)
        later = {one["file"] for one in self._asked("later").collect()}
        files = [one for one in inputs.lines if named(one) in later]
        if files:
            _lines(self._session, files, whole=False).createOrReplaceTempView("staged_line")
            self._asked("parts").createOrReplaceTempView("staged_part")
        return self._asked("rejected", counted=bool(files))

    def read(self) -> Mapping[str, tuple[int, int, int]]:
        """Return of each type how many resources were read, put aside by the tables, and left out."""
        if COUNTED not in self._kinds:
            return {}
        self._view(COUNTED)
        found = self._asked("read").collect()
        return {one["resource_type"]: (one["read"], one["quarantined"], one["left_out"]) for one in found}

    def _asked(self, name: str, **values: Any) -> Any:
        query = render(f"spark/{name}.sql.jinja", dialect=Dialect.SPARK, **values)
        return self._session.sql(query.text, args=query.parameters)

    def _view(self, kind: str) -> None:
        self._frame(kind, KINDS[kind]).createOrReplaceTempView(f"staged_{kind}")

    def _frame(self, kind: str, columns: str) -> Any:
        packed = self._session.read.schema("chunk BIGINT, payload BINARY").parquet(f"{self._place}/kind={kind}")
        return packed.mapInArrow(_unpacked, schema=f"{columns}, chunk BIGINT")
