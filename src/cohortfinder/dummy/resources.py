"""A chart to the FHIR R4 resources of one patient, each marked as test data."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from cohortfinder.dummy.chart import Chart
from cohortfinder.dummy.doses import STEP
from cohortfinder.dummy.facts import Coding, Record, Result, Sent
from cohortfinder.dummy.numbers import nearest
from cohortfinder.dummy.scene import Scene
from cohortfinder.dummy.statements import UNCLEAR

Json = dict[str, Any]
_HL7 = "http://terminology.hl7.org/CodeSystem/"
_UCUM = "http://unitsofmeasure.org"
TEST_DATA = {"system": f"{_HL7}v3-ActReason", "code": "HTEST", "display": "test health data"}
META = {"tag": [TEST_DATA]}
_TYPES = {
    "statement": "MedicationStatement", "administration": "MedicationAdministration",
    "request": "MedicationRequest", "dispense": "MedicationDispense",
}  # fmt: skip


def resources_of(chart: Chart, patient: str, name: str, scene: Scene) -> Iterator[Json]:
    """Yield the patient, a visit, and a resource for each fact; ids are made of the patient's and a number."""
    yield _patient(chart, patient, name)
    subject = {"reference": f"Patient/{patient}"}
    made = [
        _visit(subject, scene.recent),
        *(_observation(result, subject, scene) for result in chart.results.values()),
        *(resource for record in chart.records for resource in _recorded(record, chart, subject, scene)),
    ]
    for number, resource in enumerate(made, start=1):
        yield {**resource, "id": f"{patient}-{number}", "meta": META} if "id" not in resource else resource


def _patient(chart: Chart, patient: str, name: str) -> Json:
    made: Json = {
        "resourceType": "Patient", "id": patient, "meta": META,
        "name": [{"text": f"{name} (invented)", "family": "Dummy", "given": [patient]}],
    }  # fmt: skip
    if chart.gender is not None and chart.gender.gender is not None:
        made["gender"] = chart.gender.gender
    if chart.born is not None and chart.born.sent != "nothing":
        made["birthDate"] = _day(chart.born.wanted, chart.born.sent)
    return made


def _visit(subject: Json, day: date) -> Json:
    return {
        "resourceType": "Encounter", "status": "finished", "subject": subject,
        "class": {"system": f"{_HL7}v3-ActCode", "code": "AMB"},
        "period": {"start": day.isoformat(), "end": day.isoformat()},
    }  # fmt: skip


def _observation(result: Result, subject: Json, scene: Scene) -> Json:
    code = scene.codes.observation(result.concept, result.role)
    assert code is not None  # the trial file was checked: the concept has a code that decides
    return {
        "resourceType": "Observation", "status": "preliminary" if result.defect == "preliminary" else "final",
        "code": _concept(code), "subject": subject, "effectiveDateTime": _day(result.day, result.sent),
        **_value(result, scene), **_range(result, scene),
    }  # fmt: skip


def _value(result: Result, scene: Scene) -> Json:
    known = scene.terminology.observation_concepts[result.concept]
    if result.defect == "no_value":
        return {"dataAbsentReason": _hl7("data-absent-reason", "unknown")}
    if isinstance(result.values, frozenset):
        return {"valueString": min(result.values, key=lambda word: (word != "negative", word))}
    number = number_of(result, scene)
    if known.value_kind == "titre":
        return {"valueString": f"1:{number.to_integral_value()}"}
    unit = "" if result.defect == "no_unit" else known.unit
    comparator = {"comparator": result.defect} if result.defect in ("<", ">") else {}
    return {"valueQuantity": {**_quantity(number, unit), **comparator}}


def number_of(result: Result, scene: Scene) -> Decimal:
    """Return the number that is taken of those that a result may have."""
    assert not isinstance(result.values, frozenset)  # words have no number
    if result.defect in ("<", ">") and result.wanted is not None:
        return result.wanted
    span = result.values[0]
    wanted = scene.unremarkable(result.concept, span) if result.wanted is None else result.wanted
    lowest, highest = scene.plausible(result.concept)
    found = nearest(result.values, wanted, scene.step(result.concept, span))
    return min(max(found, lowest), highest)


def _range(result: Result, scene: Scene) -> Json:
    known = scene.terminology.observation_concepts[result.concept]
    if result.concept not in scene.ranged:
        return {}
    low, high = scene.limits(result.concept)
    return {"referenceRange": [{"low": _quantity(low, known.unit), "high": _quantity(high, known.unit)}]}


def _quantity(number: Decimal, unit: str) -> Json:
    whole = number == number.to_integral_value()
    return {"value": int(number) if whole else float(number)} | (
        {"unit": unit, "system": _UCUM, "code": unit} if unit else {}
    )


def _recorded(record: Record, chart: Chart, subject: Json, scene: Scene) -> Iterator[Json]:
    if record.kind == "medication":
        yield _medication(record, chart, subject, scene)
    elif record.kind == "study":
        yield from _study(record, subject)
    else:
        yield _MAKERS[record.kind](record, subject)


