"""The job behind `load --parquet`: typed tables to Parquet files for Spark, of a store or straight from FHIR files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from duckdb import DuckDBPyConnection

from cohortfinder.gates import GateSettings, read_gates
from cohortfinder.landing.people import read_erased
from cohortfinder.report.pseudonyms import read_key, require_apart, write_identification
from cohortfinder.spark.hadoop import is_url
from cohortfinder.spark.load import SparkLoad, load_by_spark
from cohortfinder.spark.session import require_spark, spark_session
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.parquet import NodeManifest
from cohortfinder.warehouse.parquet_files import write_tables
from cohortfinder.warehouse.parquet_runs import Target, checked_target
from cohortfinder.warehouse.pseudonymous import SiteKey, stand_before

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TablePseudonyms:
    """The key of the pseudonyms, and the file, for the site alone, that says who stands behind each."""

    key: SiteKey
    identification: Path | None = None


def write_parquet(
    store: Path, target: Target, *, pseudonyms: TablePseudonyms | None = None, memory_limit: str | None = None,
    threads: int | None = None, log: Log = lambda _: None,
) -> NodeManifest:  # fmt: skip
    """Write every typed table of a store, under `pseudonyms` where they are given, and return what was written.

    Raises InputError when there is no store or the folder is none for tables, LockedError when another process writes
    to the store or the same node, ReadWriteError when the disk refuses; the folder then holds what it held before.
    """
    checked_target(target, store, pseudonyms.key.mark if pseudonyms else "")
    with open_warehouse(
        store, read_only=True, memory_limit=memory_limit, threads=threads, reaches=[Path(target.place)]
    ) as connection:
        if pseudonyms is not None:
            _rename(connection, pseudonyms, log)
        log(f"writing the tables to {target.place}")
        mark = pseudonyms.key.mark if pseudonyms else ""
        return write_tables(connection, target, erased=len(read_erased(store).people), mark=mark)


def read_pseudonyms(target: Target, key: Path, identification: Path | None, settings: GateSettings) -> TablePseudonyms:
    """Read the key of a site's pseudonyms, and who is on its lists.

    Raises InputError when there is no key, or it or the identification would leave with the tables;
    ConfigurationError when others may read the key, or a list cannot be read.
    """
    require_apart(Path(target.folder), key, identification)
    lists = read_gates(settings)
    return TablePseudonyms(SiteKey(read_key(key), (*lists.test_patients, *lists.do_not_contact)), identification)


def _rename(connection: DuckDBPyConnection, pseudonyms: TablePseudonyms, log: Log) -> None:
    """Put pseudonyms before the tables, and write who stands behind each."""
    renamed = stand_before(connection, pseudonyms.key)
    if renamed.kept_back:
        log(f"{renamed.kept_back} Patient records are kept back, by a list of the site")
    if pseudonyms.identification is not None:
        write_identification(pseudonyms.identification, pseudonyms.key.of, renamed.patients)


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
