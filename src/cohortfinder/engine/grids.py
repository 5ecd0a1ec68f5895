"""A number of a trial file to others that are worth a look: around it, and where the patients' own values lie. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from cohortfinder.engine.numbers import Value
from cohortfinder.model import Duration

_STEPS = (Decimal(5), Decimal("2.5"), Decimal(2), Decimal(1))
_WHOLE_STEPS = (Decimal(5), Decimal(2), Decimal(1))
_AROUND = range(-4, 5)
_DOUBLINGS = range(-3, 4)
_STRETCHES = tuple(map(Decimal, ("0.25", "0.5", "0.75", "1", "1.5", "2", "3", "4")))
# a half is the finest step of a whole number: a score of 8 is asked at 7, an INR of 2 at 1.5
_HALF = Decimal("0.5")
_WHOLE = Decimal(100)
_MOST_YEARS = 5
# as in the trial file, nothing longer than a lifetime
_LONGEST_DAYS = 55_000
_DAYS = {"days": 1, "weeks": 7, "months": 31, "years": 366}
# a part of so few of them is told in a finer unit
_FEW = 4
_FINER: dict[str, tuple[int, Literal["days", "weeks", "months"]]] = {
    "weeks": (7, "days"), "months": (4, "weeks"), "years": (12, "months"),
}  # fmt: skip


def grid(value: Value, seen: Sequence[Decimal] = ()) -> tuple[Value, ...]:
    """Return values around one and itself, ascending; `seen` are quantiles of what patients have, in its unit."""
    if isinstance(value, Duration):
        return _spans(value)
    if isinstance(value, int):
        return tuple(int(one) for one in _whole(value))
    numbers = _titres(value.value) if value.unit == "{titer}" else _numbers(value.value, seen)
    if value.unit == "%" and value.value <= _WHOLE:
        numbers = {one for one in numbers if one <= _WHOLE}
    return tuple(value if one == value.value else replace(value, value=one) for one in sorted(numbers))


def coarse(value: Value, seen: Sequence[Decimal] = ()) -> tuple[Value, ...]:
    """Return every other value of the grid, with the one in force: half as many where all numbers are tried at once."""
    values = grid(value, seen)
    own = values.index(value)
    return tuple(one for place, one in enumerate(values) if (place - own) % 2 == 0)


def _numbers(value: Decimal, seen: Sequence[Decimal]) -> set[Decimal]:
    step = _step(value, seen)
    near = {value + step * place for place in _AROUND}
    spread = {(one / step).quantize(Decimal(1), ROUND_HALF_UP) * step for one in seen}
    return {value} | {_plain(one) for one in _not_below(value, near | spread)}


def _step(value: Decimal, seen: Sequence[Decimal]) -> Decimal:
    """Return a round step, about a fifth of the number; of 0 about a fifth of what the patients' values span."""
    span = abs(value) or (max(seen) - min(seen) if seen else Decimal(0)) or Decimal(5)
    whole = value == value.to_integral_value()
    power = Decimal(10) ** (span / 5).adjusted()
    step = next(one * power for one in (_WHOLE_STEPS if whole else _STEPS) if one * power <= span / 5)
    return max(step, _HALF) if whole and value else step


def _not_below(value: Decimal, numbers: Iterable[Decimal]) -> Iterable[Decimal]:
    """Leave out what has another sign than the number: a measured value is hardly ever below 0."""
    return (one for one in numbers if value < 0 or one > 0 or (value == 0 and one == 0))


def _plain(number: Decimal) -> Decimal:
    whole = number.to_integral_value()
    return whole if whole == number else number.normalize()


def _titres(value: Decimal) -> set[Decimal]:
    doubled = {value * Decimal(2) ** place for place in _DOUBLINGS}
    return {value} | {_plain(one) for one in doubled if one >= 1 and one == one.to_integral_value()}


def _whole(value: int) -> tuple[int, ...]:
    step = max(1, min(_MOST_YEARS, int(_step(Decimal(value), ()))))
    return tuple(one for one in (value + step * place for place in _AROUND) if one > 0 or one == value)


def _spans(value: Duration) -> tuple[Value, ...]:
    spans = {value, *(_stretched(value, factor) for factor in _STRETCHES)}
    kept = (span for span in spans if span.count and days_of(span) <= max(_LONGEST_DAYS, days_of(value)))
    return in_order(kept)


def _stretched(value: Duration, factor: Decimal) -> Duration:
    count = value.count * factor
    if value.count < _FEW and count != count.to_integral_value() and value.unit in _FINER:
        parts, unit = _FINER[value.unit]
        return Duration(_nearest(count * parts), unit)
    return replace(value, count=_nearest(count))


def _nearest(number: Decimal) -> int:
    return int(number.quantize(Decimal(1), ROUND_HALF_UP))


def in_order(values: Iterable[Value]) -> tuple[Value, ...]:
    """Return values of one kind from the least to the greatest."""
    return tuple(sorted(values, key=_size))


def _size(value: Value) -> Decimal:
    if isinstance(value, Duration):
        return Decimal(days_of(value))
    return Decimal(value) if isinstance(value, int) else value.value


def days_of(span: Duration) -> int:
    """Return about how many days a span has, to put spans into their order."""
    return span.count * _DAYS[span.unit]
