"""A limit on the whole time of a request: the timeouts of sockets begin anew with every byte that drips in."""

import socket
import ssl
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

    def __init__(self, seconds: float) -> None:
        self.over = False
        self.socket: socket.socket | None = None
        self._seconds = seconds
        self._timer = self._started()

    def renew(self) -> None:
        """Give the same time again from now on."""
        self._timer.cancel()
        self._timer = self._started()

    def cancel(self) -> None:
        """End nothing any more."""
        self._timer.cancel()

    def _started(self) -> Timer:
        timer = Timer(self._seconds, self._cut)
        timer.daemon = True
        timer.start()
        return timer

    def _cut(self) -> None:
        self.over = True
        if self.socket is not None:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


@contextmanager
def deadline(seconds: float) -> Iterator[Deadline]:
    """Give the request of this thread so many seconds, for its answer and all of its body."""
    held = Deadline(seconds)
    _running.deadline = held
    try:
        yield held
    finally:
        held.cancel()
        _running.deadline = None


class DeadlineAdapter(HTTPAdapter):
    """Connections that tell the deadline of their thread which socket to shut, and trust what they are told to."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        super().__init__()

    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        """Make the pools of our connections."""
        super().init_poolmanager(*given, ssl_context=self._trust, **named)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        """Make the pools of our connections through a proxy."""
        manager = super().proxy_manager_for(proxy, ssl_context=self._trust, proxy_ssl_context=self._trust, **named)
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
