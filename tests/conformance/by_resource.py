"""A second opinion: a view evaluated resource by resource, its paths by an independent FHIRPath engine.

It shares nothing with the compiler. Where the engine and SQL on FHIR differ on purpose (keys of references, boundaries of
dates), the rule of SQL on FHIR is written out here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import product
from typing import Any

import fhirpathpy
from fhirpathpy.models import models

Row = dict[str, Any]
_KEY = re.compile(r"\.getReferenceKey\((\w*)\)")


@dataclass(frozen=True)
class Focus:
    """A place in a resource, as the path that leads there: an element taken out of it would have lost its type."""

    resource: Mapping[str, Any]
    path: str = ""

    def under(self, path: str) -> str:
        """Return a path from here as one from the resource."""
        return f"{self.path}.select({path})" if self.path else path


def rows_of(view: Mapping[str, Any], resources: list[dict[str, Any]]) -> list[Row]:
    """Return the rows of a view."""
    constants = {one["name"]: one["valueString"] for one in view["constant"]}
    found: list[Row] = []
    for resource in resources:
        if resource["resourceType"] == view["resource"]:
            focus = Focus(resource)
            if all(_values(focus, one["path"], constants) == [True] for one in view["where"]):
                found += _cross([_select(one, focus, constants, 0) for one in view["select"]])
    return found


def _select(select: Mapping[str, Any], focus: Focus | None, constants: Mapping[str, str], place: int) -> list[Row]:
    path = select.get("forEach") or select.get("forEachOrNull")
    if not path:
        return list(_own(select, focus, constants, place))
    count = 0 if focus is None else len(_values(focus, path, constants))
    if not count and "forEachOrNull" in select:
        return list(_own(select, None, constants, 0))
    items = [Focus(focus.resource, f"({focus.under(path)})[{number}]") for number in range(count)] if focus else []
    return [row for number, item in enumerate(items) for row in _own(select, item, constants, number)]


def _own(select: Mapping[str, Any], focus: Focus | None, constants: Mapping[str, str], place: int) -> Iterator[Row]:
    parts = [[{one["name"]: _cell(one, focus, constants, place) for one in select.get("column", ())}]]
    parts += [_select(one, focus, constants, place) for one in select.get("select", ())]
    if "unionAll" in select:
        parts.append([row for branch in select["unionAll"] for row in _select(branch, focus, constants, place)])
    yield from _cross(parts)


def _cross(parts: list[list[Row]]) -> list[Row]:
    return [{key: value for row in rows for key, value in row.items()} for rows in product(*parts)]


def _cell(column: Mapping[str, Any], focus: Focus | None, constants: Mapping[str, str], place: int) -> Any:
    if column["path"] == "%rowIndex":
        return place
    values = [] if focus is None else _values(focus, column["path"], constants)
    if column.get("collection"):
        return values
    assert len(values) < 2, f"{column['path']} gives {len(values)} values"
    return values[0] if values else None


def _values(focus: Focus, path: str, constants: Mapping[str, str]) -> list[Any]:
    bounded = re.fullmatch(r"(.*)\.(low|high)Boundary\(\)", path)
    if bounded:
        return [_bound(value, bounded[2] == "low") for value in _values(focus, bounded[1], constants)]
    keyed = _KEY.search(path)
    if keyed:
        references = _values(focus, path[: keyed.start()] + ".reference", constants)
        keys = [key for one in references if (key := _key(one, keyed[1]))]
        return keys[:1] if path[keyed.end() :] == ".first()" else keys
    found = _compiled(focus.under(path))(focus.resource, constants)
    # the engine gives an absent value in a list of its own
    return [Decimal(str(one)) if isinstance(one, float) else one for one in found if one is not None]


@cache
def _compiled(path: str) -> Any:
    return fhirpathpy.compile(path, models["r4"])


def _key(reference: str, kind: str) -> str | None:
    """SQL on FHIR: the id of a literal reference to the type."""
    found = re.search(rf"(?:^|/){kind or '[A-Z][A-Za-z]+'}/([A-Za-z0-9.-]+)(?:/_history/[A-Za-z0-9.-]+)?$", reference)
    return found[1] if found else None


def _bound(sent: str, low: bool) -> str:
    """FHIRPath: the first or last moment that a partial dateTime may mean, in the furthest time zone."""
    if "T" in sent:
        return sent
    last = {"01": 31, "03": 31, "05": 31, "07": 31, "08": 31, "10": 31, "12": 31}
    year, month, day = (*sent.split("-"), "", "")[:3]
    month = month or ("01" if low else "12")
    leap = int(year) % 4 == 0 and (int(year) % 100 != 0 or int(year) % 400 == 0)
    day = day or ("01" if low else str(29 if leap and month == "02" else 28 if month == "02" else last.get(month, 30)))
    return f"{year}-{month}-{day}T" + ("00:00:00.000+14:00" if low else "23:59:59.999-12:00")
