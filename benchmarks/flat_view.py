"""One flat ViewDefinition against the same rows by hand: the compiler alone, without the tables of the product."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from cohortfinder.landing.manifest import Manifest
from cohortfinder.views import compile_view
from cohortfinder.warehouse.audit import Audit
from cohortfinder.warehouse.landed_lines import LandedLines, files_of
from cohortfinder.warehouse.reader import Reader
from cohortfinder.warehouse.tables import TypedTable, create_tables

VIEWS = Path(__file__).parent / "views"
Work = Callable[[duckdb.DuckDBPyConnection], object]


def flat_view(
    folder: Path, clean: Manifest, doubtful: tuple[Path, Manifest], rounds: int
) -> tuple[float, float, float]:
    """Return the best seconds of our SQL, of ours with the audit, and of the hand-written one, taking turns.

    All read files of Observations; those for the audit hold one line more, which the view cannot read.
    """
    table = TypedTable("flat", compile_view((VIEWS / "flat_observation.json").read_text(encoding="utf-8")))
    by_hand = (VIEWS / "flat_observation.sql").read_text(encoding="utf-8")
    files = files_of(_observations(folder, clean, folder).parts)
    ways: tuple[Work, ...] = (
        lambda connection: _made(connection, table.view.select_from_ndjson(strict=True), files),
        lambda connection: _audited(connection, table, *doubtful),
        lambda connection: _made(connection, by_hand, files),
    )
    taken: tuple[list[float], ...] = ([], [], [])
    for _ in range(rounds):
        rows = []
        for way, spent in zip(ways, taken, strict=True):
            with duckdb.connect() as connection:
                started = time.perf_counter()
                way(connection)
                spent.append(time.perf_counter() - started)
                rows.append(connection.execute("SELECT count(*), sum(hash(flat)) FROM flat").fetchall())
        if rows[0] != rows[1] or rows[0] != rows[2]:
            sys.exit(
                "the flat view, with its audit or without, and its floor make other rows; correct benchmarks/views"
            )
    ours, audited, floor = map(min, taken)
    return ours, audited, floor


def _observations(folder: Path, manifest: Manifest, scratch: Path) -> LandedLines:
    kind = next(kind for kind in manifest.types if kind.resource_type == "Observation")
    return LandedLines(folder, manifest, kind, scratch)


def _made(connection: duckdb.DuckDBPyConnection, query: str, files: list[str]) -> None:
    connection.execute(f"CREATE TABLE flat AS {query}", {"files": files})


def _audited(connection: duckdb.DuckDBPyConnection, table: TypedTable, folder: Path, manifest: Manifest) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        reader = Reader(connection, [table], Path(scratch), any_resource=True)
        create_tables(connection, [table])
        query = f"INSERT INTO flat {table.view.select_from_ndjson(strict=True)}"
        for some in _observations(folder, manifest, Path(scratch)).groups(4):
            Audit(reader, some).read_with(lambda parts: connection.execute(query, {"files": files_of(parts)}))
