"""The jobs `verify` and `rebuild`: whether a store is what the last load left, and its tables made anew if not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from cohortfinder.disk import sync_folder
from cohortfinder.errors import InputError, StoreError
from cohortfinder.jobs.load import LANDING, rebuild_tables
from cohortfinder.landing.manifest import Manifest, landed
from cohortfinder.landing.merged import merged_problems
from cohortfinder.landing.parts import members
from cohortfinder.sql.environment import render
from cohortfinder.warehouse.connection import WAREHOUSE, open_warehouse
from cohortfinder.warehouse.seal import (
    REMEDY,
    SEAL,
    differences,
    loads_of,
    lost_loads,
    read_seal,
    table_names,
    told_lost,
)

Log = Callable[[str], None]
DAMAGED = f"{WAREHOUSE}.damaged-"


def verify(store: Path) -> tuple[str, ...]:
    """Return what does not fit together in a store: nothing when it is what the last load left.

    Everything is read: each value of the tables, each landing file to its end. Raises InputError when there is no
    store, LockedError when another process writes to it.
    """
    if not (store / WAREHOUSE).is_file() and (store / SEAL).is_file():
        return (f"{store / WAREHOUSE}: this file is missing; {REMEDY}", *_landing_problems(store))
    return (*_table_problems(store), *_landing_problems(store))


def _table_problems(store: Path) -> tuple[str, ...]:
    try:
        with open_warehouse(store, read_only=True, sealed=False) as connection:
            known, lost = set(loads_of(connection)), lost_loads(store, connection)
            different = differences(store, connection, store / WAREHOUSE)
    except StoreError as error:
        return (str(error),)
    except duckdb.Error as error:
        said = str(error).splitlines()[0]
        return (f"{store / WAREHOUSE}: this warehouse is damaged ({said}); {REMEDY}",)
    on_disk = {load_id for _, manifest in landed(store / LANDING) for load_id in manifest.load_ids}
    gone, waiting = sorted(known - on_disk), sorted(on_disk - known - set(lost))
    return (
        *((f"{told_lost(lost)}; {REMEDY}",) if lost else ()),
        *(f"{one}; {REMEDY}" for one in different if not lost and not waiting),
        *_unsealed(store, known),
        *(f"the landing files of load {one} are missing; restore landing/{one} from a backup" for one in gone),
        *(f"load {one} is not in the tables; the next load takes it up" for one in waiting),
    )


def _unsealed(store: Path, known: set[str]) -> tuple[str, ...]:
    if known and read_seal(store) is None:
        return (f"{store / SEAL}: this file is missing, so that nobody knows what the last load left; {REMEDY}",)
    return ()


def _landing_problems(store: Path) -> tuple[str, ...]:
    while True:
        before = _names(store / LANDING)
        try:
            found = tuple(
                problem for folder, manifest in landed(store / LANDING) for problem in load_problems(folder, manifest)
            )
        except StoreError as error:
            found = (str(error),)
        # else somebody has merged loads meanwhile
        if not found or before == _names(store / LANDING):
            return found


def _names(landing: Path) -> list[str]:
    return sorted(path.name for path in landing.iterdir()) if landing.is_dir() else []


def load_problems(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with the landing files of a load: each is read to its end."""
    yield from merged_problems(folder, manifest)
    for part in (part for kind in manifest.types for part in kind.parts):
        file = folder / part.file
        if not file.is_file():
            yield f"{file}: this landing file is missing; restore it from a backup"
            continue
        try:
            lines = sum(text.count(b"\n") for _, text in members(file))
        except StoreError as error:
            yield str(error)
            continue
        if lines != part.resources:
            yield f"{file}: this landing file has {lines} resources and had {part.resources}; restore it from a backup"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did: how many rows there are, and where the damaged file is, None when there was none."""

    rows: int
    damaged: Path | None


def rebuild(
    store: Path, *, memory_limit: str | None = None, threads: int | None = None, log: Log = lambda _: None
) -> Rebuilt:
    """Make every table anew from the landing files; a warehouse that is damaged or has lost loads is put aside.

    Raises InputError when there is no store, LockedError when another process uses it, StoreError when landing is
    damaged (the warehouse is then left as it is).
    """
    if not (store / LANDING).is_dir():
        raise InputError(f"{store}: there is no store here, or its landing files are gone; check --store")
    if problems := _landing_problems(store):
        raise StoreError("; ".join(problems))
    damaged = None
    if (store / WAREHOUSE).exists() and (told := _table_problems(store)):
        log(f"putting aside the warehouse: {told[0]}")
        damaged = _put_aside(store)
    rebuild_tables(store, memory_limit=memory_limit, threads=threads, log=log)
    if left := verify(store):
        raise StoreError("; ".join(left))
    with open_warehouse(store, read_only=True) as connection:
        rows = sum(_rows(connection, table) for table in table_names())
    return Rebuilt(rows, damaged)


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    (rows,) = connection.execute(render("warehouse/count_rows.sql.jinja", table=table).text).fetchone() or (0,)
    return int(rows)


def _put_aside(store: Path) -> Path:
    """Rename the warehouse and what belongs to it. Whatever ends this half-way, the next load makes the tables anew."""
    place = store / f"{DAMAGED}{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    wal = store / f"{WAREHOUSE}.wal"
    # the WAL first: without its file it would stand beside the new one
    if wal.exists():
        wal.rename(place.with_name(f"{place.name}.wal"))
    (store / WAREHOUSE).rename(place)
    sync_folder(store)
    return place
