"""Observations as results: dated, converted, read as a polarity, or with what is wrong with them."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from reference.dates import EVER, NEVER, Span, moment_of, order_of
from reference.forms import Form, form_of
from reference.intervals import Interval, clamped, not_above, point, scaled, stored
from reference.limits import Range, ranges_of
from reference.mappings import plain
from reference.remarks import remarks_of
from reference.site import Site, reference_of

DECIDING = ("primary", "confirm", "alt", "local", "component", "deprecated", "pair_first", "pair_second")
_PAIR = re.compile(r"^(\d{2,3}(?:\.\d+)?)\s*/\s*(\d{2,3}(?:\.\d+)?)\s*(\S.*)?$")


@dataclass(frozen=True)
class Result:
    """One result of one concept. `value` is in the concept's unit, `sent` as sent in `unit`."""

    reference: str
    concept: str
    role: str
    days: Span
    order: tuple[datetime, datetime]
    value: Interval | None
    sent: Interval | None
    unit: str | None
    ranges: tuple[Range, ...]
    polarity: str | None
    position: str | None
    problem: str | None
    flags: frozenset[str]
    circumstances: frozenset[str] = frozenset()
    inputs: frozenset[str] = frozenset()

    @property
    def day(self) -> date:
        return self.days.lo

    @property
    def dated_to_the_day(self) -> bool:
        """Whether a day was sent; "2026-03" is none, even on the first of March."""
        return self.order[0] > order_of(None)


def results_of(site: Site, patient_id: str, concept: str, as_of: date) -> list[Result]:
    """Return the results of the concept that exist on the index date, oldest first; derived ones among them."""
    from reference.derived import derived_results  # it reads results itself

    found = measured_results(site, patient_id, concept) + derived_results(site, patient_id, concept)
    existing = [
        replace(result, days=Span(result.days.lo, min(result.days.hi, as_of)))
        for result in found
        if result.days.lo <= as_of
    ]
    return sorted(existing, key=lambda result: (result.order, result.reference))


def measured_results(site: Site, patient_id: str, concept: str) -> list[Result]:
    """Return the results of the concept that were sent, at whatever time."""
    found = []
    for resource in site.of_type(patient_id, "Observation"):
        if resource.get("status") in ("final", "amended", "corrected", "preliminary"):
            for node in [resource, *resource.get("component", [])]:
                role, conflicting = _role(site, node, concept)
                if role:
                    said = remarks_of(site.mappings, concept, resource, node)
                    result = _result(site, patient_id, resource, node, (concept, role), conflicting)
                    flags = result.flags | said.get("flag", set())
                    stated = frozenset(said.get("statement", set()))
                    found += [] if "ignored" in said else [replace(result, flags=flags, circumstances=stated)]
    return found


def _role(site: Site, node: dict[str, Any], concept: str) -> tuple[str | None, bool]:
    codings = node.get("code", {}).get("coding", [])
    matches = [site.mappings.observation_concepts(c.get("system", ""), c.get("code", "")) for c in codings]
    deciding = [{name for name, role in match if role in DECIDING} for match in matches]
    roles = [role for match in matches for name, role in match if name == concept and role in DECIDING]
    known = [names for names in deciding if names]
    conflicting = len(known) > 1 and not set.intersection(*known)
    return (min(roles, key=DECIDING.index) if roles else None), conflicting


def _dated(site: Site, resource: dict[str, Any]) -> tuple[Span | None, str | None, bool]:
    period = resource.get("effectivePeriod", {})
    events = resource.get("effectiveTiming", {}).get("event", [])
    texts = [
        resource.get("effectiveDateTime"),
        resource.get("effectiveInstant"),
        period.get("end"),
        period.get("start"),
        max(events, default=None),
    ]
    sent = next((text for text in texts if text), None)
    text = sent or resource.get("issued")
    return site.span(text), text, sent is None and text is not None


def _result(
    site: Site,
    patient_id: str,
    resource: dict[str, Any],
    node: dict[str, Any],
    named: tuple[str, str],
    conflict: bool,
) -> Result:
    concept, role = named
    row = site.mappings.concepts[concept]
    days, text, from_issued = _dated(site, resource)
    form = _half(node, role, site) if role.startswith("pair_") else form_of(node, concept, site.mappings)
    value, problem = converted(site, concept, form)
    spans = days or Span(EVER, NEVER)
    ranges = tuple(ranges_of(node, site, patient_id, spans.hi))
    polarity, position, disagrees = _polarity(site, node, row, form, value, ranges)
    no_value = "dataAbsentReason" in node or (form.number is None and polarity is None and position is None)
    problem = (
        ("no_date" if days is None else None)
        or ("unusable_status" if resource["status"] == "preliminary" else None)
        or ("conflicting_codes" if conflict else None)
        or ("no_value" if no_value else None)
        or ("interpretation_disagrees" if disagrees else None)
        or problem
    )
    order = (order_of(moment_of(text, site.zone)), order_of(moment_of(resource.get("issued"), site.zone)))
    flags = frozenset({"time_from_issued"} if from_issued else ())
    return Result(
        reference_of(resource), concept, role, spans, order, value, form.number, form.unit, ranges,
        polarity, position, problem, flags,
    )  # fmt: skip


