"""The tables of a warehouse to Parquet files in a folder, which other nodes may write into at the same time.

held by nobody else ──► run=<new>/ of every table ──► proved ──► its manifest ──► runs before the last one go
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from cohortfinder import __version__
from cohortfinder.disk import make_folders, sync_tree, write_durably
from cohortfinder.errors import InputError, ReadWriteError, StoreError
from cohortfinder.runs.lock import only_one
from cohortfinder.sql.environment import render
from cohortfinder.warehouse.connection import is_full
from cohortfinder.warehouse.parquet import (
    MANIFESTS,
    Disk,
    NodeManifest,
    Written,
    checked_node,
    manifest_file,
    manifest_text,
    newest,
    read_manifests,
)
from cohortfinder.warehouse.parquet_tables import PATIENT, ParquetTable, current_schema, parquet_tables
from cohortfinder.warehouse.state import loaded_types

BUCKETS = 16
_MOST_BUCKETS = 65_536
# what has a meaning in the path of files that Spark is to read
_NOT_IN_A_PATH = frozenset("*?[]{}\\")


@dataclass(frozen=True, slots=True)
class Target:
    """Where tables are to be written: `buckets` None for as many as the folder has already."""

    folder: Path
    node: str = "main"
    buckets: int | None = None


def checked_target(target: Target, store: Path) -> None:
    """Raise InputError where tables cannot be written: before the work, not after it."""
    folder = target.folder
    checked_node(target.node)
    if target.buckets is not None and not 1 <= target.buckets <= _MOST_BUCKETS:
        raise InputError(f"{target.buckets} buckets are not possible; give a number from 1 to {_MOST_BUCKETS}")
    if found := sorted(_NOT_IN_A_PATH & {*str(folder)}):
        raise InputError(f"{folder}: Spark reads no folder with {found[0]} in its name; name another one")
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InputError(f"{folder}: this is no folder, or a link to one; name a folder of its own for the tables")
    if folder.resolve() == store.resolve() or store.resolve() in folder.resolve().parents:
        raise InputError(f"{folder}: this is in the store, which has files of its own; name a folder outside of it")
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    if names and MANIFESTS not in names:
        raise InputError(f"{folder}: there are other files in this folder; name a new one, or one with such tables")
    if MANIFESTS in names:
        buckets_of(target)


def buckets_of(target: Target, others: Sequence[NodeManifest] | None = None) -> int:
    """Return how many buckets the tables are to have: those of other nodes have as many. Raises InputError."""
    known = newest(read_manifests(str(target.folder), Disk(), any_layout=True)) if others is None else newest(others)
    for other in (one for one in known if one.node != target.node):
        if target.buckets not in (None, other.buckets):
            raise InputError(
                f"{target.folder}: node {other.node} has {other.buckets} buckets here, and all nodes have as many; "
                f"leave out --buckets, or name another folder"
            )
        return other.buckets
    own = known[0].buckets if known else BUCKETS
    return target.buckets or own


def write_tables(connection: duckdb.DuckDBPyConnection, target: Target, *, erased: int = 0) -> NodeManifest:
    """Write every table, and let it count in the place of what the node has written before.

    `erased` is how many people were erased from the store: when it has grown, what was before goes at once, and else
    with the next run, so that who reads it can end. Raises InputError, LockedError, ReadWriteError, StoreError: the
    folder then holds what it held before.
    """
    folder = target.folder
    with _refusals_told(folder):
        _make_place(folder / MANIFESTS)
        with only_one(folder / MANIFESTS / f"{target.node}.lock", f"is writing the tables of node {target.node}"):
            known = read_manifests(str(folder), Disk(), any_layout=True)
            own = [one for one in known if one.node == target.node]
            run = _next_run(_runs_of(folder, target.node))
            try:
                manifest = _write(connection, target, known, run, erased)
            except BaseException:
                for table in parquet_tables():
                    shutil.rmtree(folder / table.name / f"node={target.node}" / f"run={run}", ignore_errors=True)
                raise
            last = [one for one in newest(own) if one.erased == erased]
            _clear(folder, target.node, {run, *(one.run for one in last)})
    return manifest


def _write(
    connection: duckdb.DuckDBPyConnection, target: Target, known: Sequence[NodeManifest], run: str, erased: int
) -> NodeManifest:
    buckets = buckets_of(target, known)
    tables = {}
    for table in parquet_tables():
        place = target.folder / table.name / f"node={target.node}" / f"run={run}"
        tables[table.name] = _write_table(connection, table, place, buckets)
    manifest = NodeManifest(
        node=target.node, run=run, release=__version__, engine="duckdb", duckdb=duckdb.__version__,
        written_at=datetime.now(UTC).isoformat(timespec="seconds"), buckets=buckets, tables=tables,
        types=loaded_types(connection), schema=current_schema(), erased=erased,
    )  # fmt: skip
    _require_other_patients(connection, target.folder, manifest, known)
    write_durably(target.folder / manifest_file(manifest), manifest_text(manifest))
    return manifest


def _write_table(connection: duckdb.DuckDBPyConnection, table: ParquetTable, place: Path, buckets: int) -> Written:
    _make_place(place)
    values: dict[str, Any]
    if table.name == "exact_number":
        name, values = "exact_number", {"buckets": buckets, "target": str(place)}
    elif table.bucketed:
        values = {"table": table.name, "patient": table.patient, "parent": table.parent, "buckets": buckets}
        name, values = "bucketed", {**values, "target": str(place)}
    else:
        held = f"store.{table.name}" if table.name == "quarantine" else table.name
        values = {"table": held, "columns": [*table.columns], "target": str(place / "data_0.parquet")}
        name = "whole"
    copied = render(f"parquet/{name}.sql.jinja", **values)
    (rows,) = connection.execute(copied.text, copied.parameters).fetchone() or (0,)
    if not rows:
        shutil.rmtree(place)
        return Written(0, 0, 0)
    _make_private(place)
    sync_tree(place)
    files, size = Disk().measure(str(place))
    counted = render("parquet/rows.sql.jinja", files=[str(file) for file in sorted(place.rglob("*.parquet"))])
    if connection.execute(counted.text, counted.parameters).fetchone() != (rows,):
        raise StoreError(f"{place}: fewer rows can be read than were written; check the disk, then run again")
    return Written(rows, files, size)


def _require_other_patients(
    connection: duckdb.DuckDBPyConnection, folder: Path, manifest: NodeManifest, known: Iterable[NodeManifest]
) -> None:
    """Raise InputError when other nodes have patients of the same ids: their records would become one."""
    own = _files_of(folder, manifest)
    for other in newest(one for one in known if one.node != manifest.node):
        theirs = _files_of(folder, other)
        if not own or not theirs:
            continue
        asked = render("parquet/patients_twice.sql.jinja", own=own, others=theirs)
        (patients,) = connection.execute(asked.text, asked.parameters).fetchone() or (0,)
        if patients:
            raise InputError(
                f"{folder}: {patients} patients of node {manifest.node} have ids that node {other.node} has, too, and "
                "would be mixed up; load each patient at one node, or name another folder"
            )


def _files_of(folder: Path, node: NodeManifest) -> list[str]:
    return [str(file) for file in sorted((folder / node.folder(PATIENT)).rglob("*.parquet"))]


def _runs_of(folder: Path, node: str) -> list[str]:
    """Return the runs of a node that have left something, whether they have ended and whichever release they were."""
    ended = [file.name.split(".")[1] for file in folder.glob(f"{MANIFESTS}/{node}.*.json")]
    return [*ended, *(place.name.removeprefix("run=") for place in folder.glob(f"*/node={node}/run=*"))]


def _next_run(before: Sequence[str]) -> str:
    """Return the name of a run, which comes after those before it whatever the clock says."""
    stamp, number = datetime.now(UTC).strftime("%Y%m%dT%H%M%S"), 1
    if before and max(before)[: len(stamp)] >= stamp:
        stamp, _, last = max(before).partition("-")
        number = int(last) + 1
    return f"{stamp}-{number:03}"


def _clear(folder: Path, node: str, kept: set[str]) -> None:
    """Remove what the node has written before, but for some runs. What cannot be removed now goes the next time."""
    for manifest in folder.glob(f"{MANIFESTS}/{node}.*.json"):
        if manifest.name.split(".")[1] not in kept:
            manifest.unlink(missing_ok=True)
    for run in folder.glob(f"*/node={node}/run=*"):
        if run.name.removeprefix("run=") not in kept:
            shutil.rmtree(run, ignore_errors=True)


def _make_place(place: Path) -> None:
    """Make folders for their owner alone. Raises InputError where one of them is a link."""
    for one in (place, *place.parents[:3]):
        if one.is_symlink():
            raise InputError(f"{one}: this is a link and not a folder; remove it, or name another folder")
    make_folders(place)


def _make_private(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        Path(place).chmod(0o700)
        for name in files:
            (Path(place) / name).chmod(0o600)


@contextmanager
def _refusals_told(folder: Path) -> Iterator[None]:
    """Tell in one sentence where the disk refuses. What DuckDB raises about something else goes through."""
    try:
        yield
    except OSError as error:
        raise ReadWriteError(f"{error.filename or folder}: the disk refused ({error.strerror}); {_TRY}") from error
    except duckdb.Error as error:
        if isinstance(error, duckdb.IOException) or is_full(error):
            said = str(error).splitlines()[0]
            raise ReadWriteError(f"{folder}: the tables cannot be written here ({said}); {_TRY}") from error
        raise


_TRY = "free space or check permissions, then run again"
