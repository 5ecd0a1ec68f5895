"""The leaf `dose`: a daily dose that meets the bound, just misses it, or is not said."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from cohortfinder.criteria.dose import WEIGHT, DoseQuestion
from cohortfinder.criteria.treatment import in_days
from cohortfinder.dates import back
from cohortfinder.dummy.facts import Coding, Dose, Record, Result, Way
from cohortfinder.dummy.numbers import Span, nearest, outside
from cohortfinder.dummy.scene import KG, Scene
from cohortfinder.model import Quantity, Truth
from cohortfinder.trials.doses import in_mg

STEP = Decimal("0.5")


def dose_ways(question: DoseQuestion, truth: Truth, scene: Scene, *, just: bool) -> Iterator[Way]:
    """Yield records of the drug whose doses are what is asked, or are not, or cannot be told."""
    coding = scene.coding(question.dose)
    if coding is None:
        return
    weight = (Result(WEIGHT, scene.recent, (Span(KG, KG),), KG),) if by_weight(question) else ()
    if truth is None:
        begun = scene.recent - timedelta(days=200)
        unsaid = Record("medication", question.dose, coding, begun, form="statement", dosed=False)
        yield (unsaid,)
        return
    met = bounds(question)
    for span in (met,) if truth else outside(met):
        wanted = dose_wanted(span, met, just=just)
        ruled = Dose(question.dose, _since(question, scene), scene.as_of, (span,), wanted, weekly(question))
        yield from _taken(question, truth, coding, ruled, weight, scene, just=just)


def _taken(
    question: DoseQuestion, truth: bool, coding: Coding, ruled: Dose, weight: Way, scene: Scene, *, just: bool
) -> Iterator[Way]:
    """Yield silence or the rule for what is taken anyway, a pulse, and a dose that is taken every day."""
    zero = isinstance(ruled.values, tuple) and ruled.values[0].holds(Decimal(0))
    silent = zero and question.absence == "false"
    if silent and not just:
        yield (ruled, *weight)
    begun = scene.recent - timedelta(days=_length(question) + 5)
    statement = Record("medication", question.dose, coding, begun, form="statement")
    if question.within is not None and truth:
        yield _pulse(question, coding, ruled, scene) + weight
    yield (statement, ruled, *weight)
    if silent and just:
        yield (ruled, *weight)


def _pulse(question: DoseQuestion, coding: Coding, ruled: Dose, scene: Scene) -> Way:
    """Return what was given on as many days as are asked for, whatever is taken beside it."""
    spans = ruled.values if isinstance(ruled.values, tuple) else ()
    amount = nearest(spans, ruled.wanted, STEP)
    days = [scene.recent - timedelta(days=back_by) for back_by in range(_length(question))]
    return tuple(
        Record("medication", question.dose, coding, day, day, form="administration", amount=amount) for day in days
    )


def _length(question: DoseQuestion) -> int:
    return in_days(question.for_) if question.for_ else 1


def _since(question: DoseQuestion, scene: Scene) -> date:
    return back(scene.as_of, question.within) if question.within else scene.as_of


def bounds(question: DoseQuestion) -> Span:
    """Return what is asked in mg a day, of a patient of 70 kg."""
    comparison = question.comparison
    assert comparison is not None  # the question refuses to be built without one
    low, high = (None if bound is None else _mg(bound) for bound in (comparison.lower, comparison.upper))
    plain = Span()
    return Span(
        plain.low if low is None else low,
        plain.high if high is None else high,
        comparison.lower_included,
        comparison.upper_included,
    )


def _mg(bound: Quantity) -> Decimal:
    return in_mg(bound) * (KG if "/kg" in bound.unit else 1)


def by_weight(question: DoseQuestion) -> bool:
    """Say whether a bound is by body weight."""
    return any("/kg" in bound.unit for bound in _bounds(question))


def weekly(question: DoseQuestion) -> bool:
    """Say whether a bound is by the week."""
    return any(bound.unit.endswith("/wk") for bound in _bounds(question))


def _bounds(question: DoseQuestion) -> list[Quantity]:
    comparison = question.comparison
    return [] if comparison is None else [bound for bound in (comparison.lower, comparison.upper) if bound is not None]


def dose_wanted(span: Span, met: Span, *, just: bool) -> Decimal:
    """Return a dose of the interval: at its edge, or half or one and a half of the bound."""
    edge = next(end for end in (met.low, met.high) if end.is_finite())
    if just:
        return edge
    return edge / 2 if span.holds(edge / 2) else edge * Decimal("1.5")
