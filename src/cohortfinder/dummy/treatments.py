"""The leaf `treatment`: drugs that were taken long enough, a day too short, or for a time that is not known."""

from collections.abc import Iterator
from datetime import date, timedelta

from cohortfinder.criteria.treatment import Reached, TreatmentQuestion
from cohortfinder.dates import months_back
from cohortfinder.dummy.doses import bounds, dose_wanted, weekly
from cohortfinder.dummy.facts import BEGINNING, Dose, NoRecord, Record, Result, Results, Way
from cohortfinder.dummy.numbers import NONE, Span, outside
from cohortfinder.dummy.scene import Scene
from cohortfinder.model import Truth

KIND = "medication"
_DAY = timedelta(days=1)
_LONGER = timedelta(days=200)


def treatment_ways(question: TreatmentQuestion, truth: Truth, scene: Scene, *, just: bool) -> Iterator[Way]:
    """Yield treatments that last as long as is asked, shorter ones or none, or some whose length is open."""
    if question.reaching is not None:
        yield from _reaching_ways(question, question.reaching, truth, scene, just=just)
    elif truth:
        yield from _long(question, scene, just=just)
    elif truth is None:
        yield from _open(question, scene)
    else:
        silent = [_silent(question, scene)] if question.absence == "false" else []
        yield from (*_short(question, scene), *silent) if just else (*silent, *_short(question, scene))


def _long(question: TreatmentQuestion, scene: Scene, *, just: bool) -> Iterator[Way]:
    if just:
        last = scene.as_of - _DAY
        first, end = last - timedelta(days=question.days), last
    else:
        first, end = scene.as_of - timedelta(days=question.days) - _LONGER, None
    yield from _taken(question, scene, first, end)
    if question.until is None:
        over = scene.as_of - _LONGER
        yield from _taken(question, scene, over - timedelta(days=question.days), over)


def _taken(question: TreatmentQuestion, scene: Scene, first: date, end: date | None) -> Iterator[Way]:
    """Yield the drug between two days, beside each of those that it must be taken with."""
    others = [Record(KIND, *one, first, end, form="statement") for one in scene.codings(question.with_)]
    for concept, coding in scene.codings(question.treatment):
        own = Record(KIND, concept, coding, first, end, form="statement")
        yield from ((own, other) for other in others)
        if not others:
            yield (own,)


def _silent(question: TreatmentQuestion, scene: Scene) -> Way:
    return tuple(NoRecord(KIND, concept, BEGINNING, scene.as_of) for concept in question.treatment)


def _short(question: TreatmentQuestion, scene: Scene) -> Iterator[Way]:
    """Yield a treatment that is a day too short, and no other one."""
    last = scene.as_of - _DAY
    first = last - timedelta(days=question.days - 1)
    for way in _taken(question, scene, first, last):
        yield (*way, *_nothing_else(question, first, last, scene))


def _nothing_else(question: TreatmentQuestion, first: date, last: date, scene: Scene) -> Iterator[NoRecord]:
    watched = question.with_ or question.treatment
    for concept in watched:
        yield NoRecord(KIND, concept, BEGINNING, first - _DAY)
        yield NoRecord(KIND, concept, last + _DAY, scene.as_of)


def _open(question: TreatmentQuestion, scene: Scene) -> Iterator[Way]:
    first = scene.as_of - timedelta(days=question.days) - _LONGER
    for standing, form in (("doubtful", "statement"), ("firm", "dispense")):
        for way in _taken(question, scene, first, None):
            own, *beside = way
            assert isinstance(own, Record)  # the drug itself comes first
            end = None if form == "statement" else first
            changed = Record(KIND, own.concept, own.coding, first, end, standing, form=form)  # type: ignore[arg-type]
            yield (changed, *beside)
    if question.absence == "unknown":
        yield _silent(question, scene)


def _reaching_ways(
    question: TreatmentQuestion, reached: Reached, truth: Truth, scene: Scene, *, just: bool
) -> Iterator[Way]:
    """Yield a long treatment with the result that is asked, with others only, or without any."""
    first = scene.as_of - timedelta(days=question.days) - 2 * _LONGER
    full = first + timedelta(days=question.days)
    day = months_back(scene.as_of, 4)
    for way in _taken(question, scene, first, None):
        if truth is None:
            yield (*way, *(Results(concept, full, scene.as_of, NONE) for concept in reached.observation))
        elif truth:
            yield (*way, *_results(question, reached, day, scene, met=True, just=just), *_dose_then(reached, day))
        else:
            since = [day - timedelta(days=10 * number) for number in range(question.results)]
            seen = [_results(question, reached, one, scene, met=False, just=just) for one in since]
            yield (*way, *(fact for one in seen for fact in one), *_never(reached, full, scene))


def _results(
    question: TreatmentQuestion, reached: Reached, day: date, scene: Scene, *, met: bool, just: bool
) -> Iterator[Result]:
    concept = reached.observation[0]
    span = _span(reached, concept, scene)
    part = span if met else outside(span)[-1]
    edge = span.high if span.high.is_finite() else span.low
    yield Result(concept, day, (part,), edge if just else scene.unremarkable(concept, part))


def _never(reached: Reached, since: date, scene: Scene) -> Iterator[Results]:
    for concept in reached.observation:
        yield Results(concept, since, scene.as_of, outside(_span(reached, concept, scene)))


def _span(reached: Reached, concept: str, scene: Scene) -> Span:
    span = scene.span_of(reached.comparison, concept)
    assert span is not None  # the trial file was checked: the unit can be converted
    return span


def _dose_then(reached: Reached, day: date) -> Iterator[Dose]:
    if reached.while_ is not None:
        met = bounds(reached.while_)
        yield Dose(reached.while_.dose, day, day, (met,), dose_wanted(met, met, just=False), weekly(reached.while_))
