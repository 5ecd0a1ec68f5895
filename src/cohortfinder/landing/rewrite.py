"""A load in landing written anew without some of its lines: for the erasure of a person, and for what is superseded.

New files are written beside the old ones, then the manifest names them, then the old ones go. Whatever ends this
half-way, the load is whole, and doing it again ends the same.
"""

import gzip
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from cohortfinder.disk import write_durably
from cohortfinder.landing.digits import DIGITS
from cohortfinder.landing.manifest import DELETIONS, LandedType, Manifest, Part, write_manifest
from cohortfinder.landing.parts import compressed, members

Record = Mapping[str, Any]
_BLOCK_BYTES = 4 * 2**20


class Rewriting:
    """What of one load is kept. `removed` counts the lines that went, by type."""

    def __init__(
        self, folder: Path, manifest: Manifest, *, keeps: Callable[[str, bytes], bool],
        keeps_digits: Callable[[Record], bool], keeps_deletion: Callable[[Record], bool],
    ) -> None:  # fmt: skip
        self._folder, self._manifest = folder, manifest
        self._keeps, self._keeps_digits, self._keeps_deletion = keeps, keeps_digits, keeps_deletion
        self.removed: dict[str, int] = {}

    def run(self, *, add: tuple[Record, ...] = ()) -> Manifest:
        """Write the load anew and return its manifest; `add` are deletions that it tells from now on."""
        types = tuple(self._type(kind) for kind in self._manifest.types)
        digits = [row for row in self._digits() if self._keeps_digits(row)]
        told = [row for row in self._deletions() if self._keeps_deletion(row)]
        deletions = [*told, *(row for row in add if row not in told)]
        done = replace(self._manifest, types=types, digits=len(digits), deletions=len(deletions))
        if deletions:  # before the manifest, which says that they are there
            write_durably(self._folder / DELETIONS, _lines(deletions))
        write_manifest(self._folder, done)
        if digits:
            write_durably(self._folder / DIGITS, compressed(_lines(digits)))
        else:
            (self._folder / DIGITS).unlink(missing_ok=True)
        if not deletions:
            (self._folder / DELETIONS).unlink(missing_ok=True)
        self._sweep(done)
        return done

    def _type(self, kind: LandedType) -> LandedType:
        parts = tuple(one for part in kind.parts if (one := self._part(kind.resource_type, part)))
        return replace(kind, parts=parts, resources=sum(part.resources for part in parts))

    def _part(self, resource_type: str, part: Part) -> Part | None:
        """Write what is kept of a file; return the same part when that is everything, None when it is nothing."""
        kept = [row for row, line in self._rows(part) if self._keeps(resource_type, line)]
        if len(kept) == part.resources:
            return part
        self.removed[resource_type] = self.removed.get(resource_type, 0) + part.resources - len(kept)
        if not kept:
            return None
        name, wanted = self._free_name(part.file), set(kept)
        with (self._folder / name).open("xb") as file:
            for block in _blocks(line for row, line in self._rows(part) if row in wanted):
                file.write(compressed(block))
            file.flush()
            os.fsync(file.fileno())
        return Part(name, len(kept), tuple(_runs(part, kept)))

    def _rows(self, part: Part) -> Iterator[tuple[int, bytes]]:
        row = 0
        for _, text in members(self._folder / part.file):
            for line in text.split(b"\n")[:-1]:
                row += 1
                yield row, line + b"\n"

    def _free_name(self, name: str) -> str:
        resource_type, number = name.split(".")[:2]
        for again in range(1, 10_000):
            free = f"{resource_type}.{number}.{again}.ndjson.gz"
            if not (self._folder / free).exists():
                return free
        raise FileExistsError(name)

    def _digits(self) -> Iterator[Record]:
        if (self._folder / DIGITS).exists():
            with gzip.open(self._folder / DIGITS) as lines:
                yield from map(orjson.loads, lines)

    def _deletions(self) -> Iterator[Record]:
        if (self._folder / DELETIONS).exists():
            with (self._folder / DELETIONS).open("rb") as lines:
                yield from map(orjson.loads, lines)

    def _sweep(self, manifest: Manifest) -> None:
        """Remove the files that no part of the manifest names."""
        named = {part.file for kind in manifest.types for part in kind.parts} | {DIGITS}
        for file in self._folder.glob("*.ndjson.gz"):
            if file.name not in named:
                file.unlink()


def _runs(part: Part, kept: list[int]) -> Iterator[tuple[int, int, int, int]]:
    """Yield from where the kept rows come, as runs of consecutive lines of a source."""
    last: tuple[int, int, int] | None = None
    for place, row in enumerate(kept, 1):
        source, line, entry = part.origin(row)
        if last is None or entry or last != (source, line - 1, 0):
            yield place, source, line, entry
        last = source, line, entry


def _blocks(lines: Iterator[bytes]) -> Iterator[bytes]:
    held, size = list[bytes](), 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= _BLOCK_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _lines(rows: list[Record]) -> bytes:
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
