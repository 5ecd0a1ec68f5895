"""The log of a bulk export, `log.ndjson`: what was done, one event a line, on the disk before anything goes on.

It is in the format of bulk-data-client, so that other tools can read the folder, and it is all that the next run needs
to know: what it says is replayed. Keys that begin with an underscore are ours.
Source: https://github.com/smart-on-fhir/bulk-data-client/wiki/Bulk-Data-Export-Log-Items
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from cohortfinder.landing.exported import LOG

Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is in the folder, checked.

    `mark` is that of the manifest; `left_out` counts what was not asked for, `dropped` what must not be stored;
    `problems` say of which types something is missing, and why.
    """

    name: str
    part: str
    resource_type: str
    resources: Mapping[str, int]
    bytes: int
    sha256: str
    mark: str
    left_out: int = 0
    dropped: int = 0
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Progress:
    """How far an export is: its job on the server, None when there is none; what was fetched; whether all of it was.

    `missing` are the types of which nothing came although the server has some.
    """

    job: str | None = None
    filtered: bool = False
    begun: list[datetime] = field(default_factory=list)
    server_time: str | None = None
    transaction_time: str | None = None
    fetched: dict[str, Fetched] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    complete: bool = False


class ExportLog:
    """The log in a folder, which may have been begun by an earlier run. Only one thread writes."""

    def __init__(self, folder: Path, now: Now) -> None:
        self._path, self._now = folder / LOG, now
        self.progress = Progress()
        self._id = str(uuid4())
        for event in self._kept():
            self._id = event["exportId"]
            self._replay(event)

    def add(self, event: str, **detail: Any) -> None:
        """Write an event, to the disk."""
        at = self._now().isoformat()
        record = {"exportId": self._id, "timestamp": at, "eventId": event, "eventDetail": detail}
        with self._path.open("ab") as file:
            file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
            file.flush()
            os.fsync(file.fileno())
        self._replay(record)

    def _kept(self) -> Iterator[dict[str, Any]]:
        """Yield the events of earlier runs; a last line that an interruption has cut is cut off."""
        if not self._path.exists():
            return
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            os.truncate(self._path, len(whole))
        yield from map(orjson.loads, whole.splitlines())

    def _replay(self, event: Mapping[str, Any]) -> None:
        take = _REPLAYED.get(event["eventId"])
        if take is not None:
            take(self.progress, event["eventDetail"], event["timestamp"])


def _kicked_off(progress: Progress, detail: Mapping[str, Any], at: str) -> None:
    headers = detail["responseHeaders"]
    progress.job, progress.server_time = headers["content-location"], headers["date"]
    progress.filtered = detail["_filtered"]
    progress.begun.append(datetime.fromisoformat(at))
    _begin_again(progress)


def _status_failed(progress: Progress, detail: Mapping[str, Any], _: str) -> None:
    progress.job = None
    _begin_again(progress)


def _ready(progress: Progress, detail: Mapping[str, Any], _: str) -> None:
    # other files than before: what was fetched does not belong to them
    if progress.transaction_time not in (None, detail["transactionTime"]):
        progress.fetched.clear()
    progress.transaction_time = detail["transactionTime"]


def _listed(progress: Progress, detail: Mapping[str, Any], _: str) -> None:
    marks = detail["_marks"]
    progress.fetched = {name: one for name, one in progress.fetched.items() if marks.get(name) == one.mark}


def _downloaded(progress: Progress, detail: Mapping[str, Any], _: str) -> None:
    fetched = Fetched(**detail["_file"])
    progress.fetched[fetched.name] = fetched


def _completed(progress: Progress, detail: Mapping[str, Any], _: str) -> None:
    progress.complete, progress.missing = True, detail["_missing"]


def _begin_again(progress: Progress) -> None:
    progress.fetched.clear()
    progress.transaction_time, progress.complete = None, False


_REPLAYED: Mapping[str, Callable[[Progress, Mapping[str, Any], str], None]] = {
    "kickoff": _kicked_off,
    "status_error": _status_failed,
    "status_complete": _ready,
    "manifest_complete": _listed,
    "download_complete": _downloaded,
    "export_complete": _completed,
}
