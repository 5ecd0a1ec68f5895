"""Strategies for Observations of every form: quantities, titres, words, panels, and a screen with its confirming test."""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from properties.codes import CONFIRMED, ITEMS, NUMBERS, ORDINALS, OXYGEN, TITRES, TRENDS, observation_coding
from properties.moments import Resource, instants, maybe, moments

SNOMED = "http://snomed.info/sct"
CODED = {"10828004": "positive", "260385009": "negative", "82334004": "indeterminate"}
WORDS = ("Positive", "negative", "阳性", "阴性 ", "weakly positive", "indeterminate", "阳性 1:80", "haemolysed")
TITRE_TEXTS = (
    "1:80",
    "1：320",
    "<1:80",
    "<1:100",
    ">=1:1280",
    "1:40 speckled, 1:160 homogeneous",
    "negative",
    "Positive",
    "??",
)
STATUSES = ("final",) * 9 + ("amended", "corrected", "preliminary", "entered-in-error", "cancelled", "unknown")
RANGES: tuple[list[Resource], ...] = (
    [], [], [{"low": {"value": 9}, "high": {"value": 40}}], [{"text": "0-40"}], [{"text": "<5"}], [{"text": "男 9-50; 女 7-40"}],
    [{"high": {"value": 40, "unit": "U/L", "system": "http://unitsofmeasure.org", "code": "U/L"}}],
    [{"high": {"value": 1.2, "unit": "mg/dL"}}], [{"low": {"value": 60, "unit": "umol/L"}, "high": {"value": 100, "unit": "umol/L"}}],
    [{"high": {"value": 30}}, {"high": {"value": 60}}],
    [{"type": {"coding": [{"code": "therapeutic"}]}, "low": {"value": 2}, "high": {"value": 3}}],
    [{"appliesTo": [{"coding": [{"system": SNOMED, "code": "248152002"}]}], "high": {"value": 35}}],
)  # fmt: skip


def _quantity(draw: st.DrawFn, concept: str) -> Resource:
    values, units = NUMBERS[concept]
    value = draw(st.sampled_from(values))
    sent: Resource = {"value": float(value) if "." in value else int(value)}
    unit = draw(st.sampled_from([units[0], units[0], *units]))
    if unit is not None:
        form = draw(st.sampled_from(["both", "code", "text"]))
        sent |= {} if form == "code" else {"unit": unit}
        sent |= {} if form == "text" else {"system": "http://unitsofmeasure.org", "code": unit}
    maybe(draw, sent, "comparator", st.sampled_from(["<", "<=", ">", ">="]), out_of=5)
    return sent


def _number_node(draw: st.DrawFn, concept: str) -> Resource:
    values, units = NUMBERS[concept]
    form = draw(st.sampled_from(["quantity"] * 5 + ["string", "span", "range", "integer", "nothing", "absent", "word"]))
    low, high = sorted(draw(st.tuples(st.sampled_from(values), st.sampled_from(values))), key=float)
    unit = units[0] or ""
    match form:
        case "string":
            return {"valueString": f"{draw(st.sampled_from(['', '<', '>= ', '≤']))}{low} {unit}".strip()}
        case "span":
            return {"valueString": f"{low}-{high}{'%' if unit == '%' else ' ' + unit}"}
        case "range":
            return {
                "valueRange": {"low": {"value": float(low), "unit": unit}, "high": {"value": float(high), "unit": unit}}
            }
        case "integer":
            return {"valueInteger": int(float(low))}
        case "nothing":
            return {}
        case "absent":
            return {"dataAbsentReason": {"coding": [{"code": "not-performed"}]}}
        case "word":
            return {"valueString": "not detected"}
        case _:
            return {"valueQuantity": _quantity(draw, concept)}


