"""The leaf `observation`: which results are in the window, which of them decides."""

from dataclasses import replace
from datetime import date
from typing import Any

from cohortfinder.model import Leaf
from reference.dates import EVER, before, days_after
from reference.forms import highest
from reference.numbers import truth_of, usable
from reference.results import Result, results_of
from reference.site import Answer, Site, absent
from reference.truth import Truth


def observation(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Ask the concepts in their order; a newer opposite result of a later one makes the answer unknown."""
    question = leaf.question
    asked = [_concept(site, leaf, patient_id, concept, as_of) for concept in question.observation]
    decided = [(answer, newest) for answer, newest in asked if newest is not None]
    if not decided:
        known = [answer for answer, _ in asked if answer.reason != "no_data"]
        start, _ = _start(site, question, question.observation[0], as_of)
        return known[0] if known else absent(site, patient_id, question, ("Observation",), start, as_of)
    answer, newest = decided[0]
    if question.role == "confirm" and question.is_ != "positive" and answer.truth and newest is not None:
        screens = results_of(site, patient_id, question.observation[0], as_of)
        asked_positive = question.model_copy(update={"is_": "positive"})
        later = [
            r
            for r in screens
            if r.role != "confirm" and r.days.hi > newest and usable(site, asked_positive, r, patient_id)
        ]
        if any(truth_of(site, asked_positive, r, patient_id).truth for r in later):
            return Answer(None, "conflicting_results", answer.flags, answer.evidence)
    for other, day in decided[1:]:
        opposite = {answer.truth, other.truth} == {True, False}
        if opposite and newest is not None and day is not None and day > newest:
            return Answer(None, "conflicting_results", answer.flags | other.flags, answer.evidence | other.evidence)
    return answer


def _start(site: Site, question: Any, concept: str, as_of: date) -> tuple[date, date]:
    if question.ever:
        return EVER, EVER
    if question.within:
        return (before(as_of, question.within),) * 2
    prescreen, protocol = site.mappings.lookback[site.mappings.concepts[concept]["group"]]
    fresh = days_after(as_of, -protocol)
    return (days_after(as_of, -prescreen) if site.profile == "prescreen" else fresh), fresh


def _concept(site: Site, leaf: Leaf, patient_id: str, concept: str, as_of: date) -> tuple[Answer, date | None]:
    question = leaf.question
    start, fresh = _start(site, question, concept, as_of)
    results = results_of(site, patient_id, concept, as_of)
    if question.role:
        results = [result for result in results if result.role == question.role]
    inside = [result for result in results if result.days.hi >= start]
    good = [result for result in inside if usable(site, question, result, patient_id)]
    sure = [r for r in good if r.days.lo >= start]
    maybe = [r for r in good if r not in sure]
    if not sure:
        return _nothing(site, question, patient_id, results, inside, maybe), None
    pick = {"latest": _latest, "any": _any, "all": _all}[question.pick]
    answer = pick(site, leaf, patient_id, sure, maybe)
    newest = sure[-1].day
    bad = [r for r in inside if r not in good and r.order[0] > sure[-1].order[0]]
    flags = {"newer_unusable"} if bad else set()
    flags |= {"stale"} if any((r.day - newest).days > 14 for r in bad) else set()
    flags |= {"stale_for_protocol"} if sure[-1].days.hi < fresh else set()
    return replace(answer, flags=answer.flags | flags), newest


def _nothing(
    site: Site,
    question: Any,
    patient_id: str,
    results: list[Result],
    inside: list[Result],
    maybe: list[Result],
) -> Answer:
    if maybe:
        return Answer(None, "partial_date", evidence=frozenset(result.reference for result in maybe))
    if inside:
        newest = inside[-1]
        reason = newest.problem or truth_of(site, question, newest, patient_id).reason
        return Answer(None, reason, evidence=frozenset({newest.reference}))
    older = [result for result in results if usable(site, question, result, patient_id)]
    return Answer(None, "out_of_window" if older else "no_data")


def _latest(site: Site, leaf: Leaf, patient_id: str, sure: list[Result], maybe: list[Result]) -> Answer:
    exact = [result for result in sure if result.days.exact]
    vague = [result for result in sure if not result.days.exact] + maybe
    newest = [result for result in exact if result.order == exact[-1].order] or sure[-1:]
    answer = _together(site, leaf, patient_id, newest)
    later = [r for r in vague if not exact or r.days.hi >= exact[-1].day]
    others = [truth_of(site, leaf.question, r, patient_id) for r in later]
    if any(other.truth is not answer.truth for other in others):
        evidence = answer.evidence.union(*(other.evidence for other in others))
        return Answer(None, "partial_date", answer.flags, evidence)
    return answer


def _together(site: Site, leaf: Leaf, patient_id: str, results: list[Result]) -> Answer:
    """Answer by results of one time: titres by their maximum, contradictions against the patient."""
    evidence = frozenset(result.reference for result in results)
    values = [result.value for result in results if result.value is not None]
    if site.mappings.concepts[results[0].concept]["value_kind"] == "titre" and len(values) == len(results):
        answer = truth_of(site, leaf.question, replace(results[0], value=highest(values)), patient_id)
        return replace(answer, evidence=evidence)
    answers = [truth_of(site, leaf.question, result, patient_id) for result in results]
    truths = {answer.truth for answer in answers}
    flags = frozenset[str]().union(*(answer.flags for answer in answers))
    if {True, False} <= truths:
        return Answer(leaf.adverse, None, flags | {"contradictory_results"}, evidence)
    chosen = next((answer for answer in answers if answer.truth is None), answers[0])
    return Answer(chosen.truth, chosen.reason, flags, evidence)


def _decided_by(answers: list[Answer], settles: Truth, open_ones: bool) -> Answer:
    for truth in (settles, None):
        if chosen := [answer for answer in answers if answer.truth is truth]:
            flags = frozenset[str]().union(*(answer.flags for answer in chosen))
            evidence = frozenset[str]().union(*(answer.evidence for answer in chosen))
            return Answer(truth, chosen[0].reason, flags, evidence)
    if open_ones:
        return Answer(None, "partial_date")
    flags = frozenset[str]().union(*(answer.flags for answer in answers))
    return Answer(not settles, None, flags, frozenset[str]().union(*(answer.evidence for answer in answers)))


def _every(site: Site, leaf: Leaf, patient_id: str, sure: list[Result], maybe: list[Result], settles: bool) -> Answer:
    answers = [truth_of(site, leaf.question, result, patient_id) for result in sure]
    others = [truth_of(site, leaf.question, result, patient_id).truth for result in maybe]
    return _decided_by(answers, settles, any(other is not (not settles) for other in others))


def _any(site: Site, leaf: Leaf, patient_id: str, sure: list[Result], maybe: list[Result]) -> Answer:
    return _every(site, leaf, patient_id, sure, maybe, True)


def _all(site: Site, leaf: Leaf, patient_id: str, sure: list[Result], maybe: list[Result]) -> Answer:
    return _every(site, leaf, patient_id, sure, maybe, False)
