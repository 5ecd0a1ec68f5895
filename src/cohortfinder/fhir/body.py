"""The body of an answer, read as it comes and inflated here: the libraries take a gzip that was cut for a whole one."""

import zlib
from collections.abc import Iterator, Mapping
from typing import Protocol

from urllib3.response import BaseHTTPResponse

_CHUNK = 1 << 16
_GZIP = 31
_ENCODINGS = frozenset({"gzip", "x-gzip"})
_PLAIN = frozenset({"", "identity"})


class BrokenBodyError(Exception):
    """A body that is not what its headers say; the message goes on after the name of the server."""


def chunks_of(raw: BaseHTTPResponse, headers: Mapping[str, str]) -> Iterator[bytes]:
    """Yield the body, decoded, a piece at a time, as soon as one is there.

    Raises BrokenBodyError when it is cut or spoilt, and what urllib3 raises when the connection ends early.
    """
    decoder = _decoder((headers.get("Content-Encoding") or "").strip().lower())
    # read1 returns what has come; read would wait for a whole chunk, however slowly it drips
    while chunk := raw.read1(_CHUNK, decode_content=False):
        if piece := decoder.decoded(chunk):
            yield piece
    decoder.end()


class _Decoder(Protocol):
    def decoded(self, data: bytes) -> bytes: ...
    def end(self) -> None: ...


class _Plain:
    def decoded(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        return None


class _Gzip:
    """Gzip of one or several members, each to its end and its checksum."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._begun = False

    def decoded(self, data: bytes) -> bytes:
        pieces = []
        self._begun = True
        try:
            while data:
                if self._member.eof:
                    self._member = zlib.decompressobj(_GZIP)
                pieces.append(self._member.decompress(data))
                data = self._member.unused_data
        except zlib.error:
            raise BrokenBodyError("sent a gzip that is spoilt") from None
        return b"".join(pieces)

    def end(self) -> None:
        if self._begun and not self._member.eof:
            raise BrokenBodyError("sent a gzip that ends too early")


def _decoder(encoding: str) -> _Decoder:
    if encoding in _PLAIN:
        return _Plain()
    if encoding in _ENCODINGS:
        return _Gzip()
    raise BrokenBodyError("sent an encoding that was not asked for; only gzip was")
