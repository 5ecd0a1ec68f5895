"""The folder of a Bulk Data export: what tells of deletions and errors in it, besides the resources themselves.

    <Type>.<nnn>.ndjson   resources
    deleted/              Bundles of what is no longer there, without the time of it
    error/                OperationOutcomes
    log.ndjson            what the client that made the folder has noted, among it the time that the export stands for

Source: https://hl7.org/fhir/uv/bulkdata/export.html and https://github.com/smart-on-fhir/bulk-data-client/wiki
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

LOG = "log.ndjson"
DELETED, ERROR = "deleted", "error"
_SEVERE = frozenset({"error", "fatal"})
_ID = re.compile(rb'"id"\s*:\s*"([^"\\]+)"')


def of_folder(path: Path, name: str) -> bool:
    """Tell whether a file lies in the part of an export that has this name."""
    return path.parent.name == name


def deleted_first(files: tuple[Path, ...]) -> list[Path]:
    """Return the files in their order, but what tells of deletions before what the same exports contain."""
    return sorted(files, key=lambda path: not of_folder(path, DELETED))


def says_error(outcome: dict[str, Any]) -> bool:
    """Tell whether an OperationOutcome says that something is missing; others only inform."""
    issues = outcome.get("issue")
    listed = issues if isinstance(issues, list) else []
    return any(isinstance(issue, dict) and issue.get("severity") in _SEVERE for issue in listed)


def transaction_time(folder: Path) -> str | None:
    """Return the time that an export stands for, as its log tells; None without a log that tells it."""
    told = None
    try:
        with (folder / LOG).open("rb") as lines:
            for line in lines:
                told = _told(line) or told
    except OSError:
        return None
    return told


def _told(line: bytes) -> str | None:
    try:
        detail = orjson.loads(line).get("eventDetail")
    except (orjson.JSONDecodeError, AttributeError):
        return None
    time = detail.get("transactionTime") if isinstance(detail, dict) else None
    return time if isinstance(time, str) else None


class ExportedDeletions:
    """What exports say was deleted: as of the time of the export, and never what the same export contains.

    A server may name a resource that was deleted and made again in both; it is there.
    """

    def __init__(self) -> None:
        self._times: dict[Path, str | None] = {}
        self._deleted: dict[tuple[Path, str], dict[str, str]] = {}

    def time_of(self, path: Path) -> str | None:
        """Return as of when a file tells of deletions, None when it belongs to no export whose time is known."""
        if not of_folder(path, DELETED):
            return None
        folder = path.parent.parent
        if folder not in self._times:
            self._times[folder] = transaction_time(folder)
        return self._times[folder]

    def add(self, path: Path, resource_type: str, own_id: str, deleted_at: str) -> None:
        """Note one deletion that a file in `deleted/` tells."""
        self._deleted.setdefault((path.parent.parent, resource_type), {})[own_id] = deleted_at

    def contained(self, path: Path, resource_type: str, lines: bytes) -> None:
        """Take back the deletions of resources that the export itself contains, in these lines."""
        deleted = self._deleted.get((path.parent, resource_type))
        if not deleted:
            return
        for found in _ID.finditer(lines):
            # an id may also stand deeper: the line decides
            if found[1].decode() in deleted:
                start, end = lines.rfind(b"\n", 0, found.start()) + 1, lines.find(b"\n", found.end())
                deleted.pop(_own_id(lines[start:end]), None)

    def records(self) -> Iterator[dict[str, str]]:
        """Yield the deletions that remain."""
        for (_, resource_type), deleted in self._deleted.items():
            for own_id, deleted_at in deleted.items():
                yield {"resource_type": resource_type, "id": own_id, "deleted_at": deleted_at}


def _own_id(line: bytes) -> str:
    try:
        return str(orjson.loads(line).get("id"))
    except orjson.JSONDecodeError:
        return ""
