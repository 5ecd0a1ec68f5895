"""The job behind `load --parquet`: typed tables to Parquet files for Spark, of a store or straight from FHIR files."""

from collections.abc import Callable, Sequence
from pathlib import Path

from cohortfinder.landing.people import read_erased
from cohortfinder.spark.hadoop import is_url
from cohortfinder.spark.load import SparkLoad, load_by_spark
from cohortfinder.spark.session import require_spark, spark_session
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.parquet import NodeManifest
from cohortfinder.warehouse.parquet_files import write_tables
from cohortfinder.warehouse.parquet_runs import Target, checked_target

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
        store, read_only=True, memory_limit=memory_limit, threads=threads, reaches=[Path(target.place)]
    ) as connection:
        log(f"writing the tables to {target.place}")
        return write_tables(connection, target, erased=len(read_erased(store).people))


def write_parquet_by_spark(
    places: Sequence[str], target: Target, store: Path, *, memory_limit: str | None = None, threads: int | None = None,
    log: Log = lambda _: None,
) -> SparkLoad:  # fmt: skip
    """Bring FHIR files, paths or URLs, into typed tables by Spark, without the store; return what was written.

    Of the store no more is read than who was erased: they are left out. Raises ConfigurationError where Spark or Java
    is missing, and what `write_parquet` raises.
    """
    require_spark()
    if not is_url(target.place):
        checked_target(target, store)
    with spark_session(threads=threads) as session:
        return load_by_spark(session, places, target, erased=read_erased(store), memory_limit=memory_limit, log=log)
