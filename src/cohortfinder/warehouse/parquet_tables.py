"""Which tables there are as Parquet files: their columns, as Spark declares them, and the bucket of each row."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from cohortfinder.warehouse.tables import typed_tables

PATIENT = "patient"
# how patients come to their buckets: `bucket_of`, queries/macros/buckets.sql.jinja
BUCKETED_BY = "sha256-8"
_PATIENT_ID = "patient_id"
_SPARK_TYPES = {"VARCHAR": "STRING", "INTEGER": "INT", "TIMESTAMP": "TIMESTAMP_NTZ"}
# what the program writes beside the tables of the ViewDefinitions
_BESIDE = {
    "exact_number": {
        "id": "VARCHAR", "last_updated": "VARCHAR", "version_id": "VARCHAR", "component": "INTEGER",
        "value_sent": "VARCHAR",
    },
    "quarantine": {"file": "VARCHAR", "line": "BIGINT", "resource_type": "VARCHAR", "reason": "VARCHAR"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """A table of the layout: its columns with their types in DuckDB.

    `patient` is the column that says in whose bucket a row lies, and `parent` the table that says it where the table
    itself does not; both are None for what is of no patient.
    """

    name: str
    columns: Mapping[str, str]
    patient: str | None = None
    parent: str | None = None

    @property
    def bucketed(self) -> bool:
        """Whether the rows lie in the buckets of patients."""
        return self.patient is not None or self.parent is not None

    @property
    def spark_schema(self) -> str:
        """The columns as Spark declares them."""
        return ", ".join(f"`{name}` {spark_type(sql_type)}" for name, sql_type in self.columns.items())


def spark_type(sql_type: str) -> str:
    """Return a type of DuckDB as Spark names it. A time is one without a zone, and so it stays."""
    if sql_type.endswith("[]"):
        return f"ARRAY<{spark_type(sql_type.removesuffix('[]'))}>"
    return _SPARK_TYPES.get(sql_type, sql_type)


@cache
def parquet_tables() -> tuple[ParquetTable, ...]:
    """Return every table of the layout: the typed ones, the exact numbers, and what was put aside."""
    of_type: dict[str, str] = {}
    found = []
    for table in sorted(typed_tables(), key=lambda one: len(one.name)):
        columns = {column.name: column.sql_type for column in table.view.columns}
        patient = "id" if table.name == PATIENT else _PATIENT_ID if _PATIENT_ID in columns else None
        parent = None if patient else of_type.get(table.resource_type)
        if patient == _PATIENT_ID:
            of_type.setdefault(table.resource_type, table.name)
        found.append(ParquetTable(table.name, columns, patient, parent))
    found.append(ParquetTable("exact_number", _BESIDE["exact_number"], parent="observation"))
    found.append(ParquetTable("quarantine", _BESIDE["quarantine"]))
    return tuple(sorted(found, key=lambda one: one.name))


def bucket_of(patient_id: str | None, buckets: int) -> int:
    """Return the bucket of a patient; what names none lies in that of the empty text."""
    return int(hashlib.sha256((patient_id or "").encode()).hexdigest()[:8], 16) % buckets


def current_schema() -> dict[str, dict[str, str]]:
    """Return the columns of all tables, with their types in DuckDB, as this release has them."""
    return {table.name: dict(table.columns) for table in parquet_tables()}
