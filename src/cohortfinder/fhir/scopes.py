"""SMART scopes: which to ask for, and whether those that were granted are enough."""

import re
from collections.abc import Collection, Iterable

_SCOPE = re.compile(r"^(system|user|patient)/([A-Za-z]+|\*)\.(read|write|\*|[cruds]+)(\?.*)?$")
# the words of version 1 in the letters of version 2. Source: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
_LETTERS = {"read": "rs", "write": "cud", "*": "cruds"}


def scopes_for(types: Collection[str], capabilities: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes that reading these resource types needs, or reading all of them where there are none.

    In the words of version 1, unless only version 2 is told: some servers tell it and do not know it.
    """
    told = set(capabilities)
    right = "rs" if "permission-v2" in told and "permission-v1" not in told else "read"
    return tuple(f"system/{name}.{right}" for name in (sorted(types) or ["*"]))


def missing(asked: Iterable[str], granted: Collection[str]) -> tuple[str, ...]:
    """Return the scopes that were asked for and are not among those granted, nor within one of them."""
    return tuple(one for one in asked if not any(_covers(other, one) for other in granted))


def _covers(granted: str, asked: str) -> bool:
    if granted == asked:
        return True
    one, other = _SCOPE.match(granted), _SCOPE.match(asked)
    # a scope with a question is granted for a part of the resources only
    if one is None or other is None or one[1] != other[1] or one[4]:
        return False
    rights = set(_LETTERS.get(one[3], one[3]))
    return one[2] in ("*", other[2]) and rights >= set(_LETTERS.get(other[3], other[3]))
