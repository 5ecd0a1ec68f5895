"""One page of a search: what is in it, what goes on the disk, and whether the server did what it was asked.

Source: https://hl7.org/fhir/R4/http.html#search and bundle.html#searchset
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cohortfinder.errors import ProtocolError
from cohortfinder.fhir.answers import Answer
from cohortfinder.landing.labels import LABELLED, Labels, without_labelled

# parameters that only say in which form to answer
_OF_FORM = frozenset({"_count", "_sort", "_total", "_summary", "_elements", "_format"})
_BLANKS = bytes.maketrans(b"\r\n", b"  ")


class IgnoredError(ProtocolError):
    """A server passed over a parameter: nothing that it gives can be relied on."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a search. `keys` are the ids of what was asked for, in their order; what was included is not counted.

    `oldest` and `newest` are the times of the last change of these, as they were sent; None where one has none, or
    they are not in this order. `own` is the question as the server understood it, `issues` is what it says of it.
    """

    line: bytes
    own: str | None
    next: str | None
    keys: tuple[str, ...]
    oldest: str | None
    newest: str | None
    total: int | None
    dropped: int
    issues: tuple[str, ...]


def read_page(answer: Answer, kind: str, labels: Labels) -> Page:
    """Read a page with resources of a type. Raises ProtocolError when it is no page, or tells of a fatal problem."""
    bundle = answer.resource()
    if bundle.get("resourceType") != "Bundle":
        raise ProtocolError(f"{answer.server} answered {answer.asked} with no Bundle; ask who runs it")
    resources = [one for entry in _objects(bundle.get("entry")) if isinstance(one := entry.get("resource"), dict)]
    found = [one for one in resources if one.get("resourceType") == kind]
    if any(_is_part(one) for one in found):
        raise ProtocolError(f"{answer.server} answered {answer.asked} with parts of resources; ask who runs it")
    line, dropped = _one_line(answer.content), 0
    if LABELLED in line:
        text, dropped = without_labelled(line.decode(), labels, answer.at or datetime.now(UTC))
        line = text.encode()
    times = [told for one in found if (told := changed_at(one)) is not None]
    moments = [instant(one) for one in times]
    ordered = len(times) == len(found) and moments == sorted(moments)
    total = bundle.get("total")
    return Page(
        line=line,
        own=link(bundle, "self"),
        next=link(bundle, "next"),
        keys=tuple(str(one.get("id")) for one in found),
        oldest=times[moments.index(min(moments))] if times else None,
        newest=times[-1] if times and ordered else None,
        total=total if isinstance(total, int) else None,
        dropped=dropped,
        issues=_issues(resources, answer),
    )


def check_obeyed(answer: Answer, page: Page, asked: Mapping[str, str], since: str | None) -> None:
    """Make sure that the server did not pass over a parameter: by its `self` link, and by what it gave.

    Raises IgnoredError, after which nothing may be kept.
    """
    told = {name.partition(":")[0] for name, _ in parse_qsl(urlsplit(page.own or "").query, True)}
    restricting = {name.partition(":")[0] for name in asked} - _OF_FORM
    # a link that tells no parameter at all is the name of a kept search
    if told & (restricting | _OF_FORM) and (passed_over := sorted(restricting - told)):
        raise _ignored(answer, passed_over[0])
    if since is not None and page.oldest is not None and instant(page.oldest) < instant(since):
        raise _ignored(answer, "_lastUpdated")


def instant(text: str | None) -> datetime:
    """Read a FHIR instant; what is none is the beginning of time."""
    try:
        read = datetime.fromisoformat(str(text))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def changed_at(resource: Mapping[str, Any]) -> str | None:
    """Return when a resource was last changed, as it was sent."""
    meta = resource.get("meta")
    told = meta.get("lastUpdated") if isinstance(meta, dict) else None
    return told if isinstance(told, str) else None


def link(bundle: Mapping[str, Any], relation: str) -> str | None:
    """Return a link of a Bundle."""
    found = (one.get("url") for one in _objects(bundle.get("link")) if one.get("relation") == relation)
    return next((url for url in found if isinstance(url, str) and url), None)


def entries(bundle: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the entries of a Bundle."""
    return _objects(bundle.get("entry"))


def _ignored(answer: Answer, name: str) -> IgnoredError:
    return IgnoredError(
        f"{answer.server} passed over the parameter {name} of {answer.asked}, so nothing was kept; "
        "ask who runs it, or pull with --bulk"
    )


def _one_line(content: bytes) -> bytes:
    return content.translate(_BLANKS) if b"\n" in content or b"\r" in content else content


def _is_part(resource: Mapping[str, Any]) -> bool:
    meta = resource.get("meta")
    tags = meta.get("tag") if isinstance(meta, dict) else None
    return bool(tags) and any(tag.get("code") == "SUBSETTED" for tag in _objects(tags))


def _issues(resources: list[dict[str, Any]], answer: Answer) -> tuple[str, ...]:
    """Return what the server says of the search; something fatal makes the page none."""
    told = [
        issue
        for one in resources
        if one.get("resourceType") == "OperationOutcome"
        for issue in _objects(one.get("issue"))
    ]
    if any(issue.get("severity") in ("error", "fatal") for issue in told):
        raise ProtocolError(f"{answer.server} answered {answer.asked} in part, with an error; ask who runs it")
    return tuple(sorted({str(issue.get("code")) for issue in told}))


def _objects(value: object) -> Iterator[dict[str, Any]]:
    return (one for one in (value if isinstance(value, list) else []) if isinstance(one, dict))
