"""Strategies for medication records, and for the products that they name: by a code, a text, a reference or a part of one."""

from datetime import date

from hypothesis import strategies as st

from properties.codes import DRUGS, OTHER_DRUG, clinical_codings, drug_words
from properties.moments import Resource, instants, maybe, moments

PRODUCTS = ("med1", "med2", "med3")
TAKEN = ("active", "active", "completed", "stopped", "on-hold", "unknown", "entered-in-error")
GIVEN = ("completed", "completed", "in-progress", "stopped", "unknown", "not-done", "entered-in-error")
ROUTES = (
    {"coding": [{"system": "http://snomed.info/sct", "code": "47625008"}]}, {"text": "intravenous infusion"}, {"text": "IV"},
    {"coding": [{"system": "http://snomed.info/sct", "code": "34206005"}]}, {"text": "by mouth"}, {"text": "unclear"},
)  # fmt: skip
TYPES = (
    "MedicationStatement",
    "MedicationStatement",
    "MedicationRequest",
    "MedicationAdministration",
    "MedicationDispense",
)


def _name(draw: st.DrawFn, part: bool = False) -> Resource:
    """A drug by codes or by text; sometimes one that nobody asks for.

    The codings of a part do not contradict each other: the table of products does not say which of them belong together.
    """
    concept = draw(st.sampled_from(DRUGS))
    words, codings = drug_words(concept), clinical_codings(concept)
    how = draw(
        st.sampled_from((["text"] if words else []) + (["code", "code", "codes"] if codings else []) + ["other"])
    )
    match how:
        case "text":
            return {"text": draw(st.sampled_from([*words, "weekly " + words[0]]))}
        case "code":
            return {"coding": [draw(st.sampled_from(codings))]}
        case "codes":
            first = draw(st.sampled_from(codings))
            return {"coding": [first, draw(st.sampled_from([OTHER_DRUG] if part else [*codings, OTHER_DRUG]))]}
        case _:
            return {"coding": [OTHER_DRUG], "text": "Aspirin"}


@st.composite
def products(draw: st.DrawFn, name: str) -> Resource:
    """A Medication with a code of its own, or with ingredients, of which some are inactive."""
    resource: Resource = {"resourceType": "Medication", "id": name}
    parts = draw(st.integers(0, 3))
    if parts:
        inactive = st.sampled_from([{}, {}, {"isActive": True}, {"isActive": False}])
        resource["ingredient"] = [
            {"itemCodeableConcept": _name(draw, part=True)} | draw(inactive) for _ in range(parts)
        ]
    if not parts or draw(st.integers(1, 4)) == 1:
        resource["code"] = _name(draw)
    return resource


def _product(draw: st.DrawFn) -> Resource:
    match draw(st.sampled_from(["itself", "itself", "referenced", "referenced", "contained", "lost", "shown"])):
        case "referenced":
            form = draw(
                st.sampled_from(
                    ["Medication/@{}", "https://hospital.example/fhir/Medication/@{}", "Medication/@{}/_history/1"]
                )
            )
            return {"medicationReference": {"reference": form.format(draw(st.sampled_from(PRODUCTS)))}}
        case "contained":
            return {"contained": [draw(products("m"))], "medicationReference": {"reference": "#m"}}
        case "lost":
            lost: Resource = {"reference": draw(st.sampled_from(["Medication/lost", "#lost"]))}
            maybe(draw, lost, "display", st.sampled_from(["Telitacicept injection", "Aspirin"]), out_of=2)
            return {"medicationReference": lost}
        case "shown":
            return {"medicationReference": {"display": draw(st.sampled_from(["泰它西普 80mg", "Aspirin"]))}}
        case _:
            return {"medicationCodeableConcept": _name(draw)}


def _order(draw: st.DrawFn, as_of: date) -> Resource:
    resource: Resource = {
        "status": draw(st.sampled_from([*TAKEN, "draft"])),
        "intent": draw(st.sampled_from(["order", "order", "order", "filler-order", "plan"])),
    }
    maybe(draw, resource, "authoredOn", moments(as_of), out_of=1 if draw(st.integers(1, 6)) > 1 else 2)
    maybe(draw, resource, "doNotPerform", st.sampled_from([True, True, False]), out_of=3)
    supplies = [
        {"expectedSupplyDuration": {"value": 30}},
        {"expectedSupplyDuration": {"value": 14}, "numberOfRepeatsAllowed": 1},
    ]
    maybe(draw, resource, "dispenseRequest", st.sampled_from(supplies), out_of=3)
    bounds = moments(as_of).map(lambda start: {"timing": {"repeat": {"boundsPeriod": {"start": start}}}})
    maybe(draw, resource, "dosageInstruction", bounds.map(lambda dosage: [dosage]), out_of=5)
    return resource


def _effective(draw: st.DrawFn, as_of: date) -> Resource:
    if draw(st.booleans()):
        return {"effectiveDateTime": draw(moments(as_of))}
    last = draw(st.sampled_from([{}, {"end": as_of.isoformat()}]))
    return {"effectivePeriod": {"start": draw(moments(as_of))} | last}


@st.composite
def medications(draw: st.DrawFn, as_of: date) -> list[Resource]:
    """A statement, order, administration or dispense."""
    kind = draw(st.sampled_from(TYPES))
    resource: Resource = {"resourceType": kind, **_product(draw)}
    maybe(draw, resource, "meta", instants(as_of).map(lambda updated: {"lastUpdated": updated}), out_of=3)
    match kind:
        case "MedicationRequest":
            return [resource | _order(draw, as_of)]
        case "MedicationDispense":
            resource["status"] = draw(st.sampled_from(["completed", "completed", "cancelled"]))
            maybe(draw, resource, "whenHandedOver", moments(as_of), out_of=1)
            return [resource]
        case "MedicationStatement":
            resource["status"] = draw(st.sampled_from([*TAKEN, "not-taken", "intended"]))
            maybe(draw, resource, "dateAsserted", moments(as_of), out_of=2)
        case _:
            resource["status"] = draw(st.sampled_from(GIVEN))
            maybe(draw, resource, "dosage", st.sampled_from(ROUTES).map(lambda route: {"route": route}), out_of=2)
    return [resource | (_effective(draw, as_of) if draw(st.integers(1, 8)) > 1 else {})]
