"""Whom the program trusts and how it leaves the site's network: certificates and the proxy."""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from requests.utils import get_environ_proxies, select_proxy, should_bypass_proxies

from cohortfinder.connection import Connection
from cohortfinder.errors import ConfigurationError

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def context_of(
    connection: Connection, *, known: bool = True, environment: Mapping[str, str] = os.environ
) -> ssl.SSLContext:
    """Return what TLS trusts: the system's authorities and those of the site. Without `known` we show no certificate.

    Raises ConfigurationError when a file is not what it should be.
    """
    context = ssl.create_default_context()
    # a site may name the authority that signs its servers without the root above it
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # Python 3.13 began to refuse authorities that leave out what most hospitals leave out
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    named = next((environment[name] for name in _BUNDLES if environment.get(name)), None)
    for bundle in (connection.ca_bundle, Path(named) if named else None):
        if bundle is not None:
            _trust(context, bundle)
    if known and connection.client_certificate is not None:
        _show(context, connection.client_certificate, connection.client_key)
    return context


def proxy_of(connection: Connection, url: str) -> str | None:
    """Return the proxy through which an address is asked, with its password: the configured one, else HTTPS_PROXY.

    NO_PROXY keeps an address from both. Raises ConfigurationError when the password cannot be read.
    """
    if connection.proxy is None:
        return select_proxy(url, get_environ_proxies(url, no_proxy=None))
    if should_bypass_proxies(url, no_proxy=None):
        return None
    proxy = connection.proxy
    if proxy.user is None or proxy.password is None:
        return proxy.url
    parts = urlsplit(proxy.url)
    return f"{parts.scheme}://{quote(proxy.user, safe='')}:{quote(proxy.password.read(), safe='')}@{parts.netloc}"


def _trust(context: ssl.SSLContext, bundle: Path) -> None:
    try:
        if bundle.is_dir():
            context.load_verify_locations(capath=bundle)
        else:
            context.load_verify_locations(cafile=bundle)
    except OSError:
        raise ConfigurationError(f"{bundle} holds no certificates in PEM; see ca_bundle under [fhir]") from None


def _show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    try:
        # without a password OpenSSL would ask for one on the terminal
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError:
        raise ConfigurationError(
            f"{certificate} and {key} do not go together, or the key has a passphrase; "
            "write both as PEM, the key without a passphrase"
        ) from None
    except OSError:
        raise ConfigurationError(
            f"{certificate} or {key} cannot be read; see client_certificate under [fhir]"
        ) from None
