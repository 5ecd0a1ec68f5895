"""The job behind `load --parquet`: the typed tables of a store to Parquet files, for Spark."""

from collections.abc import Callable
from pathlib import Path

from cohortfinder.landing.people import read_erased
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.parquet import NodeManifest
from cohortfinder.warehouse.parquet_files import Target, checked_target, write_tables

Log = Callable[[str], None]


def write_parquet(
    store: Path, target: Target, *, memory_limit: str | None = None, threads: int | None = None,
    log: Log = lambda _: None,
) -> NodeManifest:  # fmt: skip
    """Write every typed table of a store, and return what was written.

    Raises InputError when there is no store or the folder is none for tables, LockedError when another process writes
    to the store or the same node, ReadWriteError when the disk refuses; the folder then holds what it held before.
    """
    checked_target(target, store)
    with open_warehouse(
        store, read_only=True, memory_limit=memory_limit, threads=threads, reaches=[target.folder]
    ) as connection:
        log(f"writing the tables to {target.folder}")
        return write_tables(connection, target, erased=len(read_erased(store).people))