def _ordinal_node(draw: st.DrawFn) -> Resource:
    match draw(st.sampled_from(["coded", "text", "string", "boolean", "number", "nothing"])):
        case "coded":
            return {
                "valueCodeableConcept": {"coding": [{"system": SNOMED, "code": draw(st.sampled_from(sorted(CODED)))}]}
            }
        case "text":
            return {"valueCodeableConcept": {"text": draw(st.sampled_from(WORDS))}}
        case "boolean":
            return {"valueBoolean": draw(st.booleans())}
        case "number":
            return {"valueQuantity": {"value": draw(st.sampled_from([0.5, 5, 40, 41, 250])), "unit": "U/mL"}}
        case "nothing":
            return {}
        case _:
            return {"valueString": draw(st.sampled_from(WORDS))}


def _titre_node(draw: st.DrawFn) -> Resource:
    match draw(st.sampled_from(["string", "string", "quantity", "fraction", "ratio"])):
        case "quantity":
            return {
                "valueQuantity": {
                    "value": draw(st.sampled_from([40, 80, 320])),
                    **draw(st.sampled_from([{}, {"unit": "{titer}"}, {"comparator": "<"}])),
                }
            }
        case "fraction":
            return {"valueQuantity": {"value": 0.0125}}
        case "ratio":
            below = draw(st.sampled_from([{}, {"comparator": "<"}, {"comparator": ">="}]))
            return {
                "valueRatio": {
                    "numerator": {"value": 1},
                    "denominator": {"value": draw(st.sampled_from([40, 80, 160])), **below},
                }
            }
        case _:
            return {"valueString": draw(st.sampled_from(TITRE_TEXTS))}


def _node(draw: st.DrawFn, concept: str) -> Resource:
    role = draw(st.sampled_from(["primary", "primary", "confirm"])) if concept in CONFIRMED else "primary"
    node: Resource = {"code": {"coding": [observation_coding(concept, role)]}}
    if concept in TITRES:
        node |= _titre_node(draw)
    elif concept in NUMBERS:
        node |= _number_node(draw, concept)
    else:
        node |= _ordinal_node(draw)
    ranges = draw(st.sampled_from(RANGES))
    node |= {"referenceRange": ranges} if ranges else {}
    if draw(st.integers(1, 4)) == 1:
        code = draw(st.sampled_from(["H", "L", "N", "POS", "NEG", "A", "IND"]))
        node["interpretation"] = [{"coding": [{"code": code}]}]
    return node


