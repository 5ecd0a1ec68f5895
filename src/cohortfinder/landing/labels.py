"""Resources that must not be stored, by their security labels, taken out of the text of a Bundle."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cohortfinder.landing.raw_json import value_at, walk_array, walk_object

LABELLED = b'"security"'


@dataclass(frozen=True, slots=True)
class Labels:
    """What keeps a resource out: all labels of one of the sets. ("V",) is very restricted data.

    Source: http://terminology.hl7.org/CodeSystem/v3-Confidentiality, v3-ActReason (HTEST), v3-ActCode (42CFRPart2)
    """

    excluded: tuple[frozenset[str], ...] = (
        frozenset({"V"}),
        frozenset({"HTEST"}),
        frozenset({"R", "42CFRPart2"}),
    )

    def exclude(self, resource: Mapping[str, Any]) -> bool:
        """Say whether a resource must not be stored."""
        meta = resource.get("meta")
        security = meta.get("security") if isinstance(meta, dict) else None
        labels = security if isinstance(security, list) else []
        codes = {str(label.get("code")) for label in labels if isinstance(label, dict)}
        return any(found <= codes for found in self.excluded)


def without_labelled(text: str, labels: Labels) -> tuple[str, int]:
    """Return the text of a Bundle without the entries that must not be stored, and how many these were."""
    cuts: list[tuple[int, int]] = []
    starts: list[int] = []

    def entry(position: int) -> int:
        value, end = value_at(text, position)
        resource = value.get("resource") if isinstance(value, dict) else None
        starts.append(position)
        if isinstance(resource, dict) and labels.exclude(resource):
            cuts.append((position, end))
        return end

    def member(key: str, position: int) -> int:
        return walk_array(text, position, entry) if key == "entry" else value_at(text, position)[1]

    walk_object(text, 0, member)
    for start, end in reversed(cuts):
        text = _cut(text, start, end)
    return text, len(cuts)


def _cut(text: str, start: int, end: int) -> str:
    """Cut an element of an array, with the comma that parts it from a neighbour."""
    after = text[end:].lstrip()
    if after.startswith(","):
        return text[:start] + after[1:]
    before = text[:start].rstrip()
    return before.removesuffix(",") + after
