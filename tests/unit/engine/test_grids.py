"""Which other values of a number are worth a look."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortfinder.criteria.question import parse_duration, parse_quantity
from cohortfinder.engine.grids import coarse, grid, in_order
from cohortfinder.engine.numbers import Value, written_text
from cohortfinder.model import Duration, Quantity


def texts(value: object, *seen: str) -> list[str]:
    return [written_text(one) for one in grid(value, tuple(map(Decimal, seen)))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("8", "4, 5, 6, 7, 8, 9, 10, 11, 12"),
        ("1.5 ULN", "0.5 ULN, 0.75 ULN, 1 ULN, 1.25 ULN, 1.5 ULN, 1.75 ULN, 2 ULN, 2.25 ULN, 2.5 ULN"),
        ("30 mL/min", "10 mL/min, 15 mL/min, 20 mL/min, 25 mL/min, 30 mL/min, 35 mL/min, 40 mL/min, 45 mL/min, 50 mL/min"),
        ("0.25", "0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45"),
        ("1:80", "1:10, 1:20, 1:40, 1:80, 1:160, 1:320, 1:640"),
        ("2", "0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4"),
        ("0", "0, 1, 2, 3, 4"),
        ("92 %", "52 %, 62 %, 72 %, 82 %, 92 %"),
    ],
)  # fmt: skip
def test_round_numbers_lie_around_a_number(number: str, expected: str) -> None:
    assert ", ".join(texts(parse_quantity(number))) == expected


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("3 weeks", "5 days, 11 days, 16 days, 3 weeks, 32 days, 6 weeks, 9 weeks, 12 weeks"),
        ("6 months", "2 months, 3 months, 5 months, 6 months, 9 months, 12 months, 18 months, 24 months"),
        ("1 month", "1 week, 2 weeks, 3 weeks, 1 month, 6 weeks, 2 months, 3 months, 4 months"),
        ("1 day", "1 day, 2 days, 3 days, 4 days"),
        ("150 years", "38 years, 75 years, 113 years, 150 years"),
    ],
)  # fmt: skip
def test_a_span_is_a_part_or_a_multiple(span: str, expected: str) -> None:
    assert ", ".join(texts(parse_duration(span))) == expected


def test_ages_go_by_years_of_at_most_five() -> None:
    assert texts(65) == ["45", "50", "55", "60", "65", "70", "75", "80", "85"]
    assert texts(1) == ["1", "2", "3", "4", "5"]


def test_what_the_patients_have_is_looked_at_too() -> None:
    assert texts(parse_quantity("50 10*9/L"), "180", "236", "401")[-3:] == ["180 10*9/L", "240 10*9/L", "400 10*9/L"]


def test_half_the_values_are_tried_where_all_numbers_are() -> None:
    assert coarse(65) == (45, 55, 65, 75, 85)
    assert coarse(2) == (2, 4, 6)


NUMBERS = st.decimals(min_value=-1000, max_value=1000, places=2).map(lambda number: Quantity(number, "mg/L"))
SPANS = st.builds(Duration, st.integers(1, 150), st.sampled_from(("days", "weeks", "months", "years")))


@given(
    value=st.one_of(NUMBERS, SPANS, st.integers(0, 130)), seen=st.lists(st.decimals(-50, 5000, places=1), max_size=5)
)
def test_a_grid_ascends_and_holds_the_value_once(value: Value, seen: list[Decimal]) -> None:
    values = grid(value, seen)
    assert values.count(value) == 1
    assert values == in_order(set(values))
    assert all(one != other for one, other in pairwise(map(written_text, values)))
