"""Queries of one text to one query: where their values differ it takes them from a list, an item for each."""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from cohortfinder.sql.environment import Rendered, identifier

_PARAMETER = re.compile(r"[$:](p\d+)\b")


def of_one_shape(queries: Mapping[int, Rendered]) -> list[dict[int, Rendered]]:
    """Sort queries, rendered apart, into those that differ in nothing but values of the same types."""
    shapes: defaultdict[Hashable, dict[int, Rendered]] = defaultdict(dict)
    for number, query in queries.items():
        shapes[query.text, tuple(_kind(value) for value in query.parameters.values())][number] = query
    return list(shapes.values())


def one_by_one(queries: Mapping[int, Rendered]) -> list[dict[int, Rendered]]:
    """Leave each query to itself."""
    return [{number: query} for number, query in queries.items()]


def together(queries: Sequence[Rendered], place: str) -> tuple[Markup, dict[str, Any]]:
    """Return the text of queries of one shape and its parameters; `place` is the column that says which of them runs.

    A value that all share is a parameter; values that differ are a list, of which `place` (from 1) chooses.
    """
    dialect = queries[0].dialect
    known: list[tuple[Hashable, list[Any]]] = []
    names: dict[str, Markup] = {}
    parameters: dict[str, Any] = {}
    for name, value in queries[0].parameters.items():
        column = [query.parameters[name] for query in queries]
        entry = (_kind(value), column)
        if entry not in known:
            known.append(entry)
        own = Markup(f"q{known.index(entry) + 1}")
        shared = all(other == value for other in column)
        parameters[own] = value if shared else column
        mark = dialect.parameter(own)
        names[name] = Markup(mark if shared else dialect.item(mark, identifier(place)))
    return Markup(_PARAMETER.sub(lambda found: names[found[1]], queries[0].text)), parameters


def _kind(value: Any) -> Hashable:
    if isinstance(value, list | tuple):
        return (list, _kinds(value))
    return type(value).__name__


def _kinds(values: Iterable[Any]) -> frozenset[Hashable]:
    return frozenset(_kind(value) for value in values)
