"""What the store holds: how many resources of each type, and whether every load of it was complete."""

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from cohortfinder.sql.environment import render


@dataclass(frozen=True, slots=True)
class TypeState:
    """The resources of one type in the store; `complete` is False when some load of it was cut short."""

    resources: int
    complete: bool


def loaded_types(connection: DuckDBPyConnection) -> dict[str, TypeState]:
    """Return the state of every resource type of which some resource is in the store."""
    rows = connection.execute(render("warehouse/loaded_types.sql.jinja").text).fetchall()
    return {name: TypeState(resources, complete) for name, resources, complete in rows}
