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

import duckdb

from cohortfinder import __version__
from cohortfinder.disk import sync_tree
from cohortfinder.errors import InputError, ReadWriteError, StoreError
from cohortfinder.runs.lock import only_one
from cohortfinder.sql.environment import Rendered, render
from cohortfinder.warehouse.connection import is_full
from cohortfinder.warehouse.parquet import MANIFESTS, Disk, NodeManifest, Written, newest, read_manifests
from cohortfinder.warehouse.parquet_runs import (
    Target,
    buckets_of,
    discard,
    make_place,
    next_run,
    publish,
    require_same_names,
)
from cohortfinder.warehouse.parquet_tables import PATIENT, ParquetTable, current_schema, parquet_tables
from cohortfinder.warehouse.pseudonymous import RENAMED_QUARANTINE
from cohortfinder.warehouse.state import loaded_types

# what was put aside, as a store names it
QUARANTINE = "store.quarantine"
_TRY = "free space or check permissions, then run again"


@dataclass(frozen=True, slots=True)
class NodeRun:
    """A run of a node: its name, how many were erased by then, and the mark of the key of its pseudonyms."""

    name: str
    erased: int
    mark: str


def write_tables(
    connection: duckdb.DuckDBPyConnection, target: Target, *, erased: int = 0, mark: str = ""
) -> NodeManifest:
    """Write every table, and let it count in the place of what the node has written before.

    `erased` is how many people were erased from the store: when it has grown, what was before goes at once, and else
    with the next run, so that who reads it can end. `mark` is that of the key, where pseudonyms stand before the
    tables of the connection. Raises InputError, LockedError, ReadWriteError, StoreError: the
    folder then holds what it held before.
    """
    with held(target):
        known = read_manifests(target.place, Disk(), any_layout=True)
        require_same_names(target, known, mark)
        run = next_run(target.place, target.node, Disk())
        try:
            manifest = _write(connection, target, known, NodeRun(run, erased, mark))
            publish(target.place, manifest, known, Disk())
        except BaseException:
            discard(target.place, target.node, run, Disk())
            raise
    return manifest


@contextmanager
def held(target: Target) -> Iterator[None]:
    """Keep others from writing the tables of the node, and tell in one sentence where the disk refuses.

    Raises LockedError, ReadWriteError, and InputError where the folder is a link.
    """
    with refusals_told(target.place):
        make_place(Path(target.place) / MANIFESTS)
        with only_one(
            Path(target.place) / MANIFESTS / f"{target.node}.lock", f"is writing the tables of node {target.node}"
        ):
            yield


def rows_of(table: ParquetTable, buckets: int, target: str | None = None, *, quarantine: str = QUARANTINE) -> Rendered:
    """Return what gives the rows of a table with their buckets, or with a target writes them there.

    `quarantine` is the name under which the connection has what was put aside.
    """
    if table.name == "exact_number":
        return render("parquet/exact_number.sql.jinja", buckets=buckets, target=target)
    if table.bucketed:
        return render(
            "parquet/bucketed.sql.jinja",
            table=table.name, patient=table.patient, parent=table.parent, buckets=buckets, target=target,
        )  # fmt: skip
    place = quarantine if table.name == "quarantine" else table.name
    return render("parquet/whole.sql.jinja", table=place, columns=[*table.columns], target=target)


def _write(
    connection: duckdb.DuckDBPyConnection, target: Target, known: Sequence[NodeManifest], run: NodeRun
) -> NodeManifest:
    buckets, folder = buckets_of(target, known), Path(target.place)
    tables = {}
    for table in parquet_tables():
        place = folder / table.name / f"node={target.node}" / f"run={run.name}"
        target_of_rows = str(place if table.bucketed else place / "data_0.parquet")
        copied = rows_of(table, buckets, target_of_rows, quarantine=RENAMED_QUARANTINE if run.mark else QUARANTINE)
        tables[table.name] = _write_table(connection, copied, place)
    manifest = NodeManifest(
        node=target.node, run=run.name, release=__version__, engine="duckdb", duckdb=duckdb.__version__,
        written_at=datetime.now(UTC).isoformat(timespec="seconds"), buckets=buckets, tables=tables,
        types=loaded_types(connection), schema=current_schema(), erased=run.erased,
        pseudonyms=run.mark,
    )  # fmt: skip
    _require_other_patients(connection, folder, manifest, known)
    return manifest


def _write_table(connection: duckdb.DuckDBPyConnection, copied: Rendered, place: Path) -> Written:
    make_place(place)
    (rows,) = connection.execute(copied.text, copied.parameters).fetchone() or (0,)
    if not rows:
        shutil.rmtree(place)
        return Written(0, 0, 0)
    make_private(place)
    sync_tree(place)
    files, size = Disk().measure(str(place))
    counted = render("parquet/rows.sql.jinja", files=[str(file) for file in sorted(place.rglob("*.parquet"))])
    if connection.execute(counted.text, counted.parameters).fetchone() != (rows,):
        raise StoreError(f"{place}: fewer rows can be read than were written; check the disk, then run again")
    return Written(rows, files, size)


def _require_other_patients(
    connection: duckdb.DuckDBPyConnection, folder: Path, manifest: NodeManifest, known: Iterable[NodeManifest]
) -> None:
    own = _files_of(folder, manifest)
    for other in newest(one for one in known if one.node != manifest.node):
        theirs = _files_of(folder, other)
        if own and theirs:
            asked = render("parquet/patients_twice.sql.jinja", own=own, others=theirs)
            (patients,) = connection.execute(asked.text, asked.parameters).fetchone() or (0,)
            require_none_twice(str(folder), manifest.node, other.node, patients)


def require_none_twice(folder: str, node: str, other: str, patients: int) -> None:
    """Raise InputError when another node has patients of the same ids: their records would become one."""
    if patients:
        raise InputError(
            f"{folder}: {patients} patients of node {node} have ids that node {other} has, too, and would be mixed up; "
            "load each patient at one node, or name another folder"
        )


def _files_of(folder: Path, node: NodeManifest) -> list[str]:
    return [str(file) for file in sorted((folder / node.folder(PATIENT)).rglob("*.parquet"))]


def make_private(folder: Path) -> None:
    """Leave files and folders to their owner alone."""
    for place, _, files in os.walk(folder):
        Path(place).chmod(0o700)
        for name in files:
            (Path(place) / name).chmod(0o600)


@contextmanager
def refusals_told(folder: str) -> Iterator[None]:
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