def _medication(record: Record, chart: Chart, subject: Json, scene: Scene) -> Json:
    kind = _TYPES[record.form or "statement"]
    made: Json = {"resourceType": kind, "subject": subject, "medicationCodeableConcept": _concept(record.coding)}
    dose = _dose(record, chart)
    start = _start(record)
    if kind == "MedicationRequest":
        given = {"dosageInstruction": [dose]} if dose else {}
        return made | {"status": "active", "intent": "order", "authoredOn": start, **given}
    if kind == "MedicationDispense":
        return made | {"status": "completed", "whenHandedOver": start}
    if kind == "MedicationAdministration":
        amount = {"dosage": {"dose": _mg(record.amount)}} if record.amount is not None else _once(dose)
        return made | {"status": "completed", "effectiveDateTime": start, **amount}
    status = {"against": "not-taken", "doubtful": "on-hold"}.get(
        record.standing, "active" if record.end is None else "completed"
    )
    period = {"start": start} | ({} if record.end is None else {"end": record.end.isoformat()})
    asserted = {"dateAsserted": scene.recent.isoformat()}
    return made | {"status": status, "effectivePeriod": period, **asserted, **({"dosage": [dose]} if dose else {})}


def _once(dose: Json | None) -> Json:
    return {} if dose is None else {"dosage": {"dose": dose["doseAndRate"][0]["doseQuantity"]}}


def _dose(record: Record, chart: Chart) -> Json | None:
    """Return a dosage in mg once a day, or once a week."""
    asked = chart.dose_of(record)
    if asked is None:
        return None
    spans, wanted, weekly = asked
    amount = nearest(spans, wanted, STEP) * (7 if weekly else 1)
    timing = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk" if weekly else "d"}}
    return {"timing": timing, "doseAndRate": [{"doseQuantity": _mg(amount)}]}


def _mg(amount: Decimal) -> Json:
    return _quantity(amount, "mg")


def _condition(record: Record, subject: Json) -> Json:
    over = record.end is not None
    verified = {"doubtful": "provisional", "against": "refuted"}.get(record.standing, "confirmed")
    end = {"abatementDateTime": record.end.isoformat()} if record.end is not None else {}
    refuted = record.standing == "against"
    status = {} if refuted else {"clinicalStatus": _hl7("condition-clinical", "resolved" if over else "active")}
    return {
        "resourceType": "Condition", "code": _concept(record.coding), "subject": subject, **status,
        "verificationStatus": _hl7("condition-ver-status", verified), **_present("onsetDateTime", record), **end,
    }  # fmt: skip


def _procedure(record: Record, subject: Json) -> Json:
    status = {"against": "not-done", "doubtful": "unknown"}.get(record.standing, "completed")
    head = {"resourceType": "Procedure", "status": status, "code": _concept(record.coding), "subject": subject}
    return head | _present("performedDateTime", record)


def _immunization(record: Record, subject: Json) -> Json:
    status = "not-done" if record.standing == "against" else "completed"
    when = _present("occurrenceDateTime", record) or {"occurrenceString": "some time ago"}
    return {
        "resourceType": "Immunization", "status": status, "vaccineCode": _concept(record.coding), "patient": subject,
    } | when  # fmt: skip


def _allergy(record: Record, subject: Json) -> Json:
    verified = "unconfirmed" if record.standing == "doubtful" else "confirmed"
    severe = {"criticality": "high"} if record.form == "severe" else {}
    return {
        "resourceType": "AllergyIntolerance", "code": _concept(record.coding), "patient": subject,
        "clinicalStatus": _hl7("allergyintolerance-clinical", "active"),
        "verificationStatus": _hl7("allergyintolerance-verification", verified),
        **_present("recordedDate", record), **severe,
    }  # fmt: skip


def _relative(record: Record, subject: Json) -> Json:
    status = "health-unknown" if record.standing == "doubtful" else "completed"
    return {
        "resourceType": "FamilyMemberHistory", "status": status, "patient": subject,
        "relationship": _hl7("v3-RoleCode", "FAMMEMB"), "condition": [{"code": _concept(record.coding)}],
        **_present("date", record),
    }  # fmt: skip


def _study(record: Record, subject: Json) -> Iterator[Json]:
    """Yield the study and the part in it; a study of another kind is one that says nothing of itself."""
    patient = subject["reference"].removeprefix("Patient/")
    study = f"{patient}-study-{record.concept}"
    kind = {} if record.concept == UNCLEAR else {"category": [{"text": "interventional"}]}
    yield {
        "resourceType": "ResearchStudy", "id": study, "meta": META, "status": "active",
        "title": f"Invented study of {patient}", **kind,
    }  # fmt: skip
    over = record.end is not None
    status = "screening" if record.standing == "doubtful" else "off-study" if over else "on-study"
    period = {"start": _start(record)} | ({} if record.end is None else {"end": record.end.isoformat()})
    yield {
        "resourceType": "ResearchSubject", "status": status, "individual": subject, "period": period,
        "study": {"reference": f"ResearchStudy/{study}"},
    }  # fmt: skip


_MAKERS: Mapping[str, Callable[[Record, Json], Json]] = {
    "condition": _condition,
    "procedure": _procedure,
    "immunization": _immunization,
    "allergy": _allergy,
    "family_history": _relative,
}


def _present(element: str, record: Record) -> Json:
    return {element: _start(record)} if record.sent != "nothing" and record.start is not None else {}


def _start(record: Record) -> str:
    return "" if record.start is None else _day(record.start, record.sent)


def _concept(coding: Coding) -> Json:
    coded = {"coding": [{"system": coding.system, "code": coding.code}]} if coding.code else {}
    return {**coded, "text": coding.text}


def _hl7(system: str, code: str) -> Json:
    return {"coding": [{"system": _HL7 + system, "code": code}]}


def _day(day: date, sent: Sent) -> str:
    return day.isoformat()[: {"year": 4, "month": 7}.get(sent, 10)]
