"""The leaf `treatment`: the days on which a drug acted, counted one by one."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from cohortfinder.model import Duration, Leaf
from reference.dates import EVER, Span, days_after
from reference.dose import dose
from reference.exposures import UNNAMED, Exposure, exposures
from reference.numbers import truth_of
from reference.results import results_of
from reference.site import MEDICATION_TYPES, Answer, Site, absent

# days are counted no further back than this: no rule that is tested asks for more
_BACK = 2000
Days = frozenset[int]
Eras = list[tuple[int, int]]


@dataclass(frozen=True)
class Taken:
    """What is known of one drug on the index date: its certain and its possible days, and why the others are open."""

    sure: Days
    possible: Days
    recorded: bool
    evidence: frozenset[str]
    why_open: frozenset[str]


def treatment(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Was the patient treated for so long, and was the value reached under the treatment?"""
    question = leaf.question
    drugs = [_taken(site, patient_id, concept, question, as_of) for concept in question.treatment]
    others = [_taken(site, patient_id, concept, question, as_of) for concept in question.with_]
    every = drugs + others
    evidence = frozenset[str]().union(*(taken.evidence for taken in every))
    why = frozenset[str]().union(*(taken.why_open for taken in every))
    sure, possible = (_eras(days, 1) for days in (_asked(drugs, others, "sure"), _asked(drugs, others, "possible")))
    if _enough(question, sure, as_of):
        answer = Answer(True, None, frozenset(), evidence)
    elif _enough(question, possible, as_of):
        answer = Answer(None, min(why), frozenset(), evidence, open_reasons=why)
    elif _too_short(question, drugs, others, as_of):
        return Answer(False, None, frozenset(), evidence)
    else:
        return absent(site, patient_id, question, MEDICATION_TYPES, EVER, as_of)
    if question.reaching is None:
        return answer
    return _reached(site, question, patient_id, as_of, replace(answer, open_reasons=why), (sure, possible))


def _too_short(question: Any, drugs: list[Taken], others: list[Taken], as_of: date) -> bool:
    """Say whether what is on record rules the treatment out: the days of both, or already those of one of them."""
    sides = [side for side in (drugs, others) if side]
    recorded = [side for side in sides if any(taken.recorded for taken in side)]
    alone = [_enough(question, _eras(_union(side, "possible"), 1), as_of) for side in recorded]
    return len(recorded) == len(sides) or not all(alone)


def _union(side: list[Taken], which: str) -> Days:
    return frozenset[int]().union(*(getattr(taken, which) for taken in side))


def _asked(drugs: list[Taken], others: list[Taken], which: str) -> Days:
    return _union(drugs, which) & _union(others, which) if others else _union(drugs, which)


def _enough(question: Any, eras: Eras, as_of: date) -> bool:
    lengths = [last - first for first, last in eras]
    if question.until is None:
        return sum(lengths) >= _count(question.for_)
    since = as_of.toordinal() - _count(question.until)
    return any(last - first >= _count(question.for_) and last >= since for first, last in eras)


def _count(span: Duration) -> int:
    return span.count * (7 if span.unit == "weeks" else 1)


def _eras(days: Iterable[int], gap: int) -> Eras:
    found: Eras = []
    for day in sorted(days):
        if found and day - found[-1][1] <= gap:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _filled(days: Iterable[int], gap: int) -> Days:
    return frozenset(day for first, last in _eras(days, gap) for day in range(first, last + 1))


def _taken(site: Site, patient_id: str, concept: str, question: Any, as_of: date) -> Taken:
    found = [e for e in exposures(site, patient_id, concept) if e.start.lo <= as_of]
    against = [e for e in found if e.standing == "against"]
    drug = [e for e in found if e.standing != "against"]
    not_taken = frozenset(day for e in against for day in _days(e.start.lo, e.possible_end.hi, as_of))
    certain = {e: _certain(e, _acts(site, concept, e)[0]) for e in drug}
    sure = frozenset(day for span in certain.values() if span for day in _days(span.lo, span.hi, as_of)) - not_taken
    possible = {
        e: _days(e.start.lo, max(e.start.lo, days_after(e.possible_end.hi, _acts(site, concept, e)[1])), as_of)
        for e in drug
    }
    reasons = frozenset[str]().union(*(_why_open(e, certain[e], possible[e], not_taken, as_of) for e in drug))
    gap = _count(question.gaps)
    return Taken(
        _filled(sure, gap),
        _filled((day for days in possible.values() for day in days), gap),
        any(e.why != UNNAMED for e in drug),
        frozenset(e.reference for e in drug),
        reasons,
    )


