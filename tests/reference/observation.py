"""The leaf `observation`: which results are in the window, which of them decides."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from cohortfinder.model import Leaf
from reference.dates import EVER, Span, before, days_after, moment_of, order_of
from reference.forms import highest
from reference.numbers import truth_of, usable
from reference.results import Result, results_of
from reference.site import Answer, Site, absent
from reference.truth import Truth


def observation(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Ask the concepts in their order; a newer opposite result of a later one makes the answer unknown."""
    question = leaf.question
    if question.ago:
        as_of = before(as_of, question.ago)
    asked = [_concept(site, leaf, patient_id, concept, as_of) for concept in question.observation]
    decided = [(answer, newest) for answer, newest in asked if newest is not None]
    if not decided:
        known = [answer for answer, _ in asked if answer.reason != "no_data"]
        start, _ = _start(site, question, question.observation[0], as_of)
        if not known:
            return absent(site, patient_id, question, ("Observation",), start, as_of)
        # of several concepts the reason may be that of any
        reasons = frozenset[str]().union(*(a.open_reasons | {a.reason or ""} for a in known))
        return replace(known[0], open_reasons=reasons)
    answer, newest = decided[0]
    if _outdated(site, leaf, patient_id, answer, as_of):
        return Answer(None, "conflicting_results", answer.flags, answer.evidence)
    for other, moments in decided[1:]:
        opposite = {answer.truth, other.truth} == {True, False}
        if opposite and newest is not None and moments is not None and moments[1] > newest[0]:
            return Answer(None, "conflicting_results", answer.flags | other.flags, answer.evidence | other.evidence)
    return answer


def _outdated(site: Site, leaf: Leaf, patient_id: str, answer: Answer, as_of: date) -> bool:
    """Say whether a screen may be positive that is newer than the confirming tests that clear it.

    A confirming test speaks for the screens up to its own day: the latest day that is sure, where dates are partial.
    """
    question = leaf.question
    if question.role != "confirm" or question.is_ not in ("negative", "equivocal") or answer.truth is not True:
        return False
    results = results_of(site, patient_id, question.observation[0], as_of)
    clearing = [r for r in results if r.reference in answer.evidence and r.role == "confirm"]
    speaks_until = max(r.days.lo for r in clearing if truth_of(site, question, r, patient_id).truth)
    positive = question.model_copy(update={"is_": "positive"})
    return any(
        truth_of(site, positive, r, patient_id).truth and usable(site, positive, r, patient_id)
        for r in results
        if r.role != "confirm" and r.days.hi > speaks_until
    )


def asked_of(site: Site, question: Any, patient_id: str, concept: str, as_of: date) -> list[Result]:
    """Return the results that the question reads: the confirming tests when it asks for them, else all others."""
    confirming = getattr(question, "role", None) == "confirm"
    return [r for r in results_of(site, patient_id, concept, as_of) if (r.role == "confirm") is confirming]


def _start(site: Site, question: Any, concept: str, as_of: date) -> tuple[date, date]:
    if question.ever:
        return EVER, EVER
    if question.within:
        return (before(as_of, question.within),) * 2
    prescreen, protocol = site.mappings.lookback[site.mappings.concepts[concept]["group"]]
    fresh = days_after(as_of, -protocol)
    return (days_after(as_of, -prescreen) if site.profile == "prescreen" else fresh), fresh


def _concept(
    site: Site, leaf: Leaf, patient_id: str, concept: str, as_of: date
) -> tuple[Answer, tuple[datetime, datetime] | None]:
    """Answer by one concept, and say when its newest usable result was: at the earliest, and at the latest."""
    question = leaf.question
    start, fresh = _start(site, question, concept, as_of)
    results = asked_of(site, question, patient_id, concept, as_of)
    inside = [result for result in results if result.days.hi >= start]
    good = [result for result in inside if usable(site, question, result, patient_id)]
    sure = [r for r in good if r.days.lo >= start]
    maybe = [r for r in good if r not in sure]
    if not sure:
        return _nothing(site, question, patient_id, results, inside, maybe), None
    pick = {"latest": _latest, "any": _any, "all": _all}[question.pick]
    answer = pick(site, leaf, patient_id, sure, maybe)
    newest = _moment(site, sure, "lo"), _moment(site, sure, "hi")
    flags, perhaps = _age_flags([r for r in inside if r not in good], sure, maybe, fresh)
    # whether a result that does not decide shows how it is dated is left to the engine
    perhaps |= frozenset[str]().union(*(result.flags for result in good))
    return replace(answer, flags=answer.flags | flags, open_flags=perhaps - flags), newest


