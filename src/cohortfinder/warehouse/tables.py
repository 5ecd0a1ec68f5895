"""The typed tables: one for each ViewDefinition of mappings/views/, compiled once."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from duckdb import DuckDBPyConnection

from cohortfinder.resources import resource_dir
from cohortfinder.sql.environment import identifier, render
from cohortfinder.views import CompiledView, compile_view


@dataclass(frozen=True, slots=True)
class TypedTable:
    """A typed table and the view that fills it. `resource_type` is the kind of FHIR resource that it reads."""

    name: str
    view: CompiledView

    @property
    def resource_type(self) -> str:
        """The type of the resources in it."""
        return self.view.resource


@cache
def typed_tables() -> tuple[TypedTable, ...]:
    """Return every typed table, by name."""
    files = sorted((resource_dir("mappings") / "views").glob("*.json"))
    return tuple(TypedTable(path.stem, compile_view(path.read_text(encoding="utf-8"))) for path in files)


def create_tables(connection: DuckDBPyConnection, tables: Iterable[TypedTable] | None = None, prefix: str = "") -> None:
    """Make typed tables, all of them and that of the exact numbers if none are named, empty and with a prefix."""
    if tables is None:
        connection.execute(render("warehouse/exact_number.sql.jinja").text)
    for table in typed_tables() if tables is None else tables:
        columns = ", ".join(f"{identifier(column.name)} {column.sql_type}" for column in table.view.columns)
        connection.execute(f"CREATE TABLE {identifier(prefix + table.name)} ({columns})")


def drop_tables(connection: DuckDBPyConnection, tables: Iterable[TypedTable] | None = None, prefix: str = "") -> None:
    """Remove typed tables, all of them and that of the exact numbers if none are named, with everything in them."""
    if tables is None:
        connection.execute(render("warehouse/drop_table.sql.jinja", table="exact_number").text)
    for table in typed_tables() if tables is None else tables:
        connection.execute(f"DROP TABLE IF EXISTS {identifier(prefix + table.name)}")
