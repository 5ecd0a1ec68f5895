"""The truth of one result: against plain limits, multiples of the reference range, or a polarity."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from cohortfinder.criteria.observation import ObservationQuestion
from cohortfinder.model import Quantity
from reference.intervals import INFINITY, Interval, not_above, not_below, within
from reference.results import Result, limit_in_unit
from reference.site import Answer, Site
from reference.truth import Truth, all_of

RELATIVE = ("ULN", "LLN")


def usable(site: Site, question: Any, result: Result, patient_id: str) -> bool:
    """Say whether the result can be compared at all: a unitless value needs a unitless range."""
    reason = truth_of(site, question, result, patient_id).reason
    told = reason not in ("no_value", "no_polarity", "not_numeric", "unit_unconvertible")
    if result.problem is None:
        return told
    bounds = _bounds(question)
    relative = bool(bounds) and all(quantity.unit in RELATIVE for _, quantity, _ in bounds)
    ends = {_end(quantity) for _, quantity, _ in bounds}
    own = any(limit.unit is None and getattr(limit, end) is not None for limit in result.ranges for end in ends)
    return result.problem == "unit_missing" and (
        (relative and own) or (told and getattr(question, "is_", None) is not None)
    )


def _bounds(question: Any) -> list[tuple[str, Quantity, bool]]:
    asked = question.comparison
    if asked is None:
        return []
    sides = [("lower", asked.lower, asked.lower_included), ("upper", asked.upper, asked.upper_included)]
    return [(side, quantity, included) for side, quantity, included in sides if quantity is not None]


def truth_of(site: Site, question: Any, result: Result, patient_id: str) -> Answer:
    """Compare one result with the question."""
    answer = (
        _polar(question, result) if getattr(question, "is_", None) else _numeric(site, question, result, patient_id)
    )
    return replace(answer, flags=answer.flags | result.flags, evidence=result.inputs | {result.reference})


def _polar(question: ObservationQuestion, result: Result) -> Answer:
    said, flags = result.polarity, frozenset[str]()
    if said == "below_detection":
        flags = frozenset({"below_detection"})
        said = "negative" if question.below_detection == "negative" else "equivocal"
    if said is None:
        return Answer(None, "no_polarity")
    if said == "equivocal" and (question.is_ != "equivocal" or result.polarity != "equivocal"):
        return Answer(None, "equivocal_result", flags)
    return Answer(said == question.is_, None, flags)


def _numeric(site: Site, question: Any, result: Result, patient_id: str) -> Answer:
    bounds = _bounds(question)
    if any(quantity.unit in RELATIVE for _, quantity, _ in bounds):
        if result.sent is None and result.position not in ("above", "below", "within"):
            return Answer(None, "not_numeric")
        parts = [_relative(site, bound, result, patient_id) for bound in bounds]
    else:
        value = _by_dilution(site, question, result) if result.value is None else result.value
        if value is None:
            said = result.polarity or result.position or result.sent
            return Answer(None, "not_numeric" if said else "no_value")
        parts = [_plain(site, bound, value, result.concept) for bound in bounds]
    truth = all_of([part.truth for part in parts])
    reasons = [part.reason for part in parts if part.truth is truth and part.reason]
    flags = frozenset[str]().union(*(part.flags for part in parts))
    return Answer(truth, reasons[0] if reasons else None, flags)


def _by_dilution(site: Site, question: Any, result: Result) -> Interval | None:
    dilution = getattr(question, "screening_dilution", None)
    if dilution is None or site.mappings.concepts[result.concept]["value_kind"] == "quantity":
        return None
    sides = {
        "negative": Interval(Decimal(0), dilution.value, True, True),
        "positive": Interval(dilution.value, INFINITY, False, True),
    }
    return sides.get(result.polarity or "")


def _settle(truth: Truth) -> Answer:
    return Answer(truth, None if truth is not None else "comparator_straddles_threshold")


def _plain(site: Site, bound: tuple[str, Quantity, bool], value: Interval, concept: str) -> Answer:
    side, quantity, included = bound
    bare = quantity.unit in ("", "{titer}")
    factor = (Decimal(1), Decimal(0)) if bare else site.mappings.factor(concept, quantity.unit)
    if factor is None:
        raise ValueError(f"{concept} has no unit {quantity.unit}; write the unit of the concept in the rule")
    limit = (quantity.value * factor[0] + factor[1], included)
    return _settle(within(value, limit, None) if side == "lower" else within(value, None, limit))


def _end(quantity: Quantity) -> str:
    """Return the end of a reference range that a multiple of it speaks of."""
    return "high" if quantity.unit == "ULN" else "low"


def _relative(site: Site, bound: tuple[str, Quantity, bool], result: Result, patient_id: str) -> Answer:
    side, quantity, included = bound
    end = _end(quantity)
    compare = not_below if side == "lower" else not_above
    own = [(getattr(limit, end), limit.unit) for limit in result.ranges if getattr(limit, end) is not None]
    if own and result.sent is not None:
        pairs = [limit_in_unit(site, result, limit, unit) for limit, unit in own]
        if None not in pairs:  # a range in a unit that cannot be converted is none
            truths = {compare(pair[0], pair[1] * quantity.value, included) for pair in pairs if pair}
            return _settle(truths.pop() if len(truths) == 1 else None)
    told = _by_position(side, quantity, result.position)
    return Answer(told) if told is not None else _assumed(site, bound, result, patient_id)


def _by_position(side: str, quantity: Quantity, position: str | None) -> Truth:
    """Decide by the interpretation alone, where a position proves one side of k times the limit."""
    times, upper = quantity.value, quantity.unit == "ULN"
    proves_not_above = position in ("within", "below") if upper else position == "below"
    proves_not_below = position == "above" if upper else position in ("within", "above")
    if proves_not_above and times >= 1:
        return side == "upper"
    if proves_not_below and times <= 1:
        return side == "lower"
    return None


def _assumed(site: Site, bound: tuple[str, Quantity, bool], result: Result, patient_id: str) -> Answer:
    side, quantity, included = bound
    row = site.mappings.assumed(result.concept, site.sex(patient_id))
    name = quantity.unit.lower()
    if row is None or result.value is None or not row[f"{name}_low"]:
        return Answer(None, "no_reference_range")
    compare = not_below if side == "lower" else not_above
    truths = set()
    for end in ("low", "high"):
        factor = site.mappings.factor(result.concept, row["unit"])
        assert factor is not None, row
        limit = Decimal(row[f"{name}_{end}"]) * factor[0] + factor[1]
        truths.add(compare(result.value, limit * quantity.value, included))
    truth = truths.pop() if len(truths) == 1 else None
    if truth is None:
        return Answer(None, "no_reference_range")
    return Answer(truth, None, frozenset({f"assumed_{name}"}))
