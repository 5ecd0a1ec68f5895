"""The leaf `series`: readings judged by the day."""

from datetime import date
from decimal import Decimal

from cohortfinder.model import Leaf
from reference.dates import EVER, before
from reference.intervals import Interval, not_above, not_below
from reference.results import Result, results_of
from reference.site import Answer, Site
from reference.truth import Truth, any_of


def series(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """True on the latest recent day or on several days; false when no day is beyond and one is recent."""
    question = leaf.question
    start, recent = before(as_of, question.within), before(as_of, question.recent)
    days: dict[date, list[Truth]] = {}
    found, seen, vague, bad = False, set[str](), list[Result](), list[Result]()
    partial = False
    for reading in question.series:
        results = [r for c in reading.observation for r in results_of(site, patient_id, c, as_of)]
        found = found or any(r.problem is None and r.value is not None for r in results)
        bad += [r for r in results if (r.problem or r.value is None) and r.days.hi >= start]
        good = [r for r in results if r.problem is None and r.value is not None and r.days.hi >= start]
        partial = partial or any(not r.days.exact and _beyond(site, reading, [r]) is not False for r in good)
        vague += [r for r in good if not r.days.exact]
        exact = [r for r in good if r.days.exact]
        seen |= {r.reference for r in exact}
        for day in {r.day for r in exact}:
            days.setdefault(day, []).append(_beyond(site, reading, [r for r in exact if r.day == day]))
    judged = {day: any_of(truths) for day, truths in days.items()}
    if not judged:
        reason = _unusable(bad) if bad else "out_of_window" if found else "no_data"
        others = {"out_of_window", *([_unusable(bad)] if bad else [])} if vague else set[str]()
        latest_bad = max((result.days.lo for result in bad), default=EVER)
        newest = [result for result in bad if result.days.hi >= latest_bad]
        others |= {result.problem or "not_numeric" for result in newest}
        others |= {"not_numeric"} if any(result.value is None for result in newest) else set()
        return Answer(None, "partial_date" if partial else reason, open_reasons=frozenset(others))
    latest = max(judged)
    blurred = any(r.days.hi >= latest for r in vague)
    truth, why = _decide(judged, recent, question.days, partial, blurred)
    return Answer(truth, why, evidence=frozenset(seen))


def _unusable(results: list[Result]) -> str:
    """Return why the newest unusable reading cannot be used; one without a date may be the newest."""
    undated = [result for result in results if result.problem == "no_date"]
    newest = (undated or sorted(results, key=lambda result: result.days.hi))[-1]
    return newest.problem or "not_numeric"


def _beyond(site: Site, reading: object, results: list[Result]) -> Truth:
    limit = getattr(reading, "above", None) or getattr(reading, "below", None)
    values = [result.value for result in results if result.value is not None]
    mean = Interval(
        sum((v.lo for v in values), Decimal(0)) / len(values),
        sum((v.hi for v in values), Decimal(0)) / len(values),
        any(v.lo_open for v in values),
        any(v.hi_open for v in values),
    )
    assert limit is not None
    compare = not_below if getattr(reading, "above", None) else not_above
    return compare(mean, limit.value, False)


def _decide(
    judged: dict[date, Truth], recent: date, need: int, partial: bool, blurred: bool
) -> tuple[Truth, str | None]:
    """Decide by the days that are sure.

    `partial`: one more day may be beyond. `blurred`: the mean of the latest day may be another, or a later day be the
    latest.
    """
    latest, beyond = max(judged), list(judged.values()).count(True)
    newly = latest >= recent and judged[latest] is True
    if beyond >= need or (newly and not blurred):
        return True, None
    if partial or (newly and blurred):
        return None, "partial_date"
    if None in judged.values():
        return None, "comparator_straddles_threshold"
    if beyond:
        return None, "single_day_beyond"
    return (False, None) if latest >= recent else (None, "out_of_window")
