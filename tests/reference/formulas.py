"""The leaf `formula`: numbers computed from several results, written out from their definitions."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from cohortfinder.model import Leaf
from reference.dates import completed_years, days_after
from reference.intervals import Interval, stored, within
from reference.people import birth_of
from reference.results import Result, results_of
from reference.site import Answer, Site

Computed = tuple[Interval, frozenset[str]] | str


def formula(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Compute and compare; a missing input is named."""
    computed = FORMULAS[leaf.question.formula](site, patient_id, as_of)
    if isinstance(computed, str):
        return Answer(None, computed)
    value, evidence = computed
    asked = leaf.question.comparison
    lower = (asked.lower.value, asked.lower_included) if asked.lower else None
    upper = (asked.upper.value, asked.upper_included) if asked.upper else None
    truth = within(value, lower, upper)
    return Answer(truth, "comparator_straddles_threshold" if truth is None else None, frozenset(), evidence)


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
    weights = [
        w
        for w in _usable(site, patient_id, "body_weight", as_of)
        if abs((w.day - creatinine.day).days) <= 180
    ]
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
        stored((140 - years) * kg * Decimal(factor) * Decimal("88.4") / (72 * umol))
        if umol
        else Decimal("Infinity")
        for years, kg, factor, umol in (
            (ages[1], weight.lo, factors[0], scr.hi),
            (ages[0], weight.hi, factors[-1], scr.lo),
        )
    )
    value = Interval(low, high, weight.lo_open or scr.hi_open, weight.hi_open or scr.lo_open)
    return value, frozenset({creatinine.reference})


FORMULAS: dict[str, Callable[[Site, str, date], Computed]] = {"cockcroft_gault": cockcroft_gault}
