"""The tables of a warehouse under pseudonyms, made by a key of the site: views before the tables of one connection.

What then reads a table by its name alone reads it so.
"""

import hmac
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import duckdb

from cohortfinder.sql.environment import render
from cohortfinder.warehouse.held import main_table, patient_links
from cohortfinder.warehouse.parquet_tables import PATIENT, ParquetTable, parquet_tables
from cohortfinder.warehouse.parts import joined
from cohortfinder.warehouse.tables import typed_tables

# of which type of resource the ids in a column are, by its table; of several with blanks between them; references
_IDS = {
    "patient_id": PATIENT,
    "replaced_by": PATIENT,
    "encounter_id": "encounter",
    "medication_id": "medication",
    "ingredient_medication_id": "medication",
    "study_id": "research_study",
}
_LISTS = {"replaces": PATIENT}
_REFERENCES = ("medication_reference",)
# what was put aside, as it stands before `store.quarantine`
RENAMED_QUARANTINE = "quarantine"
# 128 bits of the 256: a site has fewer than 2^40 resources of a type, so that two with one pseudonym are not to be met
_DIGITS = 32
_BLOCK, _INNER, _OUTER = 64, 0x36, 0x5C


@dataclass(frozen=True, slots=True)
class SiteKey:
    """The key of a site, of 32 bytes, and the patients who are on one of its lists: they never leave it."""

    secret: bytes = field(repr=False)
    kept_back: Collection[str] = ()

    def of(self, patient_id: str) -> str:
        """Return the pseudonym of a patient."""
        return self._digits(f"{PATIENT}/{patient_id}")

    @property
    def mark(self) -> str:
        """Eight digits by which tables say with which key they were written; nothing can be made of them."""
        return self._digits("")[:8]

    def _digits(self, message: str) -> str:
        return hmac.digest(self.secret, message.encode(), sha256).hex()[:_DIGITS]


@dataclass(frozen=True, slots=True)
class Renamed:
    """Whose Patient records stand in the tables, and how many are kept back."""

    patients: tuple[str, ...]
    kept_back: int


def stand_before(connection: duckdb.DuckDBPyConnection, key: SiteKey) -> Renamed:
    """Put views under pseudonyms before the tables of a connection.

    Kept back are the patients of the key, and who is the same person by the links between Patient records.
    """
    padded = key.secret.ljust(_BLOCK, b"\0")
    for pad, byte in (("inner_pad", _INNER), ("outer_pad", _OUTER)):
        _run(connection, "pad", pad=pad, value=bytes(one ^ byte for one in padded))
    _run(connection, "pseudonym")
    _run(connection, "kept_back", patients=sorted(_same_people(connection, key.kept_back)))
    ((database,),) = _run(connection, "database")
    patients = _run(connection, "patients", database=database)
    kinds = {table.name: main_table(table.resource_type) for table in typed_tables()}
    for table in parquet_tables():
        if table.name == RENAMED_QUARANTINE:
            _run(connection, "renamed_quarantine")
        else:
            _run(connection, "renamed", database=database, **_renaming(table, kinds.get(table.name, table.parent)))
    written = tuple(patient for patient, kept_back in patients if not kept_back)
    return Renamed(written, len(patients) - len(written))


def _same_people(connection: duckdb.DuckDBPyConnection, patients: Iterable[str]) -> frozenset[str]:
    named = frozenset(patients)
    groups = joined((one, other, None) for one, other in patient_links(connection))
    return named.union(*(group for group in groups if not named.isdisjoint(group)))


def _renaming(table: ParquetTable, kind: str | None) -> dict[str, Any]:
    return {
        "table": table.name,
        "kind": kind,
        "ids": [(column, _IDS[column]) for column in table.columns if column in _IDS],
        "lists": [(column, _LISTS[column]) for column in table.columns if column in _LISTS],
        "references": [column for column in table.columns if column in _REFERENCES],
        "patient": table.patient,
        "parent": table.parent,
    }


def _run(connection: duckdb.DuckDBPyConnection, name: str, **values: Any) -> list[tuple[Any, ...]]:
    query = render(f"parquet/{name}.sql.jinja", **values)
    return connection.execute(query.text, query.parameters).fetchall()
