"""Results that follow from others of the same time, where none was measured then."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from reference.intervals import Interval, stored
from reference.results import Result, measured_results
from reference.site import Site

DECIDING = ("primary", "alt", "local", "component", "deprecated")


def derived_results(site: Site, patient_id: str, concept: str) -> list[Result]:
    """Return what mappings/derived.csv makes of the patient's results, the best rule of each time."""
    rules = [row for row in site.mappings.derived if row["concept"] == concept]
    if not rules:
        return []

    def usable(name: str) -> list[Result]:
        results = measured_results(site, patient_id, name) if name else []
        return [r for r in results if r.problem is None and r.value is not None and r.role in DECIDING]

    known = usable(concept)
    found = [made for rule in rules for made in _by_rule(site, rule, usable)]
    free = [made for made in found if not any(_together(made[1], other) for other in known)]
    return [one for rank, one in free if rank == min(r for r, other in free if _together(one, other))]


def _together(one: Result, other: Result) -> bool:
    """Say whether two results are of one time: one moment, or one Observation."""
    moment = one.dated_to_the_day and one.order[0] == other.order[0]
    return moment or one.reference == other.reference


def _by_rule(
    site: Site, rule: dict[str, str], usable: Callable[[str], list[Result]]
) -> list[tuple[tuple[bool, int], Result]]:
    row = site.mappings.concepts[rule["concept"]]
    low, high = Decimal(row["plausible_min"]), Decimal(row["plausible_max"])
    made = []
    for part in usable(rule["part"]):
        wholes = [r for r in usable(rule["whole"]) if _together(part, r)] if rule["whole"] else [None]
        addends = [r for r in usable(rule["addend"]) if _together(part, r)] or [None]
        for whole in wholes:
            for addend in addends:
                bound = bool(rule["addend"]) and addend is None
                value = _value(part, whole, addend, high if bound else None)
                if value is not None:
                    problem = "implausible" if value.lo > high or value.hi < low else None
                    inputs = frozenset(r.reference for r in (whole, addend) if r)
                    result = replace(
                        part, concept=rule["concept"], role="alt", value=None if problem else value, sent=value,
                        ranges=(), polarity=None, position=None, problem=problem, inputs=inputs,
                        flags=part.flags & {"time_from_issued"},
                    )  # fmt: skip
                    made.append(((bound, int(rule["rank"])), result))
    return made


def _value(part: Result, whole: Result | None, addend: Result | None, high: Decimal | None) -> Interval | None:
    values = [r.value for r in (part, addend) if r is not None and r.value is not None]
    lo, hi = sum((v.lo for v in values), Decimal(0)), sum((v.hi for v in values), Decimal(0))
    if whole is not None and whole.value is not None:
        if lo > 100:
            return None
        lo, hi, values = stored(lo * whole.value.lo / 100), stored(hi * whole.value.hi / 100), [*values, whole.value]
    lo_open, hi_open = any(v.lo_open for v in values), any(v.hi_open for v in values)
    return Interval(lo, hi if high is None else high, lo_open, hi_open and high is None)
