"""Resources that a server has and we may not hold: which of them a load must remove, and no word of the others."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from cohortfinder.landing.manifest import LandedType
from cohortfinder.landing.parts import members

# which of some ids of a resource type are in the store
Held = Callable[[str, Collection[str]], Collection[str]]
_ID = re.compile(rb'"id"\s*:\s*"([^"\\]+)"')


def all_of_them(_: str, ids: Collection[str]) -> Collection[str]:
    """Return all ids, where nothing is known of a store."""
    return ids


class WithheldIds:
    """What must not be held, as of when. Only what is in the store, or comes with the same load, is noted in landing.

    So the store does not gather the ids of everybody whose records are kept from it.
    """

    def __init__(self, held: Held) -> None:
        self._held = held
        self._told: dict[str, list[tuple[str, str]]] = {}

    def add(self, resource_type: str, own_id: str, at: str) -> None:
        """Note one resource."""
        self._told.setdefault(resource_type, []).append((own_id, at))

    def records(self, folder: Path, types: Iterable[LandedType]) -> Iterator[dict[str, Any]]:
        """Yield the deletions; `types` is what the same load has landed in `folder`.

        They leave no trace in the books of versions: without the label a resource may come back as it was.
        """
        landed = {one.resource_type: one for one in types}
        for resource_type, told in self._told.items():
            ids = {own_id for own_id, _ in told}
            present = {*self._held(resource_type, sorted(ids))}
            if ids - present and resource_type in landed:
                present |= _named_in(folder, landed[resource_type])
            for own_id, at in dict.fromkeys(told):
                if own_id in present:
                    yield {"resource_type": resource_type, "id": own_id, "deleted_at": at, "unknown": True}


def _named_in(folder: Path, landed: LandedType) -> set[str]:
    """Return the ids in landed lines, of resources and of what is in them: what only looks held does no harm."""
    lines = (text for part in landed.parts for _, text in members(folder / part.file))
    return {found.decode() for text in lines for found in _ID.findall(text)}
