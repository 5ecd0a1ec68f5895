"""Addresses below the base of a FHIR server: where a link leads, and what of a question may be shown."""

import re
from urllib.parse import urljoin, urlunsplit

from cohortfinder.address import origin, same_origin, shown, split_address
from cohortfinder.errors import ConfigurationError, ProtocolError

# what FHIR itself names may be shown; anything else may be the id of a patient
_NAMED = re.compile(r"^([A-Z][A-Za-z]+|[$_][A-Za-z][A-Za-z0-9_-]*|metadata|\.well-known|smart-configuration)$")
HIDDEN = "..."


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
        path = split_address(joined).path
    except (ValueError, ConfigurationError):
        raise ProtocolError(f"{shown(base)} gave a link that is no address; ask who runs it") from None
    root = split_address(base).path
    if link.startswith("/") and not link.startswith("//") and path != root and not path.startswith(f"{root}/"):
        return below(base, link)
    return joined


def moved(url: str, base: str) -> str:
    """Return an address at the origin of the base, its path and question untouched."""
    parts, home = split_address(url), split_address(base)
    return urlunsplit((home.scheme, home.netloc, parts.path, parts.query, ""))


def shown_question(url: str, base: str) -> str:
    """Return what an address below the base asks for as it may be shown: neither an id nor a parameter."""
    if not same_origin(url, base):
        return origin(url)
    path = split_address(url).path.removeprefix(split_address(base).path).strip("/")
    return "/".join(step if is_named(step) else HIDDEN for step in path.split("/")) if path else "the base"


def is_named(step: str) -> bool:
    """Tell whether FHIR itself names a step of a path."""
    return _NAMED.match(step) is not None
