"""The way to a server, step by step as the network takes it: name, port, proxy, TLS; each a finding."""

import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from cohortfinder.fhir.certificate import (
    Certificate,
    days_left,
    read_certificate,
    shake_hands,
    trusting_nobody,
)
from cohortfinder.fhir.findings import CONFIGURATION, UNAVAILABLE, Finding, fine, note, prevents, warning

SECONDS = 10
# a certificate is renewed by people, who need some time for it
SOON_DAYS = 30
_EXPIRED, _NOT_YET = 10, 9
# of a name, of an address
_OTHER_NAME = frozenset({62, 64})


@dataclass(frozen=True, slots=True)
class ProxyRoute:
    """A proxy by its place, with the headers that tell it who asks."""

    host: str
    port: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a server is and how it is reached; `context` is what TLS trusts, None for plain HTTP."""

    host: str
    port: int
    context: ssl.SSLContext | None
    proxy: ProxyRoute | None = None

    @property
    def first(self) -> tuple[str, int]:
        """What this machine connects to: the proxy, where there is one."""
        return (self.proxy.host, self.proxy.port) if self.proxy else (self.host, self.port)


def network_findings(route: Route, now: datetime) -> Iterator[Finding]:
    """Yield what is found on the way, as far as it leads: the last finding may be what prevents a pull."""
    for probe in (_name, _port, _proxy):
        finding = probe(route)
        if finding is not None:
            yield finding
            if finding.severity == "error":
                return
    yield _tls(route, now)


def _name(route: Route) -> Finding:
    host, port = route.first
    whose = "the proxy" if route.proxy else "the server"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            what, todo = "the name service of this machine does not answer", "check its network and /etc/resolv.conf"
            return prevents("name", f"{what} (asked for {host})", status=UNAVAILABLE, todo=todo)
        return prevents(
            "name", f"the name {host} of {whose} is not known to the network (DNS)", status=UNAVAILABLE,
            todo="check the spelling of the address; a name of the hospital is known in its own network only",
        )  # fmt: skip
    addresses = sorted({str(address[0]) for *_, address in found})
    return fine("name", f"{host} is {' or '.join(addresses)}")


def _port(route: Route) -> Finding:
    host, port = route.first
    begun = time.perf_counter()
    try:
        socket.create_connection((host, port), SECONDS).close()
    except ConnectionRefusedError:
        return prevents(
            "port", f"{host} refuses connections at port {port}: nothing listens there", status=UNAVAILABLE,
            todo="check the port in the address", ask=f"Is the server running, and does it listen at port {port}?",
        )  # fmt: skip
    except TimeoutError:
        return prevents(
            "port", f"{host} did not answer at port {port} within {SECONDS} seconds", status=UNAVAILABLE,
            ask=f"Let this machine through the firewall to {host}, port {port}.",
        )  # fmt: skip
    except OSError as error:
        what = f"{host}, port {port}, cannot be reached ({error.strerror or type(error).__name__})"
        return prevents("port", what, status=UNAVAILABLE, todo="check the network and the routes of this machine")
    return fine("port", f"{host} answers at port {port} ({1000 * (time.perf_counter() - begun):.0f} ms)")


def _proxy(route: Route) -> Finding | None:
    """Ask the proxy for the way to the server. Plain HTTP needs none."""
    if route.proxy is None:
        return None
    where = f"the proxy {route.proxy.host}:{route.proxy.port}"
    if route.context is None:
        return note("proxy", f"{where} is asked for every page")
    try:
        with _stream(route):
            return fine("proxy", f"{where} lets us through to {route.host}")
    except OSError as error:
        if "407" in str(error):
            return prevents(
                "proxy", f"{where} wants to know who asks (407)", status=CONFIGURATION,
                todo="write its user into the configuration, and the password into a file that it names",
            )  # fmt: skip
        return prevents(
            "proxy", f"{where} does not lead to {route.host}:{route.port} ({_reason(error)})", status=UNAVAILABLE,
            todo="let the proxy pass this address, or name the server in NO_PROXY",
        )  # fmt: skip


@contextmanager
def _stream(route: Route) -> Iterator[socket.socket]:
    """Yield a connection to the server itself, through the proxy where there is one. Raises OSError."""
    connection = http.client.HTTPConnection(*route.first, timeout=SECONDS)
    if route.proxy:
        connection.set_tunnel(route.host, route.port, dict(route.proxy.headers))
    try:
        connection.connect()
        yield connection.sock
    finally:
        connection.close()


def _tls(route: Route, now: datetime) -> Finding:
    if route.context is None:
        if route.host in ("localhost", "127.0.0.1", "::1"):
            return note("TLS", "the address is http://, on this machine itself")
        return warning(
            "TLS", "the address is http://: what goes over the network can be read there, tokens and patients alike",
            todo="use https:// in the address", ask="Offer the server by https.",
        )  # fmt: skip
    try:
        with _stream(route) as stream:
            version, content = shake_hands(stream, route.host, route.context)
        return _held(route, version, read_certificate(content), now)
    except ssl.SSLCertVerificationError as error:
        return _distrusted(route, error, _shown_certificate(route), now)
    except ssl.SSLError as error:
        return _no_handshake(route, error)
    except (OSError, ValueError) as error:
        what = f"{route.host} breaks off when TLS begins ({_reason(error)})"
        return prevents("TLS", what, status=UNAVAILABLE, ask="Does the server speak TLS 1.2 or newer at this port?")


def _held(route: Route, version: str, certificate: Certificate, now: datetime) -> Finding:
    left = days_left(certificate, now)
    until = f"until {certificate.ends:%Y-%m-%d}"
    if left < SOON_DAYS:
        return warning(
            "TLS", f"the certificate of {route.host} holds for {left} more days, {until}: then nothing is pulled",
            ask=f"Renew the certificate of {route.host}, which holds {until}.",
        )  # fmt: skip
    return fine("TLS", f"{version}, certificate of {certificate.issuer}, {until} ({left} days)")


def _shown_certificate(route: Route) -> Certificate | None:
    """Read the certificate that is not trusted, None when it cannot be had."""
    assert route.context is not None  # plain HTTP has no handshake
    try:
        with _stream(route) as stream:
            return read_certificate(shake_hands(stream, route.host, trusting_nobody(route.context))[1])
    except (OSError, ValueError):
        return None


def _distrusted(route: Route, error: ssl.SSLCertVerificationError, shown: Certificate | None, now: datetime) -> Finding:
    if error.verify_code == _EXPIRED and shown is not None:
        days = -days_left(shown, now)
        what = f"the certificate of {route.host} has expired on {shown.ends:%Y-%m-%d}, {days} days ago"
        return prevents("TLS", what, status=UNAVAILABLE, ask=f"Renew the certificate of {route.host}.")
    if error.verify_code == _NOT_YET and shown is not None:
        what = f"the certificate of {route.host} holds only from {shown.begins:%Y-%m-%d} on"
        return prevents("TLS", what, status=UNAVAILABLE, todo="check the clock of this machine")
    if error.verify_code in _OTHER_NAME:
        named = f"of {shown.subject}" if shown else "of another name"
        return prevents(
            "TLS", f"{route.host} shows a certificate {named}", status=CONFIGURATION,
            todo="write the address with the name that the certificate has",
            ask=f"Issue a certificate that names {route.host}.",
        )  # fmt: skip
    return _unknown_authority(route, shown)


def _unknown_authority(route: Route, shown: Certificate | None) -> Finding:
    bundle = "name the file in ca_bundle under [fhir]"
    if shown is not None and shown.is_own:
        return prevents(
            "TLS", f"the certificate of {route.host} is signed by itself, and not trusted here", status=CONFIGURATION,
            todo=f"get it from the team of the server on a safe way and {bundle}",
            ask="Send us the certificate of the server, or one that an authority of the hospital has signed.",
        )  # fmt: skip
    authority = f"{shown.issuer!r}" if shown else "an authority"
    return prevents(
        "TLS", f"the certificate of {route.host} is signed by {authority}, who is not trusted here",
        status=CONFIGURATION, todo=f"get the certificate of this authority and {bundle}",
        ask="Let the server send its intermediate certificates with its own, and send us that of the authority.",
    )  # fmt: skip


def _no_handshake(route: Route, error: ssl.SSLError) -> Finding:
    told = str(error).lower()
    if "wrong version" in told or "record layer" in told or "http request" in told:
        what = f"{route.host} does not speak TLS at port {route.port}"
        return prevents("TLS", what, status=CONFIGURATION, todo="check the port, and whether it is http://")
    if "certificate required" in told or "handshake failure" in told or "bad certificate" in told:
        return prevents(
            "TLS", f"{route.host} wants a client certificate", status=CONFIGURATION,
            todo="name it as client_certificate under [fhir]", ask="Give us a client certificate for this machine.",
        )  # fmt: skip
    what = f"{route.host} and this machine do not agree on TLS ({error.reason or 'no common version'})"
    return prevents("TLS", what, status=UNAVAILABLE, ask="Let the server speak TLS 1.2 or newer.")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error).partition(":")[2].strip() or type(error).__name__
