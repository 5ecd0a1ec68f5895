"""A Bundle, taken apart: the text of each resource as it was written, its references resolved inside the Bundle."""

import json
import re
from dataclasses import dataclass
from typing import Any

from cohortfinder.landing.raw_json import one_line, skip_space, value_at, walk_array, walk_object

_REFERENCE = re.compile(r'("reference"\s*:\s*)("(?:[^"\\]|\\.)*")')
_UUID = "urn:uuid:"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a Bundle. `text` is empty when it holds no resource; `line` is where it starts in the file."""

    number: int
    line: int
    text: str
    resource: dict[str, Any]
    full_url: str
    method: str
    url: str
    mode: str
    modified: str | None
    status: str = ""


def bundle_entries(text: str) -> tuple[Entry, ...]:
    """Return the entries of a Bundle in their order. Raises ValueError when the text is no JSON object."""
    entries: list[Entry] = []
    counted = [0, 1]

    def entry(position: int) -> int:
        counted[1] += text.count("\n", counted[0], position)
        counted[0] = position
        found, end = _entry(text, position, len(entries) + 1, counted[1])
        entries.append(found)
        return end

    def member(key: str, position: int) -> int:
        if key == "entry":
            return walk_array(text, position, entry)
        return value_at(text, position)[1]

    end = walk_object(text, 0, member)
    if skip_space(text, end) != len(text):
        raise ValueError("something follows the Bundle")
    return tuple(entries)


def _entry(text: str, position: int, number: int, line: int) -> tuple[Entry, int]:
    members: dict[str, Any] = {}
    slices: dict[str, str] = {}

    def member(key: str, start: int) -> int:
        members[key], end = value_at(text, start)
        slices[key] = text[start:end]
        return end

    end = walk_object(text, position, member)
    resource, request = _object(members.get("resource")), _object(members.get("request"))
    response = _object(members.get("response"))
    found = Entry(
        number=number,
        line=line,
        text=one_line(slices["resource"]) if resource else "",
        resource=resource,
        full_url=str(members.get("fullUrl") or ""),
        method=str(request.get("method") or ""),
        url=str(request.get("url") or ""),
        mode=str(_object(members.get("search")).get("mode") or ""),
        modified=response.get("lastModified"),
        status=str(response.get("status") or ""),
    )
    return found, end


def identified(entry: Entry) -> Entry:
    """Give a resource without an id the one of its fullUrl, when that is a urn:uuid."""
    if "id" in entry.resource or not entry.full_url.startswith(_UUID) or not entry.text:
        return entry
    own_id = entry.full_url.removeprefix(_UUID)
    text = entry.text.replace("{", '{"id":' + json.dumps(own_id) + ",", 1)
    return Entry(
        entry.number, entry.line, text, {**entry.resource, "id": own_id}, entry.full_url,
        entry.method, entry.url, entry.mode, entry.modified,
    )  # fmt: skip


def full_urls(entries: tuple[Entry, ...]) -> dict[str, str]:
    """Return what a reference to each fullUrl means: `Type/id`."""
    return {
        entry.full_url: f"{entry.resource['resourceType']}/{entry.resource['id']}"
        for entry in entries
        if entry.full_url and "resourceType" in entry.resource and "id" in entry.resource
    }


def with_references(text: str, targets: dict[str, str]) -> str:
    """Write `targets[reference]` in the place of each Reference.reference that is one of its keys."""

    def target(found: re.Match[str]) -> str:
        reference = json.loads(found[2])
        return found[1] + json.dumps(targets[reference]) if reference in targets else found[0]

    return _REFERENCE.sub(target, text) if targets else text


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
