"""How a server searches: whether it heeds what it is asked, how it pages, what it tells of changes. It only reads."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from cohortfinder.address import origin, same_origin
from cohortfinder.errors import CohortFinderError
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.findings import Finding, fine, note, warning
from cohortfinder.fhir.samples import Samples
from cohortfinder.fhir.trying import Tried, tried

_FUTURE = "_lastUpdated=ge2999-01-01T00:00:00Z"
_PAST = "_lastUpdated=ge1900-01-01T00:00:00Z"
# no server knows it, no code is it
_UNKNOWN = "cohortfinder-no-such-parameter=1"
_NO_CODE = "http://loinc.org|cohortfinder-no-such-code"
_SMALL = 2


class Heeded(StrEnum):
    """What a server makes of a condition of a search."""

    YES = "heeded"
    IGNORED = "ignored"
    REFUSED = "refused"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Probe:
    """A server, and what was seen of it."""

    client: FhirClient
    samples: Samples
    page_size: int

    @property
    def fullest(self) -> str:
        """A type of which there is much: Observation, if there is any."""
        present = self.samples.present
        return max(present, key=lambda kind: (len(self.samples.pages[kind].found(kind)), kind == "Observation"))


def search_findings(probe: Probe) -> Iterator[Finding]:
    """Yield what is found by searching; nothing where nothing can be read."""
    if not probe.samples.present:
        return
    for look in _PROBES:
        yield from look(probe)


def _last_updated(probe: Probe) -> Iterator[Finding]:
    """Tell whether changes can be asked for, type by type: it is what a nightly pull rests on."""
    told = {kind: _heeds_time(probe.client, kind) for kind in probe.samples.present}
    for heeded, make in _TIME.items():
        kinds = [kind for kind, found in told.items() if found is heeded]
        if kinds:
            yield make(", ".join(kinds))
    undated = [kind for kind in told if not _dated(probe.samples.pages[kind], kind)]
    if undated:
        yield note("_lastUpdated", f"resources of {', '.join(undated)} come without meta.lastUpdated")


def _heeds_time(client: FhirClient, kind: str) -> Heeded:
    future = tried(client, f"{kind}?{_FUTURE}&_count=1")
    if not future.is_bundle:
        return Heeded.REFUSED
    if future.found(kind):
        return Heeded.IGNORED
    past = tried(client, f"{kind}?{_PAST}&_count=1")
    return Heeded.YES if past.found(kind) else Heeded.NOTHING


def _dated(page: Tried, kind: str) -> bool:
    metas = [one.get("meta") for one in page.found(kind)]
    return any(isinstance(meta, dict) and meta.get("lastUpdated") for meta in metas)


_WHOLE = "each night these are pulled whole and compared"
_TIME: dict[Heeded, Callable[[str], Finding]] = {
    Heeded.YES: lambda kinds: fine("_lastUpdated", f"what has changed can be asked for: {kinds}"),
    Heeded.IGNORED: lambda kinds: warning(
        "_lastUpdated", f"the server passes over _lastUpdated and answers with everything: {kinds}; {_WHOLE}",
        ask="Support the search parameter _lastUpdated, and refuse what is not supported (Prefer: handling=strict).",
    ),
    Heeded.REFUSED: lambda kinds: warning(
        "_lastUpdated", f"the server refuses _lastUpdated: {kinds}; {_WHOLE}",
        ask="Support the search parameter _lastUpdated, so that a night costs no more than what has changed.",
    ),
    Heeded.NOTHING: lambda kinds: warning(
        "_lastUpdated", f"by _lastUpdated nothing is found, not even everything since 1900: {kinds}; {_WHOLE}",
        ask="Build the search index of _lastUpdated: it finds nothing.",
    ),
}  # fmt: skip


def _strict(probe: Probe) -> Iterator[Finding]:
    kind = probe.fullest
    answer = tried(probe.client, f"{kind}?{_UNKNOWN}&_count=1")
    if answer.is_bundle:
        yield note(
            "strict", "an unknown search parameter is passed over, though we ask for strict handling; every answer of "
            "a pull is checked for it",
        )  # fmt: skip
    else:
        yield fine("strict", f"an unknown search parameter is refused ({answer.status})")


def _codes(probe: Probe) -> Iterator[Finding]:
    """Tell whether observations can be asked for by their codes, so that no others leave the server."""
    if "Observation" not in probe.samples.present:
        return
    heeded = {name: heeds_code(probe.client, name) for name in ("combo-code", "code")}
    good = [name for name, found in heeded.items() if found is Heeded.YES]
    if good:
        yield fine("codes", f"observations can be asked for by {' or '.join(good)}")
        return
    yield warning(
        "codes", "observations cannot be asked for by their codes: all of them are pulled",
        ask="Support the search parameters combo-code and code of Observation.",
    )  # fmt: skip


def heeds_code(client: FhirClient, name: str) -> Heeded:
    """Say what a server makes of a code that nothing has."""
    answer = tried(client, f"Observation?{name}={_NO_CODE.replace('|', '%7C').replace('/', '%2F')}&_count=1")
    if not answer.is_bundle:
        return Heeded.REFUSED
    return Heeded.IGNORED if answer.found("Observation") else Heeded.YES


def _paging(probe: Probe) -> Iterator[Finding]:
    kind = probe.fullest
    if len(probe.samples.pages[kind].found(kind)) <= _SMALL:
        yield note("pages", "there is too little on the server to see how it pages")
        return
    first = tried(probe.client, f"{kind}?_count={_SMALL}")
    link = first.link("next")
    if link is None or first.answer is None:
        yield _no_next(kind, len(first.found(kind)))
        return
    yield _next_page(probe.client, kind, first, link)


def _no_next(kind: str, given: int) -> Finding:
    if given > _SMALL:
        what = f"the server gives {given} of {kind} where {_SMALL} were asked for, in one page"
        return note("pages", f"{what}: answers may be large")
    return warning(
        "pages", f"a page of {kind} has no link to the next one, though there is more: pulled in parts by time",
        ask="Add the link `next` to the pages of a search.",
    )  # fmt: skip


def _next_page(client: FhirClient, kind: str, first: Tried, link: str) -> Finding:
    assert first.answer is not None
    try:
        second = tried(client, client.follow(first.answer, link))
    except CohortFinderError:
        return _foreign(client, link)
    if not second.is_bundle:
        what = f"the link to the next page cannot be followed ({second.status or 'no answer'})"
        return warning("pages", what, ask="Correct the links `next` in the pages of a search.")
    twice = _ids(first, kind) & _ids(second, kind)
    if twice:
        what = "the second page repeats what is on the first; what comes twice is kept once"
        return warning("pages", what, ask="Give the pages of a search a stable order.")
    return fine("pages", f"links to the next page are {_form(client, link)}, and lead there")


def _foreign(client: FhirClient, link: str) -> Finding:
    return warning(
        "pages", f"links to the next page lead to {_where(link)} and not to {origin(client.base)}",
        todo="where this is another name of the same server, write rewrite_links = true under [fhir]",
        ask=f"Let the server know its own address, {client.name}: the links in its pages are of another one.",
    )  # fmt: skip


def _where(link: str) -> str:
    try:
        return origin(link)
    except CohortFinderError:
        return "no address"


def _ids(page: Tried, kind: str) -> set[str]:
    return {str(one.get("id")) for one in page.found(kind)}


def _form(client: FhirClient, link: str) -> str:
    """Say how links are written; servers have found many ways."""
    if not link.startswith(("http://", "https://")):
        return "relative"
    cursor = "with a cursor" if "cursor" in link else "with a number" if "ffset" in link or "page" in link else "whole"
    return f"{cursor}, of the same origin" if same_origin(link, client.base) else "of another origin"


def _page_size(probe: Probe) -> Iterator[Finding]:
    kind, asked = probe.fullest, probe.page_size
    page = tried(probe.client, f"{kind}?_count={asked}")
    given = len(page.found(kind))
    if page.status == 400:
        yield warning(
            "page size", f"the server refuses pages of {asked}", todo="lower page_size in the configuration"
        )  # fmt: skip
    elif page.link("next") and given < asked:
        yield note("page size", f"the server gives pages of {given} where {asked} are asked for")
    elif page.is_bundle:
        yield fine("page size", f"pages of {asked} are given" if page.link("next") else f"pages of {asked} are taken")


def _history(probe: Probe) -> Iterator[Finding]:
    kind = probe.fullest
    history = tried(probe.client, f"{kind}/_history?_count={_SMALL}")
    if not history.is_bundle:
        yield note(
            "deletions", "the server has no history of a type: deletions are found by $export, or by comparing all ids "
            "now and then", ask="Can deletions be asked for: by the history of a type, or in an export?",
        )  # fmt: skip
    elif len(probe.samples.pages[kind].found(kind)) > _SMALL and history.link("next") is None:
        yield note(
            "deletions", "the history of a type ends with its first page, though there is more: it is not relied on "
            "alone", ask="Add the link `next` to the pages of a history.",
        )  # fmt: skip
    else:
        yield fine("deletions", "the history of a type can be read: deletions are seen the same night")


_PROBES: Collection[Callable[[Probe], Iterator[Finding]]] = (
    _last_updated, _strict, _codes, _paging, _page_size, _history,
)  # fmt: skip
