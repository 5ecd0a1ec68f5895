"""The words of a case file: what stands under a key, or a problem that names its line."""

import re
from collections.abc import Iterable
from datetime import date

from cohortfinder.trials.document import Mapping, Scalar, Sequence
from cohortfinder.trials.problems import Problems, nearest

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def only_words(node: Mapping, allowed: Iterable[str], what: str, problems: Problems) -> None:
    """Note every word of a mapping that does not belong there."""
    words = tuple(allowed)
    for key, _ in node.entries:
        if key.text not in words:
            hint = nearest(key.text, words)
            problems.add(key.line, f"{what} has no '{key.text}'; it may say {', '.join(words)}.{hint}")


def mapping_at(node: Mapping, key: str, problems: Problems) -> Mapping:
    """Return the words under a key, none where it is not written; anything else is noted."""
    value = node.get(key)
    if isinstance(value, Mapping):
        return value
    if value is not None:
        problems.add(node.line_of(key), f"'{key}' is a list of words with a value each, as 'name: value'")
    return Mapping((), node.line)


def text_at(node: Mapping, key: str, problems: Problems) -> str | None:
    """Return the text under a key; None, with the problem noted, when there is none."""
    value = node.get(key)
    if isinstance(value, Scalar) and value.text:
        return value.text
    problems.add(node.line_of(key), f"'{key}' is missing; write '{key}:' and one text")
    return None


def texts_at(node: Mapping, key: str, problems: Problems) -> tuple[Scalar, ...]:
    """Return the texts of the list under a key, none where it is not written."""
    value = node.get(key)
    if value is None:
        return ()
    if isinstance(value, Sequence) and all(isinstance(item, Scalar) for item in value.items):
        return tuple(item for item in value.items if isinstance(item, Scalar))
    problems.add(node.line_of(key), f"'{key}' is a list, as [first, second]")
    return ()


def is_day(text: str) -> bool:
    """Return whether a text is a day of the calendar, as 2026-05-01."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return _DAY.fullmatch(text) is not None
