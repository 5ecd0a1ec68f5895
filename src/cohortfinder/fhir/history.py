"""What was deleted of a type of resources, by the history that the server keeps of it.

Source: https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from cohortfinder.errors import ProtocolError
from cohortfinder.fhir.answers import Answer
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.pages import changed_at, entries, link
from cohortfinder.fhir.search import FRESH, Noted
from cohortfinder.landing.spool import START, Mark, Slice, SliceSpool

# a server that gives no next link is asked for more at once
_PAGE_SIZES = (1000, 10_000, 100_000)


def deletions(client: FhirClient, part: Slice, spool: SliceSpool, noted: Noted) -> Mark:
    """Bring the deletions of a type into the spool, as entries that landing reads; nothing else of the history is kept.

    Raises ProtocolError when the history does not end, or is cut, and the errors of the client.
    """
    mark = spool.resume()
    if mark.done:
        return mark
    for size in _PAGE_SIZES:
        mark = spool.restart()
        kind = part.types[0]
        query = urlencode([("_since", part.since or "1900-01-01T00:00:00Z"), ("_count", str(size))], quote_via=quote)
        history = _History(client, part, spool, noted)
        if history.follow(client.ask("GET", f"{kind}/_history?{query}", headers=FRESH), size):
            return history.mark
    raise ProtocolError(f"{client.name} cuts the history of {part.types[0]}; ask who runs it")


class _History:
    """The versions of a type, the newest first: of each resource the newest one tells whether it is still there.

    HAPI does not say when something was deleted. It was not before the version that comes next, and that is not before
    the last version of what was deleted: so its time stands for it.
    """

    def __init__(self, client: FhirClient, part: Slice, spool: SliceSpool, noted: Noted) -> None:
        self._client, self._part, self._spool, self._noted = client, part, spool, noted
        self._told: set[str] = set()
        self._followed: set[str] = set()
        self._undated: list[str] = []
        self.mark = START

    def follow(self, answer: Answer, size: int) -> bool:
        """Take all pages, and say whether these are all."""
        entries_seen = 0
        while True:
            bundle = answer.resource()
            found = list(entries(bundle))
            following = link(bundle, "next")
            gone = [one for entry in found for one in self._deletions(entry)]
            entries_seen += len(found)
            if not following and self._is_cut(bundle.get("total"), entries_seen, size):
                return False
            if not following:
                gone += self._dated(str(self._part.since))
            self._keep(gone, done=not following)
            if not following:
                return True
            if following in self._followed:
                raise ProtocolError(f"{self._client.name} gave a history without end of {self._part.types[0]}")
            self._followed.add(following)
            answer = self._client.ask("GET", self._client.follow(answer, following))

    def _is_cut(self, total: object, seen: int, size: int) -> bool:
        """Say whether there is more: by the total, and by a first page that is full and the only one."""
        return (isinstance(total, int) and seen < total) or (self.mark.pages == 0 and seen >= size)

    def _keep(self, gone: list[dict[str, Any]], *, done: bool) -> None:
        line = orjson.dumps({"resourceType": "Bundle", "type": "history", "entry": gone}) if gone else b""
        mark = Mark(self.mark.offset, None, self.mark.pages + 1, self.mark.seen + len(gone), done=done)
        self.mark = self._spool.add(line, mark)
        self._noted(self._part, self.mark, None)

    def _deletions(self, entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the deletions whose time this entry tells: its own, or of those that came before it in the list."""
        resource, request, response = (_object(entry.get(name)) for name in ("resource", "request", "response"))
        if changed := changed_at(resource):
            yield from self._dated(changed)
        kind, own_id = _name(resource, request, entry)
        if kind != self._part.types[0] or not own_id or own_id in self._told:
            return
        self._told.add(own_id)
        if request.get("method") == "DELETE":
            if at := response.get("lastModified"):
                yield deletion(kind, own_id, str(at))
            else:
                self._undated.append(own_id)

    def _dated(self, at: str) -> list[dict[str, Any]]:
        dated = [deletion(self._part.types[0], own_id, at) for own_id in self._undated]
        self._undated = []
        return dated


def deletion(kind: str, own_id: str, at: str, *, unknown: bool = False) -> dict[str, Any]:
    """Return the entry of a Bundle that tells landing of a deletion; `unknown`: the server only does not know it."""
    status = "404" if unknown else "204"
    return {
        "request": {"method": "DELETE", "url": f"{kind}/{own_id}"},
        "response": {"status": status, "lastModified": at},
    }


def _name(resource: Mapping[str, Any], request: Mapping[str, Any], entry: Mapping[str, Any]) -> tuple[str, str]:
    """Return type and id of what an entry is about, by what it holds or the address that was asked."""
    if resource:
        return str(resource.get("resourceType")), str(resource.get("id") or "")
    steps = str(request.get("url") or entry.get("fullUrl") or "").partition("/_history/")[0].split("/")
    return (steps[-2], steps[-1]) if len(steps) > 1 else ("", "")


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
