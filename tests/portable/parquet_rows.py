"""The rows of typed tables, in a store and in Parquet files, to be laid beside each other."""

from collections import Counter
from pathlib import Path
from typing import Any

import duckdb

from cohortfinder.sql.environment import render
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.parquet import Layout
from cohortfinder.warehouse.parquet_tables import parquet_tables

Rows = Counter[tuple[Any, ...]]


def rows_of_store(store: Path) -> dict[str, Rows]:
    """Return the rows of every table; of exact numbers those of the versions that hold."""
    with open_warehouse(store, read_only=True) as connection:
        found = {}
        for table in parquet_tables():
            place = "store.quarantine" if table.name == "quarantine" else table.name
            columns = ", ".join(f'"{column}"' for column in table.columns)
            query = f"SELECT {columns} FROM {place}"
            if table.name == "exact_number":
                query = render("warehouse/held_numbers.sql.jinja").text
            found[table.name] = Counter(connection.execute(query).fetchall())
        return found


def files_of(layout: Layout, table: str) -> list[str]:
    return [str(file) for path in layout.paths[table] for file in Path(path.removeprefix("file://")).rglob("*.parquet")]


def rows_of_files(layout: Layout) -> dict[str, Rows]:
    return {table.name: read(files_of(layout, table.name), [*table.columns]) for table in parquet_tables()}


def read(files: list[str], columns: list[str]) -> Rows:
    if not files:
        return Counter()
    named = ", ".join(f'"{column}"' for column in columns)
    query = f"SELECT {named} FROM read_parquet($files, hive_partitioning = true)"
    with duckdb.connect() as connection:
        return Counter(connection.execute(query, {"files": files}).fetchall())


def patient(number: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": number, "birthDate": "1980-01-01", **more}


def condition(number: str, subject: str | None) -> dict[str, Any]:
    named = {"subject": {"reference": f"Patient/{subject}"}} if subject else {}
    return {"resourceType": "Condition", "id": number, "code": {"coding": [{"code": "M32"}]}, **named}
