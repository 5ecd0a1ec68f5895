"""The leaf `dose`: day by day, from the records that cover the day."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from cohortfinder.criteria.dose import DoseQuestion
from cohortfinder.model import Leaf, Quantity
from reference.dates import EVER, NEVER, Span, before
from reference.dosages import End, Taking, number, taking
from reference.exposures import UNNAMED, Exposure, exposures, names_of
from reference.formulas import Newest, latest
from reference.site import MEDICATION_TYPES, Answer, Site, absent, target_of

RANK = {kind: rank for rank, kind in enumerate(
    ("MedicationAdministration", "MedicationDispense", "MedicationStatement", "MedicationRequest"), start=1
)}  # fmt: skip
FOR_A_WEEK = timedelta(days=6)
ZERO = Fraction(0)


@dataclass(frozen=True)
class Intake:
    """A record, or a step of one, with its dose of one ingredient in the unit that is compared."""

    exposure: Exposure
    ingredient: str | None
    rank: int
    firm: bool
    lo: End
    hi: End
    why: str | None
    weighed: bool = False

    def may(self, day: date) -> bool:
        return self.exposure.start.lo <= day <= self.exposure.possible_end.hi

    def must(self, day: date, as_of: date) -> bool:
        return self.firm and min(self.exposure.start.hi, as_of) <= day <= self.exposure.certain_end.lo


def dose(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Is the dose so high: on the index date, on some day, on so many consecutive days?"""
    question: DoseQuestion = leaf.question
    start = before(as_of, question.within) if question.within else as_of
    weight = latest(site, patient_id, "body_weight", as_of, True, 90)
    found_all = [_in_order(e) for e in exposures(site, patient_id, question.dose)]
    begun = [e for e in found_all if e.start.lo <= as_of]
    against = [e for e in begun if e.standing == "against" and e.possible_end.hi >= start]
    intakes = [
        intake
        for exposure in found_all
        if exposure.standing != "against"
        for intake in _intakes(site, question, exposure, weight)
        if intake.exposure.start.lo <= as_of
    ]
    touching = [one for one in intakes if one.exposure.possible_end.hi >= start]
    flags = frozenset({"doubtful_dose"} if any(one.why == "doubtful_dose" for one in touching) else ())
    if not touching:
        past = [one for one in intakes if one.exposure.why != UNNAMED]
        if past or against:
            return Answer(_holds(question, ZERO, ZERO), None, evidence=_named(past, begun))
        silent = absent(site, patient_id, question, MEDICATION_TYPES, start, as_of)
        return silent if silent.truth is None else Answer(_holds(question, ZERO, ZERO), "no_data")
    days = [start + timedelta(days=n) for n in range((as_of - start).days + 1)]
    found = [_day(question, touching, day, as_of) for day in days]
    truth = _run(question, [holds for holds, _ in found])
    wanted = [counted for holds, counted in found if truth is False or holds is truth]
    deciding = {one for counted in wanted for one in counted}
    evidence = frozenset(one.exposure.reference for one in deciding)
    if weight is not None and any(one.weighed for one in deciding):
        evidence |= {weight.result.reference}
    if truth is not None:
        return Answer(truth, None, flags, evidence)
    blamed = sorted((one.hi is not None, one.why) for one in deciding if one.why)
    reasons = frozenset(why for _, why in blamed)
    return Answer(None, blamed[0][1] if blamed else "dose_unknown", flags, evidence, open_reasons=reasons)


def _in_order(exposure: Exposure) -> Exposure:
    """What ends before it begins was taken on no certain day, and may have been on any between the two."""
    if exposure.possible_end.hi >= exposure.start.lo:
        return exposure
    first, last = exposure.certain_end.lo, exposure.start.hi
    return replace(exposure, start=Span(first, last), possible_end=Span(exposure.possible_end.lo, last))


def _named(past: list[Intake], begun: list[Exposure]) -> frozenset[str]:
    return frozenset({one.exposure.reference for one in past} | {e.reference for e in begun if e.standing == "against"})


