"""The part of a resource that a view reads, as a DuckDB struct type."""

import json
from dataclasses import dataclass, field

from cohortfinder.views.elements import INTEGER_TYPES

DECIMAL = "DECIMAL(28,10)"


def sql_type(fhir_type: str) -> str:
    """Return the type of a column of a primitive FHIR type; what is no number or truth value stays text."""
    if fhir_type in INTEGER_TYPES:
        return "INTEGER"
    return {"boolean": "BOOLEAN", "decimal": DECIMAL}.get(fhir_type, "VARCHAR")


def quote(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a string as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


@dataclass
class Shape:
    """A JSON field that is read: an object with the fields that were asked for, or a leaf of an SQL type."""

    leaf: str = ""
    is_array: bool = False
    fields: dict[str, "Shape"] = field(default_factory=dict)

    def field(self, name: str, *, is_array: bool, leaf: str) -> "Shape":
        """Return a field, added when it was not read so far."""
        return self.fields.setdefault(name, Shape(leaf, is_array))

    def item_type(self) -> str:
        """Return the SQL type of one item."""
        if not self.fields:
            return self.leaf or "JSON"
        inner = ", ".join(f"{quote(name)} {shape.sql()}" for name, shape in self.fields.items())
        return f"STRUCT({inner})"

    def sql(self) -> str:
        """Return the SQL type: a list where FHIR has an array."""
        return self.item_type() + ("[]" if self.is_array else "")

    def columns(self) -> str:
        """Return the `columns` argument of read_json for this resource."""
        return ", ".join(f"{text(name)}: {text(shape.sql())}" for name, shape in self.fields.items())

    def template(self) -> object:
        """Return the structure argument of json_transform, before it is JSON text."""
        item: object = {name: shape.template() for name, shape in self.fields.items()}
        if not self.fields:
            item = self.leaf or "JSON"
        return [item] if self.is_array else item

    def json_text(self) -> str:
        """Return the structure argument of json_transform as an SQL literal."""
        return text(json.dumps(self.template(), separators=(",", ":")))
