"""Of which patients a load changes something: an evaluation that was kept goes on from there."""

from collections.abc import Sequence

import duckdb

from cohortfinder.sql.environment import render
from cohortfinder.warehouse.tables import TypedTable, typed_tables

# the loads of a year, one a night, of which it is known whom they changed
NEWEST = 400

# a table, the column that names the patient, and the one that names the resource
Place = tuple[str, str, str]


def note_changed(
    connection: duckdb.DuckDBPyConnection, load_id: str, resource_type: str, tables: Sequence[TypedTable], changing: str
) -> None:
    """Note the patients of the resources that are named in the table `changing`: to be called before and after it."""
    places = _places(resource_type, tables)
    if places:
        note = render(
            "warehouse/note_changed.sql.jinja",
            load_id=load_id, resource_type=resource_type, places=places, changing=changing,
        )  # fmt: skip
        connection.execute(note.text, note.parameters)


def note_unknown_change(connection: duckdb.DuckDBPyConnection, load_id: str) -> None:
    """Note that a load changes something of nobody knows whom."""
    note = render("warehouse/note_unknown_change.sql.jinja", load_id=load_id)
    connection.execute(note.text, note.parameters)


def forget_old_changes(connection: duckdb.DuckDBPyConnection, newest: int = NEWEST) -> None:
    """Forget whom loads changed, but for the newest ones: an evaluation that has not seen the others asks everybody."""
    found = render("warehouse/old_change.sql.jinja", newest=newest)
    connection.execute(found.text, found.parameters)
    for name in ("forget_old_changes", "note_old_changes"):
        connection.execute(render(f"warehouse/{name}.sql.jinja").text)


def _places(resource_type: str, tables: Sequence[TypedTable]) -> tuple[Place, ...]:
    """Return where the patients of a type stand: in its own table, or in those that refer to a product or a study."""
    if resource_type == "Patient":
        return (("patient", "id", "id"),)
    own = tuple((table.name, "patient_id", "id") for table in tables[:1] if "patient_id" in _columns(table))
    refers = {"Medication": "medication_id", "ResearchStudy": "study_id"}.get(resource_type)
    if own or refers is None:
        return own
    return tuple(
        (table.name, "patient_id", refers) for table in typed_tables() if {"patient_id", refers} <= _columns(table)
    )


def _columns(table: TypedTable) -> frozenset[str]:
    return frozenset(column.name for column in table.view.columns)
