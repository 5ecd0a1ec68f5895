"""A part of the typed tables as a store of its own, which lasts as long as it is evaluated."""

from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from cohortfinder.sql.environment import render
from cohortfinder.warehouse.confined import confined
from cohortfinder.warehouse.connection import checkpoint, open_warehouse
from cohortfinder.warehouse.parquet_tables import ParquetTable, parquet_tables
from cohortfinder.warehouse.parts import Link, Part

# from a folder of a table, maybe of one bucket, to its Parquet files on this machine; none where it is not there
Fetch = Callable[[str], list[Path]]
# what was put aside is of no patient: the whole run tells it once
_QUARANTINE = "quarantine"


def fill_store(store: Path, part: Part, fetch: Fetch, *, reaches: Iterable[Path], memory_limit: str | None) -> None:
    """Make a store of the patients of a part."""
    with open_warehouse(store, memory_limit=memory_limit, threads=1, sealed=False, reaches=reaches) as connection:
        # what lies with its resource comes after it
        for table in sorted(parquet_tables(), key=lambda one: one.parent is not None):
            if table.name in part.folders and table.name != _QUARANTINE:
                _fill(connection, table, part, fetch)
        checkpoint(connection)


def _fill(connection: DuckDBPyConnection, table: ParquetTable, part: Part, fetch: Fetch) -> None:
    folder = part.folders[table.name]
    if not table.bucketed:
        _insert(connection, table, fetch(folder))
        return
    own = [file for bucket in part.buckets for file in fetch(f"{folder}/bucket={bucket}")]
    others = [file for bucket in part.brought_from for file in fetch(f"{folder}/bucket={bucket}")]
    if table.parent:
        alone = not part.left_out and not part.brought
        _insert(connection, table, [*own, *others], parent=None if alone else table.parent)
        return
    _insert(connection, table, own, left_out=part.left_out)
    _insert(connection, table, others, brought=part.brought)


def _insert(
    connection: DuckDBPyConnection, table: ParquetTable, files: list[Path], *, parent: str | None = None,
    left_out: tuple[str, ...] = (), brought: tuple[str, ...] = (),
) -> None:  # fmt: skip
    if not files:
        return
    filled = render(
        "parts/fill.sql.jinja", table=table.name, files=[str(file) for file in files], patient=table.patient,
        columns=[*table.columns],        parent=parent, left_out=left_out, brought=brought,
    )  # fmt: skip
    connection.execute(filled.text, filled.parameters)


def read_links(files: list[Path]) -> tuple[Link, ...]:
    """Return the links between Patient records in the files of their table."""
    if not files:
        return ()
    asked = render("parts/links.sql.jinja", files=[str(file) for file in files])
    with duckdb.connect() as connection:
        confined(connection, {file.parent for file in files})
        return tuple(connection.execute(asked.text, asked.parameters).fetchall())
