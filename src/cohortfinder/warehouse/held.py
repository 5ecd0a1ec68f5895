"""Which resources the store holds, against ids that a server or a record names."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from cohortfinder.sql.environment import render
from cohortfinder.warehouse.tables import typed_tables

# which column of which tables refers to a type
_REFERRING = {
    "Medication": (
        "medication_id",
        ("medication_statement", "medication_request", "medication_administration", "medication_dispense"),
    ),
    "ResearchStudy": ("study_id", ("research_subject",)),
}


def not_held(connection: DuckDBPyConnection, kind: str, ids: Iterable[str]) -> tuple[str, ...]:
    """Return those of some ids of which the store has no resource."""
    return tuple(name for (name,) in _rows(connection, "ids_not_held", table=main_table(kind), ids=sorted(set(ids))))


def known_ids(connection: DuckDBPyConnection, kind: str, ids: Iterable[str]) -> tuple[str, ...]:
    """Return those of some ids of a type, with tables or without, of which a version is known."""
    return tuple(name for (name,) in _rows(connection, "known_ids", resource_type=kind, ids=sorted(set(ids))))


def unresolved(connection: DuckDBPyConnection, kind: str) -> tuple[str, ...]:
    """Return the ids of a type to which records refer and of which the store has no resource."""
    column, tables = _REFERRING[kind]
    rows = _rows(connection, "unresolved_ids", table=main_table(kind), column=column, tables=tables)
    return tuple(name for (name,) in rows)


def not_listed(connection: DuckDBPyConnection, kind: str, file: Path) -> tuple[str, ...]:
    """Return the ids of a type that the store has and a file of ids lacks."""
    rows = _rows(connection, "held_ids_not_listed", table=main_table(kind), file=str(file))
    return tuple(name for (name,) in rows)


def count_held(connection: DuckDBPyConnection, kind: str) -> int:
    """Return how many resources of a type the store has."""
    return int(_rows(connection, "count_held", table=main_table(kind))[0][0])


def counts_held(connection: DuckDBPyConnection) -> dict[str, int]:
    """Return how many resources of each type the tables hold; of a type without a table nothing is known."""
    return {kind: count_held(connection, kind) for kind in sorted({table.resource_type for table in typed_tables()})}


def from_elsewhere(connection: DuckDBPyConnection, kind: str, server: str) -> bool:
    """Say whether some resources of a type came from files, or from another server."""
    return bool(_rows(connection, "loads_from_elsewhere", resource_type=kind, server=server))


def patient_links(connection: DuckDBPyConnection) -> frozenset[tuple[str, str]]:
    """Return which patient records are replaced by which."""
    return frozenset((one, other) for one, other in _rows(connection, "patient_links"))


def records_of(connection: DuckDBPyConnection, patients: Iterable[str]) -> frozenset[str]:
    """Return the records of some patients as references, those of the types that have tables."""
    columns = {table.name: {column.name for column in table.view.columns} for table in typed_tables()}
    places = [("Patient", "patient", "id")]
    for kind in sorted({table.resource_type for table in typed_tables()}):
        if "patient_id" in columns[table := main_table(kind)]:
            places.append((kind, table, "patient_id"))
    rows = _rows(connection, "records_of", places=places, patients=sorted(patients))
    return frozenset(reference for (reference,) in rows)


def main_table(kind: str) -> str:
    """Return the table with a row for every resource of a type."""
    return min((table.name for table in typed_tables() if table.resource_type == kind), key=len)


def _rows(connection: DuckDBPyConnection, name: str, **values: Any) -> list[tuple[Any, ...]]:
    query = render(f"warehouse/{name}.sql.jinja", **values)
    return connection.execute(query.text, query.parameters).fetchall()
