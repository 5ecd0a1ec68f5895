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


def confined(connection: duckdb.DuckDBPyConnection, folders: Iterable[Path] = ()) -> duckdb.DuckDBPyConnection:
    """Let a connection, and all cursors of it, reach only what lies in some folders, and the mappings. Return it.

    A file that another thread of this process has open already stays as that one has confined it.
    """
    reached = sorted({str(path) for folder in (*folders, resource_dir("mappings")) for path in _spellings(folder)})
    with _ONE_AT_A_TIME:
        if connection.execute(render("warehouse/settings_locked.sql.jinja").text).fetchone() == (True,):
            return connection
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
