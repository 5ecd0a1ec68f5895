"""Which version of a resource wins: the lines of a load against what is stored."""

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from cohortfinder.landing.manifest import Manifest, landed
from cohortfinder.sql.environment import render
from cohortfinder.warehouse.landed_lines import LandedLines

_DAY = timedelta(days=1)


def pick_winners(connection: duckdb.DuckDBPyConnection, lines: LandedLines) -> tuple[int, int]:
    """Make the temporary table `winner` of the lines that are newer than what is stored.

    Return how many they are, and how many of them take the place of an older version.
    """
    until = believed_until(lines.manifest)
    _run(connection, "winner", files=lines.files, believed_until=until)
    _note_contents(connection, lines)
    _run(connection, "drop_superseded", resource_type=lines.resource_type, believed_until=until)
    changed = _run(connection, "count_changed", resource_type=lines.resource_type)
    return int(_run(connection, "count_winners")[0][0]), int(changed[0][0])


def believed_until(manifest: Manifest) -> str:
    """Return up to when a time of change is believed: a day after the load, by our clock or that of the server.

    It goes by the manifest alone, so that tables which are made anew are the same.
    """
    times = [one.watermark for one in manifest.pulled.types if one.watermark] if manifest.pulled else []
    ours = datetime.fromisoformat(manifest.started_at).replace(tzinfo=UTC)
    latest = max([ours, *map(datetime.fromisoformat, times)])
    return (latest + _DAY).astimezone(UTC).replace(tzinfo=None).isoformat()


def _note_contents(connection: duckdb.DuckDBPyConnection, lines: LandedLines) -> None:
    """Note what a first load has stored, as far as a line comes with the same version and its content decides.

    The first load of a type goes straight into the tables and does not read the lines themselves; they are in landing.
    """
    kind = lines.resource_type
    loads = {load_id for (load_id,) in _run(connection, "loads_of_type", resource_type=kind)}
    if not loads or not _run(connection, "some_tie", resource_type=kind):
        return
    for folder, manifest in landed(lines.folder.parent):
        if not loads.intersection(manifest.load_ids):
            continue
        files = [str(folder / part.file) for one in manifest.types if one.resource_type == kind for part in one.parts]
        if files:
            _run(connection, "note_contents", resource_type=kind, files=files)
        if not _run(connection, "some_tie", resource_type=kind):
            return


def _run(connection: duckdb.DuckDBPyConnection, name: str, **values: Any) -> list[tuple[Any, ...]]:
    query = render(f"warehouse/{name}.sql.jinja", **values)
    return connection.execute(query.text, query.parameters).fetchall()
