"""The job `view`: one SQL on FHIR ViewDefinition run over FHIR files."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from cohortfinder.errors import InputError, ReadWriteError
from cohortfinder.landing.land import land
from cohortfinder.landing.manifest import Manifest
from cohortfinder.landing.quarantine import Quarantine, Rejected, rejected_lines
from cohortfinder.landing.sources import Found, find_sources
from cohortfinder.views import CompiledView, ViewError, compile_view
from cohortfinder.views.schema import quote
from cohortfinder.views.values import SEVERAL
from cohortfinder.warehouse.audit import Audit
from cohortfinder.warehouse.confined import confined
from cohortfinder.warehouse.landed_lines import LandedLines, PartLines, files_of
from cohortfinder.warehouse.reader import REFUSALS, Reader
from cohortfinder.warehouse.tables import TypedTable

_TABLE = "rows"
_BATCH = 10_000
# So many landing files are read at a time, and read again when a line of them is bad.
_FILES = 4


@dataclass(frozen=True, slots=True)
class ViewRows:
    """The rows of a view, in the order of the files, and what of the files could not be read."""

    columns: tuple[str, ...]
    rejected: tuple[Rejected, ...]
    _connection: duckdb.DuckDBPyConnection  # whose table has the columns by number: names may differ by case alone
    _scratch: Path

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Yield one row at a time; few of them are in memory."""
        found = self._connection.execute(f'SELECT * FROM "{_TABLE}"')
        while batch := found.fetchmany(_BATCH):
            yield from batch

    def write_parquet(self, target: Path) -> None:
        """Write the rows into a file. Raises ReadWriteError when it cannot be written."""
        try:
            named = ", ".join(f"c{number} AS {quote(name)}" for number, name in enumerate(self.columns))
            query = f'COPY (SELECT {named} FROM "{_TABLE}") TO $target (FORMAT parquet)'
            written = self._scratch / "rows.parquet"
            self._connection.execute(query, {"target": str(written)})
            shutil.copyfile(written, target)
        except (OSError, duckdb.IOException) as error:
            raise ReadWriteError(f"{target}: cannot be written; check the folder and its permissions") from error


@contextmanager
def view_rows(definition: Path, paths: Iterable[Path]) -> Iterator[ViewRows]:
    """Run a ViewDefinition over FHIR files.

    Lines that are no resource, or that the view cannot read, are put aside; the rows of all others are there.
    Raises InputError when the definition or a path is wrong, or a path of the view gives several values for one column.
    """
    try:
        view = compile_view(_text(definition))
    except ViewError as error:
        raise InputError(f"{definition}: {error}") from error
    found = find_sources(paths)
    with (
        tempfile.TemporaryDirectory(prefix="cohortfinder-") as scratch,
        duckdb.connect(str(Path(scratch) / "view.duckdb")) as connection,
    ):
        confined(connection, (Path(scratch),))
        rejected = Path(scratch) / "rejected.ndjson"
        with closing(Quarantine(rejected)) as quarantine:
            _fill(connection, view, found, Path(scratch), quarantine)
        names = tuple(column.name for column in view.columns)
        yield ViewRows(names, tuple(rejected_lines(rejected)), connection, Path(scratch))


def _text(definition: Path) -> str:
    try:
        return definition.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{definition}: this ViewDefinition cannot be read ({error.strerror}); check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{definition}: this ViewDefinition is not UTF-8; save it as UTF-8") from error


def _fill(
    connection: duckdb.DuckDBPyConnection, view: CompiledView, found: Found, scratch: Path, quarantine: Quarantine
) -> None:
    folder = scratch / "landing"
    folder.mkdir()
    manifest = replace(Manifest("view", datetime.now(UTC).isoformat()), skipped=found.skipped)
    landed = land(found.files, folder, manifest, quarantine, log=lambda _: None, needs_id=False)
    columns = ", ".join(f"c{number} {column.sql_type}" for number, column in enumerate(view.columns))
    connection.execute(f'CREATE TABLE "{_TABLE}" ({columns})')
    reader = Reader(connection, [TypedTable(view.name, view)], scratch, any_resource=True)
    for kind in landed.types:
        if kind.resource_type == view.resource:
            lines = LandedLines(folder, landed, kind, scratch)
            for some in lines.groups(_FILES):
                Audit(reader, some).read_with(lambda parts: _insert(connection, view, reader, parts))
            lines.put_aside(quarantine)


def _insert(
    connection: duckdb.DuckDBPyConnection, view: CompiledView, reader: Reader, parts: Iterable[PartLines]
) -> None:
    """Add the rows of some files. Raises one of REFUSALS where a line cannot be read, adding nothing."""
    files = files_of(parts)
    if not files:
        return
    if view.reads_text:
        # the query itself would take NULL for what is of a wrong kind
        reader.read(files)
    try:
        connection.execute(f'INSERT INTO "{_TABLE}" {view.select_from_ndjson(strict=True)}', {"files": files})
    except REFUSALS as error:
        if SEVERAL in str(error):
            problem = str(error).splitlines()[0].removeprefix("Invalid Input Error: ")
            raise InputError(
                f"view {view.name!r}: {problem}; "
                "give the column 'collection: true', or end the path in first() or join()"
            ) from error
        raise
