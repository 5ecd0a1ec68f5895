"""What a value must be, and which one is chosen."""

from decimal import Decimal

import pytest

from cohortfinder.dummy.numbers import ANY, NONE, Span, Values, common, nearest, outside, within

ONE = Decimal(1)


def span(low: str, high: str, *, low_in: bool = True, high_in: bool = True) -> Span:
    return Span(Decimal(low), Decimal(high), low_in, high_in)


def test_outside_of_an_interval_lies_what_its_ends_leave_over() -> None:
    below, above = outside(span("45", "70", high_in=False))
    assert (below.high, below.high_in) == (Decimal(45), False)
    assert (above.low, above.low_in) == (Decimal(70), True)
    assert outside(Span()) == ()


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ((span("0", "10"),), (span("5", "20", low_in=False),), (span("5", "10", low_in=False),)),
        ((span("0", "5", high_in=False),), (span("5", "9"),), NONE),
        (frozenset({"positive", "negative"}), frozenset({"negative"}), frozenset({"negative"})),
        (frozenset({"positive"}), ANY, frozenset({"positive"})),
        (frozenset({"positive"}), (span("0", "5"),), NONE),
    ],
)
def test_two_demands_leave_what_both_allow(one: Values, other: Values, both: Values) -> None:
    assert common(one, other) == both
    assert common(other, one) == both


@pytest.mark.parametrize(
    ("allowed", "wanted", "chosen"),
    [
        (span("60", "260"), "60", "60"),
        (span("0", "60", high_in=False), "60", "59"),
        (span("0.01", "0.015", low_in=False, high_in=False), "0.01", "0.0125"),
        (span("3", "4"), "9", "4"),
    ],
)
def test_the_allowed_number_next_to_the_wanted_one_is_taken(allowed: Span, wanted: str, chosen: str) -> None:
    """A step beyond an end that does not count, or the middle where a step leads out on the other side."""
    assert nearest((allowed,), Decimal(wanted), ONE) == Decimal(chosen)


@pytest.mark.parametrize(
    ("allowed", "chosen"),
    [
        (Span(low=Decimal(60)), "78"),
        (Span(high=Decimal(120)), "84"),
        (span("45", "70"), "58"),
        (Span(low=Decimal(250)), "255"),
    ],
)
def test_an_unremarkable_number_is_far_from_the_bounds_and_plausible(allowed: Span, chosen: str) -> None:
    assert within(allowed, Decimal(10), Decimal(260), ONE) == Decimal(chosen)
