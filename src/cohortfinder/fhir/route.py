"""The way to a server as the transport takes it: through which proxy, and whom TLS trusts."""

import base64
from urllib.parse import unquote, urlsplit

from cohortfinder.connection import Connection
from cohortfinder.fhir.network_probes import ProxyRoute, Route
from cohortfinder.fhir.tls import context_of, proxy_of

_PORTS = {"http": 80, "https": 443}


def route_to(connection: Connection) -> Route:
    """Return the way to the configured server.

    Raises ConfigurationError where a certificate, a key or a password that belongs to it cannot be read.
    """
    parts = urlsplit(connection.url)
    context = context_of(connection) if parts.scheme == "https" else None
    proxy = proxy_of(connection, connection.url)
    return Route(parts.hostname or "", parts.port or _PORTS[parts.scheme], context, _proxy(proxy) if proxy else None)


def _proxy(url: str) -> ProxyRoute:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    headers = {}
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return ProxyRoute(parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 80), headers)
