"""The leaf `change`: a latest result, the earlier ones that it is compared with, and what partial dates leave open."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from cohortfinder.model import Leaf
from reference.dates import Span, before, days_after
from reference.intervals import Interval
from reference.results import Result, results_of
from reference.site import Answer, Site
from reference.truth import Truth


@dataclass(frozen=True)
class Told:
    """What is said with one latest result: the truth or why not, and the results that it rests on."""

    truth: Truth
    reason: str | None
    bases: tuple[Result, ...]


def change(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Ask the concepts in their order: the first one with two results, else the first with any."""
    question = leaf.question
    # what is recent follows the look-back of the first concept
    group = site.mappings.lookback[site.mappings.concepts[question.change[0]]["group"]]
    days = group[0] if site.profile == "prescreen" else group[1]
    recent = before(as_of, question.recent) if question.recent else days_after(as_of, -days)
    start = before(as_of, question.over)
    fresh = date.min if question.recent else days_after(as_of, -group[1])
    windows = (start, max(start, recent), fresh)
    asked = [_concept(site, question, patient_id, concept, as_of, windows) for concept in question.change]
    for wanted in (2, 1):
        if some := [answer for answer, found in asked if found >= wanted]:
            return some[0]
    return _nothing(site, question, patient_id, as_of, windows[1])


def _usable(result: Result) -> bool:
    return result.problem is None and result.value is not None


def _concept(
    site: Site, question: Any, patient_id: str, concept: str, as_of: date, windows: tuple[date, date, date]
) -> tuple[Answer, int]:
    """Return the answer by one concept, and whether it has no latest result (0), one (1), or an earlier one too (2)."""
    start, recent, fresh = windows
    results = [r for r in results_of(site, patient_id, concept, as_of) if r.role != "confirm"]
    items = [r for r in results if _usable(r) and r.days.hi >= start]
    exact = [r for r in items if r.dated_to_the_day and r.day >= recent]
    newest = max((r.order for r in exact), default=None)
    latest = [r for r in exact if r.order == newest]
    last_day = latest[0].day if latest else recent
    latest += [r for r in items if not r.dated_to_the_day and r.days.hi >= max(recent, last_day)]
    if not latest:
        return Answer(None, "no_data"), 0
    told = [_told(site, question, one, items, start) for one in latest]
    sure = any(r.days.lo >= recent for r in items)
    truth, reason, others = _together(latest, told, sure)
    bases = [base for one in told for base in one.bases]
    flags, perhaps = _flags(site, patient_id, question, as_of, latest, bases, (recent, fresh))
    evidence = frozenset(r.reference for r in [*latest, *bases])
    answer = Answer(truth, reason, flags, evidence, open_flags=perhaps, open_reasons=others)
    return answer, 2 if any(_bases(question, one, items) for one in latest) else 1


def _together(latest: list[Result], told: list[Told], sure: bool) -> tuple[Truth, str | None, frozenset[str]]:
    truths = {one.truth for one in told}
    if sure and len(truths) == 1 and None not in truths:
        return told[0].truth, None, frozenset()
    vague = any(not r.dated_to_the_day for r in latest)
    if not sure:
        return None, "partial_date", frozenset()
    if truths != {None}:
        return None, "partial_date" if vague else "conflicting_results", frozenset()
    exact = [one.reason for r, one in zip(latest, told, strict=True) if r.dated_to_the_day]
    reasons = sorted(str(one) for one in exact) or sorted(str(one.reason) for one in told)
    return None, reasons[0], frozenset()


def _bases(question: Any, latest: Result, items: list[Result]) -> list[Result]:
    """Return the results that may be old enough to be compared with this one."""
    return [r for r in items if r is not latest and r.days.lo <= before(latest.days.hi, question.apart)]


def _told(site: Site, question: Any, latest: Result, items: list[Result], start: date) -> Told:
    bases = _bases(question, latest, items)
    if not bases:
        return Told(None, "baseline_missing", ())
    sure = [r for r in bases if r.days.lo >= start and r.days.hi <= before(latest.days.lo, question.apart)]
    said = {id(r): _pair(site, question, r, latest) for r in bases}
    if question.baseline == "any":
        yes = [r for r in sure if said[id(r)][0] is True]
        first = yes or bases
    else:
        until = min((r.days.hi for r in sure), default=None)
        first = bases if until is None else [r for r in bases if r.days.lo <= until]
    truths = [said[id(r)][0] for r in first]
    if not sure:
        return Told(None, "partial_date", tuple(first))
    if set(truths) == {True}:
        return Told(True, None, tuple(first))
    every = [said[id(r)][0] for r in bases]
    if set(every) == {False}:
        return Told(False, None, tuple(first))
    return Told(None, _why(question, latest, first, said), tuple(first))


def _why(question: Any, latest: Result, first: list[Result], said: dict[int, tuple[Truth, str | None]]) -> str:
    truths = {said[id(r)][0] for r in first}
    whys = sorted(why for truth, why in said.values() if truth is None and why)
    if truths == {None}:
        return min(str(said[id(r)][1]) for r in first)
    if truths != {False} and not all(r.dated_to_the_day for r in [latest, *first]):
        return "partial_date"
    if question.baseline == "any":
        return whys[0] if whys else "partial_date"
    return "baseline_dependent" if truths == {False} else "conflicting_results"


