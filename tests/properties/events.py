"""Strategies for Conditions, Procedures and Encounters: firm or not, dated by themselves, by their visit, or not at all."""

from datetime import date, timedelta

from hypothesis import strategies as st

from properties.codes import CONDITIONS, PROCEDURES, clinical_codings
from properties.moments import Resource, concept_of, instants, maybe, moments

HOSPITAL = "https://hospital.example/fhir/"
VERIFIED = ("confirmed", "confirmed", "provisional", "unconfirmed", "differential", "refuted", "entered-in-error")
STATES = ("active", "recurrence", "relapse", "inactive", "remission", "resolved")
STATUSES = (
    "completed",
    "completed",
    "completed",
    "in-progress",
    "stopped",
    "unknown",
    "not-done",
    "preparation",
    "entered-in-error",
)


def _codings(draw: st.DrawFn, concept: str) -> list[Resource]:
    """Mostly one coding, sometimes two that may contradict each other."""
    known = clinical_codings(concept)
    return draw(st.lists(st.sampled_from(known), min_size=1, max_size=1 if draw(st.integers(1, 4)) > 1 else 2))


def _onset(draw: st.DrawFn, as_of: date) -> Resource:
    match draw(st.sampled_from(["day", "day", "period", "age", "words", "none"])):
        case "day":
            return {"onsetDateTime": draw(moments(as_of))}
        case "period":
            return {"onsetPeriod": {"start": draw(moments(as_of))}}
        case "age":
            return {"onsetAge": {"value": 30, "code": "a", "system": "http://unitsofmeasure.org"}}
        case "words":
            return {"onsetString": draw(st.sampled_from(["about 2025", "in 2019 or 2020", "long ago"]))}
        case _:
            return {}


def _abatement(draw: st.DrawFn, as_of: date) -> Resource:
    match draw(st.sampled_from(["none"] * 6 + ["day", "day", "period", "age", "words"])):
        case "day":
            return {"abatementDateTime": draw(moments(as_of))}
        case "period":
            return {"abatementPeriod": {"end": draw(moments(as_of))}}
        case "age":
            return {"abatementAge": {"value": 40, "code": "a", "system": "http://unitsofmeasure.org"}}
        case "words":
            return {"abatementString": "some time ago"}
        case _:
            return {}


def _condition(draw: st.DrawFn, as_of: date, onset: Resource) -> Resource:
    codings = _codings(draw, draw(st.sampled_from(CONDITIONS)))
    resource: Resource = {"resourceType": "Condition", "code": {"coding": codings}, **onset, **_abatement(draw, as_of)}
    maybe(draw, resource, "verificationStatus", st.sampled_from(VERIFIED).map(concept_of), out_of=2)
    maybe(draw, resource, "clinicalStatus", st.sampled_from(STATES).map(concept_of), out_of=2)
    maybe(draw, resource, "recordedDate", moments(as_of), out_of=2)
    maybe(draw, resource, "meta", instants(as_of).map(lambda updated: {"lastUpdated": updated}), out_of=3)
    return resource


@st.composite
def conditions(draw: st.DrawFn, as_of: date) -> list[Resource]:
    """A Condition, firm or not, dated or not."""
    return [_condition(draw, as_of, _onset(draw, as_of))]


@st.composite
def admissions(draw: st.DrawFn, as_of: date) -> list[Resource]:
    """A visit and a diagnosis made there, which mostly has no onset of its own; now and then the visit was never sent."""
    visit = draw(_visits(as_of, ("IMP", "IMP", "EMER", "ACUTE", "NONAC", "AMB", "VR")))
    resource = _condition(draw, as_of, _onset(draw, as_of) if draw(st.integers(1, 4)) == 1 else {})
    named = draw(
        st.sampled_from(
            ["Encounter/{0}", "Encounter/{0}", HOSPITAL + "Encounter/{0}", "Encounter/{0}/_history/2", "Encounter/lost"]
        )
    )
    resource["encounter"] = {"reference": named}
    categories = draw(
        st.sampled_from(
            [["encounter-diagnosis"]] * 3 + [["problem-list-item"], ["problem-list-item", "encounter-diagnosis"], []]
        )
    )
    resource |= {"category": [concept_of(code) for code in categories]} if categories else {}
    return [visit, resource]


@st.composite
def contradictions(draw: st.DrawFn, as_of: date) -> list[Resource]:
    """A diagnosis that is confirmed and refuted, in this order or the other, on one day or in one month."""
    concept, first = (
        draw(st.sampled_from(CONDITIONS[:2])),
        as_of - timedelta(days=draw(st.sampled_from([1, 30, 60, 400]))),
    )
    coding, found = clinical_codings(concept)[-1], []
    for verified in draw(st.permutations(["confirmed", "refuted", draw(st.sampled_from(["confirmed", "refuted"]))])):
        day = (first + timedelta(days=draw(st.sampled_from([-20, -1, 0, 0, 0, 1, 20])))).isoformat()
        when = draw(st.sampled_from([day, day, day[:7], f"{day}T08:30:00+08:00", None]))
        resource = {
            "resourceType": "Condition",
            "code": {"coding": [coding]},
            "verificationStatus": concept_of(verified),
        }
        dated = draw(st.sampled_from(["recordedDate", "recordedDate", "onsetDateTime"]))
        found.append(resource | ({dated: when} if when else {}))
    return found


@st.composite
def procedures(draw: st.DrawFn, as_of: date) -> list[Resource]:
    """A Procedure."""
    resource: Resource = {
        "resourceType": "Procedure",
        "status": draw(st.sampled_from(STATUSES)),
        "code": {"coding": _codings(draw, draw(st.sampled_from(PROCEDURES)))},
    }
    if draw(st.integers(1, 4)) == 1:
        last = draw(st.sampled_from([{}, {"end": as_of.isoformat()}]))
        return [resource | {"performedPeriod": {"start": draw(moments(as_of))} | last}]
    maybe(draw, resource, "performedDateTime", moments(as_of), out_of=1 if draw(st.booleans()) else 2)
    return [resource]


@st.composite
def _visits(draw: st.DrawFn, as_of: date, classes: tuple[str, ...]) -> Resource:
    resource: Resource = {"resourceType": "Encounter", "class": {"code": draw(st.sampled_from(classes))}}
    states = ["finished"] * 4 + ["in-progress", "planned", "cancelled", "entered-in-error"]
    resource["status"] = draw(st.sampled_from(states))
    if draw(st.integers(1, 5)) > 1:
        resource["period"] = {"start": draw(moments(as_of))}
    return resource


def encounters(as_of: date) -> st.SearchStrategy[list[Resource]]:
    """A visit."""
    return _visits(as_of, ("AMB", "IMP")).map(lambda visit: [visit])
