"""The first page of each type of resources: whether it may be read, and what the resources are like."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.findings import REFUSED, UNAVAILABLE, Finding, fine, note, prevents, warning
from cohortfinder.fhir.trying import UNANSWERED, Tried, tried

# a silence lasts as long as the timeout
_SILENCES = 2
_NOT_THERE = frozenset({400, 404, 501})
# some servers want a parameter in every search, and this one finds everything
_EVERYTHING = "_lastUpdated=ge1900-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Samples:
    """What came back when the first resources of each type were asked for; `size` is how many of them."""

    size: int
    pages: Mapping[str, Tried]

    @property
    def readable(self) -> tuple[str, ...]:
        """The types that can be had."""
        return tuple(kind for kind, page in self.pages.items() if page.is_bundle)

    @property
    def present(self) -> tuple[str, ...]:
        """The types of which there is something."""
        return tuple(kind for kind in self.readable if self.pages[kind].found(kind))

    def contents(self) -> Iterator[bytes]:
        """Yield the pages as they came."""
        for kind in self.present:
            answer = self.pages[kind].answer
            assert answer is not None  # a Bundle was answered
            yield answer.content


def take_samples(client: FhirClient, types: Collection[str], size: int) -> Samples:
    """Ask for the first resources of each type, until the server has been silent too often."""
    pages: dict[str, Tried] = {}
    for kind in types:
        silent = sum(page.status == UNANSWERED for page in pages.values())
        pages[kind] = _first_page(client, kind, size) if silent < _SILENCES else Tried(UNANSWERED)
    return Samples(size, pages)


def _first_page(client: FhirClient, kind: str, size: int) -> Tried:
    page = tried(client, f"{kind}?_count={size}")
    return tried(client, f"{kind}?{_EVERYTHING}&_count={size}") if page.status == 400 else page


def access_findings(samples: Samples, *, known: bool) -> Iterator[Finding]:
    """Yield what can be read and what is refused; `known` says whether it is configured who asks."""
    pages = samples.pages
    refused = [kind for kind, page in pages.items() if page.refused]
    strangers = [kind for kind in refused if pages[kind].status == 401 and not samples.readable]
    forbidden = [kind for kind in refused if kind not in strangers]
    absent = [kind for kind, page in pages.items() if page.status in _NOT_THERE]
    failed = [kind for kind, page in pages.items() if not page.is_bundle and not page.refused and kind not in absent]
    if strangers:
        yield _stranger(strangers, known=known)
    if forbidden:
        yield _forbidden(forbidden, {pages[kind].status for kind in forbidden}, all_of=len(forbidden) == len(pages))
    for kinds in (absent, failed):
        if kinds:
            yield _failed(kinds, {pages[kind].status for kind in kinds}, all_of=len(kinds) == len(pages))
    if samples.readable:
        yield fine("reading", f"{_listed(samples.readable)} can be read")
    empty = [kind for kind in samples.readable if kind not in samples.present]
    if samples.readable and not samples.present:
        what, ask = (
            "nothing is to be seen on the server, of no type",
            "Is the server filled, and what may our account see?",
        )
        yield warning("reading", what, ask=ask)
    elif empty:
        yield note(
            "reading", f"of {_listed(empty)} there is nothing to be seen",
            ask=f"Are there {_listed(empty)} resources, and may our account see them?",
        )  # fmt: skip


def _stranger(kinds: Collection[str], *, known: bool) -> Finding:
    if not known:
        what, todo = "the server wants to know who asks (401)", "configure it under [fhir]: see cohortfinder init"
        return prevents("access", what, status=REFUSED, todo=todo, ask="How do programs log in, and as whom do we?")
    return prevents(
        "access", f"the server does not accept who we say we are (401 for {_listed(kinds)})", status=REFUSED,
        todo="check the token or the user under [fhir]: it may be wrong, or out of date",
        ask="Are our credentials valid? The log of the server says why they were refused.",
    )  # fmt: skip


def _forbidden(kinds: Collection[str], statuses: set[int], *, all_of: bool) -> Finding:
    told = ", ".join(map(str, sorted(statuses)))
    scopes = " ".join(f"system/{kind}.read" for kind in kinds)
    ask = f"Let our account read and search {_listed(kinds)} (scopes {scopes})."
    if all_of:
        return prevents("access", f"the server lets us read nothing ({told})", status=REFUSED, ask=ask)
    return warning("access", f"the server does not let us read {_listed(kinds)} ({told})", ask=ask)


def _failed(kinds: Collection[str], statuses: set[int], *, all_of: bool) -> Finding:
    told = ", ".join(str(status) if status else "no answer" for status in sorted(statuses))
    what = f"{_listed(kinds)} cannot be searched ({told})"
    ask = f"Does the server have {_listed(kinds)}, and can they be searched without a patient?"
    if all_of:
        return prevents("reading", what, status=UNAVAILABLE, ask=ask)
    # what the server does not have is a warning where a trial needs it
    return note("reading", what) if statuses <= _NOT_THERE else warning("reading", what, ask=ask)


def _listed(kinds: Collection[str]) -> str:
    names = list(kinds)
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