def _run(question: DoseQuestion, truths: list[bool | None]) -> bool | None:
    length = before_days(question)
    if _longest(holds is True for holds in truths) >= length:
        return True
    return False if _longest(holds is not False for holds in truths) < length else None


def before_days(question: DoseQuestion) -> int:
    """Return how many days must follow each other."""
    span = question.for_
    return 1 if span is None else span.count * (7 if span.unit == "weeks" else 1)


def _longest(holds: Iterable[bool]) -> int:
    best = now = 0
    for one in holds:
        now = now + 1 if one else 0
        best = max(best, now)
    return best


def _day(question: DoseQuestion, intakes: list[Intake], day: date, as_of: date) -> tuple[bool | None, list[Intake]]:
    """Return whether the dose of a day is so high, and the records that count on it."""
    lo: Fraction = ZERO
    hi: End = ZERO
    counted: list[Intake] = []
    covering = [one for one in intakes if one.may(day)]
    for ingredient in {one.ingredient for one in covering}:
        own = [one for one in covering if one.ingredient == ingredient]
        best = min((one.rank for one in own if one.must(day, as_of)), default=9)
        own = [one for one in own if one.rank <= best]
        counted += own
        least, most = _taken(own, best, day, as_of)
        lo += least
        hi = None if hi is None or most is None else hi + most
    return _holds(question, lo, hi), counted


def _taken(own: list[Intake], best: int, day: date, as_of: date) -> tuple[Fraction, End]:
    least: list[Fraction] = [ZERO] if best == 9 else []
    most: list[End] = []
    for rank in {one.rank for one in own}:
        same = _distinct([one for one in own if one.rank == rank], day, as_of)
        sure = [one for one in same if one.must(day, as_of)]
        if rank == best:
            least.append(sum((one.lo or ZERO for one in sure), ZERO))
        else:
            least.append(min(one.lo or ZERO for one in same))
        most.append(None if any(one.hi is None for one in same) else sum((one.hi or ZERO for one in same), ZERO))
    return min(least), None if None in most else max(end for end in most if end is not None)


def _distinct(same: list[Intake], day: date, as_of: date) -> list[Intake]:
    """Two records of one type that say the same dose are one; administrations are each their own."""
    if same[0].rank == 1:
        steps: dict[Any, Intake] = {}
        for one in same:
            steps.setdefault((one.exposure.reference, one.lo, one.hi), one)
        return list(steps.values())
    ordered = sorted(same, key=lambda one: not one.must(day, as_of))
    kept: dict[tuple[End, End], Intake] = {}
    for one in ordered:
        kept.setdefault((one.lo, one.hi), one)
    return list(kept.values())


def _holds(question: DoseQuestion, lo: Fraction, hi: End) -> bool | None:
    asked = question.comparison
    assert asked is not None
    truths = []
    lo, hi = _near(lo), None if hi is None else _near(hi)
    if asked.lower is not None:
        bound = _mg(asked.lower)
        below = hi is not None and (hi < bound or (hi == bound and not asked.lower_included))
        above = lo > bound or (lo == bound and asked.lower_included)
        truths.append(True if above else False if below else None)
    if asked.upper is not None:
        bound = _mg(asked.upper)
        below = hi is not None and (hi < bound or (hi == bound and asked.upper_included))
        above = lo > bound or (lo == bound and not asked.upper_included)
        truths.append(True if below else False if above else None)
    return False if False in truths else None if None in truths else True


def _near(value: Fraction) -> Fraction:
    return Fraction(round(value * 10**6), 10**6)


def _mg(quantity: Quantity) -> Fraction:
    mass, *_, time = quantity.unit.split("/")
    grams = {"ug": Fraction(1, 1000), "mg": Fraction(1), "g": Fraction(1000)}[mass]
    return _near(Fraction(quantity.value) * grams / {"d": 1, "wk": 7}[time])


