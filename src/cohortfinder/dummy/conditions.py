"""The leaf `condition`: diagnoses that began, lasted or ended when it is asked, or about which something is open."""

from collections.abc import Iterator
from datetime import date

from cohortfinder.criteria.condition import ConditionQuestion
from cohortfinder.dates import back, months_back
from cohortfinder.dummy.facts import BEGINNING, NoRecord, Record, Way
from cohortfinder.dummy.scene import Scene
from cohortfinder.dummy.windows import DAY, Window, window_of
from cohortfinder.model import Truth

KIND = "condition"


def condition_ways(question: ConditionQuestion, truth: Truth, scene: Scene, *, just: bool) -> Iterator[Way]:
    """Yield a firm record, none or one outside the window, or one that is not certain."""
    window = window_of(question.within, scene.as_of, scene.recent)
    begins, ends = _inside(question, window, just=just)
    if truth:
        for concept, coding in scene.codings(question.condition):
            yield (Record(KIND, concept, coding, begins, ends),)
    elif truth is None:
        yield from _open(question, window, begins, scene)
    elif just or question.absence == "unknown":
        yield from _outside(question, window, scene)
        if question.absence == "false":
            yield silent(question, window)
    else:
        yield silent(question, window)
        yield from _outside(question, window, scene)


def _inside(question: ConditionQuestion, window: Window, *, just: bool) -> tuple[date, date | None]:
    if question.before is not None:
        limit = back(window.as_of, question.before)
        return (limit if just else months_back(limit, 12)), None
    if question.active:
        ended = window.since if just and window.bounded else None
        return months_back(window.since if window.bounded else window.as_of, 14), ended
    return window.inside(just=just), None


def silent(question: ConditionQuestion, window: Window) -> Way:
    """Return that no record lies where it would count."""
    if question.before is not None:
        last = back(window.as_of, question.before)
        return tuple(NoRecord(KIND, concept, BEGINNING, last, begins=True) for concept in question.condition)
    if question.active and not window.bounded:
        return tuple(NoRecord(KIND, concept, window.as_of, window.as_of) for concept in question.condition)
    begins = bool(question.within and not question.active)
    return tuple(NoRecord(KIND, concept, window.since, window.as_of, begins=begins) for concept in question.condition)


def _outside(question: ConditionQuestion, window: Window, scene: Scene) -> Iterator[Way]:
    nothing = silent(question, window)
    for concept, coding in scene.codings(question.condition):
        if question.before is not None:
            yield (Record(KIND, concept, coding, back(window.as_of, question.before) + DAY), *nothing)
        elif question.active:
            ended = window.before if window.bounded else scene.recent
            yield (Record(KIND, concept, coding, months_back(ended, 14), ended), *nothing)
        elif question.within:
            yield (Record(KIND, concept, coding, window.before, window.before), *nothing)
        yield (Record(KIND, concept, coding, window.middle, standing="against"), *nothing)


def _open(question: ConditionQuestion, window: Window, begins: date, scene: Scene) -> Iterator[Way]:
    unsure = tuple(NoRecord(KIND, concept, BEGINNING, scene.as_of, firm=True) for concept in question.condition)
    for concept, coding in scene.codings(question.condition):
        yield (Record(KIND, concept, coding, begins, standing="doubtful"), *unsure)
        limit = back(window.as_of, question.before) if question.before else window.since
        if limit > BEGINNING and not question.active:
            yield (Record(KIND, concept, coding, limit, sent="year"),)
    for concept in question.condition:
        tentative = scene.coding(concept, tentative=True)
        if tentative is not None:
            yield (Record(KIND, concept, tentative, begins, standing="unspecific"), *unsure)
    if question.absence == "unknown":
        yield tuple(NoRecord(KIND, concept, BEGINNING, scene.as_of) for concept in question.condition)
