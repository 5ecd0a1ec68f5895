"""The leaves over records: diagnoses, procedures, drugs, vaccines, allergies, studies, families."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from cohortfinder.model import Leaf
from reference.dates import EVER, Span, before
from reference.events import Event, conditions, judged, procedures
from reference.exposures import UNNAMED, Exposure, exposures
from reference.records import allergies, immunizations, relatives, studies
from reference.site import MEDICATION_TYPES, Answer, Site, absent, window_of

Dated = TypeVar("Dated", Event, Exposure)


def clipped(event: Dated, as_of: date) -> Dated:
    """Return the event begun by the index date: what may begin later does not exist yet."""
    return replace(event, start=Span(event.start.lo, min(event.start.hi, as_of)))


def records_of(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> set[str]:
    """Return the records of a clinical leaf that exist on the index date, whatever they say."""
    return {event.reference for event in _events(site, leaf, patient_id) if event.start.lo <= as_of}


def _events(site: Site, leaf: Leaf, patient_id: str) -> list[Event | Exposure]:
    question, kind = leaf.question, leaf.kind
    if kind == "study":
        return [*studies(site, patient_id, question)]
    if kind == "treatment":
        drugs = (*question.treatment, *question.with_)
        return [exposure for concept in drugs for exposure in exposures(site, patient_id, concept)]
    read: dict[str, Callable[[Site, str, str], Sequence[Event | Exposure]]]
    read = {
        "condition": conditions, "procedure": procedures, "medication": exposures, "immunization": immunizations,
        "family_history": relatives, "allergy": lambda *asked: allergies(*asked, bool(question.severe)),
    }  # fmt: skip
    return [event for concept in question.concepts for event in read[kind](site, patient_id, concept)]


def _overlaps(first: Span, last: Span, window: Span) -> bool | None:
    """Say whether what begins in `first` and ends in `last` touches the window; None where it depends."""
    if first.lo > window.hi or last.hi < window.lo:
        return False
    return True if first.hi <= window.hi and last.lo >= window.lo else None


def _sort(events: list[Event], inside: Any) -> tuple[list[tuple[Event, str]], list[Event], list[Event], list[Event]]:
    possible: list[tuple[bool, str, Event]] = []
    sure: list[Event] = []
    outside: list[Event] = []
    for event in events:
        if event.standing == "against":
            continue
        where = inside(event)
        if where is False:
            outside.append(event)
        elif where and event.standing == "firm":
            sure.append(event)
        else:
            possible.append((where is None, event.problem or "partial_date", event))
    possible.sort(key=lambda found: found[:2])
    return (
        [(event, why) for _, why, event in possible],
        sure,
        outside,
        [event for event in events if event.standing == "against"],
    )


def condition(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Was there, or is there, such a condition in the window?"""
    question = leaf.question
    found = [event for concept in question.condition for event in conditions(site, patient_id, concept)]
    events = [clipped(event, as_of) for event in found if event.start.lo <= as_of]

    def inside(event: Event) -> bool | None:
        if question.active:
            if event.closed and not question.within:
                return False
            start = before(as_of, question.within) if question.within else as_of
            return _overlaps(event.start, event.end, Span(start, as_of))
        if question.before:
            return _overlaps(event.start, event.start, Span(EVER, before(as_of, question.before)))
        window = Span(window_of(question, as_of), as_of)
        if question.ever:
            return True
        return _overlaps(event.start, event.start, window)

    span = question.within or question.before
    start = before(as_of, span) if span else as_of if question.active else EVER
    return judged(*_sort(events, inside)) or absent(site, patient_id, question, ("Condition",), start, as_of)


def procedure(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Was it done in the window?"""
    return _in_window(site, leaf, patient_id, as_of, "Procedure")


def immunization(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Was it given in the window?"""
    return _in_window(site, leaf, patient_id, as_of, "Immunization")


def study(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Did the patient take part in the window?"""
    return _in_window(site, leaf, patient_id, as_of, "ResearchSubject")


def allergy(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Is there such an allergy?"""
    return _in_window(site, leaf, patient_id, as_of, "AllergyIntolerance")


def family_history(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Is there such a relative?"""
    return _in_window(site, leaf, patient_id, as_of, "FamilyMemberHistory")


def _in_window(site: Site, leaf: Leaf, patient_id: str, as_of: date, kind: str) -> Answer:
    question = leaf.question
    found = [event for event in _events(site, leaf, patient_id) if isinstance(event, Event)]
    events = [clipped(event, as_of) for event in found if event.start.lo <= as_of]
    windowed = getattr(question, "within", None) or getattr(question, "active", None)
    start = EVER if not windowed else as_of if getattr(question, "active", None) else window_of(question, as_of)

    def inside(event: Event) -> bool | None:
        return True if not windowed else _overlaps(event.start, event.end, Span(start, as_of))

    return judged(*_sort(events, inside)) or absent(site, patient_id, question, (kind,), start, as_of)


def medication(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Was the patient exposed in the window?"""
    question = leaf.question
    found = [event for concept in question.medication for event in exposures(site, patient_id, concept)]
    window = Span(as_of if question.active else window_of(question, as_of), as_of)
    existing = [clipped(exposure, as_of) for exposure in found if exposure.start.lo <= as_of]
    # of a record that names no drug only the window asked for is of interest
    existing = [e for e in existing if e.why != UNNAMED or question.ever or _touches(e, window)]
    against = [e for e in existing if e.standing == "against"]
    taken = [e for e in existing if e.standing != "against"]
    sure = [e for e in taken if _certain(e, window, bool(question.ever))]
    if sure:
        return Answer(True, None, frozenset(), frozenset(e.reference for e in sure))
    possible = [e for e in taken if question.ever or _touches(e, window)]
    if possible:
        tentative = any(e.standing == "tentative" and e.why != UNNAMED for e in possible)
        why = min((not _inside(e, window, bool(question.ever)), e.why) for e in possible)[1]
        evidence, others = frozenset(e.reference for e in possible), frozenset(e.why for e in possible)
        return Answer(None, why, frozenset(), evidence, tentative, open_reasons=others)
    # what was not taken of one drug says nothing of another
    against = [e for e in against if len(question.medication) == 1 and (question.ever or _touches(e, window))]
    if taken or against:
        return Answer(False, None, frozenset(), frozenset(e.reference for e in existing))
    return absent(site, patient_id, question, MEDICATION_TYPES, window.lo, as_of)


def _inside(exposure: Exposure, window: Span, ever: bool) -> bool:
    return ever or _overlaps(exposure.start, exposure.certain_end, window) is True


def _certain(exposure: Exposure, window: Span, ever: bool) -> bool:
    if exposure.standing != "firm" or (exposure.order and not ever):
        return False
    return _inside(exposure, window, ever)


def _touches(exposure: Exposure, window: Span) -> bool:
    return _overlaps(exposure.start, exposure.possible_end, window) is not False
