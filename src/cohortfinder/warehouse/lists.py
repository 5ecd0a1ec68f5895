"""The outputs of several trials to one database of lists, which is written once and then only read."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from cohortfinder.errors import ReadWriteError
from cohortfinder.sql.environment import render
from cohortfinder.warehouse.connection import DEFAULT_MEMORY, STORAGE

# each table with the output that it is made of; typed where the output is
TABLES = {
    "candidates": "candidates.parquet",
    "verdicts": "verdicts.parquet",
    "funnel": "funnel.csv",
    "funnel_people": "funnel_people.csv",
    "gates": "gates.csv",
    "next_steps": "next_steps.csv",
    "clinic_steps": "clinic_steps.csv",
    "outlook": "outlook.csv",
    "whatif": "whatif.csv",
    "data_quality": "data_quality.csv",
    "concept_coverage": "concept_coverage.csv",
    "unknowns": "unknowns.csv",
}


def make_lists(file: Path, outputs: Mapping[str, Path], *, memory_limit: str | None = None) -> None:
    """Write the tables, with the rows of each trial from the folder of its outputs. Raises ReadWriteError."""
    with opened_lists(file, memory_limit, read_only=False) as connection:
        for table, name in TABLES.items():
            kind = "parquet" if name.endswith(".parquet") else "csv"
            for number, (trial, folder) in enumerate(outputs.items()):
                query = f"snapshot/{'more' if number else 'table'}_of_{kind}.sql.jinja"
                made = render(query, table=table, trial=trial, path=str(folder / name))
                connection.execute(made.text, made.parameters)
        connection.execute("CHECKPOINT")


def count_lists(file: Path, trials: tuple[str, ...], *, memory_limit: str | None = None) -> dict[str, dict[str, int]]:
    """Open the tables anew, read-only, and return how many rows each has of each trial. Raises ReadWriteError."""
    with opened_lists(file, memory_limit, read_only=True) as connection:
        return {table: {trial: _count(connection, table, trial) for trial in trials} for table in TABLES}


def listed_patients(file: Path, *, memory_limit: str | None = None) -> tuple[str, ...]:
    """Return whom the lists of all trials name. Raises ReadWriteError."""
    with opened_lists(file, memory_limit, read_only=True) as connection:
        rows = connection.execute(render("snapshot/listed_patients.sql.jinja").text).fetchall()
    return tuple(patient for (patient,) in rows)


def _count(connection: duckdb.DuckDBPyConnection, table: str, trial: str) -> int:
    asked = render("snapshot/count.sql.jinja", table=table, trial=trial)
    found = connection.execute(asked.text, asked.parameters).fetchone()
    return int(found[0]) if found else 0


@contextmanager
def opened_lists(file: Path, memory_limit: str | None, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection to a file of a snapshot, which is made where it is not only read. Raises ReadWriteError."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit or DEFAULT_MEMORY,
        "temp_directory": str(file.parent / f"{file.name}.tmp"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if not read_only:
        config["storage_compatibility_version"] = STORAGE
    try:
        connection = duckdb.connect(str(file), read_only=read_only, config=config)
        try:
            yield connection
        finally:
            connection.close()
    except duckdb.Error as error:
        raise ReadWriteError(
            f"{file}: the lists cannot be written or read ({str(error).splitlines()[0]}); check space and permissions"
        ) from error
