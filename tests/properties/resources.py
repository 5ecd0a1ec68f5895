"""Strategies for FHIR resources: a handful of patients with data at the edges of every window and form."""

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from properties.codes import (
    CONDITIONS,
    DRUGS,
    ITEMS,
    NUMBERS,
    ORDINALS,
    OXYGEN,
    PROCEDURES,
    TITRES,
    clinical_codings,
    drug_words,
    observation_coding,
)  # fmt: skip

Resource = dict[str, Any]
AS_OFS = (date(2026, 6, 15), date(2026, 8, 31), date(2025, 3, 1))
DAYS_AGO = (
    0,
    0,
    1,
    2,
    6,
    7,
    13,
    14,
    15,
    20,
    21,
    22,
    27,
    28,
    29,
    30,
    31,
    60,
    89,
    90,
    91,
    179,
    180,
    183,
    184,
    185,
    364,
    366,
    400,
    800,
    -1,
    -20,
)
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


@st.composite
def moments(draw: st.DrawFn, as_of: date, vague: bool = True) -> str:
    """A date, an instant or a partial date at the edge of a window."""
    day = as_of - timedelta(days=draw(st.sampled_from(DAYS_AGO)))
    forms = ["day", "day", "morning", "evening in UTC", "local"] + (["month", "year"] if vague else [])
    match draw(st.sampled_from(forms)):
        case "month":
            return day.isoformat()[:7]
        case "year":
            return day.isoformat()[:4]
        case "morning":
            return f"{day.isoformat()}T08:30:00+08:00"
        case "evening in UTC":
            return datetime(day.year, day.month, day.day, 17, 30).isoformat() + "Z"
        case "local":
            return f"{day.isoformat()}T{draw(st.sampled_from(['00:00', '23:59']))}:00+08:00"
        case _:
            return day.isoformat()


def _maybe(draw: st.DrawFn, resource: Resource, name: str, values: st.SearchStrategy[Any], *, out_of: int = 4) -> None:
    if draw(st.integers(1, out_of)) == 1:
        resource[name] = draw(values)


def _quantity(draw: st.DrawFn, concept: str) -> Resource:
    values, units = NUMBERS[concept]
    value = draw(st.sampled_from(values))
    sent: Resource = {"value": float(value) if "." in value else int(value)}
    unit = draw(st.sampled_from([units[0], units[0], *units]))
    if unit is not None:
        form = draw(st.sampled_from(["both", "code", "text"]))
        sent |= {} if form == "code" else {"unit": unit}
        sent |= {} if form == "text" else {"system": "http://unitsofmeasure.org", "code": unit}
    _maybe(draw, sent, "comparator", st.sampled_from(["<", "<=", ">", ">="]), out_of=5)
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
    node: Resource = {"code": {"coding": [observation_coding(concept)]}}
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


@st.composite
def observations(draw: st.DrawFn, as_of: date) -> Resource:
    """An Observation of any form."""
    concepts = [*NUMBERS, *TITRES * 2, *ORDINALS, "supplemental_oxygen_use"]
    resource: Resource = {"resourceType": "Observation", "status": draw(st.sampled_from(STATUSES))}
    resource |= _panel(draw) if draw(st.integers(1, 3)) == 1 else _node(draw, draw(st.sampled_from(concepts)))
    when = draw(st.sampled_from(["effectiveDateTime"] * 6 + ["effectivePeriod", "effectiveInstant", "issued", "none"]))
    if when == "effectivePeriod":
        resource[when] = {"start": draw(moments(as_of, vague=False))}
    elif when in ("effectiveInstant", "issued"):
        resource[when] = f"{(as_of - timedelta(days=draw(st.sampled_from(DAYS_AGO)))).isoformat()}T10:00:00+08:00"
    elif when != "none":
        resource[when] = draw(moments(as_of))
    return resource


def _concept(code: str) -> Resource:
    return {"coding": [{"code": code}]}


@st.composite
def conditions(draw: st.DrawFn, as_of: date) -> Resource:
    """A Condition, firm or not, dated or not."""
    coding = draw(st.sampled_from(clinical_codings(draw(st.sampled_from(CONDITIONS)))))
    resource: Resource = {"resourceType": "Condition", "code": {"coding": [coding]}}
    verified = ["confirmed", "confirmed", "provisional", "unconfirmed", "differential", "refuted", "entered-in-error"]
    _maybe(draw, resource, "verificationStatus", st.sampled_from(verified).map(_concept), out_of=2)
    states = ["active", "recurrence", "relapse", "inactive", "remission", "resolved"]
    _maybe(draw, resource, "clinicalStatus", st.sampled_from(states).map(_concept), out_of=2)
    match draw(st.sampled_from(["day", "day", "period", "age", "words", "none"])):
        case "day":
            resource["onsetDateTime"] = draw(moments(as_of))
        case "period":
            resource["onsetPeriod"] = {"start": draw(moments(as_of))}
        case "age":
            resource["onsetAge"] = {"value": 30, "code": "a", "system": "http://unitsofmeasure.org"}
        case "words":
            resource["onsetString"] = draw(st.sampled_from(["about 2025", "in 2019 or 2020", "long ago"]))
        case _:
            pass
    _maybe(draw, resource, "recordedDate", moments(as_of), out_of=2)
    _maybe(draw, resource, "abatementDateTime", moments(as_of), out_of=4)
    return resource