def _moment(site: Site, results: list[Result], end: str) -> datetime:
    """Return the newest moment: the time of a dated result, else the day that ends a partial date."""
    return max(
        r.order[0] if r.dated_to_the_day else order_of(moment_of(getattr(r.days, end).isoformat(), site.zone))
        for r in results
    )


def _age_flags(
    bad: list[Result], sure: list[Result], maybe: list[Result], fresh: date
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the flags on the age of the newest usable result that hold, and those that may hold."""
    exact = all(r.dated_to_the_day for r in sure) and not maybe
    newest = Span(max(r.days.lo for r in sure), max(r.days.hi for r in [*sure, *maybe]))
    later = [
        r for r in bad if (r.order[0] > sure[-1].order[0] if exact and r.dated_to_the_day else r.days.lo > newest.hi)
    ]
    perhaps = [r for r in bad if r.days.hi >= newest.lo]
    flags = {"newer_unusable"} if later else set()
    flags |= {"stale"} if any((r.days.lo - newest.hi).days > 14 for r in later) else set()
    flags |= {"stale_for_protocol"} if newest.hi < fresh else set()
    partial = [r for r in [*sure, *maybe, *bad] if not r.dated_to_the_day]
    possible = {"newer_unusable"} if perhaps and partial else set()
    possible |= {"stale"} if partial and perhaps else set()
    possible |= {"stale_for_protocol"} if newest.lo < fresh else set()
    return frozenset(flags), frozenset(possible)


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
        newest, latest = inside[-1], max(result.days.lo for result in inside)
        reasons = {r.problem or truth_of(site, question, r, patient_id).reason for r in inside if r.days.hi >= latest}
        reason = newest.problem or truth_of(site, question, newest, patient_id).reason
        # a word that the interpretation contradicts is no number either
        reasons |= {"not_numeric"} if question.is_ is None and newest.value is None else set()
        reasons |= {"no_polarity"} if question.is_ is not None and newest.polarity is None else set()
        others = frozenset(other for other in reasons if other)
        return Answer(None, reason, evidence=frozenset({newest.reference}), open_reasons=others)
    older = [result for result in results if usable(site, question, result, patient_id)]
    return Answer(None, "out_of_window" if older else "no_data")


def _latest(site: Site, leaf: Leaf, patient_id: str, sure: list[Result], maybe: list[Result]) -> Answer:
    exact = [result for result in sure if result.dated_to_the_day]
    vague = [result for result in sure if not result.dated_to_the_day] + maybe
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


def _decided_by(answers: list[Answer], settles: Truth, others: list[Answer]) -> Answer:
    for truth in (settles, None):
        if chosen := [answer for answer in answers if answer.truth is truth]:
            flags = frozenset[str]().union(*(answer.flags for answer in chosen))
            evidence = frozenset[str]().union(*(answer.evidence for answer in chosen))
            others_too = frozenset({"partial_date", *(a.reason for a in chosen if a.reason)} if others else ())
            return Answer(truth, chosen[0].reason, flags, evidence, open_reasons=others_too)
    open_ones = [other for other in others if other.truth is settles or other.truth is None]
    if open_ones:
        return Answer(None, "partial_date", open_reasons=frozenset(other.reason for other in open_ones if other.reason))
    flags = frozenset[str]().union(*(answer.flags for answer in answers))
    return Answer(not settles, None, flags, frozenset[str]().union(*(answer.evidence for answer in answers)))


def _every(site: Site, leaf: Leaf, patient_id: str, sure: list[Result], maybe: list[Result], settles: bool) -> Answer:
    answers = [truth_of(site, leaf.question, result, patient_id) for result in sure]
    return _decided_by(answers, settles, [truth_of(site, leaf.question, result, patient_id) for result in maybe])


def _any(site: Site, leaf: Leaf, patient_id: str, sure: list[Result], maybe: list[Result]) -> Answer:
    return _every(site, leaf, patient_id, sure, maybe, True)


def _all(site: Site, leaf: Leaf, patient_id: str, sure: list[Result], maybe: list[Result]) -> Answer:
    return _every(site, leaf, patient_id, sure, maybe, False)
