"""Three-valued logic, its tables written out."""

from collections.abc import Sequence

Truth = bool | None

AND: dict[tuple[Truth, Truth], Truth] = {
    (True, True): True, (True, False): False, (True, None): None,
    (False, True): False, (False, False): False, (False, None): False,
    (None, True): None, (None, False): False, (None, None): None,
}  # fmt: skip
OR: dict[tuple[Truth, Truth], Truth] = {
    (True, True): True, (True, False): True, (True, None): True,
    (False, True): True, (False, False): False, (False, None): None,
    (None, True): True, (None, False): None, (None, None): None,
}  # fmt: skip
NOT: dict[Truth, Truth] = {True: False, False: True, None: None}
VERDICT: dict[tuple[str, Truth], str] = {
    ("inclusion", True): "pass", ("inclusion", False): "fail", ("inclusion", None): "unknown",
    ("exclusion", True): "fail", ("exclusion", False): "pass", ("exclusion", None): "unknown",
}  # fmt: skip


def all_of(truths: Sequence[Truth]) -> Truth:
    """Fold AND over the truths; nothing at all is true."""
    result: Truth = True
    for truth in truths:
        result = AND[result, truth]
    return result


def any_of(truths: Sequence[Truth]) -> Truth:
    """Fold OR over the truths; nothing at all is false."""
    result: Truth = False
    for truth in truths:
        result = OR[result, truth]
    return result


def need_of(need: int, truths: Sequence[Truth]) -> Truth:
    """True when `need` are true, false when fewer could still become true, else unknown."""
    if truths.count(True) >= need:
        return True
    if truths.count(True) + truths.count(None) < need:
        return False
    return None
