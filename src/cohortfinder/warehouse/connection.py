"""Opening the warehouse of a store: one DuckDB file, its layout checked, locked down, with bounded memory."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from cohortfinder.errors import ConfigurationError, InputError, LockedError, ReadWriteError, StoreError
from cohortfinder.sql.environment import render
from cohortfinder.warehouse.confined import confined
from cohortfinder.warehouse.seal import REMEDY, require_nothing_lost
from cohortfinder.warehouse.tables import create_tables

LAYOUT = 7
WAREHOUSE = "warehouse.duckdb"
SPILL = "spill"
DEFAULT_MEMORY = "2GB"
# Rows that a thread holds until it hands them to the file of their bucket. With the half million of DuckDB it wrote 80
# million results in twice the time, and spilled 24 GB.
_HELD_BACK = 5_000
# Files of this version can be read by every DuckDB that the program supports.
STORAGE = "v1.5.0"
# how DuckDB says that a file, or the WAL beside it, is not as it was written
_DAMAGE = ("not a valid DuckDB database", "orrupt", "checksum", "Could not read enough bytes", "WAL does not match",
    "version of this database", "newer version", "version number")  # fmt: skip

# how it says that a later DuckDB has written a file; its first block was compared with its checksum before
_NEWER = re.compile(r"version number (\d+), but we can only read versions between (\d+) and (\d+)")


@contextmanager
def open_warehouse(
    store: Path, *, read_only: bool = False, memory_limit: str | None = None, threads: int | None = None,
    sealed: bool = True, reaches: Iterable[Path] = (),
) -> Iterator[duckdb.DuckDBPyConnection]:  # fmt: skip
    """Open `store/warehouse.duckdb`, making store and tables when they are not there yet.

    Queries reach files of the store alone, and of the folders `reaches`. Unless it need not be `sealed`, it must hold
    every load that had ended. Raises InputError when it is to be read and does not exist, LockedError when another
    process writes to it, StoreError when it is damaged, has lost loads, or is of another layout, ReadWriteError when
    the folder refuses or the disk is full.
    """
    path = store / WAREHOUSE
    if read_only and not path.is_file():
        raise InputError(
            f"{store}: there is no store here; load FHIR files first: cohortfinder load PATH --store {store}"
        )
    if not read_only:
        make_private(store)
    with _disk_told(store):
        if not read_only and not path.exists():
            _make_new(path)
        connection = _connect(path, read_only=read_only, memory_limit=memory_limit, threads=threads)
        try:
            confined(connection, (store, *reaches), spills_beside=store)
            if not read_only and _is_empty(connection):
                path.chmod(0o600)
                with transaction(connection):
                    create_layout(connection)
            _check_layout(connection, path)
            if sealed:
                require_nothing_lost(store, connection, takes_up=not read_only)
            yield connection
        finally:
            connection.close()


@contextmanager
def _disk_told(store: Path) -> Iterator[None]:
    """Tell in one sentence what DuckDB raises where the disk refuses; its errors about anything else go through."""
    try:
        yield
    except duckdb.Error as error:
        if _says_damage(error):
            raise StoreError(
                f"{store / WAREHOUSE}: this warehouse is damaged ({_first_line(error)}); {REMEDY}"
            ) from error
        if isinstance(error, duckdb.OutOfMemoryException) and not is_full(error):
            raise ConfigurationError(
                f"{store}: the memory_limit of the configuration is too small for this ({_first_line(error)}); raise it"
            ) from error
        if not isinstance(error, duckdb.IOException) and not is_full(error):
            raise
        raise ReadWriteError(
            f"{store}: cannot read or write here ({_first_line(error)}); check space and permissions"
        ) from error


def _make_new(path: Path) -> None:
    """Make a warehouse under another name, then give it its own: a process that dies leaves none or a whole one."""
    begun = path.with_name(path.name + ".new")
    begun.unlink(missing_ok=True)
    begun.with_name(begun.name + ".wal").unlink(missing_ok=True)
    connection = _connect(begun, read_only=False, memory_limit=None, threads=None)
    try:
        begun.chmod(0o600)
        with transaction(connection):
            create_layout(connection)
        checkpoint(connection)
    finally:
        connection.close()
    # the WAL of a warehouse that is gone belongs to no other
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
    begun.replace(path)


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Do everything inside or nothing of it."""
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def checkpoint(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring every commit from the WAL into the file."""
    connection.execute("CHECKPOINT")


def make_private(folder: Path) -> None:
    """Make a folder that only its owner can open. Raises ReadWriteError when that is refused."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"no permission to write into {folder}")
        folder.chmod(0o700)
    except OSError as error:
        raise ReadWriteError(f"{folder}: this folder cannot be written; check its permissions") from error


def _connect(
    path: Path, *, read_only: bool, memory_limit: str | None, threads: int | None
) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit or DEFAULT_MEMORY,
        "threads": threads or min(os.cpu_count() or 1, 8),
        "temp_directory": str(path.parent / SPILL),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": False,
        "partitioned_write_flush_threshold": _HELD_BACK,
    }
    if not read_only:
        config["storage_compatibility_version"] = STORAGE
    try:
        return duckdb.connect(str(path), read_only=read_only, config=config)
    except duckdb.IOException as error:
        raise _refusal(error, path) from error
    except duckdb.Error as error:
        raise StoreError(f"{path}: this warehouse cannot be opened ({_first_line(error)}); {REMEDY}") from error


