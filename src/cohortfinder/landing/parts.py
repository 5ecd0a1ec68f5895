"""The writer of landing files: lines of one resource type in, compressed NDJSON files of bounded size out."""

import os
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import BinaryIO

from cohortfinder.errors import StoreError
from cohortfinder.landing.manifest import LandedType, Part

# DuckDB reads one file a thread: several files of a type let it use all cores.
PART_BYTES = 96 * 2**20
_BLOCK_BYTES = 4 * 2**20
_WAITING = 6


def compressed(block: bytes) -> bytes:
    """Return a block as one gzip member; a file of several members is one gzip file."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(block) + packer.flush()


def members(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield each gzip member of a landing file, whole lines, as it lies there and unpacked.

    Raises StoreError when the file is damaged.
    """
    try:
        rest = path.read_bytes()
        while rest:
            unpacker = zlib.decompressobj(31)
            lines = unpacker.decompress(rest)
            if not unpacker.eof:
                raise EOFError
            yield rest[: len(rest) - len(unpacker.unused_data)], lines
            rest = unpacker.unused_data
    except (OSError, EOFError, zlib.error) as error:
        raise StoreError(f"{path}: this landing file is damaged; restore it from a backup") from error


class TypeWriter:
    """Writes the resources of one type into `<Type>.<nnn>.ndjson.gz`, compressing on the threads of `pool`."""

    def __init__(self, folder: Path, resource_type: str, pool: Executor) -> None:
        self._folder, self._resource_type, self._pool = folder, resource_type, pool
        self._file: BinaryIO | None = None
        self._name = ""
        self._buffer: list[bytes] = []
        self._buffered = self._in_part = self._rows = 0
        self._waiting: deque[Future[bytes]] = deque()
        self._origins: list[tuple[int, int, int, int]] = []
        self._parts: list[Part] = []
        self.complete = True

    def add(self, lines: bytes, rows: int, source: int, line: int, entry: int = 0) -> None:
        """Add `rows` lines, each ended by a line feed, which begin at `line` of the source."""
        if self._in_part >= PART_BYTES:
            self._finish_part()
        self._note_origin(source, line, entry)
        self._rows += rows
        self._in_part += len(lines)
        self._buffer.append(lines)
        self._buffered += len(lines)
        if self._buffered >= _BLOCK_BYTES:
            self._compress()

    def finish(self) -> LandedType:
        """Write what is left and return the files."""
        self._finish_part()
        parts = tuple(self._parts)
        return LandedType(self._resource_type, sum(part.resources for part in parts), parts, self.complete)

    def _note_origin(self, source: int, line: int, entry: int) -> None:
        row = self._rows + 1
        if self._origins:
            first, last_source, first_line, last_entry = self._origins[-1]
            if (last_source, last_entry, first_line + row - first) == (source, entry, line) and entry == 0:
                return
        self._origins.append((row, source, line, entry))

    def _compress(self) -> None:
        if not self._buffer:
            return
        self._waiting.append(self._pool.submit(compressed, b"".join(self._buffer)))
        self._buffer, self._buffered = [], 0
        while len(self._waiting) > _WAITING:
            self._write_next()

    def _write_next(self) -> None:
        if self._file is None:
            self._name = f"{self._resource_type}.{len(self._parts):03}.ndjson.gz"
            self._file = (self._folder / self._name).open("xb")
        self._file.write(self._waiting.popleft().result())

    def _finish_part(self) -> None:
        self._compress()
        while self._waiting:
            self._write_next()
        if self._file is None:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._parts.append(Part(self._name, self._rows, tuple(self._origins)))
        self._file, self._in_part, self._rows, self._origins = None, 0, 0, []
