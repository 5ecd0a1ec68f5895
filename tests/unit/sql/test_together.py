"""Queries of one shape become one: what differs comes from a list."""

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from cohortfinder.sql.environment import Rendered
from cohortfinder.sql.together import of_one_shape, together


def query(*values: Any, text: str = "SELECT $p1 AS a, $p2 AS b") -> Rendered:
    return Rendered(text, {f"p{place}": value for place, value in enumerate(values, start=1)})


def test_the_same_text_with_values_of_the_same_types_is_one_shape() -> None:
    queries = {1: query(1, "x"), 2: query(Decimal(1), "x"), 3: query(2, "y"), 4: query(2, "y", text="SELECT $p2, $p1")}
    assert [[*shape] for shape in of_one_shape(queries)] == [[1, 3], [2], [4]]


def test_lists_of_other_types_are_other_shapes() -> None:
    queries = {1: query(["x"], 1), 2: query([1], 1), 3: query([], 1), 4: query(["y", "z"], 1), 5: query(None, 1)}
    assert [[*shape] for shape in of_one_shape(queries)] == [[1, 4], [2], [3], [5]]


def test_what_differs_comes_from_a_list_and_what_is_the_same_is_one_parameter() -> None:
    text, parameters = together([query(1, "x"), query(2, "x")], "asked.place")
    assert (str(text), parameters) == ("SELECT $q1[asked.place] AS a, $q2 AS b", {"q1": [1, 2], "q2": "x"})


def test_a_query_alone_has_its_own_values() -> None:
    text, parameters = together([query("x", "x")], "asked.place")
    assert (str(text), parameters) == ("SELECT $q1 AS a, $q1 AS b", {"q1": "x"})


def test_the_eleventh_parameter_is_not_the_first() -> None:
    text, parameters = together([query(*range(11), text="SELECT $p1, $p11")], "asked.place")
    assert (str(text), parameters["q11"]) == ("SELECT $q1, $q11", 10)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Decimal("0.5"), Decimal(1500)),
        (Decimal("12345678901234567890.5"), Decimal("0.0000000001")),
        (["a"], ["b", "c"]),
        (True, False),
    ],
)
def test_each_query_gets_its_own_value(first: Any, second: Any) -> None:
    text, parameters = together([query(first, 0), query(second, 0)], "asked.place")
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT answer.a FROM (SELECT unnest([1, 2]) AS place) AS asked, LATERAL ({text}) AS answer ORDER BY place",
            parameters,
        ).fetchall()
    assert rows == [(first,), (second,)]
