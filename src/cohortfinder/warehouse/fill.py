"""Landing files to typed tables: the newest version of each resource, what cannot be read put aside.

A first load of a type is read, a few files at a time, into incoming tables, which then take the place of the empty
ones. Where the type is in the store already, or an id occurs twice, the winning versions are picked from the lines
themselves and replace what is there. Either way reads strictly: files that fail are searched for the lines that are to
blame, these are put aside, and no more than those files is read again.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from cohortfinder.landing.manifest import DELETIONS, Manifest
from cohortfinder.landing.quarantine import Quarantine
from cohortfinder.sql.environment import identifier, render
from cohortfinder.warehouse.audit import Audit
from cohortfinder.warehouse.changes import note_changed, note_unknown_change
from cohortfinder.warehouse.connection import transaction
from cohortfinder.warehouse.landed_lines import LandedLines, PartLines, files_of
from cohortfinder.warehouse.reader import NoIdError, Reader
from cohortfinder.warehouse.tables import TypedTable, create_tables, drop_tables, typed_tables
from cohortfinder.warehouse.versions import believed_until, pick_winners

# Prefix of a table that is being filled. Those of an interrupted load are made anew when it is taken up again.
INCOMING = "incoming_"


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of the landed resources of one type.

    `loaded` counts those that are now in the tables, `changed` those of them that took the place of an older version.
    """

    read: int
    loaded: int
    superseded: int
    quarantined: int
    changed: int = 0


def fill(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    manifest: Manifest,
    quarantine: Quarantine,
    scratch: Path,
) -> dict[str, Filled]:
    """Bring one load into the tables, one transaction a resource type.

    A type is there as a whole or not at all, and its completeness is noted with it; a load that was interrupted goes
    on with the types that are not noted, from its landing files, and ends the same. `quarantine` holds what the types
    that are noted have put aside.
    """
    tables = _tables_by_type()
    finished = finished_types(connection, manifest.load_id)
    filled = {}
    for landed in manifest.types:
        kind, lines = landed.resource_type, LandedLines(folder, manifest, landed, scratch)
        if kind in finished:
            (loaded, changed), bad = finished[kind], quarantine.types[kind]
            filled[kind] = Filled(landed.resources, loaded, landed.resources - loaded - bad, bad, changed)
        else:
            filled[kind] = _fill_type(connection, lines, tables.get(kind, ()), quarantine, scratch)
    return filled


def delete(connection: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest) -> dict[str, int]:
    """Apply the deletions of a load to what is older than they are; return how many resources of each type went."""
    if not manifest.deletions:
        return {}
    with transaction(connection):
        return _delete(connection, folder / DELETIONS, manifest, _tables_by_type())


def finished_types(connection: duckdb.DuckDBPyConnection, load_id: str) -> dict[str, tuple[int, int]]:
    """Return how many resources a load has brought, and how many of them changed, by the types that it has finished."""
    asked = render("warehouse/finished_types.sql.jinja", load_id=load_id)
    rows = connection.execute(asked.text, asked.parameters).fetchall()
    return {kind: (resources, changed) for kind, resources, changed in rows}


def _tables_by_type() -> dict[str, tuple[TypedTable, ...]]:
    """Group the tables by resource type, the one with a row for every resource first."""
    grouped: dict[str, tuple[TypedTable, ...]] = {}
    for table in sorted(typed_tables(), key=lambda table: len(table.name)):
        grouped[table.resource_type] = (*grouped.get(table.resource_type, ()), table)
    return grouped


def _fill_type(
    connection: duckdb.DuckDBPyConnection, lines: LandedLines, tables: Sequence[TypedTable], quarantine: Quarantine,
    scratch: Path,
) -> Filled:  # fmt: skip
    """Fill the tables of one type, putting lines aside until the rest can be read."""
    reader = Reader(connection, tables, scratch)
    is_new = _is_new(connection, lines.resource_type)
    if is_new:
        drop_tables(connection, tables, INCOMING)
        create_tables(connection, tables, INCOMING)
    # with two files a thread none waits long for the others at the end
    for parts in lines.groups(2 * _threads(connection)):
        Audit(reader, parts).read_with(
            lambda some: _gather(connection, some, tables) if is_new and tables else reader.read(files_of(some))
        )
    if is_new:
        with suppress(_SeveralVersionsError):
            return _noted(connection, lines, tables, quarantine, _take_over)
        drop_tables(connection, tables, INCOMING)
    return _noted(connection, lines, tables, quarantine, _replace)


class _SeveralVersionsError(Exception):
    """An id occurs twice, so the straight way into the tables is not open."""


# a way returns how many resources are now in the tables, and how many of them took the place of an older version
_Way = Callable[[duckdb.DuckDBPyConnection, LandedLines, Sequence[TypedTable]], tuple[int, int]]


