"""What a bulk export is asked for, and the requests that ask it.

Source: https://hl7.org/fhir/uv/bulkdata/export.html#bulk-data-kick-off-request
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

# A server may refuse or cut a longer address; Parameters have no limit.
LONGEST_ADDRESS = 1900
SYSTEM, PATIENT = "", "Patient"
# Inside a filter, which is itself part of a list in an address.
_RESERVED = re.compile(r"[%&+#, ]")
# a parameter, its type in Parameters, its value
_Asked = tuple[str, str, str]
_SPECIAL = re.compile(r"([\\,|$])")


@dataclass(frozen=True, slots=True)
class CodeFilter:
    """Only resources with one of these codes, of whatever code system, by one of these search parameters."""

    codes: tuple[str, ...]
    parameters: tuple[str, ...] = ("combo-code",)


@dataclass(frozen=True, slots=True)
class ExportQuestion:
    """Which types of which patients: `level` is "" for the whole server, "Patient", or "Group/<id>".

    `since` is an instant; of the types in `filters` only some codes are asked for.
    """

    types: tuple[str, ...]
    level: str = SYSTEM
    since: str | None = None
    filters: Mapping[str, CodeFilter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KickOff:
    """One way to ask. `filtered`: the server is asked to filter by code; `repeated`: a parameter may come twice."""

    method: str
    path: str
    resource: Mapping[str, Any] | None
    filtered: bool
    repeated: bool = False


def kick_offs(question: ExportQuestion) -> Iterator[KickOff]:
    """Yield the ways to ask, best first: as an address, as Parameters, and without the filters.

    Older servers know only the first way, those of the next guide only the second and no lists with commas; few know
    every filter. HAPI takes Parameters, but of a parameter that comes twice only the first.
    """
    path = f"{question.level}/$export" if question.level else "$export"
    for filtered in (True, False) if question.filters else (False,):
        asked = [*_asked(question, filtered=filtered)]
        listed = _joined(asked)
        address = f"{path}?" + "&".join(f"{name}={quote(value, safe=',')}" for name, _, value in listed)
        if len(address) <= LONGEST_ADDRESS:
            yield KickOff("GET", address, None, filtered)
        yield KickOff("POST", path, _parameters(listed), filtered)
        if listed != asked:
            yield KickOff("POST", path, _parameters(asked), filtered, repeated=True)


def filter_texts(kind: str, asked: CodeFilter) -> tuple[str, ...]:
    """Return a filter as searches, of which one must find a resource; the commas in them do not separate filters."""
    tokens = ",".join(_SPECIAL.sub(r"\\\1", code) for code in asked.codes)
    written = _RESERVED.sub(lambda found: quote(found[0], safe=""), tokens)
    return tuple(f"{kind}?{parameter}={written}" for parameter in asked.parameters)


def _asked(question: ExportQuestion, *, filtered: bool) -> Iterator[_Asked]:
    """Yield each parameter with its type in Parameters and its value."""
    yield from (("_type", "valueString", kind) for kind in question.types)
    if question.since:
        yield "_since", "valueInstant", question.since
    if filtered:
        for kind, asked in question.filters.items():
            yield from (("_typeFilter", "valueString", text) for text in filter_texts(kind, asked))


def _joined(asked: list[_Asked]) -> list[_Asked]:
    """Return each parameter once, with a list of its values: Oracle refuses one that comes twice."""
    kinds = dict.fromkeys((name, kind) for name, kind, _ in asked)
    return [(name, kind, ",".join(value for other, _, value in asked if other == name)) for name, kind in kinds]


def _parameters(asked: list[_Asked]) -> dict[str, Any]:
    listed = [{"name": name, key: value} for name, key, value in asked]
    return {"resourceType": "Parameters", "parameter": listed}