def _pair(site: Site, question: Any, base: Result, latest: Result) -> tuple[Truth, str | None]:
    """Compare two results; why it stays open, where it does."""
    unit = site.mappings.concepts[base.concept]["unit"]
    amount = question.amount
    percent = amount.unit == "%"
    readings = []
    if percent and not (unit == "%" and question.reading == "absolute"):
        readings.append(_relative(question, base.value, latest.value, amount.value / 100))
    if not percent or (unit == "%" and question.reading != "relative"):
        size = amount.value
        if amount.unit not in ("", unit):
            factor = site.mappings.factor(base.concept, amount.unit)
            assert factor is not None
            size *= factor[0]
        readings.append(_absolute(question, base.value, latest.value, size))
    if len(set(readings)) == 1 and readings[0] is not None:
        return readings[0], None
    if len(readings) == 2 and None not in readings:
        return None, "relative_vs_absolute"
    undefined = percent and base.value is not None and base.value.hi <= 0 and readings[0] is None
    return None, "undefined_change" if undefined else "comparator_straddles_threshold"


def _at_least(value: Interval, limit: Interval) -> Truth:
    """Is the value at least the limit, wherever in their intervals both lie?"""
    if value.lo >= limit.hi:
        return True
    below = value.hi < limit.lo or (value.hi == limit.lo and (value.hi_open or limit.lo_open))
    return False if below else None


def _relative(question: Any, base: Interval | None, latest: Interval | None, part: Decimal) -> Truth:
    assert base is not None
    assert latest is not None
    positive = base.lo > 0 or (base.lo == 0 and base.lo_open)
    if question.rises_by:
        unmoved = latest.hi <= base.lo
        limit = Interval(base.lo * (1 + part), base.hi * (1 + part), base.lo_open, base.hi_open)
        truth = _at_least(latest, limit)
    else:
        unmoved = latest.lo >= base.hi
        limit = Interval(base.lo * (1 - part), base.hi * (1 - part), base.lo_open, base.hi_open)
        truth = _at_least(_turned(latest), _turned(limit))
    if unmoved:
        return False
    return truth if positive else None


def _turned(value: Interval) -> Interval:
    return Interval(-value.hi, -value.lo, value.hi_open, value.lo_open)


def _absolute(question: Any, base: Interval | None, latest: Interval | None, size: Decimal) -> Truth:
    assert base is not None
    assert latest is not None
    if question.falls_by:
        base, latest = _turned(base), _turned(latest)
    return _at_least(latest, Interval(base.lo + size, base.hi + size, base.lo_open, base.hi_open))


def _flags(
    site: Site, patient_id: str, question: Any, as_of: date, latest: list[Result], bases: list[Result],
    windows: tuple[date, date],
) -> tuple[frozenset[str], frozenset[str]]:  # fmt: skip
    """Return the flags on the results and on the age of the latest one that hold, and those that may hold."""
    recent, fresh = windows
    flags = frozenset[str]().union(*(r.flags for r in [*latest, *bases]))
    newest = Span(max(r.days.lo for r in latest), max(r.days.hi for r in latest))
    flags |= {"stale_for_protocol"} if newest.hi < fresh else set()
    perhaps = {"stale_for_protocol"} if newest.lo < fresh else set()
    results = [r for c in question.change for r in results_of(site, patient_id, c, as_of) if r.role != "confirm"]
    bad = [r for r in results if not _usable(r) and r.days.hi >= recent]
    exact = all(r.dated_to_the_day for r in latest)
    last = max(r.order[0] for r in latest)
    later = [r for r in bad if (r.order[0] > last if exact and r.dated_to_the_day else r.days.lo > newest.hi)]
    flags |= {"newer_unusable"} if later else set()
    by_the_clock = [r.order[0] - last for r in later if exact and r.dated_to_the_day]
    by_the_day = [r.days.lo - newest.hi for r in later if not (exact and r.dated_to_the_day)]
    flags |= {"stale"} if max([*by_the_clock, *by_the_day], default=timedelta()) > timedelta(days=14) else set()
    open_ones = [r for r in bad if r.days.hi >= newest.lo and not (exact and r.dated_to_the_day)]
    perhaps |= {"newer_unusable"} if open_ones else set()
    perhaps |= {"stale"} if any((r.days.hi - newest.lo).days > 14 for r in open_ones) else set()
    return frozenset(flags), frozenset(perhaps)


def _problem(result: Result) -> str:
    """Return what stands against its use as a number; what it says of positive and negative does not."""
    problem = result.problem if result.problem != "interpretation_disagrees" else None
    return problem or "not_numeric"


def _nothing(site: Site, question: Any, patient_id: str, as_of: date, recent: date) -> Answer:
    """Say why there is no latest result: the newest of the recent ones cannot be used, or all are older."""
    results = [r for c in question.change for r in results_of(site, patient_id, c, as_of) if r.role != "confirm"]
    if bad := [r for r in results if not _usable(r) and r.days.hi >= recent]:
        newest = max(bad, key=lambda r: r.order)
        certain = max(r.days.lo for r in bad)
        others = frozenset(_problem(r) for r in bad if r.days.hi >= certain)
        return Answer(None, _problem(newest), evidence=frozenset({newest.reference}), open_reasons=others)
    return Answer(None, "out_of_window" if any(_usable(r) for r in results) else "no_data")