def _medication(draw: st.DrawFn) -> Resource:
    concept = draw(st.sampled_from(DRUGS))
    words, codings = drug_words(concept), clinical_codings(concept)
    by_text = draw(st.booleans()) if words and codings else bool(words)
    named: Resource = (
        {"text": draw(st.sampled_from(words))} if by_text else {"coding": [draw(st.sampled_from(codings))]}
    )
    if draw(st.integers(1, 3)) == 1:
        inner = {"resourceType": "Medication", "id": "m", "code": named}
        return {"contained": [inner], "medicationReference": {"reference": "#m"}}
    return {"medicationCodeableConcept": named}


@st.composite
def medications(draw: st.DrawFn, as_of: date) -> Resource:
    """A statement, order, administration or dispense."""
    kind = draw(
        st.sampled_from(
            [
                "MedicationStatement",
                "MedicationStatement",
                "MedicationRequest",
                "MedicationAdministration",
                "MedicationDispense",
            ]
        )
    )
    resource: Resource = {"resourceType": kind, **_medication(draw)}
    taken = ["active", "completed", "stopped", "on-hold", "unknown", "entered-in-error"]
    given = ["completed", "completed", "in-progress", "stopped", "unknown", "not-done", "entered-in-error"]
    match kind:
        case "MedicationStatement":
            resource["status"] = draw(st.sampled_from([*taken, "not-taken", "intended"]))
            _maybe(draw, resource, "dateAsserted", moments(as_of), out_of=2)
        case "MedicationRequest":
            resource |= {
                "status": draw(st.sampled_from([*taken, "draft"])),
                "intent": draw(st.sampled_from(["order", "order", "plan"])),
            }
            _maybe(draw, resource, "authoredOn", moments(as_of), out_of=1)
            _maybe(draw, resource, "dispenseRequest", st.just({"expectedSupplyDuration": {"value": 30}}), out_of=3)
            return resource
        case "MedicationDispense":
            resource["status"] = draw(st.sampled_from(["completed", "completed", "cancelled"]))
            _maybe(draw, resource, "whenHandedOver", moments(as_of), out_of=1)
            return resource
        case _:
            resource["status"] = draw(st.sampled_from(given))
    if draw(st.booleans()):
        resource["effectiveDateTime"] = draw(moments(as_of))
    else:
        resource["effectivePeriod"] = {"start": draw(moments(as_of))} | draw(
            st.sampled_from([{}, {"end": as_of.isoformat()}])
        )
    return resource


@st.composite
def procedures(draw: st.DrawFn, as_of: date) -> Resource:
    """A Procedure."""
    coding = draw(st.sampled_from(clinical_codings(draw(st.sampled_from(PROCEDURES)))))
    states = [
        "completed",
        "completed",
        "completed",
        "in-progress",
        "stopped",
        "unknown",
        "not-done",
        "preparation",
        "entered-in-error",
    ]
    resource: Resource = {
        "resourceType": "Procedure",
        "status": draw(st.sampled_from(states)),
        "code": {"coding": [coding]},
    }
    _maybe(draw, resource, "performedDateTime", moments(as_of), out_of=1 if draw(st.booleans()) else 2)
    return resource


@st.composite
def encounters(draw: st.DrawFn, as_of: date) -> Resource:
    """A visit."""
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "AMB"},
        "period": {"start": draw(moments(as_of))},
    }


@st.composite
def patients(draw: st.DrawFn, number: int) -> Resource:
    """A Patient; some without sex or birth date, dead or replaced by the first."""
    resource: Resource = {"resourceType": "Patient", "id": f"p{number}"}
    _maybe(draw, resource, "gender", st.sampled_from(["male", "female", "female", "other", "unknown"]), out_of=1)
    births = ["1960-06-15", "1960-06-16", "2008-06-15", "2008-06", "1961", "1980-02-29", "1990-01-01", None]
    born = draw(st.sampled_from(births))
    resource |= {"birthDate": born} if born else {}
    fate = draw(st.integers(1, 12))
    if fate == 1:
        resource["deceasedBoolean"] = True
    elif fate == 2 and number > 1:
        resource["link"] = [{"other": {"reference": "Patient/p1"}, "type": "replaced-by"}]
    return resource


@st.composite
def hospitals(draw: st.DrawFn, as_of: date, people: int = 5, each: int = 9) -> list[Resource]:
    """Some patients with some resources each."""
    kinds = [observations, observations, observations, conditions, medications, procedures, encounters]
    found: list[Resource] = []
    for number in range(1, people + 1):
        found.append(draw(patients(number)))
        for count in range(draw(st.integers(0, each))):
            resource = draw(draw(st.sampled_from(kinds))(as_of))
            found.append(resource | {"id": f"r{number}-{count}", "subject": {"reference": f"Patient/p{number}"}})
    return found
