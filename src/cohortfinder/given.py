"""Values of one table of the configuration, each checked as it is taken; what is wrong is noted with its place."""

from collections.abc import Mapping

# the names that lead to a value through the tables, to the value and the place that an error names
Given = Mapping[tuple[str, ...], tuple[object, str]]


def text_of(own: Given, name: str, problems: list[str]) -> str | None:
    """Return a text that is not empty, None where none is given."""
    value, place = own.get((name,), (None, ""))
    if value is None or (isinstance(value, str) and value):
        return value
    problems.append(f"{place}: {name} must be a text that is not empty")
    return None


def whole_of(own: Given, name: str, bounds: tuple[int, int, int], problems: list[str]) -> int:
    """Return a whole number; `bounds` are its default, the least and the most."""
    default, least, most = bounds
    value, place = own.get((name,), (default, ""))
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    problems.append(f"{place}: {name} must be a whole number from {least} to {most}")
    return default


def switch_of(own: Given, name: str, problems: list[str]) -> bool | None:
    """Return true or false, None where neither is given."""
    value, place = own.get((name,), (None, ""))
    if value is None or isinstance(value, bool):
        return value
    problems.append(f"{place}: {name} must be true or false")
    return None
