"""The seal: what the tables held when the last load ended, kept beside the database in `warehouse.json`.

DuckDB finds a damaged block by itself. It does not find that its newest commits are gone because the WAL was removed or
cut, or because an older file was put back: then it opens without a word. The seal is how we know.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import orjson

from cohortfinder.disk import write_durably
from cohortfinder.errors import StoreError
from cohortfinder.sql.environment import render
from cohortfinder.warehouse.tables import typed_tables

SEAL = "warehouse.json"
REMEDY = "`cohortfinder rebuild` makes the tables anew from the landing files"
_BOOKS = ("load", "loaded_type", "pulled_type", "quarantine", "resource", "changed_patient")


@dataclass(frozen=True, slots=True)
class Seal:
    """What a warehouse held: its loads, the rows of every table, one number for the versions in it, and its size."""

    layout: int
    loads: tuple[str, ...]
    rows: dict[str, int]
    resources: str
    bytes: int


def write_seal(store: Path, connection: duckdb.DuckDBPyConnection, database: Path, *, layout: int) -> None:
    """Write what the tables hold now, so that a reader sees the old seal or the new one, on the disk for good."""
    seal = seal_of(connection, database, layout=layout)
    content = orjson.dumps(asdict(seal), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    write_durably(store / SEAL, content)


def seal_of(connection: duckdb.DuckDBPyConnection, database: Path, *, layout: int) -> Seal:
    """Return the seal of what the tables hold now. Counting costs next to nothing, the number 0.05 s a million."""
    (total,) = connection.execute(render("warehouse/resource_sum.sql.jinja").text).fetchone() or ("0",)
    return Seal(layout, loads_of(connection), dict(_rows(connection)), str(total), database.stat().st_size)


def read_seal(store: Path) -> Seal | None:
    """Return the seal of a store; None where no load has ended yet. Raises StoreError when it is damaged."""
    try:
        content = orjson.loads((store / SEAL).read_bytes())
        return Seal(**{**content, "loads": tuple(content["loads"])})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{store / SEAL}: this file is damaged; {REMEDY}") from error


def loads_of(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Return the ids of the loads that are in the tables, the oldest first."""
    return tuple(name for (name,) in connection.execute(render("warehouse/load_ids.sql.jinja").text).fetchall())


def lost_loads(store: Path, connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Return the loads that had ended and that the tables do not know any more."""
    seal = read_seal(store)
    return tuple(sorted(set(seal.loads) - set(loads_of(connection)))) if seal else ()


def require_nothing_lost(store: Path, connection: duckdb.DuckDBPyConnection, *, takes_up: bool) -> None:
    """Raise StoreError when the tables are older than the seal.

    They may be newer: the process died after it had committed. `takes_up`: a load will follow, which makes tables
    without any load anew from all of landing; to a reader they are lost.
    """
    lost = lost_loads(store, connection)
    if lost and not (takes_up and not loads_of(connection)):
        raise StoreError(f"{store}: {told_lost(lost)}; {REMEDY}")


def told_lost(lost: Iterable[str]) -> str:
    """Say which loads are gone from the tables."""
    names = sorted(lost)
    named = f"load {names[0]}" if len(names) == 1 else f"{len(names)} loads ({names[0]} to {names[-1]})"
    return f"the warehouse has lost {named}: its file is older than warehouse.json says"


def differences(store: Path, connection: duckdb.DuckDBPyConnection, database: Path) -> tuple[str, ...]:
    """Return how the tables, which hold the same loads, differ from the seal. Everything in them is read.

    Raises one of duckdb.Error where a block is damaged.
    """
    seal = read_seal(store)
    for table in table_names():
        connection.execute(render("warehouse/read_through.sql.jinja", table=table).text).fetchall()
    if seal is None or seal.loads != loads_of(connection):
        return ()
    now = seal_of(connection, database, layout=seal.layout)
    told = [
        f"the table {name} has {now.rows.get(name, 0)} rows, the last load left {rows}"
        for name, rows in seal.rows.items() if now.rows.get(name, 0) != rows
    ]  # fmt: skip
    if now.resources != seal.resources:
        told.append("other versions of resources are in the tables than the last load left")
    if now.bytes < seal.bytes and not database.with_name(f"{database.name}.wal").exists():
        told.append(f"warehouse.duckdb has {now.bytes} bytes, the last load left {seal.bytes}")
    return tuple(told)


def table_names() -> tuple[str, ...]:
    """Return every table of a warehouse: the typed ones, the exact numbers, and the books."""
    return (*(table.name for table in typed_tables()), "exact_number", *(f"store.{name}" for name in _BOOKS))


def _rows(connection: duckdb.DuckDBPyConnection) -> Iterable[tuple[str, int]]:
    for table in table_names():
        (rows,) = connection.execute(render("warehouse/count_rows.sql.jinja", table=table).text).fetchone() or (0,)
        yield table, int(rows)