def _intakes(site: Site, question: DoseQuestion, exposure: Exposure, weight: Newest | None) -> list[Intake]:
    resource = site.by_reference[exposure.reference]
    rank, kind = RANK[resource["resourceType"]], resource["resourceType"]
    firm = exposure.standing == "firm" and not exposure.order
    drugs = _drugs(site, question.dose, resource)
    if exposure.why == UNNAMED or not drugs:
        why = UNNAMED if exposure.why == UNNAMED else "ingredient_unknown"
        return [Intake(_supplied(resource, exposure), None, rank, firm, None, None, why)]
    found = []
    for ingredient, rows in drugs.items():
        spans = _spans(site, resource, question.dose, ingredient, rows, len(drugs) > 1)
        weekly = next((Fraction(row["weekly_max"]) for row in rows if row["weekly_max"]), None)
        supplied = _supplied(resource, exposure)
        if weekly is not None:
            factor = 1 if kind == "MedicationAdministration" else 7
            ends = [one.hi for one in spans if one.hi is not None]
            if ends and len(ends) == len(spans) and max(ends) * factor > weekly and not any(s.by_weight for s in spans):
                found.append(Intake(_weekly(kind, supplied), ingredient, rank, firm, None, None, "doubtful_dose"))
                continue
            if kind == "MedicationAdministration":
                spans = [one.times(Fraction(1, 7)) for one in spans]
                supplied = _weekly(kind, supplied)
        for one in spans:
            held = (
                supplied
                if one.days is None
                else replace(supplied, start=one.days[0], certain_end=one.days[1], possible_end=one.days[1])
            )
            found.append(_compared(site, question, held, ingredient, rank, firm, one, rows, weight))
    return found


def _weekly(kind: str, exposure: Exposure) -> Exposure:
    if kind != "MedicationAdministration":
        return exposure
    sure, perhaps = exposure.certain_end, exposure.possible_end
    sure = sure if sure.lo in (EVER, NEVER) else Span(sure.lo + FOR_A_WEEK, sure.hi)
    perhaps = perhaps if perhaps.hi == NEVER else Span(perhaps.lo, perhaps.hi + FOR_A_WEEK)
    return replace(exposure, certain_end=sure, possible_end=perhaps)


def _supplied(resource: dict[str, Any], exposure: Exposure) -> Exposure:
    days = int(resource.get("daysSupply", {}).get("value", 0))
    if resource["resourceType"] != "MedicationDispense" or not days or exposure.possible_end.hi == NEVER:
        return exposure
    last = max(exposure.possible_end.hi, exposure.start.hi + timedelta(days=days - 1))
    return replace(exposure, possible_end=Span(exposure.possible_end.lo, last))


@dataclass(frozen=True)
class Spell:
    """A dose of one ingredient in mg, or mg per kg, on the days of a step or of the whole record."""

    lo: End
    hi: End
    why: str | None
    by_weight: bool = False
    days: tuple[Span, Span] | None = None
    only_supply: bool = False

    def times(self, factor: Fraction) -> "Spell":
        """Return so much of it."""
        lo, hi = (None if end is None else end * factor for end in (self.lo, self.hi))
        return replace(self, lo=lo, hi=hi)


def _compared(
    site: Site, question: DoseQuestion, exposure: Exposure, ingredient: str, rank: int, firm: bool, spell: Spell,
    rows: list[dict[str, str]], weight: Newest | None,
) -> Intake:  # fmt: skip
    """Count a dose in the drug that is asked for, by the weight where it takes one."""
    asked = question.comparison
    assert asked is not None
    some = asked.lower or asked.upper
    assert some is not None
    per_kg = "/kg" in some.unit
    weighed = (spell.by_weight != per_kg) and spell.hi != ZERO
    kg = None if weight is None or weight.vague else weight.value
    least, most = (None, None) if kg is None or kg.lo <= 0 else (Fraction(kg.lo), Fraction(kg.hi))
    lo, hi = spell.lo, spell.hi
    if weighed and per_kg:
        lo, hi = lo if lo == ZERO else _by(lo, most, False), _by(hi, least, False)
    elif weighed:
        lo, hi = lo if lo == ZERO else _by(lo, least, True), _by(hi, most, True)
    own = (lo, hi)
    factors = _factors(rows)
    lo = ZERO if lo == ZERO else _by(lo, factors[0], True)
    hi = ZERO if hi == ZERO else _by(hi, factors[1], True)
    firm = firm and not spell.only_supply
    rank = 5 if spell.only_supply else rank
    why = _blame(own, spell, factors, exposure, firm, weighed and least is None)
    return Intake(exposure, ingredient, rank, firm, lo, hi, why, weighed and least is not None)


