"""What a task of Spark does with its lines: it loads them as `load` does, and hands on rows instead of keeping them.

    lines of some files ──► landing ──► a warehouse of its own ──► packets: rows of every table, versions, bad lines

A packet is a few thousand rows of one kind, as an Arrow stream. Nothing here is kept when the task ends.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import orjson

from cohortfinder.landing.digits import DIGITS
from cohortfinder.landing.exported import DELETED, ERROR
from cohortfinder.landing.land import land
from cohortfinder.landing.manifest import DELETIONS, Manifest
from cohortfinder.landing.people import Erased
from cohortfinder.landing.quarantine import Quarantine
from cohortfinder.sql.environment import Rendered, render
from cohortfinder.warehouse.confined import confined
from cohortfinder.warehouse.connection import DEFAULT_MEMORY, create_layout
from cohortfinder.warehouse.fill import Filled, fill
from cohortfinder.warehouse.parquet_files import rows_of
from cohortfinder.warehouse.parquet_tables import parquet_tables

# so much is read into memory before it is loaded, and so many rows go into a packet
CHUNK_BYTES = 64 * 2**20
_ROWS = 4_096
# a task has fewer than a million chunks
_CHUNKS = 20
# the kinds of packets besides those of the tables, with their columns as Spark declares them
RESOURCE, DELETION, REJECTED, COUNTED = "resource", "deletion", "rejected", "counted"
KINDS: Mapping[str, str] = {
    RESOURCE: "resource_type STRING, id STRING, updated TIMESTAMP_NTZ, version BIGINT, content DECIMAL(20,0)",
    DELETION: "resource_type STRING, id STRING, deleted_at TIMESTAMP_NTZ",
    REJECTED: "url STRING, file STRING, start BIGINT, line BIGINT, resource_type STRING, reason STRING, raw STRING",
    COUNTED: "resource_type STRING, read BIGINT, quarantined BIGINT, left_out BIGINT",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a task has to know. `started_at` is when the job began; `whole`: each row is a file, and not a line."""

    buckets: int
    erased: Erased
    started_at: str
    memory_limit: str | None = None
    whole: bool = False


@dataclass(slots=True)
class Piece:
    """Lines that follow each other in a file: the first is number `first` of the part that begins at byte `start`."""

    file: str
    start: int
    first: int
    lines: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Packet:
    """Rows of one kind, of one chunk: an Arrow stream."""

    kind: str
    chunk: int
    rows: int
    payload: bytes


def packets(plan: Plan, rows: Iterable[tuple[str, int, bytes]], task: int) -> Iterator[Packet]:
    """Yield what the rows (file, start of its part, line or content) of a task come to."""
    for number, pieces in enumerate(_pieces(rows)):
        yield from _load(pieces, plan, (task << _CHUNKS) + number)


def _pieces(rows: Iterable[tuple[str, int, bytes]]) -> Iterator[list[Piece]]:
    """Gather rows into pieces of files, and pieces until they are large enough to be loaded."""
    gathered: list[Piece] = []
    size = 0
    for file, start, content in rows:
        last = gathered[-1] if gathered else None
        if last is None or (last.file, last.start) != (file, start):
            last = Piece(file, start, 1)
            gathered.append(last)
        last.lines.append(content)
        size += len(content)
        if size >= CHUNK_BYTES:
            yield gathered
            gathered, size = [Piece(file, start, last.first + len(last.lines))], 0
    if any(piece.lines for piece in gathered):
        yield gathered


def _load(pieces: list[Piece], plan: Plan, chunk: int) -> Iterator[Packet]:
    with tempfile.TemporaryDirectory(prefix="cohortfinder-") as name:
        scratch = Path(name)
        sources = {str(file): piece for file, piece in _written(pieces, scratch / "in", plan)}
        folder, refused = scratch / "landing", scratch / "refused.ndjson"
        folder.mkdir()
        with closing(Quarantine(refused)) as quarantine:
            begun = Manifest("spark", plan.started_at)
            manifest = land(map(Path, sources), folder, begun, quarantine, log=lambda _: None, erased=plan.erased)
        with closing(_warehouse(scratch, plan)) as connection:
            with closing(Quarantine(scratch / "tables.ndjson")) as quarantine:
                filled = fill(connection, folder, manifest, quarantine, scratch)
            _note(connection, folder, manifest)
            for kind, query in _queries(plan, folder, manifest):
                yield from _packets(connection, kind, chunk, query)
        left_out = sum(int(told.split()[0]) for told in manifest.skipped)
        yield _packet(COUNTED, chunk, [*_counts(filled), _count("", left_out=left_out)])
        if bad := [*_rejected(sources, refused, scratch / "tables.ndjson")]:
            yield _packet(REJECTED, chunk, bad)


