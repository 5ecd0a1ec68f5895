"""The floor of a load: the same tables made by hand-written SQL from the same landing files."""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import duckdb

from cohortfinder.warehouse.tables import typed_tables

FOLDER = Path(__file__).parent / "floors"
FLOORS = {file.stem: file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.sql"))}
MEMORY, THREADS = "2GB", 2


def fill_by_hand(database: Path, files: Mapping[str, list[str]]) -> None:
    """Make the tables in a new database; `files` are the landing files by resource type."""
    types = {table.name: table.resource_type for table in typed_tables()}
    with _new_database(database) as connection:
        for name, statement in FLOORS.items():
            if types[name] in files:
                connection.execute(statement, {"files": files[types[name]]})
        connection.execute("CHECKPOINT")


def each_view(files: Mapping[str, list[str]]) -> tuple[float, float]:
    """Return the seconds of all views that have rows in these files, and of the same by hand, each a new table."""
    spent = {"ours": 0.0, "by hand": 0.0}
    for table in typed_tables():
        if table.name in FLOORS and table.resource_type in files:
            ours = f"CREATE TABLE {table.name} AS {table.view.select_from_ndjson(strict=True)}"
            for whose, statement in (("ours", ours), ("by hand", FLOORS[table.name])):
                with tempfile.TemporaryDirectory() as name, _new_database(Path(name) / "one.duckdb") as connection:
                    started = time.perf_counter()
                    connection.execute(statement, {"files": files[table.resource_type]})
                    spent[whose] += time.perf_counter() - started
    return spent["ours"], spent["by hand"]


def _new_database(file: Path) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "threads": THREADS,
        "preserve_insertion_order": False,
    }
    return duckdb.connect(str(file), config=config)


def differing(ours: Path, floor: Path) -> list[str]:
    """Name the tables of the floor whose rows are not, value by value, those of ours."""
    names = {table.name: ", ".join(f'"{column.name}"' for column in table.view.columns) for table in typed_tables()}
    sums = [
        {name: _checksum(database, name, columns) for name, columns in names.items() if name in FLOORS}
        for database in (ours, floor)
    ]
    return [name for name in sums[0] if sums[0][name] != sums[1][name]]


def _checksum(database: Path, table: str, columns: str) -> object:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(f"SELECT count(*), sum(hash({columns})) FROM {table}").fetchall()
