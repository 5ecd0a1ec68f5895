"""How DuckDB and Spark SQL write parameters, items of a list and values; what else differs is in queries/macros/."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from cohortfinder.errors import CohortFinderError


class SqlSafetyError(CohortFinderError):
    """A template would have put a value into the text of a query."""


class Dialect(StrEnum):
    """The SQL in which a template is rendered."""

    DUCKDB = "duckdb"
    SPARK = "spark"

    def parameter(self, name: str) -> str:
        """Return what stands in the text for a named value."""
        return f"${name}" if self is Dialect.DUCKDB else f":{name}"

    def item(self, items: str, place: str) -> str:
        """Return the item of a list at a place, counted from 1."""
        return f"{items}[{place}]" if self is Dialect.DUCKDB else f"element_at({items}, {place})"

    def literal(self, value: Any) -> str:
        """Write a value as SQL, for the eyes of a reader."""
        match value:
            case None:
                return "NULL"
            case bool():
                return "TRUE" if value else "FALSE"
            case int() | Decimal():
                return str(value)
            case float():
                return f"CAST({value!r} AS DOUBLE)"
            case datetime():
                return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
            case date():
                return f"DATE '{value.isoformat()}'"
            case list() | tuple():
                return self._list(", ".join(self.literal(item) for item in value))
            case str():
                return self._text(value)
        raise SqlSafetyError(f"a {type(value).__name__} cannot be a parameter of a query")

    def _list(self, items: str) -> str:
        return f"[{items}]" if self is Dialect.DUCKDB else f"array({items})"

    def _text(self, value: str) -> str:
        # Spark reads a backslash as the start of an escape
        said = value if self is Dialect.DUCKDB else value.replace("\\", "\\\\")
        return "'" + said.replace("'", "''") + "'"
