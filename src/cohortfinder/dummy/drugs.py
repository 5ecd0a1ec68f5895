"""The leaf `medication`: exposure in a window, before it, or not for certain."""

from collections.abc import Iterator

from cohortfinder.criteria.medication import MedicationQuestion
from cohortfinder.dates import months_back
from cohortfinder.dummy.facts import BEGINNING, NoRecord, Record, Way
from cohortfinder.dummy.scene import Scene
from cohortfinder.dummy.windows import Window, window_of
from cohortfinder.model import Truth

KIND = "medication"


def medication_ways(question: MedicationQuestion, truth: Truth, scene: Scene, *, just: bool) -> Iterator[Way]:
    """Yield an exposure in the window, one before it or none, or one that may lie in it."""
    window = window_of(question.within, scene.as_of, scene.recent)
    if truth:
        yield from _exposed(question, window, scene, just=just)
    elif truth is None:
        yield from _open(question, window, scene)
    else:
        silent = [_silent(question, window)] if question.absence == "false" else []
        outside = list(_outside(question, window, scene))
        yield from (*outside, *silent) if just else (*silent, *outside)


def _exposed(question: MedicationQuestion, window: Window, scene: Scene, *, just: bool) -> Iterator[Way]:
    for concept, coding in scene.codings(question.medication):
        if question.active:
            yield (Record(KIND, concept, coding, months_back(scene.as_of, 7), form="statement"),)
        elif question.within:
            day = window.inside(just=just)
            yield (Record(KIND, concept, coding, day, day, form="administration"),)
        else:
            began = months_back(scene.as_of, 30)
            yield (Record(KIND, concept, coding, began, months_back(scene.as_of, 27), form="statement"),)


def _silent(question: MedicationQuestion, window: Window) -> Way:
    since = window.as_of if question.active else window.since
    return tuple(NoRecord(KIND, concept, since, window.as_of) for concept in question.medication)


def _outside(question: MedicationQuestion, window: Window, scene: Scene) -> Iterator[Way]:
    nothing = _silent(question, window)
    for concept, coding in scene.codings(question.medication):
        if question.active:
            yield (Record(KIND, concept, coding, months_back(scene.as_of, 7), scene.recent, form="statement"), *nothing)
        elif question.within:
            day = window.before
            yield (Record(KIND, concept, coding, day, day, form="administration"), *nothing)
        day = window.middle
        yield (Record(KIND, concept, coding, day, None, standing="against", form="statement"), *nothing)


def _open(question: MedicationQuestion, window: Window, scene: Scene) -> Iterator[Way]:
    day = window.middle
    since = window.as_of if question.active else window.since
    unsure = tuple(NoRecord(KIND, concept, since, scene.as_of, firm=True) for concept in question.medication)
    for concept, coding in scene.codings(question.medication):
        if not question.ever:
            yield (Record(KIND, concept, coding, day, standing="unspecific", form="request"), *unsure)
        yield (Record(KIND, concept, coding, day, standing="doubtful", form="statement"), *unsure)
        if question.within:
            yield (Record(KIND, concept, coding, window.since, window.since, sent="year", form="administration"),)
    for concept in question.medication:
        tentative = scene.coding(concept, tentative=True)
        if tentative is not None:
            record = Record(KIND, concept, tentative, day, day, standing="unspecific", form="administration")
            yield (record, *unsure)
    if question.absence == "unknown":
        yield tuple(NoRecord(KIND, concept, BEGINNING, scene.as_of) for concept in question.medication)
