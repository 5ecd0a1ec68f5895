"""The bytes of a file, plain or gzip, in blocks that end at a line end; memory stays bounded."""

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

from cohortfinder.errors import ReadWriteError

_READ_BYTES = 4 * 2**20
MAX_LINE_BYTES = 512 * 2**20
# FHIR shrinks to a tenth or a fiftieth; what unpacks to far more was made to fill the disk.
MAX_RATIO = 200
_RATIO_FROM_BYTES = 64 * 2**20
_BOM = b"\xef\xbb\xbf"


class DamagedError(Exception):
    """The file ended or broke in the middle; what came before it is good. Its text is the reason."""


class BlockReader:
    """Reads one file; `size` and `sha256` describe the bytes on disk once all blocks were taken."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """The hash of the bytes that were read."""
        return self._hash.hexdigest()

    def blocks(self) -> Iterator[bytes]:
        """Yield blocks of whole lines; the last line gets its line feed when it has none.

        Raises DamagedError after the last whole line of a damaged file.
        """
        carried: list[bytes] = []
        damaged: DamagedError | None = None
        try:
            for number, data in enumerate(self._plain()):
                if number == 0:
                    data = data.removeprefix(_BOM)
                cut = data.rfind(b"\n") + 1
                if cut:
                    yield b"".join((*carried, data[:cut]))
                    carried = []
                carried.append(data[cut:])
                if sum(map(len, carried)) > MAX_LINE_BYTES:
                    raise DamagedError(f"a line is longer than {MAX_LINE_BYTES >> 20} MB")
        except DamagedError as error:
            damaged = error
        rest = b"".join(carried)
        if damaged:
            raise damaged
        if rest.strip():
            yield rest + b"\n"

    def _plain(self) -> Iterator[bytes]:
        raw = self._raw()
        first = next(raw, b"")
        if first[:2] == b"\x1f\x8b":
            yield from _unpacked(first, raw)
        else:
            yield first
            yield from raw

    def _raw(self) -> Iterator[bytes]:
        try:
            with self._path.open("rb") as file:
                while data := file.read(_READ_BYTES):
                    self._hash.update(data)
                    self.size += len(data)
                    yield data
        except OSError as error:
            raise ReadWriteError(f"{self._path}: cannot be read ({error.strerror}); check its permissions") from error


def _unpacked(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(31)
    data = first
    packed, unpacked = len(first), 0
    try:
        while True:
            while data:
                if unpacker.eof:
                    if not data.strip(b"\0"):  # padding after the last member is allowed
                        break
                    unpacker = zlib.decompressobj(31)
                block = unpacker.decompress(data, _READ_BYTES)
                unpacked += len(block)
                if unpacked > max(_RATIO_FROM_BYTES, MAX_RATIO * packed):
                    raise DamagedError(f"the compressed file unpacks to more than {MAX_RATIO} times its size")
                yield block
                data = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            following = next(rest, b"")
            if not following:
                break
            data = following
            packed += len(data)
        if not unpacker.eof:
            raise DamagedError("the compressed file ends too early; copy it again")
    except zlib.error as error:
        raise DamagedError("the compressed file is damaged; copy it again") from error
