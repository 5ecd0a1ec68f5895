"""The manifest of a finished bulk export: which files there are, and of what time they tell.

Read as the guides write it: since the first one (`output`, `error`), with `deleted` and pages (`link`) since, and with
`outcome` in the place of `error` in the next one.
Source: https://hl7.org/fhir/uv/bulkdata/export.html#response---output-manifest
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from cohortfinder.address import origin
from cohortfinder.errors import ProtocolError
from cohortfinder.fhir.address import followed
from cohortfinder.fhir.answers import Answer
from cohortfinder.fhir.client import FhirClient
from cohortfinder.landing.exported import DELETED, ERROR

OUTPUT = "output"
_PARTS = {OUTPUT: OUTPUT, "deleted": DELETED, "error": ERROR, "outcome": ERROR}
_NAME = re.compile(r"^[A-Z][A-Za-z]*$")


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file: the part of the export that it belongs to, its type, where it is, how many resources it holds.

    `name` is what it is called in the folder of the export; `mark` tells it from others, also when its address was
    signed anew. `count` is None where the server does not tell.
    """

    part: str
    resource_type: str
    name: str
    url: str = field(repr=False)
    count: int | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class ExportManifest:
    """What a finished export holds, and as of when; `following` leads to its next page."""

    transaction_time: str
    authorized: bool
    files: tuple[ExportFile, ...]
    following: str | None = None


def read_manifest(answer: Answer, client: FhirClient) -> ExportManifest:
    """Return the manifest that an answer is. Raises ProtocolError when it is none."""
    content = _content(answer)
    time = _time(answer, content)
    if time is None or not isinstance(content.get(OUTPUT), list):
        raise _wrong(answer, "its manifest has no transactionTime or no output")
    files = tuple(
        _file(answer, part, one, client) for key, part in _PARTS.items() for one in _objects(content.get(key))
    )
    link = next((one.get("url") for one in _objects(content.get("link")) if one.get("relation") == "next"), None)
    following = client.follow(answer, link) if isinstance(link, str) else None
    return ExportManifest(time, content.get("requiresAccessToken") is not False, files, following)


def joined(pages: list[ExportManifest]) -> ExportManifest:
    """Return the pages of a manifest as one, each file with its name: Observation.000, Observation.001 and so on."""
    counted: dict[tuple[str, str], int] = {}
    files = []
    listed = [file for page in pages for file in page.files]
    places = Counter(_place(file.url) for file in listed)
    for file in listed:
        place = _place(file.url)
        mark = hashlib.sha256((place if places[place] == 1 else file.url).encode()).hexdigest()
        number = counted[file.part, file.resource_type] = counted.get((file.part, file.resource_type), -1) + 1
        folder = "" if file.part == OUTPUT else f"{file.part}/"
        files.append(replace(file, name=f"{folder}{file.resource_type}.{number:03}.ndjson", mark=mark))
    return replace(pages[0], files=tuple(files), following=None)


def _file(answer: Answer, part: str, item: dict[str, Any], client: FhirClient) -> ExportFile:
    kind, url, count = item.get("type"), item.get("url"), item.get("count")
    if part != OUTPUT and kind is None:
        kind = "OperationOutcome" if part == ERROR else "Bundle"
    if not isinstance(kind, str) or not _NAME.match(kind) or not isinstance(url, str):
        raise _wrong(answer, "its manifest names a file without a type or address")
    held = count if isinstance(count, int) and not isinstance(count, bool) else None
    # files may lie on another server; only a token does not go there
    address = followed(url, answered=answer.url, base=client.base)
    if client.base.startswith("https:") and not address.startswith("https:"):
        raise _wrong(answer, f"its manifest names files without TLS at {origin(address)}")
    return ExportFile(part, kind, "", address, held)


def _place(url: str) -> str:
    """Return an address without its question: a signature that expires stands there."""
    return url.partition("?")[0]


def _time(answer: Answer, content: dict[str, Any]) -> str | None:
    """Return the time that an export stands for; the server's own time where it says none that is one."""
    told = content.get("transactionTime")
    try:
        known = isinstance(told, str) and datetime.fromisoformat(told).tzinfo is not None
    except ValueError:
        known = False
    return str(told) if known else answer.at.isoformat() if answer.at else None


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


def _content(answer: Answer) -> dict[str, Any]:
    try:
        content = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        raise _wrong(answer, f"the answer is {answer.kind} and no manifest of an export")
    return content


def _wrong(answer: Answer, what: str) -> ProtocolError:
    return ProtocolError(f"{answer.server}: {what}; ask who runs it, or pull with --search")
