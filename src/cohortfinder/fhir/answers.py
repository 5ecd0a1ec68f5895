"""One answer of a FHIR server: its bytes to a resource, and its status to an error in one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from cohortfinder.errors import (
    BusyError,
    CohortFinderError,
    GoneError,
    ProtocolError,
    QuestionError,
    RefusedError,
    ServerError,
)  # fmt: skip

_LONGEST = 300
_BUSY = frozenset({429, 502, 503, 504})
_SEVERE = frozenset({"error", "fatal"})
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answered request, its body read to its end. `asked` is what may be shown of the question.

    `headers` are found in any case; `at` is the server's time, None when it did not tell.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    url: str = field(repr=False)
    at: datetime | None
    server: str
    asked: str

    def resource(self) -> dict[str, Any]:
        """Return the FHIR resource that the answer is.

        Raises ProtocolError when it is none, or none but the report of an error.
        """
        resource = parsed(self.content)
        place = f"{self.server} to {self.asked}"
        if resource is None:
            raise ProtocolError(f"{place}: the answer is {self.kind} and no FHIR resource; check the base address")
        if is_failure(resource):
            raise QuestionError(
                f"{place}: the server does not accept the question ({self.status}{said(resource)})", status=self.status
            )
        return resource

    @property
    def kind(self) -> str:
        """The media type, without its parameters."""
        return (self.headers.get("Content-Type") or "nothing").partition(";")[0].strip()


def error_of(answer: Answer) -> CohortFinderError | None:
    """Return what a status means that is no success, None when it is one."""
    status = answer.status
    if status < 400:
        return None
    told = said(parsed(answer.content))
    place = f"{answer.server} to {answer.asked}"
    if status in (401, 403):
        message = f"{answer.server} refused {answer.asked} ({status}{told}); check the token and its permissions"
        return RefusedError(message, status=status)
    if status == 429:
        return BusyError(f"{place}: the server asks to come later ({status}{told}); try later, or lower `parallel`")
    # HAPI answers 500 with an OperationOutcome where it means that the question is wrong
    if status in _BUSY or (status >= 500 and not told):
        return ServerError(f"{place}: the server fails ({status}{told}); try later, or ask who runs it")
    kind = GoneError if status in (404, 410) else QuestionError
    return kind(f"{place}: the server does not accept the question ({status}{told})", status=status)


def parsed(content: bytes) -> dict[str, Any] | None:
    """Return the resource that the bytes are, strictly in UTF-8 and to their end; None when they are none."""
    try:
        resource = orjson.loads(content.removeprefix(_BOM))
    except orjson.JSONDecodeError:
        return None
    return resource if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str) else None


def is_failure(resource: dict[str, Any]) -> bool:
    """Tell whether a resource only reports an error: some servers send it as a success."""
    return resource["resourceType"] == "OperationOutcome" and any(
        issue.get("severity") in _SEVERE for issue in issues(resource)
    )


def issues(resource: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return the issues of an OperationOutcome."""
    listed = (resource or {}).get("issue")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def said(resource: dict[str, Any] | None) -> str:
    """Return what an OperationOutcome says, in one line."""
    first = next(iter(issues(resource)), {})
    details = first.get("details")
    text = first.get("diagnostics") or (details.get("text") if isinstance(details, dict) else "")
    words = " ".join(str(text or "").split())
    return f": {words[:_LONGEST]}" if words else ""


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """Return the time that the server tells in `Date`, None when it tells none."""
    try:
        told = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None
    return told if told.tzinfo else None
