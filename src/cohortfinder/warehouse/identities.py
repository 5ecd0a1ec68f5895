"""Who the people of a published list are, from the Patient resources as they landed, in a file of its own.

It lies apart from the lists, so that what reads those need not be able to read this.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import duckdb
import orjson

from cohortfinder.landing.identity import Identity, identity_of
from cohortfinder.landing.manifest import landed
from cohortfinder.sql.environment import render
from cohortfinder.warehouse.lists import opened_lists

IDENTITIES = "identities.duckdb"


def find_identities(
    connection: duckdb.DuckDBPyConnection, landing: Path, patients: Collection[str]
) -> tuple[Identity, ...]:
    """Return who some patients are; those whom the store does not hold any more are left out."""
    files = [
        str(folder / part.file)
        for folder, manifest in landed(landing) for kind in manifest.types if kind.resource_type == "Patient"
        for part in kind.parts
    ]  # fmt: skip
    if not files or not patients:
        return ()
    asked = render("warehouse/patient_texts.sql.jinja", files=files, ids=sorted(patients))
    return tuple(_identities(connection.execute(asked.text, asked.parameters).fetchall()))


def _identities(rows: list[tuple[Any, ...]]) -> Iterator[Identity]:
    for (text,) in rows:
        resource = orjson.loads(text)
        if isinstance(resource, dict):
            yield identity_of(resource)


def write_identities(file: Path, identities: Collection[Identity], *, memory_limit: str | None = None) -> None:
    """Write them into a file that is not there yet. Raises ReadWriteError."""
    columns = {name: [getattr(one, name) for one in identities] for name in Identity._fields}
    made = render("snapshot/identity.sql.jinja", columns=columns)
    with opened_lists(file, memory_limit, read_only=False) as connection:
        connection.execute(made.text, made.parameters)
        connection.execute("CHECKPOINT")


def read_identities(file: Path) -> dict[str, Identity]:
    """Return who the people of a list are, by their ids; none for a list from before there was such a file.

    Raises ReadWriteError.
    """
    if not file.is_file():
        return {}
    with opened_lists(file, None, read_only=True) as connection:
        rows = connection.execute(render("snapshot/identities.sql.jinja").text).fetchall()
    return {row[0]: Identity(*row) for row in rows}
