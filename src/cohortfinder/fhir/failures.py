"""Why there is no answer, or none to its end: what the libraries raise, as one sentence about the server."""

import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPException

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    IncompleteRead,
    NameResolutionError,
    ProtocolError,
    ReadTimeoutError,
)  # fmt: skip

from cohortfinder.errors import ServerError
from cohortfinder.fhir.body import BrokenBodyError
from cohortfinder.fhir.retries import TRIES

PROXY_ASKS = "is behind a proxy that wants to know who asks (407); see proxy_user under [fhir]"
# what is between us and a server seldom changes within seconds
_TRIES_OF_A_WAY = 3

# of OpenSSL; the other name is one of a host or of an address
_NOT_YET, _EXPIRED, _OTHER_NAMES = 9, 10, frozenset({62, 64})


class UnansweredError(ServerError):
    """A request got no answer, or one that is broken; the same request may well be answered next time.

    `tries` is how often it is worth it.
    """

    def __init__(self, message: str, *, tries: int = TRIES) -> None:
        self.tries = tries
        super().__init__(message)


def unanswered(server: str, error: Exception, *, seconds: float, over: bool) -> UnansweredError:
    """Return what became of a request as an error that names the server and the remedy."""
    if over:
        return UnansweredError(f"{server} did not answer within {seconds:g} seconds; try later")
    causes = [*_causes(error)]
    if way := _tls(causes) or _proxy(causes):
        return UnansweredError(f"{server} {way}", tries=_TRIES_OF_A_WAY)
    reason = _network(causes) or f"cannot be reached ({type(error).__name__}); check the network"
    return UnansweredError(f"{server} {reason}", tries=TRIES if reason.endswith(_LATER) else _TRIES_OF_A_WAY)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was made of, outermost first."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]


def _tls(causes: list[BaseException]) -> str | None:
    for one in causes:
        if isinstance(one, ssl.SSLCertVerificationError):
            return _certificate(one)
        if isinstance(one, ssl.SSLError) and not isinstance(one, ssl.SSLEOFError):
            return _handshake(one)
    return None


def _certificate(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == _EXPIRED:
        return "shows a certificate that has expired; ask who runs it to renew it"
    if error.verify_code == _NOT_YET:
        return "shows a certificate that is not valid yet; check the clocks of both machines"
    if error.verify_code in _OTHER_NAMES:
        return "shows the certificate of another name; check the address, or ask who runs it"
    return "shows a certificate of an authority that is not known here; name the file of its authority as ca_bundle"


def _handshake(error: ssl.SSLError) -> str:
    told = str(error).lower()
    if any(words in told for words in ("certificate required", "bad certificate", "unknown ca")):
        return "wants a client certificate, or another one; see client_certificate under [fhir]"
    if "handshake failure" in told:
        return "refuses TLS with us: it may want a client certificate (client_certificate under [fhir])"
    if "wrong version number" in told or "record layer failure" in told or "http request" in told:
        return "does not speak TLS there; check https and the port in the address"
    return "and this machine do not agree on TLS; ask who runs it which versions it speaks"


def _proxy(causes: list[BaseException]) -> str | None:
    told = " ".join(str(one) for one in causes if isinstance(one, OSError))
    if "407" in told and "unnel" in told:
        return PROXY_ASKS
    if any(isinstance(one, requests.exceptions.ProxyError) for one in causes):
        return "cannot be reached through the proxy; check the address of the proxy and what it lets through"
    return None


def _network(causes: list[BaseException]) -> str | None:
    for kinds, reason in _REASONS:
        for one in causes:
            if isinstance(one, kinds):
                return f"{one}; {_LATER}" if isinstance(one, BrokenBodyError) else reason
    return None


_LATER = "try later"
_SLOW = f"was silent for too long; {_LATER}"
_BROKEN = f"broke off its answer; {_LATER}"
_ENDED = (ssl.SSLEOFError, ConnectionResetError, BrokenPipeError, IncompleteRead, HTTPException, ProtocolError)
_REASONS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((BrokenBodyError,), ""),
    ((NameResolutionError, socket.gaierror), "has a name that the network does not know (DNS); check the address"),
    ((ConnectionRefusedError,), "refuses the connection: nothing listens at its port; check the address"),
    # the error of a refused connection is one of these as well
    ((ConnectTimeoutError,), "cannot be reached: nobody answers at its port; a firewall may be in between"),
    ((ReadTimeoutError, TimeoutError), _SLOW),
    (_ENDED, _BROKEN),
)
