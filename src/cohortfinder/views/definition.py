"""ViewDefinition JSON to dataclasses, with its shape checked.

Source: https://sql-on-fhir.org/ig/latest/StructureDefinition-ViewDefinition.html
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cohortfinder.views.elements import INTEGER_TYPES
from cohortfinder.views.errors import ViewError, nearest
from cohortfinder.views.syntax import Literal

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_ITERATIONS = ("forEach", "forEachOrNull", "repeat")
# What any element may have besides its own parts, and what describes a column or a condition without changing it.
_ANYWHERE = ("id", "extension", "modifierExtension")
_SELECT = ("column", "select", "unionAll", *_ITERATIONS)
_COLUMN = ("name", "path", "type", "collection", "description", "tag")


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """A column: `collection` allows it to hold a list; `fhir_type` is "" when the view does not say."""

    name: str
    path: str
    fhir_type: str
    collection: bool


@dataclass(frozen=True, slots=True)
class Select:
    """A select: `iteration` is "", forEach or forEachOrNull with one path, or repeat with one or more."""

    columns: tuple[ColumnDefinition, ...]
    selects: tuple["Select", ...]
    unions: tuple["Select", ...]
    iteration: str
    paths: tuple[str, ...]

    @property
    def repeats(self) -> bool:
        """Whether it, or a select below it, goes down to any depth."""
        return self.iteration == "repeat" or any(inner.repeats for inner in (*self.selects, *self.unions))


@dataclass(frozen=True, slots=True)
class ViewDefinition:
    """A checked ViewDefinition."""

    name: str
    resource: str
    selects: tuple[Select, ...]
    where: tuple[str, ...]
    constants: Mapping[str, Literal]


def read_definition(source: Mapping[str, Any] | str) -> ViewDefinition:
    """Read a ViewDefinition of version 2.0 or 3.0. Raises ViewError when a part is missing or wrong."""
    content = _parse(source) if isinstance(source, str) else source
    name = str(content.get("name", ""))
    try:
        return _definition(name, content)
    except ViewError as error:
        raise error.within(view=name) from None


def _parse(source: str) -> Mapping[str, Any]:
    try:
        content = json.loads(source, parse_float=Decimal)
    except ValueError as error:
        raise ViewError(f"the ViewDefinition is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise ViewError("the ViewDefinition is not a JSON object")
    return content


def _definition(name: str, content: Mapping[str, Any]) -> ViewDefinition:
    kind = str(content.get("resourceType", "ViewDefinition"))
    if not kind.endswith("ViewDefinition"):
        raise ViewError(f"resourceType is {kind!r}, expected 'ViewDefinition'")
    selects = _objects(content, "select")
    if not selects:
        raise ViewError("'select' is missing or empty; give at least one")
    return ViewDefinition(
        name=name,
        resource=_text(content, "resource"),
        selects=tuple(_select(item) for item in selects),
        where=tuple(_text(item, "path") for item in _objects(content, "where")),
        constants=dict(_constant(item) for item in _objects(content, "constant")),
    )


def _objects(content: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = content.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise ViewError(f"{key!r} must be a list of objects")
    return found


def _text(content: Mapping[str, Any], key: str) -> str:
    found = content.get(key)
    if not isinstance(found, str) or not found:
        raise ViewError(f"{key!r} must be a text that is not empty")
    return found


def _refuse_unknown(content: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    """Refuse a part that would be passed over in silence, such as a forEach that is spelt wrong."""
    for key in content:
        if not key.startswith("_") and key not in (*known, *_ANYWHERE):
            raise ViewError(f"{what} has no part {key!r}{nearest(key, known)}")


def _select(content: Mapping[str, Any]) -> Select:
    _refuse_unknown(content, _SELECT, "a select")
    given = [key for key in _ITERATIONS if key in content]
    if len(given) > 1:
        raise ViewError(f"a select has only one of forEach, forEachOrNull and repeat, not {' and '.join(given)}")
    iteration = given[0] if given else ""
    paths = content["repeat"] if iteration == "repeat" else [content[iteration]] if iteration else []
    if not isinstance(paths, list) or (iteration and not paths) or not all(isinstance(path, str) for path in paths):
        raise ViewError(f"{iteration!r} must be FHIRPath text")
    parts = Select(
        columns=tuple(_column(item) for item in _objects(content, "column")),
        selects=tuple(_select(item) for item in _objects(content, "select")),
        unions=tuple(_select(item) for item in _objects(content, "unionAll")),
        iteration=iteration,
        paths=tuple(paths),
    )
    if not (parts.columns or parts.selects or parts.unions):
        raise ViewError("a select needs 'column', 'select' or 'unionAll'")
    return parts


def _column(content: Mapping[str, Any]) -> ColumnDefinition:
    try:
        _refuse_unknown(content, _COLUMN, "a column")
        name = _text(content, "name")
        if not _NAME.match(name):
            raise ViewError("a name must be letters, digits and underscores, a letter first")
        collection = content.get("collection", False)
        if not isinstance(collection, bool):
            raise ViewError("'collection' must be true or false")
        return ColumnDefinition(name, _text(content, "path"), str(content.get("type", "")), collection)
    except ViewError as error:
        raise error.within(where=f"column {content['name']!r}" if "name" in content else "a column") from None


def _constant(content: Mapping[str, Any]) -> tuple[str, Literal]:
    name = _text(content, "name")
    keys = [key for key in content if key.startswith("value")]
    if len(keys) != 1:
        raise ViewError(f"constant {name!r} needs exactly one value[x]")
    value, fhir_type = content[keys[0]], keys[0][5].lower() + keys[0][6:]
    if fhir_type == "decimal":
        return name, Literal(Decimal(str(value)), fhir_type)
    expected = bool if fhir_type == "boolean" else int if fhir_type in INTEGER_TYPES else str
    if type(value) is not expected:
        raise ViewError(f"constant {name!r} is not a {fhir_type}")
    return name, Literal(value, fhir_type)