def _noted(
    connection: duckdb.DuckDBPyConnection, lines: LandedLines, tables: Sequence[TypedTable], quarantine: Quarantine,
    way: _Way,
) -> Filled:  # fmt: skip
    """Bring a type into its tables in one way, and note it: all of this or nothing."""
    with transaction(connection):
        loaded, changed = way(connection, lines, tables)
        lines.put_aside(quarantine)
        note = render(
            "warehouse/note_type.sql.jinja",
            load_id=lines.manifest.load_id,
            resource_type=lines.resource_type,
            resources=loaded,
            changed=changed,
            complete=lines.landed.complete,
        )
        connection.execute(note.text, note.parameters)
    return Filled(lines.landed.resources, loaded, lines.landed.resources - lines.bad - loaded, lines.bad, changed)


def _is_new(connection: duckdb.DuckDBPyConnection, resource_type: str) -> bool:
    asked = render("warehouse/some_resource.sql.jinja", resource_type=resource_type)
    return not connection.execute(asked.text, asked.parameters).fetchall()


def _threads(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute(render("warehouse/threads.sql.jinja").text).fetchone()
    return int(row[0]) if row else 1


def _gather(connection: duckdb.DuckDBPyConnection, parts: Sequence[PartLines], tables: Sequence[TypedTable]) -> None:
    """Read some files of a new type into its incoming tables. Raises one of REFUSALS or NoIdError, adding nothing."""
    files = files_of(parts)
    if not files:
        return
    with transaction(connection):
        # The table with the fewest columns is the fastest to fill: a line that no table takes is met early.
        for table in sorted(tables, key=lambda table: len(table.view.columns)):
            connection.execute(
                _insert(INCOMING + table.name, table.view.select_from_ndjson(strict=True)), {"files": files}
            )
        asked = render("warehouse/some_without_id.sql.jinja", table=INCOMING + tables[0].name)
        if connection.execute(asked.text).fetchall():
            raise NoIdError


def _take_over(
    connection: duckdb.DuckDBPyConnection, lines: LandedLines, tables: Sequence[TypedTable]
) -> tuple[int, int]:
    """Put the incoming tables of a new type in the place of the empty ones."""
    kind = lines.resource_type
    if tables:
        noted = render("warehouse/note_versions.sql.jinja", resource_type=kind, table=INCOMING + tables[0].name)
    else:
        noted = render("warehouse/note_lines.sql.jinja", resource_type=kind, files=lines.files)
    resources = 0
    if tables or lines.files:
        (resources,) = connection.execute(noted.text, noted.parameters).fetchone() or (0,)
    if resources != lines.landed.resources - lines.bad:
        raise _SeveralVersionsError
    note_unknown_change(connection, lines.manifest.load_id)
    for table in tables:
        for name in ("drop_table", "rename_table"):
            connection.execute(render(f"warehouse/{name}.sql.jinja", table=table.name, old=INCOMING + table.name).text)
    return int(resources), 0


def _replace(
    connection: duckdb.DuckDBPyConnection, lines: LandedLines, tables: Sequence[TypedTable]
) -> tuple[int, int]:
    """Pick the winning version of each resource in the files, where it is newer than the stored one, and store it."""
    if not lines.files:
        return 0, 0
    winners, changed = pick_winners(connection, lines)
    load_id, kind = lines.manifest.load_id, lines.resource_type
    note_changed(connection, load_id, kind, tables, "winner")
    for name in ("forget_versions", "keep_versions"):
        query = render(f"warehouse/{name}.sql.jinja", resource_type=lines.resource_type)
        connection.execute(query.text, query.parameters)
    for table in tables:
        connection.execute(render("warehouse/remove_rows.sql.jinja", table=table.name).text)
        connection.execute(_insert(table.name, table.view.select_from_json_column("winner", "resource")))
    note_changed(connection, load_id, kind, tables, "winner")
    return winners, changed


def _insert(table: str, query: str) -> str:
    return f"INSERT INTO {identifier(table)} {query}"


def _delete(
    connection: duckdb.DuckDBPyConnection, file: Path, manifest: Manifest, tables: Mapping[str, Sequence[TypedTable]]
) -> dict[str, int]:
    query = render("warehouse/deletion.sql.jinja", file=str(file), believed_until=believed_until(manifest))
    connection.execute(query.text, query.parameters)
    gone = {}
    for resource_type, typed in tables.items():
        note_changed(connection, manifest.load_id, resource_type, typed, "deletion")
        counted = render("warehouse/count_deletions.sql.jinja", table=typed[0].name, resource_type=resource_type)
        (gone[resource_type],) = connection.execute(counted.text, counted.parameters).fetchone() or (0,)
        for table in typed:
            removed = render("warehouse/delete_rows.sql.jinja", table=table.name, resource_type=resource_type)
            connection.execute(removed.text, removed.parameters)
    for name in ("note_deletions", "forget_deleted"):
        connection.execute(render(f"warehouse/{name}.sql.jinja").text)
    return {kind: resources for kind, resources in gone.items() if resources}
