"""The leaves `series` and `change`: results over time."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from cohortfinder.criteria.change import ChangeQuestion
from cohortfinder.criteria.series import Reading, SeriesQuestion
from cohortfinder.dates import back
from cohortfinder.dummy.facts import Result, Results, Way
from cohortfinder.dummy.numbers import NONE, Span, outside
from cohortfinder.dummy.scene import Scene
from cohortfinder.model import Comparison, Quantity, Truth

_MONTH = timedelta(days=30)


def series_ways(question: SeriesQuestion, truth: Truth, scene: Scene, *, just: bool) -> Iterator[Way]:
    """Yield readings of which the latest day, several days, one day or none is beyond its limit."""
    since = back(scene.as_of, question.within)
    if truth is None:
        yield from _open_series(question, since, scene)
    elif truth:
        for reading in question.series:
            yield (_read(reading, scene.recent, scene, beyond=True, just=just),)
    else:
        quiet = (_read(reading, scene.recent, scene, beyond=False, just=just) for reading in question.series)
        yield (*quiet, *_all_quiet(question, since, scene.as_of, scene))


def _open_series(question: SeriesQuestion, since: date, scene: Scene) -> Iterator[Way]:
    first = question.series[0]
    if question.days > 1 and scene.recent - _MONTH > since:
        once = _read(first, scene.recent - _MONTH, scene, beyond=True, just=False)
        quiet = _all_quiet(question, since, once.day - timedelta(days=1), scene)
        yield (_read(first, scene.recent, scene, beyond=False, just=False), once, *quiet)
    old = _read(first, back(scene.as_of, question.recent) - timedelta(days=1), scene, beyond=False, just=False)
    nothing = tuple(Results(concept, old.day + timedelta(days=1), scene.as_of, NONE) for concept in question.concepts)
    yield (old, *nothing)
    yield tuple(Results(concept, since, scene.as_of, NONE) for concept in question.concepts)


def _all_quiet(question: SeriesQuestion, since: date, until: date, scene: Scene) -> Iterator[Results]:
    for reading in question.series:
        for concept in reading.observation:
            yield Results(concept, since, until, outside(_beyond(reading, concept, scene)))


def _read(reading: Reading, day: date, scene: Scene, *, beyond: bool, just: bool) -> Result:
    concept = reading.observation[0]
    span = _beyond(reading, concept, scene)
    part = span if beyond else outside(span)[0]
    edge = span.low if span.low.is_finite() else span.high
    return Result(concept, day, (part,), edge if just else scene.unremarkable(concept, part))


def _beyond(reading: Reading, concept: str, scene: Scene) -> Span:
    comparison = Comparison(reading.above, False, reading.below, False)
    span = scene.span_of(comparison, concept)
    assert span is not None  # the trial file was checked: the unit can be converted
    return span


def change_ways(question: ChangeQuestion, truth: Truth, scene: Scene, *, just: bool) -> Iterator[Way]:
    """Yield an earlier and the latest result that differ so much or not, or too few results."""
    for concept in question.change:
        for base in scene.landmarks(concept):
            if truth is None:
                yield _without_baseline(question, concept, base, scene)
            else:
                yield from _pair(question, concept, base, scene, truth=truth, just=just)
    if truth is None:
        since = back(scene.as_of, question.over)
        yield tuple(Results(concept, since, scene.as_of, NONE) for concept in question.change)


def _without_baseline(question: ChangeQuestion, concept: str, base: Decimal, scene: Scene) -> Way:
    since = back(scene.as_of, question.over)
    before = scene.recent - timedelta(days=1)
    nothing = tuple(
        Results(other, since, before if other == concept else scene.as_of, NONE) for other in question.change
    )
    return (Result(concept, scene.recent, (Span(base, base),), base), *nothing)


def _pair(
    question: ChangeQuestion, concept: str, base: Decimal, scene: Scene, *, truth: bool, just: bool
) -> Iterator[Way]:
    step = scene.step(concept, Span(base, base))
    limits = _limits(question, concept, base, scene)
    if not limits:
        return
    latest = _latest(limits, base, step, rises=question.rises_by is not None, truth=truth, just=just)
    lowest, highest = scene.plausible(concept)
    if not lowest <= latest <= highest:
        return
    first = back(scene.as_of, question.over) + timedelta(days=3)
    yield (
        Result(concept, first, (Span(base, base),), base),
        Result(concept, scene.recent, (Span(latest, latest),), latest),
        Results(concept, back(scene.as_of, question.over), first - timedelta(days=1), NONE),
    )


def _limits(question: ChangeQuestion, concept: str, base: Decimal, scene: Scene) -> list[Decimal]:
    """Return the value that the latest result must reach, by each reading of the amount."""
    amount, sign = question.amount, Decimal(1 if question.rises_by else -1)
    own = scene.terminology.observation_concepts[concept].unit
    relative = base * (1 + sign * amount.value / 100)
    if amount.unit != "%":
        points = _in_unit(amount, concept, own, scene)
        return [] if points is None else [base + sign * points]
    if own != "%":
        return [relative]
    absolute = base + sign * amount.value
    return {"relative": [relative], "absolute": [absolute], "both": [relative, absolute]}[question.reading]


def _in_unit(amount: Quantity, concept: str, own: str, scene: Scene) -> Decimal | None:
    """Convert a difference: a shift between two scales does not count."""
    there = scene.terminology.convert(concept, amount.value, amount.unit or own, own)
    zero = scene.terminology.convert(concept, Decimal(0), amount.unit or own, own)
    return None if there is None or zero is None else there - zero


def _latest(limits: list[Decimal], base: Decimal, step: Decimal, *, rises: bool, truth: bool, just: bool) -> Decimal:
    if not truth and not just:
        return base
    far = max(limits) if rises == truth else min(limits)
    reached = (far / step).to_integral_value(ROUND_CEILING if rises else ROUND_FLOOR) * step
    if not truth:
        return reached - step if rises else reached + step
    return reached if just else reached + (reached - base) / 2
