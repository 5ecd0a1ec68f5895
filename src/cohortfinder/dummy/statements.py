"""The leaves `allergy`, `family_history` and `study`: what is stated of a patient, a relative, or a part in a study."""

from collections.abc import Iterator

from cohortfinder.criteria.allergy import NO_KNOWN_ALLERGY, AllergyQuestion
from cohortfinder.criteria.family_history import FamilyHistoryQuestion
from cohortfinder.criteria.study import StudyQuestion
from cohortfinder.dates import months_back
from cohortfinder.dummy.facts import BEGINNING, Coding, NoRecord, Record, Way
from cohortfinder.dummy.scene import Scene
from cohortfinder.dummy.windows import window_of
from cohortfinder.model import Truth

# the concept of a part in a study is the kind of the study; of this one nothing says it
UNCLEAR = "unclear"


def allergy_ways(question: AllergyQuestion, truth: Truth, scene: Scene, *, just: bool) -> Iterator[Way]:
    """Yield an allergy, the word that none is known, or one that is not confirmed or not said to be severe."""
    day = months_back(scene.as_of, 26)
    nothing = tuple(NoRecord("allergy", concept, BEGINNING, scene.as_of) for concept in question.allergy)
    codings = scene.codings(question.allergy)
    if truth:
        for concept, coding in codings:
            yield (Record("allergy", concept, coding, day, form="severe"),)
    elif truth is None:
        if question.severe:
            yield from (
                (Record("allergy", concept, coding, day, standing="unspecific"),) for concept, coding in codings
            )
        yield from ((Record("allergy", concept, coding, day, standing="doubtful"),) for concept, coding in codings)
        if question.absence == "unknown":
            yield nothing
    else:
        none_known = scene.coding(NO_KNOWN_ALLERGY)
        if none_known is not None:
            yield (Record("allergy", NO_KNOWN_ALLERGY, none_known, scene.recent, standing="firm"), *nothing)
        if question.absence == "false":
            yield nothing


def family_ways(question: FamilyHistoryQuestion, truth: Truth, scene: Scene, *, just: bool) -> Iterator[Way]:
    """Yield a relative with the disease, none on record, or one of whom it is not known."""
    kind, day = question.kind, months_back(scene.as_of, 26)
    nothing = tuple(NoRecord(kind, concept, BEGINNING, scene.as_of) for concept in question.concepts)
    codings = scene.codings(question.concepts)
    if truth:
        yield from ((Record(kind, concept, coding, day),) for concept, coding in codings)
    elif truth is None:
        yield from ((Record(kind, concept, coding, day, standing="doubtful"),) for concept, coding in codings)
        if question.absence == "unknown":
            yield nothing
    elif question.absence == "false":
        yield nothing


def study_ways(question: StudyQuestion, truth: Truth, scene: Scene, *, just: bool) -> Iterator[Way]:
    """Yield a part in a study that lies in the window, is over before it, or is only planned."""
    window = window_of(question.within, scene.as_of, scene.recent)
    begun = months_back(window.since if window.bounded else scene.as_of, 14)
    nothing = (NoRecord("study", question.study, window.since, window.as_of),)
    part = Coding("", question.study)
    if truth:
        ended = window.since if just and window.bounded else None
        yield (Record("study", question.study, part, begun, ended),)
    elif truth is None:
        yield (Record("study", question.study, part, begun, standing="doubtful"),)
        yield (Record("study", UNCLEAR, Coding("", UNCLEAR), begun),)
        if question.absence == "unknown":
            yield (NoRecord("study", question.study, BEGINNING, window.as_of),)
    else:
        ended = window.before if window.bounded else scene.recent
        if not question.ever:
            yield (Record("study", question.study, part, months_back(ended, 14), ended), *nothing)
        if question.absence == "false":
            yield nothing
