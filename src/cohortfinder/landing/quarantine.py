"""What could not be taken: each bad line with file, line and reason, and the line itself, for who repairs it."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import orjson


class Quarantine:
    """Writes one file of `quarantine/` anew, and counts by reason."""

    def __init__(self, file: Path) -> None:
        self._path = file
        self._file = file.open("wb")
        self.reasons: Counter[str] = Counter()

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
        record["raw"] = raw.decode("utf-8", errors="backslashreplace")
        self._file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        self.reasons[reason] += 1

    def close(self) -> None:
        """Bring everything to the disk; without a bad line no file is left."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if self._path.stat().st_size == 0:
            self._path.unlink()
