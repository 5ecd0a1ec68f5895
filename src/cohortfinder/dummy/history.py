"""What stood in a chart for years before it matters: results taken again and again, other drugs and other diseases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from cohortfinder.dates import months_back
from cohortfinder.dummy.chart import Chart
from cohortfinder.dummy.facts import Record, Result
from cohortfinder.dummy.numbers import Span
from cohortfinder.dummy.scene import Scene

# how many days lie between two results of a group of concepts
_EVERY = {"laboratory": 61, "vital": 47, "weight": 91, "score": 122, "autoantibody": 365, "infection": 365}
_USUALLY, _ORDERED = 182, 30
_OTHER_RESULTS, _OTHER_DRUGS, _OTHER_DISEASES = 12, 3, 6
# how far a repeated number strays
_STRAYS = 8


def with_history(chart: Chart, scene: Scene, years: int, seed: str) -> Chart:
    """Return the chart with what was recorded in the years before; what would contradict it is left out."""
    if not years:
        return chart
    random, first = Random(seed), months_back(scene.as_of, 12 * years)
    for fact in (*_repeated(chart, scene, first, random), *_beside(scene, first, random)):
        chart = chart.with_facts([fact]) or chart
    return chart


def varied(chart: Chart, scene: Scene, seed: str) -> Chart:
    """Return a copy of a chart whose earlier numbers differ, each within what its chart allows."""
    random = Random(seed)
    results = {
        key: result if result.day >= scene.recent or result.defect else _strayed(result, scene, random)
        for key, result in chart.results.items()
    }
    return replace(chart, results=results)


def _repeated(chart: Chart, scene: Scene, first: date, random: Random) -> Iterator[Result]:
    """Yield the earliest usable result of each concept again, at earlier days."""
    earliest: dict[tuple[str, str | None], Result] = {}
    for result in chart.results.values():
        if not result.defect and result.sent == "day":
            key = (result.concept, result.role)
            earliest[key] = min(earliest.get(key, result), result, key=lambda one: one.day)
    for result in earliest.values():
        for day in _days(result.day, first, _interval(result.concept, scene), random):
            yield _strayed(replace(result, day=day), scene, random)


def _beside(scene: Scene, first: date, random: Random) -> Iterator[Result | Record]:
    """Yield results, orders and diagnoses that the trial does not ask about."""
    for concept in scene.unasked_results[:_OTHER_RESULTS]:
        span = Span(*scene.plausible(concept))
        usual = Result(concept, scene.recent, (span,), scene.unremarkable(concept, span))
        for day in _days(scene.recent, first, _interval(concept, scene), random):
            yield _strayed(replace(usual, day=day), scene, random)
    for concept, coding in scene.codes.unrelated("medication", _OTHER_DRUGS):
        for day in _days(scene.recent, first, _ORDERED, random):
            yield Record("medication", concept, coding, day, day, form="request")
    for concept, coding in scene.codes.unrelated("condition", _OTHER_DISEASES):
        day = first + timedelta(days=random.randrange(max((scene.recent - first).days, 1)))
        yield Record("condition", concept, coding, day)


def _interval(concept: str, scene: Scene) -> int:
    return _EVERY.get(scene.terminology.group_of(concept), _USUALLY)


def _days(last: date, first: date, interval: int, random: Random) -> Iterator[date]:
    day = last
    while True:
        day -= timedelta(days=interval - random.randrange(interval // 4 + 1))
        if day < first:
            return
        yield day


def _strayed(result: Result, scene: Scene, random: Random) -> Result:
    if result.wanted is None or isinstance(result.values, frozenset):
        return result
    step = scene.step(result.concept, result.values[0])
    share = 1 + Decimal(random.randint(-_STRAYS, _STRAYS)) / 100
    return replace(result, wanted=(result.wanted * share / step).to_integral_value() * step)
