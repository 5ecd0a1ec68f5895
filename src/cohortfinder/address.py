"""Addresses on the web: which are one, how one may be shown, and what belongs to one origin."""

from functools import lru_cache
from urllib.parse import SplitResult, urlsplit, urlunsplit

from cohortfinder.errors import ConfigurationError

_PORTS = {"http": 80, "https": 443}
_METADATA = "/metadata"


def base_address(url: str) -> str:
    """Return the base address that a person wrote, as it is asked: without a slash or `/metadata` at its end.

    Raises ConfigurationError when it is none, or holds a password or a question.
    """
    parts = split_address(url.strip())
    if parts.username or parts.password:
        raise ConfigurationError(
            f"the address {shown(url)} holds a user or a password; leave them away, and configure them under [fhir]"
        )
    if parts.query or parts.fragment:
        raise ConfigurationError(f"the address {shown(url)} goes on after a ? or #; write the base address alone")
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/").removesuffix(_METADATA).rstrip("/"), "", ""))


def shown(url: str) -> str:
    """Return an address as it may be shown: without a user, a password, or what was asked.

    Raises ConfigurationError when it is none.
    """
    parts = split_address(url.strip())
    return urlunsplit((parts.scheme, _host(parts), parts.path.rstrip("/"), "", ""))


@lru_cache(maxsize=64)
def origin(url: str) -> str:
    """Return scheme, host and port of an address, the port only where it is not the usual one."""
    parts = split_address(url)
    port = parts.port if parts.port not in (None, _PORTS[parts.scheme]) else None
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def same_origin(one: str, other: str) -> bool:
    """Tell whether what is secret to one address may be told to the other."""
    return origin(one) == origin(other)


def is_local(url: str) -> bool:
    """Tell whether an address is on this machine, where nobody listens in."""
    return split_address(url).hostname in ("localhost", "127.0.0.1", "::1")


def split_address(url: str) -> SplitResult:
    """Return the parts of an address.

    Raises ConfigurationError when it is none.
    """
    try:
        parts = urlsplit(url)
        named = parts.hostname and parts.port != 0
    except ValueError:
        named = False
    if not named or parts.scheme not in _PORTS:
        raise ConfigurationError("the address of the FHIR server is no address; write one as https://server/fhir")
    return parts


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]
