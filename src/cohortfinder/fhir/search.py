"""One search of a FHIR server, page by page into the spool, from where it was left off.

Source: https://hl7.org/fhir/R4/search.html and http.html#paging
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from cohortfinder.errors import GoneError, ProtocolError, QuestionError
from cohortfinder.fhir.answers import Answer
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.pages import Page, check_obeyed, instant, read_page
from cohortfinder.landing.labels import Labels
from cohortfinder.landing.spool import Mark, Slice, SliceSpool

FRESH = {"Cache-Control": "no-cache"}
_MOST_EMPTY = 50
_MOST_LOST = 20
_SMALLEST_PAGE = 5
_BY_CHANGE = ("_sort", "_lastUpdated")
# what is known of the last pages, to count a resource once that moved from one to the next
_REMEMBERED_PAGES = 10

# called when a page is on the disk, with the total that the server tells; it may raise to end the search there
Noted = Callable[[Slice, Mark, int | None], None]


@dataclass(frozen=True, slots=True)
class Habits:
    """How searches are asked: the size of a page, whether in the order of change, and what must not be stored."""

    page_size: int = 200
    sorted: bool = True
    labels: Labels = field(default_factory=Labels)


def search(client: FhirClient, part: Slice, spool: SliceSpool, habits: Habits, noted: Noted) -> Mark:
    """Bring all pages of a search into the spool, from where they end there.

    Raises ProtocolError when the pages do not end or do not hold what they should, and the errors of the client.
    """
    return _Search(client, part, spool, habits, noted).run()


def address_of(part: Slice, *more: tuple[str, str], since: str | None = None) -> str:
    """Return the address of a search below the base."""
    since = since or part.since
    window = [("_lastUpdated", f"ge{since}")] if since else []
    return f"{part.types[0]}?{urlencode([*part.parameters, *window, *more], quote_via=quote, safe=',:')}"


class _Search:
    """One run of a search; what it must remember beyond it stands in the journal."""

    def __init__(self, client: FhirClient, part: Slice, spool: SliceSpool, habits: Habits, noted: Noted) -> None:
        self._client, self._part, self._spool, self._habits, self._noted = client, part, spool, habits, noted
        self._recent: deque[tuple[str, ...]] = deque(maxlen=_REMEMBERED_PAGES)
        self._empty = self._lost = 0
        # whether the pages were asked for in the order of change
        self._ordered = True

    def run(self) -> Mark:
        mark = self._spool.resume()
        self._followed = {hash(one.next) for one in self._spool.marks() if one.next}
        while not mark.done:
            try:
                answer = self._next(mark) if mark.next else self._first(None)
            except QuestionError as error:
                if not mark.next:
                    raise
                mark = self._found_again(mark, error)
                continue
            mark = self._keep(answer, mark)
        return mark

    def _next(self, mark: Mark) -> Answer:
        return self._client.ask("GET", str(mark.next))

    def _first(self, since: str | None) -> Answer:
        """Ask for the first page; a server that does not take our way of asking is asked more simply."""
        refused: QuestionError | None = None
        for way in self._ways():
            self._ordered = _BY_CHANGE in way
            try:
                return self._client.ask("GET", address_of(self._part, *way, since=since), headers=FRESH)
            except GoneError:
                raise
            except QuestionError as error:
                refused = refused or error
        raise refused or ProtocolError(f"{self._client.name} could not be asked for {self._part.types[0]}")

    def _ways(self) -> Iterator[tuple[tuple[str, str], ...]]:
        sizes = [self._habits.page_size]
        while sizes[-1] // 2 >= _SMALLEST_PAGE:
            sizes.append(sizes[-1] // 2)
        for order in ((_BY_CHANGE,), ()) if self._habits.sorted else ((),):
            yield from ((*order, ("_count", str(size))) for size in sizes)

    def _found_again(self, mark: Mark, error: QuestionError) -> Mark:
        """Go on where the server has forgotten the search: from the last change that was seen, else from the start."""
        self._lost += 1
        if self._lost > _MOST_LOST:
            raise error
        self._followed.clear()
        self._recent.clear()
        if not (self._habits.sorted and mark.last_updated):
            return self._spool.restart()
        anew = replace(mark, before=mark.seen, since=mark.last_updated, next=None)
        return self._keep(self._first(anew.since), anew)

    def _keep(self, answer: Answer, mark: Mark) -> Mark:
        page = read_page(answer, self._part.types[0], self._habits.labels)
        asked = address_of(self._part, since=mark.since) if mark.next is None else ""
        check_obeyed(answer, page, dict(parse_qsl(urlsplit(asked).query)), mark.since or self._part.since)
        following = self._client.follow(answer, page.next) if page.next else None
        self._refuse_loops(page, following, mark)
        told = self._spool.add(page.line if page.keys or page.dropped else b"", self._marked(page, mark, following))
        self._noted(self._part, told, page.total)
        return told

    def _marked(self, page: Page, mark: Mark, following: str | None) -> Mark:
        known = {key for keys in self._recent for key in keys}
        seen = mark.seen + len({*page.keys} - known)
        self._recent.append(page.keys)
        if following is None:
            self._refuse_shortage(page.total, seen - mark.before, mark.since)
        return replace(
            mark, next=following, pages=mark.pages + 1, seen=seen, dropped=mark.dropped + page.dropped,
            last_updated=_later(mark, page) if self._ordered else None, done=following is None,
        )  # fmt: skip

    def _refuse_loops(self, page: Page, following: str | None, mark: Mark) -> None:
        if following:
            self._empty = 0 if page.keys else self._empty + 1
            if self._empty > _MOST_EMPTY:
                raise self._wrong(f"gave {_MOST_EMPTY} empty pages in a row")
        if mark.next and page.keys and self._recent and page.keys == self._recent[-1]:
            raise self._wrong("gave the same page twice")
        if following:
            if hash(following) in self._followed:
                raise self._wrong("led back to a page that it gave already")
            self._followed.add(hash(following))

    def _refuse_shortage(self, total: int | None, seen: int, since: str | None) -> None:
        """Compare with the total, and where that is more, with what has not changed since: the rest may have gone."""
        if total is None or seen >= total:
            return
        until = (("_lastUpdated", f"le{self._part.started}"),) if self._habits.sorted else ()
        counting = address_of(self._part, *until, ("_summary", "count"), since=since)
        left = self._client.ask("GET", counting, headers=FRESH).resource().get("total")
        if not isinstance(left, int) or left > seen:
            raise self._wrong(f"gave {seen} of {total} resources")

    def _wrong(self, what: str) -> ProtocolError:
        return ProtocolError(f"{self._client.name} {what} of {self._part.types[0]}; ask who runs it")


def _later(mark: Mark, page: Page) -> str | None:
    """Return the last change that was seen, None as soon as the pages do not come in this order."""
    if not page.keys:
        return mark.last_updated
    in_order = mark.pages == 0 or mark.last_updated is not None
    oldest = page.oldest is not None and (not mark.last_updated or instant(mark.last_updated) <= instant(page.oldest))
    return page.newest if in_order and oldest else None
