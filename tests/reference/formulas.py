"""The leaf `formula`: numbers computed from several results, written out from their definitions."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from cohortfinder.model import Leaf
from reference.dates import EVER, Span, completed_years, days_after
from reference.events import conditions, procedures
from reference.intervals import INFINITY, Interval, point, stored, within
from reference.people import birth_of
from reference.results import Result, results_of
from reference.site import Answer, Site

# the number with its evidence, its flags and what keeps it vague, or the reason why there is none
Computed = tuple[Interval, "Basis", str | None] | str


@dataclass(frozen=True)
class Basis:
    """What a number was computed from, and the flags of its inputs; `open_flags` depend on partial dates."""

    evidence: frozenset[str]
    flags: frozenset[str] = frozenset()
    open_flags: frozenset[str] = frozenset()

    def with_flags(self, *more: str) -> "Basis":
        """Add flags."""
        return replace(self, flags=self.flags | set(more))


@dataclass(frozen=True)
class Newest:
    """The newest number of a concept; `vague` when by partial dates another one may be it."""

    result: Result
    value: Interval
    vague: bool
    basis: Basis


ANYTHING = Interval(-INFINITY, INFINITY, True, True)
DAYS_OF = {"weight": 180, "weight by the protocol": 30, "reported": 7, "steady": 7, "dialysis": 90}


def formula(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Compute and compare; a missing input is named."""
    computed = FORMULAS[leaf.question.formula](site, leaf, patient_id, as_of)
    if isinstance(computed, str):
        return Answer(None, computed)
    value, basis, why = computed
    asked = leaf.question.comparison
    lower = (asked.lower.value, asked.lower_included) if asked.lower else None
    upper = (asked.upper.value, asked.upper_included) if asked.upper else None
    truth = within(value, lower, upper)
    reason = (why or "comparator_straddles_threshold") if truth is None else None
    return Answer(truth, reason, basis.flags, basis.evidence, open_flags=basis.open_flags - basis.flags)


def _numbers(site: Site, patient_id: str, concept: str, as_of: date) -> list[Result]:
    results = results_of(site, patient_id, concept, as_of)
    return [r for r in results if r.problem is None and r.value is not None]


def _usable(site: Site, patient_id: str, concept: str, as_of: date) -> list[Result]:
    return [r for r in _numbers(site, patient_id, concept, as_of) if r.days.exact and r.dated_to_the_day]


def latest(
    site: Site, patient_id: str, concept: str, as_of: date, highest: bool, days: int | None = None
) -> Newest | None:
    """Return the newest number of so many days; of those of one time the highest or the lowest, whichever is worse."""
    prescreen, protocol = site.mappings.lookback[site.mappings.concepts[concept]["group"]]
    start = days_after(as_of, -(days or (prescreen if site.profile == "prescreen" else protocol)))
    inside = [r for r in _numbers(site, patient_id, concept, as_of) if r.days.hi >= start]
    if not inside:
        return None
    exact = [r for r in inside if r.days.exact and r.dated_to_the_day and r.day >= start]
    partial = [r for r in inside if not (r.days.exact and r.dated_to_the_day)]
    last = exact or inside
    newest = min((r for r in last if r.order == last[-1].order), key=lambda r: _worse(r, highest))
    alone = len(inside) == 1 and newest.day >= start
    vague = any(r.days.hi >= newest.day for r in partial) if exact else not alone
    results = results_of(site, patient_id, concept, as_of)
    bad = [r for r in results if (r.problem or r.value is None) and r.days.lo > EVER and r.days.hi >= start]
    flags, perhaps = _flags_of(newest, bad, days_after(as_of, -protocol))
    assert newest.value is not None
    return Newest(newest, newest.value, vague, Basis(frozenset({newest.reference}), flags, perhaps))


def _worse(result: Result, highest: bool) -> tuple[Decimal, str]:
    assert result.value is not None
    return (-result.value.hi if highest else result.value.lo), result.reference


def _flags_of(newest: Result, bad: list[Result], fresh: date) -> tuple[frozenset[str], frozenset[str]]:
    later = [r for r in bad if r.dated_to_the_day and newest.dated_to_the_day and r.order[0] > newest.order[0]]
    flags = set(newest.flags) | ({"newer_unusable"} if later else set())
    flags |= {"stale"} if any(r.order[0] > newest.order[0] + timedelta(days=14) for r in later) else set()
    flags |= {"stale_for_protocol"} if newest.days.hi < fresh else set()
    unsure = bad and not all(r.dated_to_the_day for r in [newest, *bad])
    return frozenset(flags), frozenset({"newer_unusable", "stale"} if unsure else ())


