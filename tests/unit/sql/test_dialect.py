"""The two dialects of SQL: the same template, the same values, and what each of them writes for it."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from cohortfinder.sql.dialect import Dialect, SqlSafetyError
from cohortfinder.sql.environment import Rendered, render
from cohortfinder.sql.together import together

DUCKDB, SPARK = Dialect.DUCKDB, Dialect.SPARK


def test_a_value_is_a_named_parameter_in_both() -> None:
    values = {"rules": ["I-1"], "as_of": date(2026, 11, 20)}
    texts = {one: render("verdicts/asked_everyone.sql.jinja", dialect=one, **values) for one in Dialect}
    assert texts[DUCKDB].parameters == texts[SPARK].parameters
    assert "unnest($p2) AS criterion_id" in texts[DUCKDB].text
    assert "inline(arrays_zip(:p2)) AS (criterion_id)" in texts[SPARK].text


@pytest.mark.parametrize(
    ("value", "duckdb", "spark"),
    [
        (None, "NULL", "NULL"),
        (True, "TRUE", "TRUE"),
        (Decimal("0.010"), "0.010", "0.010"),
        (0.5, "CAST(0.5 AS DOUBLE)", "CAST(0.5 AS DOUBLE)"),
        (date(2026, 11, 20), "DATE '2026-11-20'", "DATE '2026-11-20'"),
        (["a", "b"], "['a', 'b']", "array('a', 'b')"),
        ("it's", "'it''s'", "'it''s'"),
        ("a\\d", "'a\\d'", "'a\\\\d'"),
    ],
)
def test_a_value_is_shown_as_each_reads_it(value: object, duckdb: str, spark: str) -> None:
    assert (DUCKDB.literal(value), SPARK.literal(value)) == (duckdb, spark)


def test_what_is_shown_has_the_values_of_its_dialect() -> None:
    assert Rendered("SELECT :p1, :p10", {"p1": ["x"], "p10": 1}, SPARK).with_values() == "SELECT array('x'), 1"


def test_leaves_together_take_their_own_item_of_a_list() -> None:
    queries = [Rendered("SELECT :p1 AS a", {"p1": value}, SPARK) for value in (1, 2)]
    text, _ = together(queries, "asked.place")
    assert str(text) == "SELECT element_at(:q1, asked.place) AS a"


@pytest.mark.parametrize("value", ["text", Path("a\nb"), Path("a\0b")])
def test_only_the_printable_path_of_a_file_stands_in_a_query_as_text(value: object) -> None:
    with pytest.raises(SqlSafetyError):
        render("carry/attach.sql.jinja", file=value, kept="kept_1")


def test_a_quote_in_a_path_does_not_end_the_text() -> None:
    made = render("carry/attach.sql.jinja", file=Path("it's/kept.duckdb"), kept="kept_1")
    assert "ATTACH 'it''s/kept.duckdb' AS kept_1" in made.text
    assert made.parameters == {}
