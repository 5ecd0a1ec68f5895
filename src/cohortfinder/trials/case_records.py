"""One record of an invented patient, in the few words of a case file, to a FHIR R4 resource."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from cohortfinder.trials.document import Mapping as Node
from cohortfinder.trials.document import Scalar
from cohortfinder.trials.problems import Problems, nearest

Json = dict[str, Any]

_HL7 = "http://terminology.hl7.org/CodeSystem/"
_UCUM = "http://unitsofmeasure.org"
_QUANTITY = re.compile(r"(<=|>=|<|>)?\s*(-?[0-9]+(?:\.[0-9]+)?)(?:\s+(\S+))?")
_RANGE = re.compile(r"([0-9.]*)-([0-9.]*)(?:\s+(\S+))?")
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?")
_EVENT = ("preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown")
_EXPOSURES = {
    "statement": "MedicationStatement", "request": "MedicationRequest",
    "administration": "MedicationAdministration", "dispense": "MedicationDispense",
}  # fmt: skip
DATES = frozenset({"on", "from", "until", "recorded"})
VALUES = frozenset({"value", "word", "coded"})
# what a record of each kind may say beside its code, `text` and `status`
WORDS: Mapping[str, tuple[str, ...]] = {
    "condition": ("on", "until", "recorded", "verification"),
    "observation": ("on", "value", "word", "coded", "range", "flag"),
    "medication": ("on", "from", "until", "recorded", "as"),
    "procedure": ("on", "from", "until"),
    "immunization": ("on",),
    "allergy": ("recorded", "severity"),
    "family_history": ("recorded",),
}
COMMON = ("text", "status")
# the codes that FHIR has for a status and the like; none leaves the element away
CHOICES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("condition", "status"): ("active", "recurrence", "relapse", "inactive", "remission", "resolved", "none"),
    ("condition", "verification"): (
        "unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error", "none",
    ),
    ("observation", "status"): (
        "registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown",
    ),
    ("medication", "status"): (
        "active", "completed", "entered-in-error", "intended", "stopped", "on-hold", "unknown", "not-taken", "draft",
        "cancelled", "in-progress", "not-done", "preparation", "declined",
    ),
    ("medication", "as"): tuple(_EXPOSURES),
    ("procedure", "status"): _EVENT,
    ("immunization", "status"): ("completed", "entered-in-error", "not-done"),
    ("allergy", "status"): ("active", "inactive", "resolved"),
    ("allergy", "severity"): ("mild", "moderate", "severe"),
    ("family_history", "status"): ("partial", "completed", "entered-in-error", "health-unknown"),
}  # fmt: skip
# a store that has never seen a type of resource reads no silence into it: one record in error says that it is loaded
LOADED = (
    "AllergyIntolerance", "Condition", "Encounter", "FamilyMemberHistory", "Immunization", "MedicationAdministration",
    "MedicationDispense", "MedicationRequest", "MedicationStatement", "Observation", "Procedure",
)  # fmt: skip
NOBODY = "nobody-in-these-cases"


def _coding(system: str, code: str) -> Json:
    return {"coding": [{"system": _HL7 + system, "code": code}]}


_SUBJECT = {"AllergyIntolerance": "patient", "Immunization": "patient", "FamilyMemberHistory": "patient"}
_ERROR = {"status": "entered-in-error"}
_NOTHING = {"text": "nothing"}
# what FHIR requires of each, beside the status
_IN_ERROR: Mapping[str, Json] = {
    "AllergyIntolerance": {"verificationStatus": _coding("allergyintolerance-verification", "entered-in-error")},
    "Condition": {"verificationStatus": _coding("condition-ver-status", "entered-in-error")},
    "Encounter": {**_ERROR, "class": {"system": f"{_HL7}v3-ActCode", "code": "AMB"}},
    "FamilyMemberHistory": {**_ERROR, "relationship": _coding("v3-RoleCode", "FAMMEMB")},
    "Immunization": {**_ERROR, "vaccineCode": _NOTHING, "occurrenceString": "never"},
    "MedicationAdministration": {
        **_ERROR, "medicationCodeableConcept": _NOTHING, "effectiveDateTime": "1900-01-01",
    },
    "MedicationDispense": {**_ERROR, "medicationCodeableConcept": _NOTHING},
    "MedicationRequest": {**_ERROR, "medicationCodeableConcept": _NOTHING, "intent": "order"},
    "MedicationStatement": {**_ERROR, "medicationCodeableConcept": _NOTHING},
    "Observation": {**_ERROR, "code": _NOTHING},
    "Procedure": _ERROR,
}  # fmt: skip


def resource_of(
    record: Node, patient: str, resource_id: str, systems: Mapping[str, str], problems: Problems
) -> Json | None:
    """Return the resource that a record stands for; None, with the problems noted, where it is wrong.

    `systems` are the words by which code systems are named, with their addresses.
    """
    kind = next((key for key in record.keys if key in WORDS), None)
    if kind is None:
        found = next(iter(record.keys), "")
        problems.add(record.line, f"a record says what it is first: {', '.join(WORDS)}.{nearest(found, WORDS)}")
        return None
    said = _checked(kind, record, problems)
    concept = _concept(kind, record, said, systems, problems)
    if said is None or concept is None:
        return None
    made = _MAKERS[kind](said, concept, {"reference": f"Patient/{patient}"}) | {"id": resource_id}
    if "coded" in said:
        made["valueCodeableConcept"] = {"coding": [_code(said["coded"], systems)]}
    return made


def markers() -> list[Json]:
    """Return a record in error of nobody for each resource type, so that the store counts the type as loaded."""
    nobody = {"reference": f"Patient/{NOBODY}"}
    return [
        {"resourceType": kind, "id": f"{NOBODY}-{kind}", _SUBJECT.get(kind, "subject"): nobody, **_IN_ERROR[kind]}
        for kind in LOADED
    ]


def _checked(kind: str, record: Node, problems: Problems) -> dict[str, str] | None:
    """Return the words of a record as text, None where one of them is wrong."""
    said: dict[str, str] = {}
    good = True
    allowed = (kind, *WORDS[kind], *COMMON)
    for key, value in record.entries:
        wrong: str | None
        if key.text not in allowed:
            wrong = f"'{kind}' has no '{key.text}'; it may say {', '.join(allowed[1:])}.{nearest(key.text, allowed)}"
        elif not isinstance(value, Scalar):
            wrong = f"'{key.text}' is one text"
        else:
            said[key.text] = value.text
            wrong = _wrong_form(kind, key.text, value.text)
        if wrong:
            problems.add(key.line, wrong)
            good = False
    if len(VALUES & said.keys()) > 1:
        problems.add(record.line, "an observation has one of value, word and coded")
        good = False
    return said if good else None


def _wrong_form(kind: str, key: str, text: str) -> str | None:
    if key in DATES:
        return wrong_date(text)
    if key == "value" and not _QUANTITY.fullmatch(text):
        return f"'{text}' is no number with a unit; write 35 % or <0.5 10*9/L, and other words under 'word'"
    if key == "range" and not _RANGE.fullmatch(text):
        return f"'{text}' is no range; write 0-125 pg/mL, -125 pg/mL or 3.5-"
    allowed = CHOICES.get((kind, key))
    if allowed is not None and text not in allowed:
        return f"'{text}' is no '{key}' of '{kind}'; write one of {', '.join(allowed)}.{nearest(text, allowed)}"
    return None


def wrong_date(text: str) -> str | None:
    """Say what is wrong with a date of FHIR, None when nothing is."""
    try:
        # a month or a year alone is looked at with its first day
        date.fromisoformat(f"{text[:10]}-01-01"[:10])
    except ValueError:
        good = False
    else:
        good = _DATE.fullmatch(text) is not None
    return None if good else f"'{text}' is no date of FHIR; write 2026-05-01, 2026-05, or 2026-05-01T08:30:00+02:00"


def _concept(
    kind: str, record: Node, said: Mapping[str, str] | None, systems: Mapping[str, str], problems: Problems
) -> Json | None:
    """Return the CodeableConcept of a record."""
    if said is None or kind not in said:
        return None
    text = {"text": said["text"]} if "text" in said else {}
    if said[kind] == "none" and text:
        return text
    codings = [_code(part, systems) for part in said[kind].split(" | ")]
    wrong = _code(said["coded"], systems) is None if "coded" in said else False
    if wrong or None in codings:
        problems.add(
            record.line_of("coded" if wrong else kind),
            f"'{said['coded' if wrong else kind]}' is no code; write a system and a code, as LOINC 718-7 (systems: "
            f"{', '.join(systems)}, or an address), several with ' | ' between them, or none beside a text",
        )
        return None
    return {"coding": codings, **text}


def _code(words: str, systems: Mapping[str, str]) -> Json | None:
    system, _, code = words.strip().partition(" ")
    uri = system if "://" in system or system.startswith("urn:") else systems.get(system)
    return {"system": uri, "code": code.strip()} if uri and code.strip() else None


def _quantity(words: str) -> Json:
    match = _QUANTITY.fullmatch(words)
    assert match is not None  # _wrong_form has looked
    comparator, number, unit = match.groups()
    value = float(number) if "." in number else int(number)
    return (
        {"value": value}
        | ({"comparator": comparator} if comparator else {})
        | ({"unit": unit, "system": _UCUM, "code": unit} if unit else {})
    )


def _reference_range(words: str) -> list[Json]:
    match = _RANGE.fullmatch(words)
    assert match is not None  # _wrong_form has looked
    low, high, unit = match.groups()
    sides = (("low", low), ("high", high))
    return [{side: _quantity(f"{limit} {unit or ''}".strip()) for side, limit in sides if limit}]


def _period(said: Mapping[str, str]) -> Json:
    return {key: said[word] for key, word in (("start", "from"), ("end", "until")) if word in said}


def _present(**elements: Any) -> Json:
    return {key: value for key, value in elements.items() if value}


def _condition(said: Mapping[str, str], concept: Json, subject: Json) -> Json:
    status, verified = said.get("status", "active"), said.get("verification", "confirmed")
    return {"resourceType": "Condition", "code": concept, "subject": subject} | _present(
        clinicalStatus=None if status == "none" else _coding("condition-clinical", status),
        verificationStatus=None if verified == "none" else _coding("condition-ver-status", verified),
        onsetDateTime=said.get("on"),
        abatementDateTime=said.get("until"),
        recordedDate=said.get("recorded"),
    )


def _observation(said: Mapping[str, str], concept: Json, subject: Json) -> Json:
    head = {"resourceType": "Observation", "status": said.get("status", "final"), "code": concept, "subject": subject}
    return head | _present(
        effectiveDateTime=said.get("on"),
        valueQuantity=_quantity(said["value"]) if "value" in said else None,
        valueString=said.get("word"),
        referenceRange=_reference_range(said["range"]) if "range" in said else None,
        interpretation=[_coding("v3-ObservationInterpretation", said["flag"])] if "flag" in said else None,
    )


def _medication(said: Mapping[str, str], concept: Json, subject: Json) -> Json:
    kind = _EXPOSURES[said.get("as", "statement")]
    usual = "active" if kind in ("MedicationStatement", "MedicationRequest") and "until" not in said else "completed"
    head = {"resourceType": kind, "status": said.get("status", usual), "medicationCodeableConcept": concept}
    if kind == "MedicationRequest":
        return head | _present(subject=subject, intent="order", authoredOn=said.get("on") or said.get("from"))
    if kind == "MedicationDispense":
        return head | _present(subject=subject, whenHandedOver=said.get("on") or said.get("from"))
    told = said.get("recorded") if kind == "MedicationStatement" else None
    period = _period(said)
    return head | _present(subject=subject, effectiveDateTime=said.get("on"), effectivePeriod=period, dateAsserted=told)


def _procedure(said: Mapping[str, str], concept: Json, subject: Json) -> Json:
    head = {"resourceType": "Procedure", "status": said.get("status", "completed"), "code": concept, "subject": subject}
    return head | _present(performedDateTime=said.get("on"), performedPeriod=_period(said))


def _immunization(said: Mapping[str, str], concept: Json, subject: Json) -> Json:
    head = {"resourceType": "Immunization", "status": said.get("status", "completed"), "vaccineCode": concept}
    return head | _present(patient=subject, occurrenceDateTime=said.get("on"))


def _allergy(said: Mapping[str, str], concept: Json, subject: Json) -> Json:
    status = _coding("allergyintolerance-clinical", said.get("status", "active"))
    head = {"resourceType": "AllergyIntolerance", "clinicalStatus": status, "code": concept, "patient": subject}
    reaction = [{"manifestation": [{"text": "as told"}], "severity": said["severity"]}] if "severity" in said else None
    return head | _present(recordedDate=said.get("recorded"), reaction=reaction)


def _family_history(said: Mapping[str, str], concept: Json, subject: Json) -> Json:
    return {
        "resourceType": "FamilyMemberHistory", "status": said.get("status", "completed"), "patient": subject,
        "relationship": _coding("v3-RoleCode", "FAMMEMB"), "condition": [{"code": concept}],
    } | _present(date=said.get("recorded"))  # fmt: skip


_MAKERS: Mapping[str, Callable[[Mapping[str, str], Json, Json], Json]] = {
    "condition": _condition,
    "observation": _observation,
    "medication": _medication,
    "procedure": _procedure,
    "immunization": _immunization,
    "allergy": _allergy,
    "family_history": _family_history,
}