def cockcroft_gault(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Computed:
    """Return (140 - age) x kg x (0.85 if female) / (72 x Scr / 88.4), Scr in umol/L, by its ends."""
    creatinine = latest(site, patient_id, "creatinine_serum", as_of, True)
    if creatinine is None:
        return "missing_creatinine"
    weight, apart = _weight(site, patient_id, as_of, creatinine.result.days)
    basis = creatinine.basis
    if weight is not None:
        late = {"stale_for_protocol"} if apart > DAYS_OF["weight by the protocol"] else set()
        basis = basis.with_flags(*(weight.flags - {"time_from_issued"}), *late)
    if (blocked := _blocked(site, patient_id, as_of, creatinine)) is not None:
        why, found = blocked
        return ANYTHING, basis.with_flags(*found), why
    born, _ = birth_of(site, patient_id, as_of)
    near = [
        r
        for r in _usable(site, patient_id, "creatinine_clearance_cockcroft_gault", as_of)
        if _apart(r.day, creatinine.result.days) <= DAYS_OF["reported"]
    ]
    reported = min(near, key=lambda r: (_apart(r.day, creatinine.result.days), -r.day.toordinal()), default=None)
    if born is None or weight is None or weight.value is None:
        if reported is not None and reported.value is not None:
            return reported.value, basis.with_flags("reported_clearance_used"), None
        return ANYTHING, basis, "missing_weight" if weight is None else "missing_age"
    value = _clearance(creatinine, weight.value, born, site.sex(patient_id))
    if reported is not None and reported.value is not None:
        above = reported.value.lo > value.hi * Decimal("1.2")
        if above or reported.value.hi < value.lo * Decimal("0.8"):
            basis = basis.with_flags("reported_clearance_differs")
    return value, basis, None


def _apart(day: date, days: Span) -> int:
    """Return how many days lie between a day and a span of days."""
    return max((day - days.hi).days, (days.lo - day).days, 0)


def _weight(site: Site, patient_id: str, as_of: date, days: Span) -> tuple[Result | None, int]:
    """Return the nearest measured weight, else the nearest stated one."""
    weights = _usable(site, patient_id, "body_weight", as_of)
    near = [w for w in weights if _apart(w.day, days) <= DAYS_OF["weight"]]
    chosen = min(near, key=lambda w: (w.role != "primary", _apart(w.day, days), w.day), default=None)
    return chosen, _apart(chosen.day, days) if chosen else 0


def _blocked(site: Site, patient_id: str, as_of: date, creatinine: Newest) -> tuple[str, set[str]] | None:
    """Say why the clearance means nothing: a date that is not known, dialysis, a creatinine on the move."""
    now, flags = creatinine.value, set[str]()
    for other in _usable(site, patient_id, "creatinine_serum", as_of):
        if other.value is not None and _apart(other.day, creatinine.result.days) <= DAYS_OF["steady"]:
            steady = now.hi <= other.value.lo * Decimal("1.5") and now.lo >= other.value.hi * Decimal("0.5")
            if not steady and (now.lo, now.hi) != (other.value.lo, other.value.hi):
                flags.add("creatinine_unstable")
    since = days_after(as_of, -DAYS_OF["dialysis"])
    records = [*procedures(site, patient_id, "px_dialysis"), *conditions(site, patient_id, "px_dialysis")]
    if any(e.standing != "against" and e.start.lo <= as_of and e.end.hi >= since for e in records):
        flags.add("dialysis")
    if creatinine.vague:
        return "partial_date", flags
    return ("dialysis" if "dialysis" in flags else "creatinine_unstable", flags) if flags else None


def _clearance(creatinine: Newest, weight: Interval, born: Span, sex: str | None) -> Interval:
    days = creatinine.result.days
    ages = [completed_years(born.hi, days.lo), completed_years(born.lo, days.hi)]
    factors = {"female": ["0.85"], "male": ["1"]}.get(sex or "", ["0.85", "1"])
    scr = creatinine.value
    low, high = (
        stored((140 - years) * kg * Decimal(factor) * Decimal("88.4") / (72 * umol)) if umol else Decimal("Infinity")
        for years, kg, factor, umol in (
            (ages[1], weight.lo, factors[0], scr.hi),
            (ages[0], weight.hi, factors[-1], scr.lo),
        )
    )
    return Interval(low, high, weight.lo_open or scr.hi_open, weight.hi_open or scr.lo_open)


def _sledai(
    site: Site, patient_id: str, as_of: date, adverse: bool
) -> tuple[Newest, Interval, Interval | None, bool] | str:
    """Return the total, the points of the serology items, the clinical score if sent, and whether items are unknown."""
    total = latest(site, patient_id, "sledai_2k_total", as_of, adverse)
    if total is None:
        return "missing_total"
    items = [
        _beside(site, patient_id, f"sledai_2k_{name}", as_of, total.result)
        for name in ("low_complement", "dsdna", "clinical")
    ]
    clinical = items.pop()
    if clinical is not None and items == [None, None]:
        return total, _minus(total.value, clinical), clinical, False
    unknown = Interval(Decimal(0), Decimal(2))
    low, high = (sum((getattr(item or unknown, end) for item in items), Decimal(0)) for end in ("lo", "hi"))
    return total, Interval(low, high), clinical, None in items


def _beside(site: Site, patient_id: str, concept: str, as_of: date, total: Result) -> Interval | None:
    """Return the item of the same Observation, else of the same day; several that differ leave an interval."""
    own = [r for r in _numbers(site, patient_id, concept, as_of) if r.reference == total.reference]
    exact = total.days.exact and total.dated_to_the_day
    that_day = [r for r in _usable(site, patient_id, concept, as_of) if exact and r.day == total.day]
    values = [r.value for r in own or that_day if r.value is not None]
    return Interval(min(v.lo for v in values), max(v.hi for v in values)) if values else None


def _minus(one: Interval, other: Interval) -> Interval:
    return Interval(one.lo - other.hi, one.hi - other.lo)


def sledai_serology_points(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Computed:
    """Return the points of low complement and DNA binding; an item that was not sent is 0 or 2."""
    found = _sledai(site, patient_id, as_of, leaf.adverse)
    if isinstance(found, str):
        return found
    total, serology, _, unknown = found
    if total.vague:
        return ANYTHING, total.basis, "partial_date"
    return serology, total.basis, "missing_items" if unknown else None


def sledai_clinical_points(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Computed:
    """Return the clinical score as sent, else the total without the serology items."""
    found = _sledai(site, patient_id, as_of, leaf.adverse)
    if isinstance(found, str):
        return found
    total, serology, clinical, unknown = found
    if total.vague:
        return ANYTHING, total.basis, "partial_date"
    if clinical is not None:
        return clinical, total.basis, None
    return _minus(total.value, serology), total.basis, "missing_items" if unknown else None


def spo2_room_air(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Computed:
    """Return the saturation where room air is proven; otherwise it is at most what was measured."""
    assume, newest = leaf.question.assume, latest(site, patient_id, "spo2", as_of, leaf.adverse)
    if newest is None:
        return "missing_saturation"
    measured = newest.result
    air, oxygen = ("room_air" in measured.circumstances, "on_oxygen" in measured.circumstances)
    for concept in (
        "inhaled_oxygen_concentration",
        "inhaled_oxygen_flow",
        "supplemental_oxygen_use",
        "ventilator_oxygen",
    ):
        for result in results_of(site, patient_id, concept, as_of):
            dated = result.dated_to_the_day and measured.dated_to_the_day
            together = dated and result.days.exact and result.order[0] == measured.order[0]
            if result.problem is None and (together or result.reference == measured.reference):
                proof = _breathes_air(concept, result)
                air, oxygen = air or proof is True, oxygen or proof is False
    basis = newest.basis.with_flags("room_air_assumed") if assume and not air and not oxygen else newest.basis
    if newest.vague:
        return ANYTHING, basis, "partial_date"
    if (air or assume) and not oxygen:
        return newest.value, basis, None
    value = Interval(-INFINITY, newest.value.hi, True, newest.value.hi_open)
    return value, basis, "on_oxygen" if oxygen else "room_air_not_stated"


def _breathes_air(concept: str, result: Result) -> bool | None:
    if concept == "ventilator_oxygen":
        return False
    if concept == "supplemental_oxygen_use":
        return None if result.polarity is None else result.polarity == "negative"
    if result.value is None:
        return None
    if concept == "inhaled_oxygen_concentration":
        return result.value == point(Decimal(21))
    return result.value.hi == 0


FORMULAS: dict[str, Callable[..., Computed]] = {
    "cockcroft_gault": cockcroft_gault,
    "sledai_serology_points": sledai_serology_points,
    "sledai_clinical_points": sledai_clinical_points,
    "spo2_room_air": spo2_room_air,
}
