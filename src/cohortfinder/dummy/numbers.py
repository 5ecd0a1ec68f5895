"""What a value must be, as intervals of numbers or as polarities, and the one value that is chosen of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

INFINITE = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Span:
    """An interval of numbers, with open or closed ends."""

    low: Decimal = -INFINITE
    high: Decimal = INFINITE
    low_in: bool = True
    high_in: bool = True

    def holds(self, number: Decimal) -> bool:
        """Say whether a number lies in it."""
        above = number > self.low or (number == self.low and self.low_in)
        return above and (number < self.high or (number == self.high and self.high_in))

    @property
    def empty(self) -> bool:
        """Whether no number lies in it."""
        return self.low > self.high or (self.low == self.high and not (self.low_in and self.high_in))


# numbers in the unit of the concept, or the words that a finding may say
Values = tuple[Span, ...] | frozenset[str]
ANY: Values = (Span(),)
NONE: Values = ()


def outside(span: Span) -> tuple[Span, ...]:
    """Return what lies below and above an interval."""
    below = Span(high=span.low, high_in=not span.low_in)
    above = Span(low=span.high, low_in=not span.high_in)
    return tuple(part for part in (below, above) if part.high > -INFINITE and part.low < INFINITE and not part.empty)


def common(one: Values, other: Values) -> Values:
    """Return what both allow; nothing where one speaks of numbers and the other of words."""
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        return one & other
    if isinstance(one, frozenset) or isinstance(other, frozenset):
        words, spans = (one, other) if isinstance(one, frozenset) else (other, one)
        return words if spans == ANY else NONE
    shared = (_overlap(mine, theirs) for mine in one for theirs in other)
    return tuple(span for span in shared if not span.empty)


def _overlap(one: Span, other: Span) -> Span:
    low, low_in = max((one.low, not one.low_in), (other.low, not other.low_in))
    high, high_in = min((one.high, one.high_in), (other.high, other.high_in))
    return Span(low, high, not low_in, high_in)


def nearest(spans: tuple[Span, ...], wanted: Decimal, step: Decimal) -> Decimal:
    """Return the wanted number where it is allowed, else the allowed one next to it, a step beyond an open end."""
    if any(span.holds(wanted) for span in spans):
        return wanted
    return min(_ends(spans, step), key=lambda number: (abs(number - wanted), number))


def _ends(spans: tuple[Span, ...], step: Decimal) -> Iterator[Decimal]:
    for span in spans:
        finite = span.low > -INFINITE and span.high < INFINITE
        for end, inner, included in ((span.low, step, span.low_in), (span.high, -step, span.high_in)):
            if abs(end) == INFINITE:
                continue
            number = end if included else end + inner
            yield number if span.holds(number) or not finite else (span.low + span.high) / 2


def within(span: Span, lowest: Decimal, highest: Decimal, step: Decimal) -> Decimal:
    """Return an unremarkable number of an interval: away from its ends, between the plausible ones."""
    low, high = max(span.low, lowest), min(span.high, highest)
    if span.low > lowest and span.high >= highest and low > 0:
        wanted = min(low * Decimal("1.3"), (low + high) / 2)
    elif span.high < highest and span.low <= lowest and high > 0:
        wanted = max(high * Decimal("0.7"), (low + high) / 2) if low < 0 else max(high * Decimal("0.7"), low)
    elif low > 0 and high / low > 20:
        wanted = (low * high).sqrt()
    else:
        wanted = (low + high) / 2
    rounded = (wanted / step).quantize(Decimal(1), ROUND_HALF_EVEN) * step
    return rounded if span.holds(rounded) else wanted
