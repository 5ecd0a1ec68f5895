"""Resources that must not be stored, by their security labels: of each no more is kept than that its id is not held.

What stands in a store under such an id goes when the page is loaded, as if it had been deleted.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cohortfinder.landing.raw_json import value_at, walk_array, walk_object

LABELLED = b'"security"'
# the status of a deletion that is none: the server has the resource, and we may not
WITHHELD = "451"
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


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


def without_labelled(text: str, labels: Labels, at: datetime) -> tuple[str, int]:
    """Return the text of a Bundle with `withheld` for the entries that must not be stored, and how many these were.

    `at` is the server's time, for those that tell none.
    """
    places: list[tuple[int, int, str]] = []
    dropped = 0

    def entry(position: int) -> int:
        nonlocal dropped
        value, end = value_at(text, position)
        resource = value.get("resource") if isinstance(value, dict) else None
        if isinstance(resource, dict) and labels.exclude(resource):
            dropped += 1
            places.append((position, end, json.dumps(withheld(resource, at))))
        return end

    def member(key: str, position: int) -> int:
        return walk_array(text, position, entry) if key == "entry" else value_at(text, position)[1]

    walk_object(text, 0, member)
    for start, end, told in reversed(places):
        text = text[:start] + told + text[end:]
    return text, dropped


def withheld(resource: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Return the entry of a Bundle that tells landing not to hold a resource any more: its type, id and time alone.

    What has no id that a reference could name is told by an entry that landing passes over.
    """
    kind, own_id = resource.get("resourceType"), resource.get("id")
    if not (isinstance(kind, str) and isinstance(own_id, str)) or "/" in kind + own_id:
        return {"search": {"mode": "outcome"}}
    return {
        "request": {"method": "DELETE", "url": f"{kind}/{own_id}"},
        "response": {"status": WITHHELD, "lastModified": _changed(resource) or at.isoformat()},
    }


def _changed(resource: Mapping[str, Any]) -> str | None:
    """Return when a resource was changed, as sent; None where that is no instant."""
    told = str(resource["meta"].get("lastUpdated"))
    try:
        return told if _INSTANT.fullmatch(told) and datetime.fromisoformat(told) else None
    except ValueError:
        return None
