"""A DuckDB connection that reaches no more than it needs: a few folders, no extension, no change of all this.

Values never become SQL text, so none of this should ever matter. It is the second wall: a query that came from
elsewhere could otherwise read any file of the user, write any, or download an extension.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

import duckdb

from cohortfinder.resources import resource_dir
from cohortfinder.sql.environment import render

# what a screening turns itself: it lets several statements run side by side
_FREE = ("threads",)
_ONE_AT_A_TIME = Lock()


def confined(
    connection: duckdb.DuckDBPyConnection, folders: Iterable[Path] = (), *, spills_beside: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """Let a connection, and all cursors of it, reach only what lies in some folders, and the mappings. Return it.

    A file that another thread of this process has open already stays as that one has confined it. `spills_beside` is a
    folder on the disk that may be filled by half of what is free: told here and not when the file is opened, because
    a file that is open is opened again with the same configuration only, and what is free differs every moment.
    """
    reached = sorted({str(path) for folder in (*folders, resource_dir("mappings")) for path in _spellings(folder)})
    with _ONE_AT_A_TIME:
        if connection.execute(render("warehouse/settings_locked.sql.jinja").text).fetchone() == (True,):
            return connection
        if spills_beside is not None:
            spill = render("warehouse/limit_spill.sql.jinja", size=room_to_spill(spills_beside))
            connection.execute(spill.text, spill.parameters)
        for query in (
            render("warehouse/allow_folders.sql.jinja", folders=reached),
            render("warehouse/allow_settings.sql.jinja", names=_FREE),
        ):
            connection.execute(query.text, query.parameters)
        for name in ("no_extensions", "no_external_access", "lock_settings"):
            connection.execute(render(f"warehouse/{name}.sql.jinja").text)
    return connection


def _spellings(folder: Path) -> tuple[Path, ...]:
    """Return a folder as it may be named, and as it is where a part of the name is a link."""
    return folder, folder.absolute(), folder.resolve()


def room_to_spill(folder: Path) -> str:
    """Return how much may be spilled: half of what is free, so that a query never fills the disk."""
    while not folder.exists():
        folder = folder.parent
    return f"{max(shutil.disk_usage(folder).free // 2 // 2**20, 1)}MiB"
