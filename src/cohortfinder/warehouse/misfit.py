"""What keeps a parsed resource from the columns of a reader: the element that is of another kind, with its path.

It names only what the reader of the tables refuses as well: a line must not be judged by another measure because a
bad one stands near it.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb
import orjson

from cohortfinder.landing.kinds import kind_of
from cohortfinder.landing.raw_json import Members, has_duplicate_key


@dataclass(frozen=True, slots=True)
class Shape:
    """What a reader expects in one place: an object with fields, an array of one item shape, or a single value.

    `limit` is what a number must be smaller than; `text` is True where any JSON value is taken for a text.
    """

    fields: Mapping[str, "Shape"] = field(default_factory=dict)
    item: "Shape | None" = None
    limit: float = math.inf
    text: bool = False


def shape_of(sql_type: duckdb.sqltypes.DuckDBPyType) -> Shape:
    """Return the shape that a column type stands for."""
    kind: str = sql_type.id
    children: list[tuple[str, Any]] = sql_type.children if kind in {"struct", "list", "decimal"} else []
    match kind:
        case "struct":
            return Shape({name: shape_of(child) for name, child in children})
        case "list":
            return Shape(item=shape_of(children[0][1]))
        case "decimal":
            digits = dict(children)
            return Shape(limit=10.0 ** (digits["precision"] - digits["scale"]))
        case "integer":
            return Shape(limit=2.0**31 + 1)
    return Shape(text=kind == "varchar")


def parsed(line: bytes) -> Any:
    """Parse a line, its objects being Members when some key stands twice. Raises ValueError when it is not JSON."""
    value = orjson.loads(line)
    return leniently_parsed(line) if has_duplicate_key(line, value) else value


def leniently_parsed(line: bytes) -> Any:
    """Parse a line that may also hold NaN or a number like 1e400, as the reader does. Raises ValueError."""
    try:
        return json.loads(line, object_pairs_hook=Members)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def misfit(value: Any, shape: Shape, path: str = "") -> str | None:
    """Return what of a parsed value does not fit a shape, None when all of it does as far as its kinds tell."""
    if value is None or shape.text:
        return None
    if shape.item:
        if not isinstance(value, list):
            return _wrong(value, path, "an array")
        return next((found for one in value if (found := misfit(one, shape.item, path))), None)
    if not shape.fields:
        return _wrong_value(value, shape, path)
    if not isinstance(value, dict):
        return _wrong(value, path, "an object")
    if isinstance(value, Members) and value.doubled & shape.fields.keys():
        return "duplicate key"
    prefix = path and path + "."
    wrong = (misfit(value.get(name), child, prefix + name) for name, child in shape.fields.items())
    return next((found for found in wrong if found), None)


def _wrong_value(value: Any, shape: Shape, path: str) -> str | None:
    if isinstance(value, list | dict):
        return _wrong(value, path, "a single value")
    return f"{path} is out of range" if isinstance(value, int | float) and abs(value) >= shape.limit else None


def _wrong(value: Any, path: str, expected: str) -> str:
    return f"{path or 'the line'} is {kind_of(value)} where {expected} belongs"
