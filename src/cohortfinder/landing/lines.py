"""One NDJSON line examined: the resource that it holds, or why it is none."""

import re
from dataclasses import dataclass
from typing import Any

import orjson

from cohortfinder.landing.contained import MARKER as CONTAINED
from cohortfinder.landing.kinds import some_wrong_kind, wrong_kind
from cohortfinder.landing.raw_json import has_duplicate_key
from cohortfinder.landing.releases import MARKERS, wrong_release, wrong_type

# They carry messages between systems and say nothing about a patient: passed over without a word.
NO_RECORDS = frozenset({"OperationOutcome", "Parameters"})

# The parser reads objects and arrays to this depth; no hospital's record comes near it.
_DEPTH = 1000
# The reader of the tables takes no longer line; a record of this size is a document or an image.
LONGEST_LINE = 32_000_000
_LOOK_BYTES = 2**20
_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])')
_TYPE = re.compile(rb'\{"resourceType":"([A-Za-z]+)"')


@dataclass(frozen=True, slots=True)
class Examined:
    """A parsed line; `reason` says why it goes to quarantine, None when it is good."""

    resource: dict[str, Any]
    reason: str | None

    @property
    def resource_type(self) -> str | None:
        """The resourceType, when the line names one."""
        name = self.resource.get("resourceType")
        return name if isinstance(name, str) else None


def uniform_type(block: bytes) -> str | None:
    """Return the one type of a block whose lines all look right at a glance, else None.

    The glance costs next to nothing; a block that does not pass it is examined line by line. What it cannot see
    (an id that is missing, an object in the place of an array) is found when the tables are filled.
    """
    found = _TYPE.match(block)
    if not found:
        return None
    resource_type = found[1].decode()
    lines = block.count(b"\n")
    ended = block.count(b"}\n") + (block.count(b"}\r\n") if b"\r" in block else 0)
    if ended != lines or block.count(b"\n" + found[0]) + 1 != lines or len(block) > LONGEST_LINE:
        return None
    if wrong_type(resource_type) or resource_type in {"Bundle", *NO_RECORDS} or CONTAINED in block:
        return None
    if any(marker in block for marker in MARKERS.get(resource_type, ())) or some_wrong_kind(block, resource_type):
        return None
    return resource_type if _is_utf8(block) else None


def _is_utf8(block: bytes) -> bool:
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def examine(line: bytes, *, needs_id: bool = True) -> Examined:
    """Parse one line and say whether it is an R4 resource, with an id where one is needed."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return Examined({}, "not UTF-8")
    try:
        resource = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Examined({}, "a number is out of range" if "infinity" in error.msg else _why_no_json(line))
    if not isinstance(resource, dict):
        return Examined({}, "not a resource")
    return Examined(resource, reason_against(resource, line, needs_id=needs_id))


def _why_no_json(line: bytes) -> str:
    start = line[:200].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "HTML and not JSON"
    if start.startswith(b"<"):
        return "XML and not JSON"
    return "nested too deep" if _depth(line[:_LOOK_BYTES]) > _DEPTH else "not valid JSON"


def _depth(text: bytes) -> int:
    """Return how deep objects and arrays stand in each other."""
    depth = deepest = 0
    for token in _BRACKET.finditer(text):
        depth += bool(token[1]) - bool(token[2])
        deepest = max(deepest, depth)
    return deepest


def reason_against(resource: dict[str, Any], raw: bytes, *, needs_id: bool = True) -> str | None:
    """Return why a resource cannot be taken, None when it can; `raw` is its text."""
    reason = wrong_type(resource.get("resourceType")) or wrong_release(resource)
    if reason or resource["resourceType"] in {"Bundle", *NO_RECORDS}:
        return reason
    if len(raw) > LONGEST_LINE:
        return f"longer than {LONGEST_LINE // 10**6} MB"
    if "id" not in resource:
        if needs_id:
            return "no id"
    elif not isinstance(resource["id"], str) or not resource["id"]:
        return "id is not a string"
    return "duplicate key" if has_duplicate_key(raw, resource) else wrong_kind(resource, raw)