def _written(pieces: list[Piece], folder: Path, plan: Plan) -> Iterator[tuple[Path, Piece]]:
    """Write pieces into files of their own. What is in the deletions or errors of an export stays known as that."""
    for number, piece in enumerate(piece for piece in pieces if piece.lines):
        above = unquote(piece.file).split("/")[-2:-1]
        place = folder / str(number) / (above[0] if above and above[0] in (DELETED, ERROR) else "files")
        place.mkdir(parents=True)
        file = place / ("file.json" if plan.whole else "file.ndjson")
        with file.open("wb") as lines:
            lines.writelines(line if plan.whole else line + b"\n" for line in piece.lines)
        yield file, piece


def _warehouse(scratch: Path, plan: Plan) -> duckdb.DuckDBPyConnection:
    """Return a warehouse with no one but this chunk in it. Spark runs as many tasks as there are cores."""
    config: dict[str, Any] = {
        "threads": 1, "memory_limit": plan.memory_limit or DEFAULT_MEMORY, "temp_directory": str(scratch / "spill"),
        "autoinstall_known_extensions": False, "autoload_known_extensions": False,
    }  # fmt: skip
    connection = duckdb.connect(str(scratch / "chunk.duckdb"), config=config)
    confined(connection, (scratch,))
    create_layout(connection)
    return connection


def _note(connection: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest) -> None:
    """Note the digits of numbers, and the content of resources: it decides between lines with the same version."""
    if manifest.digits:
        _run(connection, render("warehouse/keep_exact_numbers.sql.jinja", file=str(folder / DIGITS)))
    for one in manifest.types:
        files = [str(folder / part.file) for part in one.parts]
        _run(connection, render("warehouse/note_contents.sql.jinja", resource_type=one.resource_type, files=files))


def _queries(plan: Plan, folder: Path, manifest: Manifest) -> Iterator[tuple[str, Rendered]]:
    yield RESOURCE, render("parquet/versions.sql.jinja")
    if manifest.deletions:
        yield DELETION, render("parquet/deletions.sql.jinja", file=str(folder / DELETIONS))
    for table in parquet_tables():
        if table.name != "quarantine":
            yield table.name, rows_of(table, plan.buckets)


def _run(connection: duckdb.DuckDBPyConnection, query: Rendered) -> None:
    connection.execute(query.text, query.parameters)


def _packets(connection: duckdb.DuckDBPyConnection, kind: str, chunk: int, query: Rendered) -> Iterator[Packet]:
    found: Any = connection.sql(query.text, params=query.parameters or None)
    for batch in found.to_arrow_reader(_ROWS):
        if batch.num_rows:
            yield Packet(kind, chunk, batch.num_rows, _stream(batch))


def _packet(kind: str, chunk: int, rows: list[dict[str, Any]]) -> Packet:
    import pyarrow

    schema = pyarrow.schema([(name, getattr(pyarrow, type_name)()) for name, type_name in _ARROW[kind].items()])
    batch = pyarrow.RecordBatch.from_pylist(rows, schema=schema)
    return Packet(kind, chunk, len(rows), _stream(batch))


_ARROW = {
    COUNTED: {"resource_type": "string", "read": "int64", "quarantined": "int64", "left_out": "int64"},
    REJECTED: {
        "url": "string", "file": "string", "start": "int64", "line": "int64", "resource_type": "string",
        "reason": "string", "raw": "string",
    },
}  # fmt: skip


def _stream(batch: Any) -> bytes:
    import pyarrow

    sink = pyarrow.BufferOutputStream()
    options = pyarrow.ipc.IpcWriteOptions(compression="zstd")
    with pyarrow.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def _counts(filled: Mapping[str, Filled]) -> Iterator[dict[str, Any]]:
    for kind, one in filled.items():
        yield _count(kind, one.read, one.quarantined)


def _count(kind: str, read: int = 0, quarantined: int = 0, left_out: int = 0) -> dict[str, Any]:
    return {"resource_type": kind, "read": read, "quarantined": quarantined, "left_out": left_out}


def plain(url: str) -> str:
    """Return a file of this machine without what makes a URL of it, as people name it."""
    return url.removeprefix("file://").removeprefix("file:")


def _rejected(sources: Mapping[str, Piece], *files: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines that were put aside, each with the place where it came from."""
    for file in files:
        for line in file.read_bytes().splitlines() if file.exists() else ():
            record = orjson.loads(line)
            piece = sources[record["file"]]
            yield {
                **record,
                "url": piece.file,
                "file": plain(unquote(piece.file)),
                "start": piece.start,
                "line": record["line"] + piece.first - 1,
            }
