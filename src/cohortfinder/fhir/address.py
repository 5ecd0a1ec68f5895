"""The addresses of a FHIR server: how one may be shown, what belongs to one origin, and where a link leads."""

import re
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from cohortfinder.errors import ConfigurationError, ProtocolError

_PORTS = {"http": 80, "https": 443}
_METADATA = "/metadata"
# what FHIR itself names may be shown; anything else may be the id of a patient
_NAMED = re.compile(r"^([A-Z][A-Za-z]+|[$_][A-Za-z][A-Za-z0-9_-]*|metadata|\.well-known|smart-configuration)$")
HIDDEN = "..."


def base_address(url: str) -> str:
    """Return the base address that a person wrote, as it is asked: without a slash or `/metadata` at its end.

    Raises ConfigurationError when it is none, or holds a password or a question.
    """
    parts = _split(url.strip())
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
    parts = _split(url.strip())
    return urlunsplit((parts.scheme, _host(parts), parts.path.rstrip("/"), "", ""))


def origin(url: str) -> str:
    """Return scheme, host and port of an address, the port only where it is not the usual one."""
    parts = _split(url)
    port = parts.port if parts.port not in (None, _PORTS[parts.scheme]) else None
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def same_origin(one: str, other: str) -> bool:
    """Tell whether what is secret to one address may be told to the other."""
    return origin(one) == origin(other)


def below(base: str, path: str) -> str:
    """Return the address of a path below the base; a whole address stays as it is."""
    return path if re.match(r"(?i)https?://", path) else f"{base}/{path.removeprefix('/')}"


def followed(link: str, *, answered: str, base: str) -> str:
    """Return where a link of an answer leads, its question untouched.

    Servers write links whole, from the root of the host, from the base, or as a question alone.
    Raises ProtocolError when it is no address.
    """
    try:
        joined = urljoin(answered, link)
        path = _split(joined).path
    except (ValueError, ConfigurationError):
        raise ProtocolError(f"{shown(base)} gave a link that is no address; ask who runs it") from None
    root = _split(base).path
    if link.startswith("/") and not link.startswith("//") and path != root and not path.startswith(f"{root}/"):
        return below(base, link)
    return joined


def shown_question(url: str, base: str) -> str:
    """Return what an address below the base asks for as it may be shown: neither an id nor a parameter."""
    if not same_origin(url, base):
        return origin(url)
    path = _split(url).path.removeprefix(_split(base).path).strip("/")
    steps = (step if _NAMED.match(step) else HIDDEN for step in path.split("/"))
    return "/".join(steps) if path else "the base"


def _split(url: str) -> SplitResult:
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
