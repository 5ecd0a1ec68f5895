"""Landing files to typed tables: the newest version of each resource, what cannot be read put aside.

A first load of a type goes straight from its files into the tables. Where the type is in the store already, or an id
occurs twice, the winning versions are picked from the lines themselves and replace what is there.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from cohortfinder.landing.manifest import LandedType, Manifest
from cohortfinder.landing.quarantine import Quarantine
from cohortfinder.sql.environment import identifier, render
from cohortfinder.warehouse.audit import audited_files
from cohortfinder.warehouse.connection import transaction
from cohortfinder.warehouse.tables import TypedTable, typed_tables


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of the landed resources of one type; `loaded` counts those that are now in the tables."""

    read: int
    loaded: int
    superseded: int
    quarantined: int


def fill(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    manifest: Manifest,
    quarantine: Quarantine,
    scratch: Path,
) -> dict[str, Filled]:
    """Bring one load into the tables, one transaction a resource type.

    A type is there as a whole or not at all, and its completeness is noted with it; a load that was interrupted
    between two types is filled again from its landing files and ends the same.
    """
    tables = _tables_by_type()
    filled = {
        landed.resource_type: _fill_type(
            connection, folder, manifest, landed, tables.get(landed.resource_type, ()), quarantine, scratch
        )
        for landed in manifest.types
    }
    if manifest.deletions:
        with transaction(connection):
            _delete(connection, folder / "deletions.ndjson", tables)
    return filled


def _tables_by_type() -> dict[str, tuple[TypedTable, ...]]:
    """Group the tables by resource type, the one with a row for every resource first."""
    grouped: dict[str, tuple[TypedTable, ...]] = {}
    for table in sorted(typed_tables(), key=lambda table: len(table.name)):
        grouped[table.resource_type] = (*grouped.get(table.resource_type, ()), table)
    return grouped


def _fill_type(
    connection: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest, landed: LandedType,
    tables: Sequence[TypedTable], quarantine: Quarantine, scratch: Path,
) -> Filled:  # fmt: skip
    files = [str(folder / part.file) for part in landed.parts]
    before = quarantine.count
    if tables and _is_new(connection, landed.resource_type):
        with suppress(_NeedsCloserLookError, duckdb.InvalidInputException), transaction(connection):
            _fill_empty(connection, landed, files, tables)
            _note_type(connection, manifest, landed, landed.resources)
            return Filled(landed.resources, landed.resources, 0, 0)
    files = audited_files(connection, folder, manifest, landed, tables, quarantine, scratch)
    bad = quarantine.count - before
    with transaction(connection):
        loaded = _replace(connection, landed.resource_type, files, tables)
        _note_type(connection, manifest, landed, loaded)
    return Filled(landed.resources, loaded, landed.resources - bad - loaded, bad)


class _NeedsCloserLookError(Exception):
    """An id is missing or occurs twice, so the straight way into the tables is not open."""


def _note_type(connection: duckdb.DuckDBPyConnection, manifest: Manifest, landed: LandedType, loaded: int) -> None:
    note = render(
        "warehouse/note_type.sql.jinja",
        load_id=manifest.load_id,
        resource_type=landed.resource_type,
        resources=loaded,
        complete=landed.complete,
    )
    connection.execute(note.text, note.parameters)


def _is_new(connection: duckdb.DuckDBPyConnection, resource_type: str) -> bool:
    asked = render("warehouse/some_resource.sql.jinja", resource_type=resource_type)
    return not connection.execute(asked.text, asked.parameters).fetchall()


def _fill_empty(
    connection: duckdb.DuckDBPyConnection, landed: LandedType, files: list[str], tables: Sequence[TypedTable]
) -> None:
    """Fill the empty tables of a type straight from its files; raises when a line or an id needs a closer look."""
    for table in tables:
        connection.execute(_insert(table, table.view.select_from_ndjson(strict=True)), {"files": files})
    counted = render("warehouse/distinct_ids.sql.jinja", table=tables[0].name)
    resources, some_without_id, some_without_version = connection.execute(counted.text).fetchall()[0]
    if resources != landed.resources or some_without_id:
        raise _NeedsCloserLookError
    kind = landed.resource_type
    if some_without_version:
        noted = render("warehouse/note_contents.sql.jinja", resource_type=kind, files=files)
    else:
        noted = render("warehouse/note_versions.sql.jinja", resource_type=kind, table=tables[0].name)
    connection.execute(noted.text, noted.parameters)


def _replace(
    connection: duckdb.DuckDBPyConnection, resource_type: str, files: list[str], tables: Sequence[TypedTable]
) -> int:
    """Pick the winning version of each resource in the files, where it is newer than the stored one, and store it."""
    if not files:
        return 0
    for name in ("winner", "forget_versions", "keep_versions"):
        query = render(f"warehouse/{name}.sql.jinja", resource_type=resource_type, files=files)
        connection.execute(query.text, query.parameters)
    for table in tables:
        connection.execute(render("warehouse/remove_rows.sql.jinja", table=table.name).text)
        connection.execute(_insert(table, table.view.select_from_json_column("winner", "resource")))
    row = connection.execute(render("warehouse/count_winners.sql.jinja").text).fetchone()
    return int(row[0]) if row else 0


def _insert(table: TypedTable, query: str) -> str:
    return f"INSERT INTO {identifier(table.name)} {query}"


def _delete(connection: duckdb.DuckDBPyConnection, file: Path, tables: Mapping[str, Sequence[TypedTable]]) -> None:
    """Apply the deletions of a load to what is older than they are."""
    query = render("warehouse/deletion.sql.jinja", file=str(file))
    connection.execute(query.text, query.parameters)
    for resource_type, typed in tables.items():
        for table in typed:
            removed = render("warehouse/delete_rows.sql.jinja", table=table.name, resource_type=resource_type)
            connection.execute(removed.text, removed.parameters)
    connection.execute(render("warehouse/note_deletions.sql.jinja").text)
