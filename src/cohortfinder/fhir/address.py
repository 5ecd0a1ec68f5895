"""Addresses below the base of a FHIR server: where a link leads, and what of a question may be shown."""

import re
from urllib.parse import urljoin

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


def shown_question(url: str, base: str) -> str:
    """Return what an address below the base asks for as it may be shown: neither an id nor a parameter."""
    if not same_origin(url, base):
        return origin(url)
    path = split_address(url).path.removeprefix(split_address(base).path).strip("/")
    steps = (step if _NAMED.match(step) else HIDDEN for step in path.split("/"))
    return "/".join(steps) if path else "the base"
