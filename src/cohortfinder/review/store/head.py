"""The end of the audit log, kept outside of the database, so that it shows when its last entries are cut off."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from cohortfinder.disk import make_folders, refused
from cohortfinder.review.store.keys import Keys

FILE = "audit-head"


@dataclass
class Head:
    """A file with the number and the mark of the newest entry; it may be behind the log, and never ahead of it.

    It is written after the entry, so a process that is killed between both leaves it one behind. It moves on only
    while the entry that it names is in the log: where that was cut off it stays, and keeps telling so.
    """

    file: Path
    keys: Keys
    _lock: Lock = field(default_factory=Lock)

    def read(self) -> tuple[int, str] | None:
        """Return number and mark of the entry that it names, None where it names none or was changed."""
        try:
            text = self.file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return None
        number, mark = text[:20], text[21:85].strip()
        whole = number.isdecimal() and text == self._line(int(number), mark)
        return (int(number), mark) if whole else None

    def note(self, number: int, mark: str) -> None:
        """Name an entry, unless a newer one is named. Raises ReadWriteError."""
        with self._lock:
            known = self.read()
            if known is not None and number <= known[0]:
                return
            self.accept(number, mark)

    def accept(self, number: int, mark: str) -> None:
        """Name an entry whatever is named. Raises ReadWriteError."""
        try:
            make_folders(self.file.parent)
            descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(descriptor, self._line(number, mark).encode(), 0)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise refused(self.file, error) from error

    def fault(self, marks: dict[int, str]) -> str:
        """Say what is wrong with the end of a log of which every entry's mark is given, '' for nothing."""
        named = self.read()
        if named is None and not self.file.exists():
            return f"{self.file}: it is not there, so that nobody can say whether the last entries are" if marks else ""
        if named is None:
            return f"{self.file}: it was changed"
        if named[0] not in marks:
            return f"after entry {max(marks, default=0)}: entries up to {named[0]} were cut off"
        return "" if marks[named[0]] == named[1] else f"entry {named[0]}: another one stood there, and was cut off"

    def _line(self, number: int, mark: str) -> str:
        # always as long, so that it is written over in one piece
        return f"{number:020d} {mark:>64} {self.keys.mark('audit head', str(number), mark)}\n"
