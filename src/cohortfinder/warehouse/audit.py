"""The slow second look at landing files that the tables refuse: which lines are to blame, and why.

First the line that the message of the reader names is tried by itself. When that does not help, each part is read by
itself, and only a part that is refused is examined line by line. Lines are blamed for nothing but what the reader
refuses, so that the lines around them do not matter.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice

from cohortfinder.warehouse.landed_lines import PartLines, files_of
from cohortfinder.warehouse.misfit import leniently_parsed, parsed
from cohortfinder.warehouse.reader import REFUSALS, NoIdError, Reader

_PLACE = re.compile(r'in file "(?P<file>[^"]+)", (?:at byte \d+ )?in line (?P<line>\d+)')
# So many times the files are tried again after one bad line was found by its message.
_GUESSES = 2
_BATCH = 1000

Row = tuple[int, bytes]


class Audit:
    """Finds the lines that keep some landing files from the tables."""

    def __init__(self, reader: Reader, parts: Sequence[PartLines]) -> None:
        self._reader, self._parts = reader, parts
        self._guesses, self._examined = _GUESSES, False

    def read_with(self, read: Callable[[Sequence[PartLines]], None]) -> None:
        """Read the parts, putting lines aside until the rest can be read; a read that is refused must keep nothing."""
        while True:
            try:
                return read(self._parts)
            except (*REFUSALS, NoIdError) as refusal:
                self._blame(refusal)

    def _blame(self, refusal: Exception) -> None:
        """Put aside what has led to a refusal. Raises the refusal when every part can be read by itself."""
        if self._guesses and self._named(str(refusal)):
            self._guesses -= 1
            return
        if self._examined:
            raise refusal
        self._examined = True
        for part in self._parts:
            if self._is_refused(part):
                self._examine(part)

    def _named(self, message: str) -> bool:
        """Blame the line that a message names when it cannot be read alone; the message may also be wrong."""
        found = _PLACE.search(message)
        part = next((part for part in self._parts if found and str(part.path) == found["file"]), None)
        if found is None or part is None:
            return False
        rows = part.rows_at(int(found["line"]))
        named = [(row, line) for row, line in part.lines() if row in rows] if rows else []
        reasons = {row: self._why(line) for row, line in named if self._reader.refuses([line])}
        if reasons:
            part.blame(reasons)
        return bool(reasons)

    def _is_refused(self, part: PartLines) -> bool:
        try:
            self._reader.read(files_of([part]))
        except (*REFUSALS, NoIdError):
            return True
        return False

    def _examine(self, part: PartLines) -> None:
        reasons = dict(self._bad_kinds(part.lines()))
        if reasons:
            part.blame(reasons)
        if self._is_refused(part):
            part.blame(dict(self._narrow(list(part.lines()))))

    def _bad_kinds(self, lines: Iterable[Row]) -> Iterator[tuple[int, str]]:
        """Yield what its kinds or its syntax show to be unreadable."""
        doubtful = []
        for row, line in lines:
            try:
                reason = self._reader.misfit(parsed(line))
            except ValueError:
                doubtful.append((row, line))
            else:
                if reason:
                    yield row, reason
        rest = iter(doubtful)
        while batch := list(islice(rest, _BATCH)):
            valid = self._reader.valid_json([line for _, line in batch])
            for (row, line), good in zip(batch, valid, strict=True):
                if not good or self._is_misfit(line):
                    yield row, self._why(line)

    def _is_misfit(self, line: bytes) -> bool:
        with suppress(ValueError):
            return self._reader.misfit(leniently_parsed(line)) is not None
        return False

    def _narrow(self, rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
        """Halve a set of lines that cannot be read until the lines that are to blame stand alone."""
        if len(rows) == 1:
            yield rows[0][0], self._why(rows[0][1])
            return
        middle = len(rows) // 2
        for half in (rows[:middle], rows[middle:]):
            if self._reader.refuses(line for _, line in half):
                yield from self._narrow(half)

    def _why(self, line: bytes) -> str:
        try:
            wrong = self._reader.misfit(parsed(line))
        except ValueError:
            wrong = None
        return wrong or self._reader.reason_against(line)
