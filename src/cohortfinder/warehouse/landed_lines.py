"""The landing files of one type in a load, and which of their lines are put aside."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cohortfinder.landing.manifest import LandedType, Manifest, Part
from cohortfinder.landing.parts import compressed, members
from cohortfinder.landing.quarantine import Quarantine


class PartLines:
    """One landing file. Rows count from 1 in the file as it landed; `path` is what is left of it to read."""

    def __init__(self, part: Part, landed: Path, copy: Path) -> None:
        self.part = part
        self.path = landed
        self.blamed: dict[int, str] = {}
        self._landed, self._copy = landed, copy

    def blame(self, reasons: Mapping[int, str]) -> None:
        """Put rows aside, each for its reason: from now on `path` is a copy without them."""
        self.blamed.update(reasons)
        with self._copy.open("wb") as out:
            for packed, lines in self._members():
                bad = self.blamed.keys() & lines.keys()
                kept = [line for row, line in lines.items() if row not in bad]
                if kept:
                    out.write(compressed(b"".join(line + b"\n" for line in kept)) if bad else packed)
        self.path = self._copy

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield row and text of each line that is not put aside."""
        for _, lines in self._members():
            yield from ((row, line) for row, line in lines.items() if row not in self.blamed)

    def blamed_lines(self) -> Iterator[tuple[int, str, bytes]]:
        """Yield row, reason and text of each line that is put aside."""
        for _, lines in self._members():
            yield from ((row, self.blamed[row], lines[row]) for row in sorted(self.blamed.keys() & lines.keys()))

    def rows_at(self, line: int) -> tuple[int, ...]:
        """Return the rows that may be meant by a line number of `path`: a message may be off by one."""
        kept = [row for row in range(1, line + len(self.blamed) + 1) if row not in self.blamed]
        return tuple(kept[number - 1] for number in (line, line - 1) if 0 < number <= len(kept))

    def _members(self) -> Iterator[tuple[bytes, dict[int, bytes]]]:
        row = 0
        for packed, text in members(self._landed):
            lines = {row + number: line for number, line in enumerate(text.split(b"\n")[:-1], start=1)}
            row += len(lines)
            yield packed, lines


def files_of(parts: Iterable[PartLines]) -> list[str]:
    """Return what is to be read of some parts: the landing files, or copies without the lines that were put aside."""
    return [str(part.path) for part in parts if len(part.blamed) < part.part.resources]


class LandedLines:
    """All landing files of one type in a load; `scratch` is a folder for copies."""

    def __init__(self, folder: Path, manifest: Manifest, landed: LandedType, scratch: Path) -> None:
        self.folder, self.manifest, self.landed = folder, manifest, landed
        self.parts = tuple(
            PartLines(part, folder / part.file, scratch / f"{manifest.load_id}-{part.file}") for part in landed.parts
        )

    @property
    def resource_type(self) -> str:
        """The type of the resources."""
        return self.landed.resource_type

    @property
    def files(self) -> list[str]:
        """What is to be read of all parts."""
        return files_of(self.parts)

    def groups(self, size: int) -> Iterator[tuple[PartLines, ...]]:
        """Yield the parts, so many at a time."""
        for first in range(0, len(self.parts), size):
            yield self.parts[first : first + size]

    @property
    def bad(self) -> int:
        """How many lines were put aside."""
        return sum(len(part.blamed) for part in self.parts)

    def put_aside(self, quarantine: Quarantine) -> None:
        """Bring the bad lines to the disk, each with the file and line that it came from."""
        for part in self.parts:
            for row, reason, line in part.blamed_lines() if part.blamed else ():
                source, number, entry = part.part.origin(row)
                quarantine.add(
                    file=self.manifest.sources[source].path,
                    line=number,
                    resource_type=self.resource_type,
                    reason=f"entry {entry}: {reason}" if entry else reason,
                    raw=line.rstrip(b"\r"),
                )
        quarantine.flush()