def _refusal(error: duckdb.IOException, path: Path) -> Exception:
    said = str(error)
    if "Could not set lock" in said or "Conflicting lock" in said:
        holder = re.search(r"\(PID (\d+)\)", said)
        by = f"process {holder[1]}" if holder else "another process"
        return LockedError(f"{path}: {by} is using the warehouse; try again when it has finished")
    if newer := _NEWER.search(said):
        return ConfigurationError(
            f"{path}: this warehouse has storage version {newer[1]}, and DuckDB {duckdb.__version__} reads {newer[2]} "
            f"to {newer[3]}; use the DuckDB that wrote it, or a newer one"
        )
    if _says_damage(error):
        return StoreError(f"{path}: this is not a warehouse that can be read ({_first_line(error)}); {REMEDY}")
    return ReadWriteError(f"{path}: the warehouse cannot be opened ({_first_line(error)}); check space and permissions")


def is_full(error: BaseException | None) -> bool:
    """Tell whether a disk was full: DuckDB may say so as a fatal error, or where it could not even roll back."""
    return error is not None and ("No space left on device" in str(error) or is_full(error.__context__))


def _says_damage(error: duckdb.Error) -> bool:
    """Say whether DuckDB complains about what the file holds, and not about the disk or a value."""
    of_the_file = (duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)
    # of a block that it reads while rows are fetched it says so by no class of its own
    about_it = isinstance(error, of_the_file) or type(error) is duckdb.Error
    return about_it and any(words in str(error) for words in _DAMAGE)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _is_empty(connection: duckdb.DuckDBPyConnection) -> bool:
    """Say whether there is no table yet: a new file, or one whose making was interrupted."""
    return connection.execute(render("warehouse/count_tables.sql.jinja").text).fetchone() == (0,)


def create_layout(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of an empty warehouse."""
    for statement in render("warehouse/layout.sql.jinja", layout=LAYOUT).text.split(";"):
        if statement.strip():
            connection.execute(statement, {"p1": LAYOUT} if "$p1" in statement else {})
    create_tables(connection)


def _check_layout(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    try:
        rows = connection.execute(render("warehouse/layout_version.sql.jinja").text).fetchall()
    except duckdb.CatalogException as error:
        raise StoreError(f"{path}: this database was not made by cohortfinder; name another store") from error
    if rows != [(LAYOUT,)]:
        found = rows[0][0] if rows else "none"
        raise StoreError(
            f"{path}: the store has layout {found}, this version needs {LAYOUT};"
            " load the files again into a new store, or use the version that made it"
        )
