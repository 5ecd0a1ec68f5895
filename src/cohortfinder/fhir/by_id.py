"""Resources by their ids, in batches: those that a record refers to, and which of many are still there."""

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

import orjson

from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.pages import entries, link, read_page
from cohortfinder.fhir.search import FRESH, Noted
from cohortfinder.landing.labels import Labels
from cohortfinder.landing.spool import Mark, Slice, SliceSpool

# servers and what stands before them refuse longer addresses
_LONGEST = 1500
_MOST = 100


def batches(ids: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield ids in groups that fit into one address."""
    batch: list[str] = []
    for own_id in ids:
        if batch and (len(batch) >= _MOST or sum(map(len, batch)) + len(batch) * 3 + len(own_id) > _LONGEST):
            yield tuple(batch)
            batch = []
        batch.append(own_id)
    if batch:
        yield tuple(batch)


def read_by_id(client: FhirClient, part: Slice, spool: SliceSpool, labels: Labels, noted: Noted) -> Mark:
    """Bring the resources of a slice, whose parameter is their ids, into the spool; what is not there is passed over.

    Raises the errors of the client.
    """
    mark = spool.resume()
    if mark.done:
        return mark
    mark, kind = spool.restart(), part.types[0]
    ids = part.parameters[0][1].split(",")
    for batch in batches(ids):
        address: str | None = f"{kind}?_id={quote(','.join(batch), safe=',')}&_count={len(batch)}"
        while address:
            answer = client.ask("GET", address, headers=FRESH)
            page = read_page(answer, kind, labels)
            found = Mark(
                mark.offset, None, mark.pages + 1, mark.seen + len(page.keys), dropped=mark.dropped + page.dropped
            )
            mark = spool.add(page.line if page.keys or page.dropped else b"", found)
            noted(part, mark, len(ids))
            address = client.follow(answer, page.next) if page.next and page.keys else None
    return spool.add(b"", Mark(mark.offset, None, mark.pages, mark.seen, dropped=mark.dropped, done=True))


def still_there(client: FhirClient, kind: str, ids: Sequence[str]) -> Iterator[str]:
    """Yield those of some ids under which the server has a resource now. Raises the errors of the client."""
    for batch in batches(ids):
        asked = f"{kind}?_id={quote(','.join(batch), safe=',')}&_elements=id&_count={len(batch)}"
        yield from _ids(client, kind, asked)


def all_ids(client: FhirClient, address: str, kind: str) -> Iterator[str]:
    """Yield the ids of all that a search finds. Raises the errors of the client."""
    yield from _ids(client, kind, f"{address}{'&' if '?' in address else '?'}_elements=id&_count=1000")


def _ids(client: FhirClient, kind: str, asked: str) -> Iterator[str]:
    address: str | None = asked
    followed = set()
    while address and address not in followed:
        followed.add(address)
        answer = client.ask("GET", address, headers=FRESH)
        bundle = answer.resource()
        found = [one for entry in entries(bundle) if isinstance(one := entry.get("resource"), dict)]
        yield from (str(one["id"]) for one in found if one.get("resourceType") == kind and one.get("id"))
        following = link(bundle, "next")
        address = client.follow(answer, following) if following and found else None


def by_ids(kind: str, ids: Iterable[str]) -> Slice:
    """Return the slice of some resources of a type."""
    return Slice(0, "ids", (kind,), (("_id", ",".join(sorted(ids))),))


def bundle_line(kind: str, found: Sequence[dict[str, object]]) -> bytes:
    """Return entries as a page."""
    return orjson.dumps({"resourceType": "Bundle", "type": kind, "entry": list(found)})
