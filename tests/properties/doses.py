"""Strategies for medication records with a dosage: every form of a dose, of how often, of a route and of a product."""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from properties.moments import Resource, concept_of, maybe, moments

RXNORM, ATC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc"
# prednisone, methylprednisolone, dexamethasone, betamethasone, triamcinolone, a steroid by its class, one without an equivalent
STEROIDS = (
    *[(RXNORM, "8640")] * 5, (RXNORM, "6902"), (ATC, "H02AB04"), (RXNORM, "3264"), (RXNORM, "1514"), (RXNORM, "10759"),
    (ATC, "H02AB"), (RXNORM, "21285"), (ATC, "H02AB18"),
)  # fmt: skip
OTHERS = ((RXNORM, "6851"), (ATC, "L04AX03"), (RXNORM, "1256"), (RXNORM, "7145"), (ATC, "L04AA06"))
AMOUNTS = ("5", "10", "15", "16", "20", "20.5", "40", "400", "399", "500", "7.5", "2.4")
UNITS = (*["mg"] * 12, "g", "mcg", "tablet", "{tbl}", "mL", "mg/kg", "mg/m2", None)
TIMINGS: tuple[Resource, ...] = (
    {"code": {"coding": [{"code": "QD"}]}}, {"code": {"coding": [{"code": "BID"}]}}, {"code": {"coding": [{"code": "XX"}]}},
    {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}, {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
    {"repeat": {"frequency": 1, "frequencyMax": 4, "period": 1, "periodUnit": "d"}}, {"repeat": {"period": 2, "periodUnit": "d"}},
    {"repeat": {"frequency": 1, "period": 12, "periodUnit": "h"}}, {"repeat": {"frequency": 1, "period": 1, "periodMax": 2, "periodUnit": "d"}},
    {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk", "dayOfWeek": ["mon", "thu"]}}, {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}},
    {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d", "dayOfWeek": ["mon", "wed", "fri", "sun"]}},
    {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "when": ["MORN", "EVE"]}}, {"repeat": {"when": ["MORN"]}},
    {"repeat": {"timeOfDay": ["08:00:00", "20:00:00"]}}, {"repeat": {"frequency": 2}}, {},
)  # fmt: skip
ROUTES: tuple[Resource, ...] = (
    concept_of("26643006"), concept_of("47625008"), concept_of("78421000"), concept_of("6064005"), concept_of("strange"),
    {"text": "by mouth"}, {"text": "Eye drops"}, {"text": "PO"}, {"text": "as told"},
)  # fmt: skip
STRENGTHS: tuple[Resource, ...] = (
    {"numerator": {"value": 5, "unit": "mg"}, "denominator": {"value": 1, "unit": "tablet"}},
    {"numerator": {"value": 4, "code": "mg"}}, {"numerator": {"value": 40, "code": "mg"}, "denominator": {"value": 2, "code": "mL"}}, {},
)  # fmt: skip
MOST = {"numerator": {"value": 20, "code": "mg"}, "denominator": {"value": 1, "code": "d"}}


def _amount(draw: st.DrawFn) -> Resource:
    unit = draw(st.sampled_from(UNITS))
    amount = draw(st.sampled_from(AMOUNTS))
    sent: Resource = {"value": float(amount) if "." in amount else int(amount)}
    return sent | ({draw(st.sampled_from(["unit", "code"])): unit} if unit else {})


def _dosage(draw: st.DrawFn, as_of: date) -> Resource:
    found: Resource = {"timing": dict(draw(st.sampled_from(TIMINGS)))}
    match draw(st.sampled_from(["quantity"] * 9 + ["range", "comparator", "several", "text", "nothing"])):
        case "quantity":
            found["doseAndRate"] = [{"doseQuantity": _amount(draw)}]
        case "range":
            unit = draw(st.sampled_from(["mg", "g", "tablet"]))
            found["doseAndRate"] = [
                {"doseRange": {"low": {"value": 5, "unit": unit}, "high": {"value": 10, "unit": unit}}}
            ]
        case "comparator":
            found["doseAndRate"] = [{"doseQuantity": _amount(draw) | {"comparator": "<"}}]
        case "several":
            kinds = draw(st.permutations(["ordered", "calculated"]))
            found["doseAndRate"] = [{"type": concept_of(kind), "doseQuantity": _amount(draw)} for kind in kinds]
        case "text":
            found = {"text": draw(st.sampled_from(["10 mg once daily", "take as directed"]))}
    maybe(draw, found, "route", st.sampled_from(ROUTES), out_of=2)
    maybe(draw, found, "asNeededBoolean", st.booleans(), out_of=5)
    maybe(draw, found, "maxDosePerPeriod", st.just(MOST), out_of=5)
    return found


def _dosages(draw: st.DrawFn, as_of: date) -> list[Resource]:
    count = draw(st.sampled_from([1, 1, 1, 1, 1, 2, 2, 0]))
    found = [_dosage(draw, as_of) for _ in range(count)]
    if count == 2:
        if draw(st.booleans()):
            found = [one | {"sequence": place} for place, one in enumerate(found, start=1)]
        if draw(st.booleans()):
            day = as_of - timedelta(days=draw(st.sampled_from([3, 14, 20])))
            spans = (
                (day - timedelta(days=20), day),
                (day + timedelta(days=draw(st.sampled_from([1, 3]))), as_of + timedelta(days=5)),
            )
            for one, (first, last) in zip(found, spans, strict=True):
                bounds = {"boundsPeriod": {"start": first.isoformat(), "end": last.isoformat()}}
                one["timing"] = one.get("timing", {}) | {"repeat": one.get("timing", {}).get("repeat", {}) | bounds}
    return found


def _drug(draw: st.DrawFn) -> Resource:
    system, code = draw(st.sampled_from([*STEROIDS, *STEROIDS, *OTHERS]))
    coding = {"coding": [{"system": system, "code": code}]}
    if draw(st.integers(1, 3)) > 1:
        maybe(draw, coding, "text", st.sampled_from(["some 5 MG Oral Tablet", "some cream", "some drug"]), out_of=4)
        return {"medicationCodeableConcept": coding}
    product: Resource = {"resourceType": "Medication", "id": "d"}
    part: Resource = {"itemCodeableConcept": coding}
    maybe(draw, part, "strength", st.sampled_from(STRENGTHS), out_of=1)
    product["ingredient"] = [part]
    if draw(st.integers(1, 4)) == 1:
        system, code = draw(st.sampled_from(STEROIDS))
        other = {"itemCodeableConcept": {"coding": [{"system": system, "code": code}]}}
        product["ingredient"].append(other | {"strength": STRENGTHS[0]})
    maybe(
        draw,
        product,
        "form",
        st.sampled_from([{"text": "Tablet"}, concept_of("385055001"), {"text": "ointment"}]),
        out_of=3,
    )
    return {"contained": [product], "medicationReference": {"reference": "#d"}}


@st.composite
def doses(draw: st.DrawFn, as_of: date) -> list[Resource]:
    """One to three records of a drug with a dose, near the index date more often than not."""
    near = st.sampled_from([0, 0, 1, 2, 5, 13, 14, 30, -2]).map(lambda ago: (as_of - timedelta(days=ago)).isoformat())
    days = st.one_of(near, near, near, moments(as_of))
    return [_record(draw, as_of, days) for _ in range(draw(st.integers(1, 3)))]


def _record(draw: st.DrawFn, as_of: date, days: st.SearchStrategy[str]) -> Resource:
    kind = draw(st.sampled_from(["Statement", "Statement", "Request", "Administration", "Administration", "Dispense"]))
    resource: Resource = {"resourceType": f"Medication{kind}", **_drug(draw)}
    match kind:
        case "Statement":
            resource["status"] = draw(
                st.sampled_from(["active", "active", "active", "completed", "on-hold", "not-taken"])
            )
            resource["dosage"] = _dosages(draw, as_of)
            resource["effectivePeriod"] = _period(draw, as_of, days)
            maybe(draw, resource, "dateAsserted", days, out_of=2)
        case "Request":
            resource |= {"status": "active", "intent": "order", "authoredOn": draw(days)}
            resource["dosageInstruction"] = _dosages(draw, as_of)
        case "Administration":
            resource["status"] = draw(st.sampled_from(["completed", "completed", "completed", "unknown", "not-done"]))
            resource["effectiveDateTime"] = draw(days)
            given: dict[str, Any] = {}
            maybe(draw, given, "dose", st.just(_amount(draw)), out_of=1 if draw(st.integers(1, 6)) > 1 else 2)
            maybe(draw, given, "route", st.sampled_from(ROUTES), out_of=2)
            resource["dosage"] = given
        case _:
            resource |= {"status": "completed", "whenHandedOver": draw(days)}
            maybe(draw, resource, "daysSupply", st.sampled_from([{"value": 30}, {"value": 7}]), out_of=2)
            maybe(draw, resource, "quantity", st.just({"value": 30, "unit": "tablet"}), out_of=2)
            resource["dosageInstruction"] = _dosages(draw, as_of) if draw(st.booleans()) else []
    return resource


def _period(draw: st.DrawFn, as_of: date, days: st.SearchStrategy[str]) -> Resource:
    period: Resource = {"start": draw(days)}
    maybe(
        draw,
        period,
        "end",
        st.sampled_from([0, 1, 10, -10]).map(lambda ago: (as_of - timedelta(days=ago)).isoformat()),
        out_of=2,
    )
    return period
