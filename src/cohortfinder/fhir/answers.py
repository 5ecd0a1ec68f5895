"""One answer of a FHIR server: its bytes to a resource, and its status to an error in one sentence."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

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
from cohortfinder.fhir.address import HIDDEN, is_named
from cohortfinder.fhir.failures import PROXY_ASKS

_LONGEST = 300
_BUSY = frozenset({429, 502, 503, 504})
_SEVERE = frozenset({"error", "fatal"})
# parameters whose values say nothing of a patient
_HARMLESS = frozenset({"_count", "_lastUpdated", "_since", "_sort", "_type", "_typeFilter", "_elements", "code",
                       "combo-code", "_summary", "_total", "_outputFormat", "_format"})  # fmt: skip
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answered request, its body read to its end. `asked` is what may be shown of the question.

    `headers` are found in any case; `at` is the server's time, None when it did not tell; `document` is what the
    content says where it is JSON.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    url: str = field(repr=False)
    at: datetime | None
    server: str
    asked: str
    document: Any = field(default=None, repr=False)

    def resource(self) -> dict[str, Any]:
        """Return the FHIR resource that the answer is.

        Raises ProtocolError when it is none, or none but the report of an error.
        """
        resource = self._resource
        place = f"{self.server} to {self.asked}"
        if resource is None:
            raise ProtocolError(f"{place}: the answer is {self.kind} and no FHIR resource; check the base address")
        if is_failure(resource):
            raise QuestionError(
                f"{place}: the server does not accept the question ({self.status}{said(self)})", status=self.status
            )
        return resource

    @property
    def _resource(self) -> dict[str, Any] | None:
        held = self.document
        return held if isinstance(held, dict) and isinstance(held.get("resourceType"), str) else None

    @property
    def kind(self) -> str:
        """The media type, without its parameters."""
        return (self.headers.get("Content-Type") or "nothing").partition(";")[0].strip()


def error_of(answer: Answer) -> CohortFinderError | None:
    """Return what a status means that is no success, None when it is one."""
    status = answer.status
    if status < 400:
        return None
    told = said(answer)
    place = f"{answer.server} to {answer.asked}"
    if status in (401, 403):
        message = f"{answer.server} refused {answer.asked} ({status}{told}); check the token and its permissions"
        return RefusedError(message, status=status)
    if status == 407:
        return ServerError(f"{answer.server} {PROXY_ASKS}")
    if status == 429:
        return BusyError(f"{place}: the server asks to come later ({status}{told}); try later, or lower `parallel`")
    # HAPI answers 500 with an OperationOutcome where it means that the question is wrong
    if status in _BUSY or (status >= 500 and not told):
        return ServerError(f"{place}: the server fails ({status}{told}); try later, or ask who runs it")
    kind = GoneError if status in (404, 410) else QuestionError
    return kind(f"{place}: the server does not accept the question ({status}{told})", status=status)


def document_of(content: bytes) -> Any:
    """Return what JSON says, strictly in UTF-8 and to its end; None when it is none."""
    text = content.removeprefix(_BOM)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        # one resource with half a character is no reason to lose a page; landing puts it aside
        return json.loads(text.decode("utf-8"), strict=False)
    except (ValueError, RecursionError):
        return None


def is_failure(resource: dict[str, Any]) -> bool:
    """Tell whether a resource only reports an error: some servers send it as a success."""
    return resource["resourceType"] == "OperationOutcome" and any(
        issue.get("severity") in _SEVERE for issue in issues(resource)
    )


def issues(document: object) -> list[dict[str, Any]]:
    """Return the issues of an OperationOutcome, none of anything else."""
    listed = document.get("issue") if isinstance(document, dict) else None
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def said(answer: Answer) -> str:
    """Return what an OperationOutcome says, in one line, without what we asked and without ids."""
    first = next(iter(issues(answer.document)), {})
    details = first.get("details")
    text = first.get("diagnostics") or (details.get("text") if isinstance(details, dict) else "")
    words = _without_secrets(" ".join(str(text or "").split()), answer.url)
    return f": {words[:_LONGEST]}" if words else ""


def _without_secrets(text: str, url: str) -> str:
    """Leave out what a server repeats of the question: ids and names of patients stand in it."""
    parts = urlsplit(url)
    values = {value for name, value in parse_qsl(parts.query) if name.partition(":")[0] not in _HARMLESS}
    values |= {step for step in parts.path.split("/") if step and not is_named(step)}
    for value in sorted(values, key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", HIDDEN, text)
    text = re.sub(r"\?\S*=\S*", f"?{HIDDEN}", text)
    return re.sub(r"\b([A-Z][A-Za-z]+)/[A-Za-z0-9.-]+", rf"\1/{HIDDEN}", text)


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """Return the time that the server tells in `Date`, None when it tells none."""
    try:
        told = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None
    return told if told.tzinfo else None
