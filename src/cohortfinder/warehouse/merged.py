"""Loads that are merged: which lines hold and what was deleted, by the tables; and their books, back into tables."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from cohortfinder.landing.manifest import Manifest
from cohortfinder.landing.merged import BOOKS, GONE, Gone, book_file
from cohortfinder.sql.environment import render
from cohortfinder.warehouse.changes import note_unknown_change
from cohortfinder.warehouse.held import main_table
from cohortfinder.warehouse.tables import typed_tables

_FETCHED = 10_000


def note_merged(connection: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest) -> None:
    """Note in the books what was told of each load that was merged, and what was deleted.

    Of whom each of them changed something is not known any more: an evaluation that has not seen all asks everybody.
    """
    for book in ("loaded_type", "changed_patient"):
        _run(connection, "forget_load", table=book, load_id=manifest.load_id)
    for book in BOOKS:
        _run(connection, f"restore_{book}", file=str(folder / book_file(book)))
    _run(connection, "restore_gone", file=str(folder / GONE))
    for load_id in manifest.load_ids:
        note_unknown_change(connection, load_id)


def book_rows(connection: duckdb.DuckDBPyConnection, book: str, load_ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield what a book says of some loads."""
    query = render("warehouse/book_rows.sql.jinja", table=book, load_ids=list(load_ids))
    yield from _as_dicts(connection.execute(query.text, query.parameters))


def versions_of_types(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return of how many resources of each type a version is known, also of those that were deleted."""
    return dict(_run(connection, "versions_of_types"))


def kept_lines(connection: duckdb.DuckDBPyConnection, resource_type: str, files: list[str]) -> Iterator[list[bytes]]:
    """Yield the lines of a type that hold, some at a time; all of them are then in the temporary table `kept_line`."""
    typed = any(table.resource_type == resource_type for table in typed_tables())
    table = main_table(resource_type) if typed else None
    _run(connection, "kept_line", resource_type=resource_type, files=files, table=table)
    found = connection.execute(render("warehouse/kept_lines.sql.jinja").text)
    while rows := found.fetchmany(_FETCHED):
        yield [line.encode() + b"\n" for (line,) in rows]


def gone_of(connection: duckdb.DuckDBPyConnection, resource_type: str, *, some_kept: bool) -> Iterator[Gone]:
    """Yield what is known of the resources of a type of which no line holds: after `kept_lines`, where some were."""
    rows = _run(connection, "gone_rows", resource_type=resource_type, some_kept=some_kept)
    for own_id, updated, version, content in rows:
        yield Gone(resource_type, own_id, updated, version, content)


def lines_of(
    connection: duckdb.DuckDBPyConnection, files: list[str], ids: Iterable[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield id and text of all versions of some resources."""
    query = render("warehouse/gone_lines.sql.jinja", files=files, ids=list(ids))
    found = connection.execute(query.text, query.parameters)
    while rows := found.fetchmany(_FETCHED):
        yield from ((own_id, line.encode()) for own_id, line in rows)


def held_numbers(connection: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
    """Yield the digits of the versions that hold."""
    yield from _as_dicts(connection.execute(render("warehouse/held_numbers.sql.jinja").text))


def table_sums(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[Any, ...]]:
    """Return for each typed table its rows and one number for all that is in them; for the versions one number."""
    sums = {table.name: _run(connection, "table_sum", table=table.name)[0] for table in typed_tables()}
    return {**sums, "store.resource": _run(connection, "resource_sum")[0]}


def _as_dicts(found: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
    names = [name for name, *_ in found.description or []]
    while rows := found.fetchmany(_FETCHED):
        yield from (dict(zip(names, row, strict=True)) for row in rows)


def _run(connection: duckdb.DuckDBPyConnection, name: str, **values: Any) -> list[tuple[Any, ...]]:
    query = render(f"warehouse/{name}.sql.jinja", **values)
    return connection.execute(query.text, query.parameters).fetchall()