def _panel(draw: st.DrawFn) -> Resource:
    """Blood pressure, a SLEDAI with items, or a saturation with what was breathed."""

    def part(concept: str, value: Any, unit: str) -> Resource:
        return {"code": {"coding": [observation_coding(concept)]}, "valueQuantity": {"value": value, "unit": unit}}

    match draw(st.sampled_from(["pressure", "text", "score", "saturation"])):
        case "pressure":
            upper, lower = draw(st.sampled_from([(120, 80), (165, 80), (150, 105), (160, 100)]))
            parts = [part("systolic_bp", upper, "mmHg"), part("diastolic_bp", lower, "mmHg")]
            return {"code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]}, "component": parts}
        case "text":
            said = draw(st.sampled_from(["120/80", "170/90", "high"]))
            return {"code": {"coding": [{"system": "http://loinc.org", "code": "55284-4"}]}, "valueString": said}
        case "score":
            total = part("sledai_2k_total", draw(st.sampled_from([7, 8, 9, 12])), "{score}")
            sent = draw(st.lists(st.sampled_from(ITEMS), unique=True))
            points = [part(item, draw(st.sampled_from([0, 2])) if item != ITEMS[2] else 6, "{score}") for item in sent]
            return total | ({"component": points} if points else {})
        case _:
            root = part("spo2", draw(st.sampled_from([91, 92, 97])), "%")
            air = draw(
                st.sampled_from(
                    [None, (OXYGEN[0], 21, "%"), (OXYGEN[0], 40, "%"), (OXYGEN[1], 0, "L/min"), (OXYGEN[1], 2, "L/min")]
                )
            )
            return root | ({"component": [part(*air)]} if air else {})


def _dated(draw: st.DrawFn, resource: Resource, as_of: date) -> Resource:
    when = draw(st.sampled_from(["effectiveDateTime"] * 6 + ["effectivePeriod", "effectiveInstant", "issued", "none"]))
    if when == "effectivePeriod":
        return resource | {when: {"start": draw(moments(as_of, vague=False))}}
    if when == "none":
        return resource
    return resource | {when: draw(moments(as_of) if when == "effectiveDateTime" else instants(as_of))}


@st.composite
def observations(draw: st.DrawFn, as_of: date) -> list[Resource]:
    """An Observation of any form."""
    concepts = [*NUMBERS, *TITRES * 2, *ORDINALS, "supplemental_oxygen_use"]
    resource: Resource = {"resourceType": "Observation", "status": draw(st.sampled_from(STATUSES))}
    resource |= _panel(draw) if draw(st.integers(1, 3)) == 1 else _node(draw, draw(st.sampled_from(concepts)))
    return [_dated(draw, resource, as_of)]


@st.composite
def trends(draw: st.DrawFn, as_of: date) -> list[Resource]:
    """Two to four results of one concept, mostly numbers: some of one day, some newer, and some that nobody can date."""
    concept = draw(st.sampled_from(TRENDS))
    values, units = NUMBERS[concept]
    found = []
    for _ in range(draw(st.integers(2, 4))):
        node = _node(draw, concept) if draw(st.integers(1, 4)) == 1 else _plain_number(draw, values, units[0])
        status = draw(st.sampled_from(["final", "final", "final", *STATUSES]))
        resource = {"resourceType": "Observation", "status": status, "code": {"coding": [observation_coding(concept)]}}
        when = {"effectiveDateTime": draw(moments(as_of))} if draw(st.integers(1, 6)) > 1 else {}
        found.append(resource | node | when)
    return found


def _plain_number(draw: st.DrawFn, values: list[str], unit: str | None) -> Resource:
    sent: Resource = {"value": float(draw(st.sampled_from(values)))} | ({"unit": unit} if unit else {})
    maybe(draw, sent, "comparator", st.sampled_from(["<", ">", ">="]), out_of=8)
    return {"valueQuantity": sent}


@st.composite
def confirmed_screens(draw: st.DrawFn, as_of: date) -> list[Resource]:
    """Screens and confirming tests of one concept, a few days apart or of one day: newer, older, or nobody knows."""
    concept, first = (
        draw(st.sampled_from(CONFIRMED)),
        as_of - timedelta(days=draw(st.sampled_from([0, 1, 20, 30, 60, 400]))),
    )
    roles = draw(
        st.sampled_from(
            [
                ["primary", "confirm"],
                ["primary", "confirm"],
                ["primary", "confirm", "confirm"],
                ["primary", "primary", "confirm"],
            ]
        )
    )
    found = []
    for role in roles:
        day = (first + timedelta(days=draw(st.sampled_from([-30, -1, 0, 0, 0, 0, 0, 1, 2, 30])))).isoformat()
        when = draw(
            st.sampled_from([day, day, day, f"{day}T08:30:00+08:00", f"{day}T17:30:00Z", day[:7], day[:4], None])
        )
        values = (
            ["Positive", "negative", "negative"]
            if role == "confirm"
            else ["Positive", "Positive", "reactive", "negative"]
        )
        node = {"valueString": draw(st.sampled_from([*values, "indeterminate", "haemolysed"]))}
        status = draw(st.sampled_from(["final", "final", "final", *STATUSES]))
        resource = {
            "resourceType": "Observation",
            "status": status,
            "code": {"coding": [observation_coding(concept, role)]},
        } | node
        found.append(resource | ({"effectiveDateTime": when} if when else {}))
    return found
