"""The job `status`: what a store holds."""

from dataclasses import dataclass
from pathlib import Path

from duckdb import DuckDBPyConnection

from cohortfinder.jobs.compact import LandingState, landing_state
from cohortfinder.sql.environment import render
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.state import PullKey, TypePull, TypeState, loaded_types, pulled_types


@dataclass(frozen=True, slots=True)
class LoadRow:
    """One load: when it was, what it brought, what was put aside."""

    load_id: str
    started_at: str
    complete: bool
    resources: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class PullRow:
    """The last pull of one resource type; `patients` is "all", or that it was about a list of them."""

    resource_type: str
    server: str
    patients: str
    up_to: str | None
    codes: int | None
    complete: bool


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What a store holds."""

    types: dict[str, TypeState]
    loads: tuple[LoadRow, ...]
    pulls: tuple[PullRow, ...] = ()
    landing: LandingState | None = None


def status(store: Path) -> StoreStatus:
    """Return what the store holds. Raises InputError when there is no store."""
    with open_warehouse(store, read_only=True) as connection:
        pulls = tuple(_pull_row(key, pull) for key, pull in pulled_types(connection).items())
        landing = landing_state(store, connection)
        return StoreStatus(loaded_types(connection), store_loads(connection), pulls, landing)


def store_loads(connection: DuckDBPyConnection) -> tuple[LoadRow, ...]:
    """Return every load of a store, the newest first."""
    rows = connection.execute(render("warehouse/loads.sql.jinja").text).fetchall()
    return tuple(LoadRow(*row) for row in rows)


def _pull_row(key: PullKey, pull: TypePull) -> PullRow:
    server, patients, kind = key
    codes = None if pull.codes is None else len(pull.codes)
    return PullRow(kind, server, "a list" if patients else "all", pull.watermark, codes, pull.complete)
