"""What could not be taken: each bad line with file, line and reason, and the line itself, for who repairs it."""

import os
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

# what a process that died while it began a file has left
UNFINISHED = ".new"
# Of a longer line the beginning is kept: the whole of it is in the file that is named.
_RAW_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Rejected:
    """One bad line: where it stands, and why it is bad."""

    file: str
    line: int
    reason: str


class Quarantine:
    """Writes one file of `quarantine/`, and counts by reason and by resource type.

    What an earlier try has put there is written anew, but for the resource types that it has finished.
    """

    def __init__(self, file: Path, *, finished: Collection[str] = ()) -> None:
        self._path = file
        self.reasons: Counter[str] = Counter()
        self.types: Counter[str | None] = Counter()
        scratch = file.with_suffix(UNFINISHED)
        with scratch.open("wb") as kept:
            for record in _records(file):
                if record["resource_type"] in finished:
                    kept.write(self._counted(record))
            kept.flush()
            os.fsync(kept.fileno())
        scratch.replace(file)
        self._file = file.open("ab")

    @property
    def count(self) -> int:
        """How many lines or entries were put here."""
        return self.reasons.total()

    @property
    def closed(self) -> bool:
        """Whether everything is on the disk already."""
        return self._file.closed

    def add(self, *, file: str, line: int, resource_type: str | None, reason: str, raw: bytes) -> None:
        """Keep one bad line."""
        record: dict[str, Any] = {
            "file": file,
            "line": line,
            "resource_type": resource_type,
            "reason": reason,
        }
        record["raw"] = raw[:_RAW_BYTES].decode("utf-8", errors="backslashreplace")
        self._file.write(self._counted(record))

    def flush(self) -> None:
        """Bring everything to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Bring everything to the disk; without a bad line no file is left."""
        self.flush()
        self._file.close()
        if self._path.stat().st_size == 0:
            self._path.unlink()

    def _counted(self, record: dict[str, Any]) -> bytes:
        self.reasons[record["reason"]] += 1
        self.types[record["resource_type"]] += 1
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def rejected_lines(file: Path) -> Iterator[Rejected]:
    """Yield what a quarantine file holds, without the lines themselves."""
    for record in _records(file):
        yield Rejected(record["file"], record["line"], record["reason"])


def _records(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a file; the last one is left out when an interruption has cut it."""
    if file.exists():
        with file.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    yield orjson.loads(line)
