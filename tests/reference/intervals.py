"""Decimal intervals with open or closed ends, and what a comparison says about them."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from reference.truth import Truth, all_of

INFINITY = Decimal("Infinity")


@dataclass(frozen=True)
class Interval:
    """The numbers a value may be."""

    lo: Decimal
    hi: Decimal
    lo_open: bool = False
    hi_open: bool = False

    @property
    def empty(self) -> bool:
        return self.lo > self.hi or (self.lo == self.hi and (self.lo_open or self.hi_open))


def point(value: Decimal) -> Interval:
    """Return the interval of one number."""
    return Interval(value, value)


def from_comparator(value: Decimal, sign: str | None) -> Interval:
    """Return what `<`, `<=`, `>`, `>=` or no comparator before a number says."""
    if sign in ("<", "<="):
        return Interval(-INFINITY, value, True, sign == "<")
    if sign in (">", ">="):
        return Interval(value, INFINITY, sign == ">", True)
    return point(value)


def stored(value: Decimal) -> Decimal:
    """Round a computed number half up to the ten decimals that a table keeps."""
    return value if value.is_infinite() else value.quantize(Decimal("1e-10"), ROUND_HALF_UP)


def scaled(value: Interval, factor: Decimal, offset: Decimal) -> Interval:
    """Convert both ends; every unit factor is positive."""
    return Interval(
        stored(value.lo * factor + offset), stored(value.hi * factor + offset), value.lo_open, value.hi_open
    )


def clamped(value: Interval, low: Decimal | None, high: Decimal | None) -> Interval:
    """Cut the interval to the plausible range."""
    if low is not None and value.lo < low:
        value = Interval(low, value.hi, False, value.hi_open)
    if high is not None and value.hi > high:
        value = Interval(value.lo, high, value.lo_open, False)
    return value


def not_below(value: Interval, limit: Decimal, included: bool) -> Truth:
    """Is the value at least (included) or above the limit?"""
    if value.lo > limit or (value.lo == limit and (included or value.lo_open)):
        return True
    if value.hi < limit or (value.hi == limit and (not included or value.hi_open)):
        return False
    return None


def not_above(value: Interval, limit: Decimal, included: bool) -> Truth:
    """Is the value at most (included) or below the limit?"""
    if value.hi < limit or (value.hi == limit and (included or value.hi_open)):
        return True
    if value.lo > limit or (value.lo == limit and (not included or value.lo_open)):
        return False
    return None


def within(value: Interval, lower: tuple[Decimal, bool] | None, upper: tuple[Decimal, bool] | None) -> Truth:
    """Compare with both bounds; a bound is (limit, included)."""
    truths = [not_below(value, *lower)] if lower else []
    return all_of([*truths, *([not_above(value, *upper)] if upper else [])])
