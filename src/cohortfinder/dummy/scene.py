"""What the making of invented patients rests on: the index date, windows, codes, limits and units of one trial."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, cached_property
from typing import Any

from cohortfinder.criteria.dose import WEIGHT
from cohortfinder.criteria.formula import FormulaQuestion
from cohortfinder.criteria.observation import ObservationQuestion
from cohortfinder.criteria.question import NumericQuestion
from cohortfinder.dates import back
from cohortfinder.dummy.codes import Codes
from cohortfinder.dummy.facts import BEGINNING, Coding
from cohortfinder.dummy.numbers import Span, outside, within
from cohortfinder.model import Comparison, Duration, Quantity, Trial, leaves_of, rules_of
from cohortfinder.terminology import Terminology

# the weight of everybody whose doses are counted by it
KG = Decimal(70)
LOWEST, HIGHEST = Decimal(0), Decimal(1000)
_WHOLE_UNITS = ("1", "{score}", "{#}", "{titer}")


@dataclass(frozen=True)
class Scene:
    """One trial on one index date; results that shall be the latest all lie on the day `recent`.

    `rests_on` are all concepts whose records the trial may read, `formulas` the declarations of the formulas, `tried`
    the inputs that were tried for each question of one, with the truth that the engine found.
    """

    trial: Trial
    terminology: Terminology
    as_of: date
    formulas: Mapping[str, Any] = field(default_factory=dict)
    rests_on: frozenset[str] = frozenset()
    tried: Mapping[Any, Any] = field(default_factory=dict)

    @property
    def recent(self) -> date:
        """The day of the last visit: inside every look-back, before the index date."""
        return self.as_of - timedelta(days=2)

    @cached_property
    def codes(self) -> Codes:
        """The codes of the concepts, those that no other concept of the trial shares first."""
        asked = dict.fromkeys(name for question in self.questions for name in question.concepts)
        return Codes(self.terminology, tuple(asked))

    def since(self, concept: str, within: Duration | None, *, ever: bool, as_of: date | None = None) -> date:
        """Return the first day of the window of an observation: the one that is asked, or its look-back."""
        day = as_of or self.as_of
        if ever:
            return BEGINNING
        if within is not None:
            return back(day, within)
        lookback = self.terminology.lookback[self.terminology.group_of(concept)]
        return day - timedelta(days=lookback.prescreen_days)

    def span_of(self, comparison: Comparison, concept: str) -> Span | None:
        """Return a comparison as an interval in the unit of the concept; None where its unit cannot be converted."""
        low = self._bound(comparison.lower, concept)
        high = self._bound(comparison.upper, concept)
        if (low is None) != (comparison.lower is None) or (high is None) != (comparison.upper is None):
            return None
        plain = Span()
        return Span(
            plain.low if low is None else low,
            plain.high if high is None else high,
            comparison.lower_included,
            comparison.upper_included,
        )

    def _bound(self, bound: Quantity | None, concept: str) -> Decimal | None:
        if bound is None:
            return None
        own = self.terminology.observation_concepts[concept].unit
        if bound.unit in ("ULN", "LLN"):
            return bound.value * self.limits(concept)[0 if bound.unit == "LLN" else 1]
        return self.terminology.convert(concept, bound.value, bound.unit or own, own)

    def limits(self, concept: str) -> tuple[Decimal, Decimal]:
        """Return a reference range for a concept, in its unit: the assumed one, else some plausible numbers."""
        assumed = self.terminology.ranges.get(concept)
        lowest, highest = self.plausible(concept)
        middle = ((lowest * highest).sqrt() if lowest > 0 else highest / 10).quantize(Decimal("0.1")) or Decimal(1)
        low, high = (None, None) if assumed is None else (assumed.low, assumed.high)
        high = high or (low * 5 if low else middle)
        return low or high / 5, high

    def plausible(self, concept: str) -> tuple[Decimal, Decimal]:
        """Return the plausible range of a concept."""
        known = self.terminology.observation_concepts[concept]
        lowest = LOWEST if known.plausible_min is None else known.plausible_min
        return lowest, HIGHEST if known.plausible_max is None else known.plausible_max

    @cached_property
    def step(self) -> Callable[[str, Span], Decimal]:
        """The smallest difference that counts between two results: one point of a score, else a decimal more."""
        return cache(self._step)

    def _step(self, concept: str, span: Span) -> Decimal:
        places = max((_places(end) for end in (span.low, span.high) if end.is_finite()), default=0)
        if self.terminology.observation_concepts[concept].unit in _WHOLE_UNITS and _whole(self.plausible(concept)):
            return Decimal(1).scaleb(-places)
        return Decimal(1).scaleb(-places - 1)

    def unremarkable(self, concept: str, span: Span) -> Decimal:
        """Return a number of the interval that is far from its ends."""
        lowest, highest = self.plausible(concept)
        return within(span, lowest, highest, self.step(concept, span))

    def landmarks(self, concept: str) -> list[Decimal]:
        """Return numbers of a concept that mean something in the trial: those that keep or pass its bounds."""
        spans = [span for question in self._compared for span in self._spans(question, concept)]
        usual = [KG] if concept == WEIGHT else []
        found = [*usual, *(self.unremarkable(concept, span) for span in (*spans, Span()))]
        return list(dict.fromkeys(number for number in found if number > 0))

    @cached_property
    def questions(self) -> tuple[Any, ...]:
        """All questions of the trial."""
        rules = (rule for criterion in self.trial.criteria for rule in rules_of(criterion))
        return tuple(dict.fromkeys(leaf.question for rule in rules for leaf in leaves_of(rule)))

    @property
    def _compared(self) -> Iterator[ObservationQuestion]:
        return (question for question in self.questions if isinstance(question, ObservationQuestion))

    @property
    def computed(self) -> Iterator[FormulaQuestion]:
        """The questions whose number is computed by a formula."""
        return (question for question in self.questions if isinstance(question, FormulaQuestion))

    def _spans(self, question: NumericQuestion, concept: str) -> Iterator[Span]:
        if concept not in question.concepts or question.comparison is None:
            return
        span = self.span_of(question.comparison, concept)
        if span is not None:
            yield from (span, *outside(span))

    @cached_property
    def unasked_results(self) -> tuple[str, ...]:
        """The quantities that no question of the trial rests on."""
        known = self.terminology.observation_concepts.values()
        plain = (one for one in known if one.value_kind == "quantity" and one.group == "laboratory")
        return tuple(one.concept for one in plain if one.concept not in self.rests_on)

    @cached_property
    def ranged(self) -> frozenset[str]:
        """The concepts that the trial compares with their reference range."""
        return frozenset(
            concept
            for question in self._compared
            for bound in (question.at_least, question.at_most, question.above, question.below)
            if bound is not None and bound.unit in ("ULN", "LLN")
            for concept in question.concepts
        )

    def coding(self, concept: str, *, tentative: bool = False) -> Coding | None:
        """Return a code of a clinical concept, one that only suggests it where `tentative`; None when there is none."""
        return self.codes.clinical(concept, tentative=tentative)

    def codings(self, concepts: Iterable[str]) -> list[tuple[str, Coding]]:
        """Return the concepts that have a code that decides, each with one."""
        found = ((concept, self.coding(concept)) for concept in concepts)
        return [(concept, coding) for concept, coding in found if coding is not None]


def _places(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _whole(limits: tuple[Decimal, Decimal]) -> bool:
    return all(limit == limit.to_integral_value() for limit in limits)
