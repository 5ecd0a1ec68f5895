"""A limit on the whole time of a request: the timeouts of sockets begin anew with every byte that drips in."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer, local
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import BaseHTTPResponse

_running = local()


class Deadline:
    """The end of one request; when it comes, the socket of the request is shut and `over` is true."""

    def __init__(self) -> None:
        self.over = False
        self.socket: socket.socket | None = None

    def cut(self) -> None:
        """End the request wherever it waits."""
        self.over = True
        if self.socket is not None:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


@contextmanager
def deadline(seconds: float) -> Iterator[Deadline]:
    """Give the request of this thread so many seconds, for its answer and all of its body."""
    held = Deadline()
    timer = Timer(seconds, held.cut)
    timer.daemon = True
    timer.start()
    _running.deadline = held
    try:
        yield held
    finally:
        timer.cancel()
        _running.deadline = None


class DeadlineAdapter(HTTPAdapter):
    """Connections that tell the deadline of their thread which socket to shut."""

    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        """Make the pools of our connections."""
        super().init_poolmanager(*given, **named)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        """Make the pools of our connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **named)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def _watch(connection: HTTPConnection) -> None:
    held: Deadline | None = getattr(_running, "deadline", None)
    if held is not None:
        held.socket = connection.sock


class _Plain(HTTPConnection):
    def getresponse(self) -> BaseHTTPResponse:  # type: ignore[override]
        _watch(self)
        return super().getresponse()


class _Secure(HTTPSConnection):
    def getresponse(self) -> BaseHTTPResponse:  # type: ignore[override]
        _watch(self)
        return super().getresponse()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


_POOLS = {"http": _PlainPool, "https": _SecurePool}
