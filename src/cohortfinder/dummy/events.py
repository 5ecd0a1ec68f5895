"""The leaves `procedure` and `immunization`: what was done on a day."""

from collections.abc import Iterator

from cohortfinder.criteria.immunization import ImmunizationQuestion
from cohortfinder.criteria.procedure import ProcedureQuestion
from cohortfinder.dummy.facts import BEGINNING, NoRecord, Record, Way
from cohortfinder.dummy.scene import Scene
from cohortfinder.dummy.windows import Window, window_of
from cohortfinder.model import Truth

Question = ProcedureQuestion | ImmunizationQuestion


def event_ways(question: Question, truth: Truth, scene: Scene, *, just: bool) -> Iterator[Way]:
    """Yield an event in the window, one before it or none, or one that is not certain."""
    window = window_of(question.within, scene.as_of, scene.recent)
    if truth:
        day = window.inside(just=just)
        for concept, coding in scene.codings(question.concepts):
            yield (Record(question.kind, concept, coding, day, day),)
    elif truth is None:
        yield from _open(question, window, scene)
    else:
        silent = [_silent(question, window)] if question.absence == "false" else []
        outside = list(_outside(question, window, scene))
        yield from (*outside, *silent) if just else (*silent, *outside)


def _silent(question: Question, window: Window) -> Way:
    return tuple(NoRecord(question.kind, concept, window.since, window.as_of) for concept in question.concepts)


def _outside(question: Question, window: Window, scene: Scene) -> Iterator[Way]:
    nothing = _silent(question, window)
    for concept, coding in scene.codings(question.concepts):
        if window.bounded:
            yield (Record(question.kind, concept, coding, window.before, window.before), *nothing)
        day = window.middle
        yield (Record(question.kind, concept, coding, day, day, standing="against"), *nothing)


def _open(question: Question, window: Window, scene: Scene) -> Iterator[Way]:
    day, kind = window.middle, question.kind
    unsure = tuple(NoRecord(kind, concept, window.since, scene.as_of, firm=True) for concept in question.concepts)
    for concept, coding in scene.codings(question.concepts):
        if window.bounded:
            yield (Record(kind, concept, coding, None, sent="nothing"),)
            yield (Record(kind, concept, coding, window.since, window.since, sent="year"),)
        if kind == "procedure":
            yield (Record(kind, concept, coding, day, day, standing="doubtful"), *unsure)
    for concept in question.concepts:
        tentative = scene.coding(concept, tentative=True)
        if tentative is not None:
            yield (Record(kind, concept, tentative, day, day, standing="unspecific"), *unsure)
    if question.absence == "unknown":
        yield tuple(NoRecord(kind, concept, BEGINNING, scene.as_of) for concept in question.concepts)
