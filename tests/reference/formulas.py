"""The leaf `formula`: numbers computed from several results, written out from their definitions."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from cohortfinder.model import Leaf
from reference.dates import completed_years, days_after
from reference.intervals import INFINITY, Interval, point, stored, within
from reference.people import birth_of
from reference.results import Result, results_of
from reference.site import Answer, Site

# the number with its evidence and what keeps it vague, or the reason why there is none
Computed = tuple[Interval, frozenset[str], str | None] | str


def formula(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Compute and compare; a missing input is named."""
    computed = FORMULAS[leaf.question.formula](site, patient_id, as_of)
    if isinstance(computed, str):
        return Answer(None, computed)
    value, evidence, why = computed
    asked = leaf.question.comparison
    lower = (asked.lower.value, asked.lower_included) if asked.lower else None
    upper = (asked.upper.value, asked.upper_included) if asked.upper else None
    truth = within(value, lower, upper)
    reason = (why or "comparator_straddles_threshold") if truth is None else None
    return Answer(truth, reason, frozenset(), evidence)


def _usable(site: Site, patient_id: str, concept: str, as_of: date) -> list[Result]:
    results = results_of(site, patient_id, concept, as_of)
    return [r for r in results if r.problem is None and r.value is not None and r.days.exact]


def _latest(site: Site, patient_id: str, concept: str, as_of: date) -> Result | None:
    prescreen, protocol = site.mappings.lookback[site.mappings.concepts[concept]["group"]]
    start = days_after(as_of, -(prescreen if site.profile == "prescreen" else protocol))
    inside = [r for r in _usable(site, patient_id, concept, as_of) if r.day >= start]
    return inside[-1] if inside else None


def cockcroft_gault(site: Site, patient_id: str, as_of: date) -> Computed:
    """Return (140 - age) x kg x (0.85 if female) / (72 x Scr / 88.4), Scr in umol/L, by its ends."""
    creatinine = _latest(site, patient_id, "creatinine_serum", as_of)
    if creatinine is None or creatinine.value is None:
        return "missing_creatinine"
    weights = [w for w in _usable(site, patient_id, "body_weight", as_of) if abs((w.day - creatinine.day).days) <= 180]
    if not weights:
        return "missing_weight"
    weight = min(weights, key=lambda w: (abs((w.day - creatinine.day).days), w.day)).value
    born, _ = birth_of(site, patient_id, as_of)
    if born is None or weight is None:
        return "missing_age"
    ages = [completed_years(born.hi, creatinine.day), completed_years(born.lo, creatinine.day)]
    factors = {"female": ["0.85"], "male": ["1"]}.get(site.sex(patient_id) or "", ["0.85", "1"])
    scr = creatinine.value
    low, high = (
        stored((140 - years) * kg * Decimal(factor) * Decimal("88.4") / (72 * umol)) if umol else Decimal("Infinity")
        for years, kg, factor, umol in (
            (ages[1], weight.lo, factors[0], scr.hi),
            (ages[0], weight.hi, factors[-1], scr.lo),
        )
    )
    value = Interval(low, high, weight.lo_open or scr.hi_open, weight.hi_open or scr.lo_open)
    return value, frozenset({creatinine.reference}), None


def _sledai(site: Site, patient_id: str, as_of: date) -> tuple[Result, Interval, Interval | None, bool] | str:
    """Return the total, the points of the serology items, the clinical score if sent, and whether items are unknown."""
    total = _latest(site, patient_id, "sledai_2k_total", as_of)
    if total is None or total.value is None:
        return "missing_total"
    items = [
        _beside(site, patient_id, f"sledai_2k_{name}", as_of, total) for name in ("low_complement", "dsdna", "clinical")
    ]
    clinical = items.pop()
    if clinical is not None and items == [None, None]:
        return total, _minus(total.value, clinical), clinical, False
    unknown = Interval(Decimal(0), Decimal(2))
    low, high = (sum((getattr(item or unknown, end) for item in items), Decimal(0)) for end in ("lo", "hi"))
    return total, Interval(low, high), clinical, None in items


def _beside(site: Site, patient_id: str, concept: str, as_of: date, total: Result) -> Interval | None:
    """Return the item of the same Observation, else of the same day."""
    that_day = [r for r in _usable(site, patient_id, concept, as_of) if r.day == total.day]
    own = [r for r in that_day if r.reference == total.reference]
    return (own or that_day)[-1].value if that_day else None


def _minus(one: Interval, other: Interval) -> Interval:
    return Interval(one.lo - other.hi, one.hi - other.lo)


def sledai_serology_points(site: Site, patient_id: str, as_of: date) -> Computed:
    """Return the points of low complement and DNA binding; an item that was not sent is 0 or 2."""
    found = _sledai(site, patient_id, as_of)
    if isinstance(found, str):
        return found
    total, serology, _, unknown = found
    return serology, frozenset({total.reference}), "missing_items" if unknown else None


def sledai_clinical_points(site: Site, patient_id: str, as_of: date) -> Computed:
    """Return the clinical score as sent, else the total without the serology items."""
    found = _sledai(site, patient_id, as_of)
    if isinstance(found, str):
        return found
    total, serology, clinical, unknown = found
    if clinical is not None:
        return clinical, frozenset({total.reference}), None
    assert total.value is not None
    return _minus(total.value, serology), frozenset({total.reference}), "missing_items" if unknown else None


def spo2_room_air(site: Site, patient_id: str, as_of: date) -> Computed:
    """Return the saturation where room air is proven; otherwise it is at most what was measured."""
    measured = _latest(site, patient_id, "spo2", as_of)
    if measured is None or measured.value is None:
        return "missing_saturation"
    air, oxygen = False, False
    for concept in (
        "inhaled_oxygen_concentration",
        "inhaled_oxygen_flow",
        "supplemental_oxygen_use",
        "ventilator_oxygen",
    ):
        for result in results_of(site, patient_id, concept, as_of):
            together = result.days.exact and result.order[0] == measured.order[0]
            if result.problem is None and (together or result.reference == measured.reference):
                proof = _breathes_air(concept, result)
                air, oxygen = air or proof is True, oxygen or proof is False
    evidence = frozenset({measured.reference})
    if air and not oxygen:
        return measured.value, evidence, None
    value = Interval(-INFINITY, measured.value.hi, True, measured.value.hi_open)
    return value, evidence, "on_oxygen" if oxygen else "room_air_not_stated"


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


FORMULAS: dict[str, Callable[[Site, str, date], Computed]] = {
    "cockcroft_gault": cockcroft_gault,
    "sledai_serology_points": sledai_serology_points,
    "sledai_clinical_points": sledai_clinical_points,
    "spo2_room_air": spo2_room_air,
}
