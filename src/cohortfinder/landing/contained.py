"""A contained Medication, hoisted: a Medication of its own, which its resource then refers to by id."""

import json
from typing import Any

from cohortfinder.landing.bundles import with_references
from cohortfinder.landing.raw_json import value_at, walk_array, walk_object

MARKER = b'"contained"'


def hoisted(text: str, resource: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the resource with references such as `#med1` resolved, and the text of each hoisted Medication.

    The id of a hoisted Medication is `<type>.<id>.<contained id>`. The contained original stays in its place.
    """
    prefix = f"{resource['resourceType']}.{resource['id']}."
    medications: list[str] = []
    targets: dict[str, str] = {}

    def contained(position: int) -> int:
        value, end = value_at(text, position)
        if isinstance(value, dict) and value.get("resourceType") == "Medication" and isinstance(value.get("id"), str):
            medications.append(_renamed(text[position:end], prefix + value["id"]))
            targets["#" + value["id"]] = "Medication/" + prefix + value["id"]
        return end

    def member(key: str, position: int) -> int:
        value, end = value_at(text, position)
        if key == "contained" and isinstance(value, list):
            walk_array(text, position, contained)
        return end

    walk_object(text, 0, member)
    resolved = with_references(text, targets)
    return resolved, tuple(with_references(medication, targets) for medication in medications)


def _renamed(text: str, new_id: str) -> str:
    spans: list[tuple[int, int]] = []

    def member(key: str, position: int) -> int:
        end = value_at(text, position)[1]
        if key == "id":
            spans.append((position, end))
        return end

    walk_object(text, 0, member)
    start, end = spans[-1]
    return text[:start] + json.dumps(new_id) + text[end:]