def _half(node: dict[str, Any], role: str, site: Site) -> Form:
    """Read the first or the second number of "120/80"; without a unit it is in mm[Hg]."""
    pair = _PAIR.match(plain(node.get("valueString", "")))
    if pair is None:
        return Form()
    number = pair[1] if role == "pair_first" else pair[2]
    return Form(point(Decimal(number)), site.mappings.unit(pair[3] or "mm[Hg]"))


def converted(site: Site, concept: str, form: Form) -> tuple[Interval | None, str | None]:
    """Return the number in the concept's unit, or what stands in the way."""
    row = site.mappings.concepts[concept]
    if form.number is None:
        return None, None
    if row["value_kind"] == "ordinal":
        return form.number if form.titre else None, None
    dimensionless = row["value_kind"] != "quantity" or row["unit"] in ("", "1") or row["unit"].startswith("{")
    if form.unit is None and not dimensionless:
        return None, "unit_missing"
    bare = form.unit is None or (row["value_kind"] == "titre" and form.unit in ("1", "{titer}", "{dilution}"))
    factor = (Decimal(1), Decimal(0)) if bare else site.mappings.factor(concept, form.unit or "")
    if factor is None:
        return None, "unit_unconvertible"
    low, high = (Decimal(row[name]) if row[name] else None for name in ("plausible_min", "plausible_max"))
    value = scaled(form.number, *factor)
    if any(_outside(end, low, high) for end in (value.lo, value.hi) if not end.is_infinite()):
        return None, "implausible"
    return clamped(value, low, high), None


def _outside(end: Decimal, low: Decimal | None, high: Decimal | None) -> bool:
    return (low is not None and end < low) or (high is not None and end > high)


# what lies outside the normal range of a test for antibodies or antigens is positive
_BY_POSITION = {
    ("ordinal", "abnormal"): "positive", ("ordinal", "above"): "positive", ("ordinal", "within"): "negative",
    ("titre", "abnormal"): "positive", ("titre", "above"): "positive",
}  # fmt: skip


def _polarity(
    site: Site,
    node: dict[str, Any],
    row: dict[str, str],
    form: Form,
    value: Interval | None,
    ranges: tuple[Range, ...],
) -> tuple[str | None, str | None, bool]:
    codes = [c.get("code", "") for i in node.get("interpretation", []) for c in i.get("coding", [])]
    rows = [site.mappings.interpretations[code] for code in codes if code in site.mappings.interpretations]
    position = next((r["position"] for r in rows if r["position"]), None)
    told = next((r["polarity"] for r in rows if r["polarity"]), None)
    told = told or _BY_POSITION.get((row["value_kind"], position or ""))
    if form.polarity:
        disagrees = {form.polarity, told} == {"positive", "negative"}
        return form.polarity, position, disagrees
    # the cut-offs of the concept decide where it has some: between them nobody knows, whatever the range says
    by_range = (
        None
        if row["value_kind"] == "quantity" and (row["negative_below"] or row["detection"] == "any")
        else _by_range(form, ranges)
    )
    return told or by_range or _by_cut_off(row, value, form), position, False


def _by_range(form: Form, ranges: tuple[Range, ...]) -> str | None:
    number = form.number
    tops = [(r.high, r.above_included) for r in ranges if r.high is not None and r.unit in (None, form.unit)]
    if number is None or not tops:
        return None
    said = {not_above(number, high, not abnormal) for high, abnormal in tops}
    if said == {True}:
        return "negative"
    return "positive" if said == {False} else None


def _by_cut_off(row: dict[str, str], value: Interval | None, form: Form) -> str | None:
    if value is None:
        return None
    if row["value_kind"] == "ordinal":
        return _by_titre(row, value)
    if row["detection"] == "any":
        if value.lo > 0:
            return "positive"
        if value.hi == 0 and not value.hi_open:
            return "negative"
        # "< 20" is below detection, "0 to 100" only a wide result
        return "below_detection" if form.number is not None and form.number.lo.is_infinite() else None
    low, high = row["negative_below"], row["positive_above"]
    if low and not_above(value, Decimal(low), False):
        return "negative"
    if high and not_above(value, Decimal(high), True) is False:
        return "positive"
    return "equivocal" if low or high else None


def _by_titre(row: dict[str, str], value: Interval) -> str | None:
    """Read a titre by the usual cut-off; below it only "less than" is negative."""
    if not row["positive_above"]:
        return None
    if value.lo > Decimal(row["positive_above"]):
        return "positive"
    below = value.lo.is_infinite() and value.hi <= Decimal(row["negative_below"])
    return "negative" if below else "equivocal"


def limit_in_unit(site: Site, result: Result, limit: Decimal, unit: str | None) -> tuple[Interval, Decimal] | None:
    """Return value and limit in one unit: as sent when they share it, else both in the concept's."""
    if (
        result.sent is not None
        and (unit is None or unit == result.unit)
        and not (unit is None and result.value is None and result.unit)
    ):
        return result.sent, limit
    factor = site.mappings.factor(result.concept, unit or "")
    if result.value is None or factor is None:
        return None
    return result.value, stored(limit * factor[0] + factor[1])