def _acts(site: Site, concept: str, exposure: Exposure) -> tuple[int, int]:
    """Return how many days the drug acts after it was given, for certain and perhaps: it may depend on the way."""
    days, route = site.mappings.effects.get(concept, (0, ""))
    given = site.by_reference[exposure.reference].get("dosage", {}) if "Administration/" in exposure.reference else {}
    way = given.get("route", {})
    codes = [coding.get("code", "").lower() for coding in way.get("coding", [])] + [way.get("text", "").lower().strip()]
    rows = site.mappings.route_rows
    known = {r["route"] for r in rows if r["match"] == "code" and r["code"] in codes}
    known |= {r["route"] for r in rows if r["match"] == "word" and r["code"] in codes[-1]}
    sure, possible = not route or known == {route}, not route or not known or route in known
    return days if sure else 0, days if possible else 0


def _days(first: date, last: date, as_of: date) -> range:
    end = min(last, as_of).toordinal()
    return range(max(first.toordinal(), as_of.toordinal() - _BACK), end + 1)


def _certain(exposure: Exposure, effect: int) -> Span | None:
    """Return the days on which the drug acted for certain: from when it had begun until it may have ended."""
    if exposure.standing != "firm" or _one_day_only(exposure):
        return None
    last = max(exposure.certain_end.lo, days_after(exposure.start.lo, effect))
    return Span(exposure.start.hi, last) if exposure.start.hi <= last else None


def _one_day_only(exposure: Exposure) -> bool:
    kind = exposure.reference.split("/")[0]
    one = exposure.start == Span(exposure.certain_end.lo, exposure.possible_end.hi)
    return kind == "MedicationDispense" or (kind == "MedicationStatement" and one)


def _why_open(exposure: Exposure, certain: Span | None, possible: range, not_taken: Days, as_of: date) -> set[str]:
    """Return what may be told of the days of a record that are only possible; none when all are certain."""
    sure = frozenset(_days(certain.lo, certain.hi, as_of)) if certain else frozenset[int]()
    if not frozenset(possible) - (sure - not_taken):
        return set()
    if exposure.standing == "tentative" or exposure.start.lo == EVER:
        return {exposure.why}
    if _one_day_only(exposure):
        return {"duration_unclear"}
    told = {"not_taken_recorded"} if not_taken else set[str]()
    ends = exposure.certain_end.lo, exposure.possible_end.hi
    if not exposure.start.exact:
        told |= {"partial_date"}
    elif ends[0] < ends[1]:
        told |= {"partial_date", "open_ended_record"}
    elif not certain or possible[-1] > certain.hi.toordinal():
        told |= {"duration_unclear"}
    return told


def _reached(
    site: Site, question: Any, patient_id: str, as_of: date, treated: Answer, eras: tuple[Eras, Eras]
) -> Answer:
    """Look at the results in the treated period: from the day on which the treatment has lasted long enough."""
    sure, possible = (_period(found, _count(question.for_)) for found in eras)
    hit, open_, missed = set[str](), dict[str, set[str]](), dict[date, str]()
    for result in (r for c in question.reaching.observation for r in results_of(site, patient_id, c, as_of)):
        days = frozenset(_days(result.days.lo, result.days.hi, as_of))
        problem = result.problem or (None if result.value is not None else "not_numeric")
        truth = None if problem else truth_of(site, question.reaching, result, patient_id).truth
        if truth and question.dose_then:
            asked = Leaf("then", "dose", question.dose_then, False, 1)
            truth = dose(site, asked, patient_id, result.days.hi).truth if result.dated_to_the_day else None
            told_of_dose = "dose_then_unknown" if truth is None else None
        else:
            told_of_dose = None
        if not days & possible or result.role == "confirm":
            continue
        if days <= sure and truth is True:
            hit |= {result.reference}
        elif days <= sure and truth is False:
            missed[result.days.lo] = result.reference
        elif truth is not False:
            blur = "partial_date" if not result.days.exact else None
            told = problem or told_of_dose or ("comparator_straddles_threshold" if truth is None else blur)
            open_[result.reference] = {told} if told else set()
            open_[result.reference] |= {"no_value"} if told == "not_numeric" else set()
    if hit:
        return replace(treated, truth=True, reason=None, evidence=treated.evidence | hit)
    if open_:
        why = treated.open_reasons.union(*open_.values())
        shown = treated.evidence.union(open_)
        others = frozenset({"partial_date", "comparator_straddles_threshold"}) | why
        return Answer(None, min(why, default="partial_date"), frozenset(), shown, open_reasons=others)
    if treated.truth is None:
        return treated
    shown = treated.evidence.union(missed.values())
    if len(missed) >= question.results:
        return Answer(False, None, frozenset(), shown)
    return Answer(None, "too_few_results", frozenset(), shown)


def _period(eras: Eras, length: int) -> Days:
    found, before = set[int](), 0
    for first, last in eras:
        found |= {day for day in range(first, last + 1) if before + day - first >= length}
        before += last - first
    return frozenset(found)
