"""A regular expression over codes, as ValueSet filters have them, to the prefixes and codes that say the same."""

import re
from collections.abc import Iterator
from itertools import product

# what may follow the beginning of a code: anything, or anything after a dot
_ANY = frozenset({".*", r"(\..*)?", r"(\.\d*)?", r"(\.\d+)?", r"(\.[0-9]+)?", r"\.?.*", "(.*)?", "([.].*)?"})
_TOKEN = re.compile(r"\\([.\-])|\[([A-Za-z0-9\-]+)\]|([A-Za-z0-9\-])")
_MOST = 500


def prefixes_of(pattern: str) -> list[tuple[str, str]] | None:
    """Return pairs of a code and its match (exact or prefix), None when the pattern says more than they can.

    A pattern is meant for the whole code, with or without ^ and $.
    """
    found: list[tuple[str, str]] = []
    for alternative in _alternatives(pattern.removeprefix("^").removesuffix("$")):
        head, match = _without_rest(alternative)
        codes = _spelled_out(head)
        if not codes:
            return None
        found += [(code, match) for code in codes]
    return found if len(found) <= _MOST else None


def _alternatives(pattern: str) -> list[str]:
    """Split "M32.*|M33.*", and "(M32|M33).*" with what follows the group put to each."""
    group = re.fullmatch(r"\((?:\?:)?([^()]*)\)(.*)", pattern)
    if group and "|" not in group[2]:
        return [one + group[2] for one in group[1].split("|")]
    return pattern.split("|")


def _without_rest(pattern: str) -> tuple[str, str]:
    for rest in sorted(_ANY, key=len, reverse=True):
        if pattern.endswith(rest):
            return pattern.removesuffix(rest), "prefix"
    return pattern, "exact"


def _spelled_out(head: str) -> list[str]:
    """Return every text that letters, digits and classes of them stand for; none when there is something else."""
    choices: list[list[str]] = []
    position = 0
    while position < len(head):
        token = _TOKEN.match(head, position)
        if token is None:
            return []
        choices.append(list(_members(token[2])) if token[2] else [token[1] or token[3]])
        position = token.end()
    return ["".join(parts) for parts in product(*choices)] if choices else []


def _members(inside: str) -> Iterator[str]:
    for first, last in re.findall(r"(\w)(?:-(\w))?", inside):
        yield from map(chr, range(ord(first), ord(last or first) + 1))