def _blame(
    own: tuple[End, End], spell: Spell, factors: tuple[End, End], exposure: Exposure, firm: bool, weightless: bool
) -> str | None:
    if own[1] == ZERO:
        return None
    if factors[0] is None:
        return "no_equivalence"
    if spell.hi is None:
        return spell.why or "dose_unknown"
    if weightless:
        return "weight_missing"
    if not firm:
        return "supply_only" if spell.only_supply else exposure.why
    if own[0] != own[1]:
        return spell.why or "dose_range"
    return "dose_range" if factors[0] != factors[1] else exposure.why


def _by(end: End, factor: End, multiplied: bool) -> End:
    if end is None or factor is None:
        return None
    return end * factor if multiplied else end / factor


def _factors(rows: list[dict[str, str]]) -> tuple[End, End]:
    if not rows[0]["reference"]:
        return Fraction(1), Fraction(1)
    if not rows[0]["equals_mg"]:
        return None, None
    pairs = [[Fraction(r["equals_mg"]) / Fraction(r[name]) for name in ("amount_high", "amount_low")] for r in rows]
    return max(low for low, _ in pairs), min(high for _, high in pairs)


def _drugs(site: Site, concept: str, resource: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    """Return the rows of the ingredients that the codes of a record name; else those of the only one there is."""
    table = site.mappings.dose_rows(concept)
    found: dict[str, list[dict[str, str]]] = {}
    for name, _ in names_of(site, resource):
        for coding in name.get("coding", []):
            for row in _rows_of(site, table, coding):
                if row not in found.setdefault(row["ingredient"], []):
                    found[row["ingredient"]].append(row)
    if not found and len({row["ingredient"] for row in table}) == 1:
        return {table[0]["ingredient"]: _widest(table)}
    return found


def _widest(table: list[dict[str, str]]) -> list[dict[str, str]]:
    """Join the rows of one ingredient: the code does not say which of them it is."""
    lows, highs = ([Fraction(row[name]) for row in table if row[name]] for name in ("amount_low", "amount_high"))
    joined = {"amount_low": str(min(lows)), "amount_high": str(max(highs))} if lows else {}
    only = "yes" if all(row["systemic"] == "yes" for row in table) else "no"
    return [table[0] | joined | {"systemic": only}]


def _rows_of(site: Site, table: list[dict[str, str]], coding: dict[str, str]) -> list[dict[str, str]]:
    system, code = site.mappings.uri(coding.get("system", "")), coding.get("code", "").strip()
    return [row for row in table if (row["system"], row["code"]) == (system, code)]


def _spans(
    site: Site, resource: dict[str, Any], concept: str, ingredient: str, rows: list[dict[str, str]], mixed: bool
) -> list[Spell]:
    """Return the dose of a record: of the whole, or of each step of a taper that has its days."""
    given = resource["resourceType"] == "MedicationAdministration"
    sent = resource.get("dosageInstruction") or resource.get("dosage") or []
    dosages = [sent] if isinstance(sent, dict) else sent
    strength = _strength(site, resource, concept, ingredient)
    # nothing said, nothing known, except where it cannot matter
    takings = [taking(site.mappings, one, given) for one in dosages] or [Taking(None, None, None, "dose_unknown")]
    spells = [_spell(site, one, resource, rows, strength, mixed) for one in takings]
    lows, highs = _hull(takings, spells)
    days = [_step_days(site, one) for one in takings]
    if len(takings) > 1 and all(days) and not _mixed_weight(spells):
        by_weight = any(one.by_weight for one in spells)
        shared = _whole_why(spells)
        return [replace(s, days=d, by_weight=by_weight, why=shared) for s, d in zip(spells, days, strict=True)]
    if resource["resourceType"] == "MedicationDispense" and lows is None and highs is None:
        supply = resource.get("daysSupply", {}).get("value")
        if supply and _supply(site, resource, strength) and not _mixed_weight(spells):
            return [Spell(None, None, "supply_only", only_supply=True)]
    if _mixed_weight(spells):
        return [Spell(None, None, "dose_unknown", True)]
    why = _whole_why(spells)
    if why is None and lows != highs:
        why = "taper_without_bounds"
    return [Spell(lows, highs, why, any(one.by_weight for one in spells))]


def _mixed_weight(spells: list[Spell]) -> bool:
    return any(s.by_weight for s in spells) and not all(s.by_weight or s.why == "local_route" for s in spells)


def _whole_why(spells: list[Spell]) -> str | None:
    """Return why the first that is not known is not, else the first that is not exact."""
    order = [(s.lo is not None and s.hi is not None, s.why == "local_route", n, s.why) for n, s in enumerate(spells)]
    return min((one for one in order if one[3]), default=(0, 0, 0, None))[3]


def _step_days(site: Site, one: Taking) -> tuple[Span, Span] | None:
    if one.bounds is None:
        return None
    first, last = (site.span(text) for text in one.bounds)
    exact = first and last and first.exact and last.exact
    return (first, last) if first and last and exact and first.lo <= last.lo else None


def _hull(takings: list[Taking], spells: list[Spell]) -> tuple[End, End]:
    groups: dict[int | None, list[Spell]] = {}
    for one, spell in zip(takings, spells, strict=True):
        groups.setdefault(one.sequence, []).append(spell)
    lows = [_total([s.lo for s in group]) for group in groups.values()]
    highs = [_total([s.hi for s in group]) for group in groups.values()]
    lo = None if None in lows else min(end for end in lows if end is not None)
    return lo, None if None in highs else max(end for end in highs if end is not None)


def _total(ends: list[End]) -> End:
    return None if None in ends else sum((end for end in ends if end is not None), ZERO)


def _spell(
    site: Site, one: Taking, resource: dict[str, Any], rows: list[dict[str, str]],
    strength: tuple[End, End], mixed: bool,
) -> Spell:  # fmt: skip
    by_weight = one.kind == "mass_per_kg"
    route = one.route if one.route_said else _form(site, resource) or one.unit_route
    if route == "local":
        return Spell(ZERO, ZERO, "local_route", by_weight)
    if route is None and not any(row["systemic"] == "yes" for row in rows):
        return Spell(None, None, "route_unknown", by_weight)
    allowed = rows[0]["routes"].split()
    if rows[0]["reference"] and allowed and route in ("iv", "im", "sc") and route not in allowed:
        return Spell(None, None, "depot_injection", by_weight)
    mixed = mixed and one.kind != "product"
    per = {"product": strength[0], "volume": strength[1]}.get(one.kind or "", Fraction(1))
    lo, hi = (None, None) if mixed else (_by(one.lo, per, True), _by(one.hi, per, True))
    cap = None if mixed else _cap(one, strength, by_weight)
    beside = one.cap_kind == "mass" and by_weight
    low = ZERO if one.as_needed or beside else cap if cap is not None and lo is not None and cap < lo else lo
    high = cap if hi is None else min(hi, cap) if cap is not None else hi
    if low is not None and high is not None:
        low = min(low, high)
    why = "dose_unknown" if mixed else one.why
    if why is None and one.kind in ("product", "volume") and per is None:
        why = "strength_unknown"
    if why is None:
        why = "dose_range" if beside else "as_needed" if one.as_needed else "dose_range" if lo != hi else None
    return Spell(low, high, why, by_weight)


def _cap(one: Taking, strength: tuple[End, End], by_weight: bool) -> End:
    per = {"product": strength[0], "volume": strength[1]}.get(one.cap_kind or "", Fraction(1))
    if one.cap_kind in ("mass", "mass_per_kg") and (one.cap_kind == "mass_per_kg") != by_weight:
        return None
    return _by(one.cap, per, True)


def _product(site: Site, resource: dict[str, Any]) -> dict[str, Any]:
    reference = resource.get("medicationReference", {})
    contained = {f"#{inner.get('id')}": inner for inner in resource.get("contained", [])}
    return contained.get(reference.get("reference", "")) or site.by_reference.get(target_of(reference)) or {}


def _form(site: Site, resource: dict[str, Any]) -> str | None:
    """Return the route by the form of the product, else by a word in one of its names."""
    form = _product(site, resource).get("form", {})
    codes = [site.mappings.route(c["code"], coded=True) for c in form.get("coding", []) if "code" in c]
    said = [site.mappings.route(form["text"])] if "text" in form else []
    found = next((route for route in codes + said if route), None)
    texts = [text for _, text in names_of(site, resource) if text]
    return found or next((route for text in texts if (route := site.mappings.route(text))), None)


def _strength(site: Site, resource: dict[str, Any], concept: str, ingredient: str) -> tuple[End, End]:
    """Return mg in one tablet and in one ml, where the product says one of each."""
    parts = [p for p in _product(site, resource).get("ingredient", []) if p.get("isActive", True)]
    table = [row for row in site.mappings.dose_rows(concept) if row["ingredient"] == ingredient]

    def own(part: dict[str, Any]) -> bool:
        return any(_rows_of(site, table, coding) for coding in part.get("itemCodeableConcept", {}).get("coding", []))

    tablets: set[Fraction] = set()
    volumes: set[Fraction] = set()
    for part in parts:
        if len(parts) == 1 or own(part):
            _read_strength(site, part.get("strength", {}), tablets, volumes)
    if not tablets and not volumes:
        tablets = {mg for _, text in names_of(site, resource) if (mg := _in_name(text))}
        return (min(tablets) if tablets else None), None
    return tablets.pop() if len(tablets) == 1 else None, volumes.pop() if len(volumes) == 1 else None


def _in_name(text: str) -> Fraction | None:
    """Return the mg of the only amount in the name of a product, "2.5 MG Oral Tablet"."""
    found = re.findall(r"([\d.]+)\s*(mg|mcg|ug|g)\b", text.lower())
    if len(found) != 1 or "/" in text:
        return None
    return Fraction(found[0][0]) * {"mg": Fraction(1), "g": Fraction(1000)}.get(found[0][1], Fraction(1, 1000))


def _read_strength(site: Site, ratio: dict[str, Any], tablets: set[Fraction], volumes: set[Fraction]) -> None:
    above, below = ratio.get("numerator", {}), ratio.get("denominator", {})
    mass = site.mappings.dose_units.get((above.get("code") or above.get("unit") or "").lower())
    if "value" not in above or mass is None or mass["kind"] != "mass":
        return
    mg = number(above["value"]) * Fraction(mass["factor"]) / number(below.get("value") or 1)
    text = below.get("code") or below.get("unit")
    per = site.mappings.dose_units.get(text.lower()) if text else None
    if text is None or (per and per["kind"] == "product"):
        tablets.add(mg)
    elif per and per["kind"] == "volume":
        volumes.add(mg / Fraction(per["factor"]))


def _supply(site: Site, resource: dict[str, Any], strength: tuple[End, End]) -> bool:
    """Say whether the quantity that was handed out is known in mg."""
    quantity = resource.get("quantity", {})
    unit = site.mappings.dose_units.get((quantity.get("code") or quantity.get("unit") or "").lower())
    per = {"mass": Fraction(1), "product": strength[0], "volume": strength[1]}.get(unit["kind"]) if unit else None
    return "value" in quantity and per is not None
