"""A server on raw sockets that answers as a test tells it, byte by byte: what no library of servers would send."""

import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

# what is done with one connection after its request was read
Act = Callable[[socket.socket], None]

BUNDLE = json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": []}).encode()


@dataclass(frozen=True)
class Heard:
    """A request as it came; names of headers in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class FaultyServer:
    """Does one act after the other, the last one again and again."""

    acts: list[Act]
    trust: ssl.SSLContext | None = None
    heard: list[Heard] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # closing alone would leave accept waiting
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    @property
    def origin(self) -> str:
        return f"http{'s' if self.trust else ''}://localhost:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/fhir"

    def _accept(self) -> None:
        threads = []
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join(5)

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(10)
            held = self._secured(connection)
            with held:
                request = _read(held)
                with self._lock:
                    self.heard.append(request)
                    act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
                act(held)

    def _secured(self, connection: socket.socket) -> socket.socket:
        if self.trust is None:
            return connection
        held = self.trust.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        try:
            held.do_handshake()
        except OSError:
            # the other side must be able to read why, before the connection is gone
            time.sleep(0.2)
            held.close()
            raise
        return held


def _read(connection: socket.socket) -> Heard:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            raise OSError("no request")
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    method, target, _ = first.split()
    return Heard(method, target, headers, body)


def answer(
    status: int = 200, body: bytes = BUNDLE, kind: str = "application/fhir+json", length: int | None = None,
    **headers: str,
) -> Act:  # fmt: skip
    """An answer, of which `length` may claim another one than it has; a negative one is left away."""
    given = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if length is None or length >= 0:
        given["Content-Length"] = str(len(body) if length is None else length)
    return raw(head(status, given) + body)


def head(status: int, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Told\r\n{lines}Connection: close\r\n\r\n".encode()


def raw(content: bytes) -> Act:
    """These bytes, and the connection ends."""
    return lambda connection: connection.sendall(content)


def reset(content: bytes = b"") -> Act:
    """Some bytes, and the connection is reset."""

    def act(connection: socket.socket) -> None:
        connection.sendall(content)
        time.sleep(0.05)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return act


def drip(content: bytes, seconds: float = 0.05) -> Act:
    """A byte at a time, as long as somebody reads."""

    def act(connection: socket.socket) -> None:
        for place in range(len(content)):
            connection.sendall(content[place : place + 1])
            time.sleep(seconds)

    return act


def zipped(content: bytes, *, cut: int = 0, spoilt: bool = False) -> Act:
    """A gzip, of which so many bytes are missing, with a length that fits what is sent."""
    body = bytearray(gzip.compress(content))
    if spoilt:
        body[-8] ^= 0xFF
    return answer(body=bytes(body[: len(body) - cut]), Content_Encoding="gzip")


@contextmanager
def serving(*acts: Act, trust: ssl.SSLContext | None = None) -> Iterator[FaultyServer]:
    """Serve these acts."""
    with FaultyServer([*acts], trust) as server:
        yield server
