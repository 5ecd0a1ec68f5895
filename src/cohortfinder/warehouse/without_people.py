"""Tables that were written for people, a Parquet file or a DuckDB file, made anew without the rows of some patients."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import duckdb

from cohortfinder.sql.environment import render
from cohortfinder.warehouse.confined import confined

PATIENT = "patient_id"
# the columns of proof/people.parquet, which has hashes of ids
_HASHED = {"patient", "person"}


def parquet_without(file: Path, patients: Collection[str], target: Path) -> bool:
    """Write a Parquet file without the rows of some patients; return False where no column names a patient."""
    with duckdb.connect() as connection:
        confined(connection, (file.parent,))
        columns = {name for name, *_ in _run(connection, "parquet_columns", file=str(file))}
        if PATIENT not in columns and not columns >= _HASHED:
            return False
        query = "parquet_without" if PATIENT in columns else "parquet_without_hashed"
        _run(connection, query, file=str(file), patients=sorted(patients), target=str(target))
    return True


def database_without(file: Path, patients: Collection[str], records: Collection[str], target: Path) -> dict[str, int]:
    """Write a DuckDB file without some patients and their records, and return the rows of its tables.

    It is copied table by table: what a deletion leaves in the free blocks of a file is not in the new one.
    """
    between, counted = target.with_name(f"{target.name}.parquet"), {}
    with duckdb.connect(str(file), read_only=True) as old, duckdb.connect(str(target)) as new:
        confined(old, (file.parent,))
        confined(new, (file.parent,))
        without: dict[str, Any] = {
            "patients": sorted(patients), "words": sorted({*patients, *records}), "target": str(between),
        }  # fmt: skip
        for table, named in old.execute(render("warehouse/old_tables.sql.jinja").text).fetchall():
            _run(old, "copy_without", table=table, named=named, **without)
            _run(new, "table_from_parquet", table=table, file=str(between))
            ((counted[table],),) = _run(new, "count_rows", table=table)
    between.unlink(missing_ok=True)
    return counted


def _run(connection: duckdb.DuckDBPyConnection, name: str, **values: Any) -> list[tuple[Any, ...]]:
    query = render(f"warehouse/{name}.sql.jinja", **values)
    return connection.execute(query.text, query.parameters).fetchall()
