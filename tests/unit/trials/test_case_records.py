"""The few words of a record in a case file, and the FHIR resource that they stand for."""

from typing import Any

import pytest

from cohortfinder.resources import resource_dir
from cohortfinder.terminology import load_terminology
from cohortfinder.trials.case_records import LOADED, markers, resource_of
from cohortfinder.trials.document import read_document
from cohortfinder.trials.problems import Problems

SUBJECT = {"reference": "Patient/p"}
HL7 = "http://terminology.hl7.org/CodeSystem/"
SYSTEMS = load_terminology(resource_dir("mappings")).system_words


def made(text: str) -> dict[str, Any]:
    problems = Problems("cases.yaml")
    record = read_document(text, problems)
    resource = resource_of(record, "p", "p-r", SYSTEMS, problems)
    problems.raise_if_any()
    assert resource is not None
    assert resource.pop("id") == "p-r"
    return resource


def coding(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": HL7 + system, "code": code}]}


@pytest.mark.parametrize(
    ("text", "resource"),
    [
        (
            "{condition: ICD10 I50.1 | SNOMED 84114007, on: 2024-01, until: 2025, recorded: 2024-02-01, text: weak heart}",
            {
                "resourceType": "Condition",
                "code": {
                    "coding": [
                        {"system": "http://hl7.org/fhir/sid/icd-10", "code": "I50.1"},
                        {"system": "http://snomed.info/sct", "code": "84114007"},
                    ],
                    "text": "weak heart",
                },
                "subject": SUBJECT,
                "clinicalStatus": coding("condition-clinical", "active"),
                "verificationStatus": coding("condition-ver-status", "confirmed"),
                "onsetDateTime": "2024-01",
                "abatementDateTime": "2025",
                "recordedDate": "2024-02-01",
            },
        ),
        (
            "{condition: none, text: weak heart, status: none, verification: none}",
            {"resourceType": "Condition", "code": {"text": "weak heart"}, "subject": SUBJECT},
        ),
        (
            "{observation: LOINC 33762-6, value: '<35.5 pg/mL', range: -125 pg/mL, flag: L, on: 2026-05-01}",
            {
                "resourceType": "Observation",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "33762-6"}]},
                "subject": SUBJECT,
                "effectiveDateTime": "2026-05-01",
                "valueQuantity": {
                    "value": 35.5,
                    "comparator": "<",
                    "unit": "pg/mL",
                    "system": "http://unitsofmeasure.org",
                    "code": "pg/mL",
                },
                "referenceRange": [
                    {
                        "high": {
                            "value": 125,
                            "unit": "pg/mL",
                            "system": "http://unitsofmeasure.org",
                            "code": "pg/mL",
                        }
                    }
                ],
                "interpretation": [coding("v3-ObservationInterpretation", "L")],
            },
        ),
        (
            "{observation: https://hospital.example/codes NYHA, value: '2', range: 1-4, status: preliminary}",
            {
                "resourceType": "Observation",
                "status": "preliminary",
                "code": {"coding": [{"system": "https://hospital.example/codes", "code": "NYHA"}]},
                "subject": SUBJECT,
                "valueQuantity": {"value": 2},
                "referenceRange": [{"low": {"value": 1}, "high": {"value": 4}}],
            },
        ),
        (
            "{observation: LOINC 5196-1, coded: SNOMED 10828004}",
            {
                "resourceType": "Observation",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "5196-1"}]},
                "subject": SUBJECT,
                "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "10828004"}]},
            },
        ),
        (
            "{medication: ATC A10BA02, from: 2024-01-01, until: 2024-02-01}",
            {
                "resourceType": "MedicationStatement",
                "status": "completed",
                "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "A10BA02"}]},
                "subject": SUBJECT,
                "effectivePeriod": {"start": "2024-01-01", "end": "2024-02-01"},
            },
        ),
        (
            "{medication: ATC A10BA02, as: request, on: 2024-01-01}",
            {
                "resourceType": "MedicationRequest",
                "status": "active",
                "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "A10BA02"}]},
                "subject": SUBJECT,
                "intent": "order",
                "authoredOn": "2024-01-01",
            },
        ),
        (
            "{procedure: SNOMED 34068001, on: 2024-01-01, status: not-done}",
            {
                "resourceType": "Procedure",
                "status": "not-done",
                "code": {"coding": [{"system": "http://snomed.info/sct", "code": "34068001"}]},
                "subject": SUBJECT,
                "performedDateTime": "2024-01-01",
            },
        ),
        (
            "{immunization: CVX 03, on: 2024-01-01}",
            {
                "resourceType": "Immunization",
                "status": "completed",
                "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "03"}]},
                "patient": SUBJECT,
                "occurrenceDateTime": "2024-01-01",
            },
        ),
        (
            "{allergy: ATC A10BK01, severity: severe, recorded: 2024-01-01}",
            {
                "resourceType": "AllergyIntolerance",
                "clinicalStatus": coding("allergyintolerance-clinical", "active"),
                "code": {"coding": [{"system": "http://www.whocc.no/atc", "code": "A10BK01"}]},
                "patient": SUBJECT,
                "recordedDate": "2024-01-01",
                "reaction": [{"manifestation": [{"text": "as told"}], "severity": "severe"}],
            },
        ),
        (
            "{family_history: SNOMED 255032005, recorded: 2024-01-01}",
            {
                "resourceType": "FamilyMemberHistory",
                "status": "completed",
                "patient": SUBJECT,
                "relationship": coding("v3-RoleCode", "FAMMEMB"),
                "condition": [{"code": {"coding": [{"system": "http://snomed.info/sct", "code": "255032005"}]}}],
                "date": "2024-01-01",
            },
        ),
    ],
)
def test_a_record_becomes_a_resource(text: str, resource: dict[str, Any]) -> None:
    assert made(text) == resource


def test_a_statement_that_goes_on_says_when_that_was_told() -> None:
    resource = made("{medication: ATC A10BA02, from: 2024-01-01, recorded: 2026-05-01}")
    assert (resource["status"], resource["dateAsserted"]) == ("active", "2026-05-01")
    assert resource["effectivePeriod"] == {"start": "2024-01-01"}


@pytest.mark.parametrize(
    ("kind", "element"),
    [("administration", "effectiveDateTime"), ("dispense", "whenHandedOver"), ("statement", "effectiveDateTime")],
)
def test_a_day_of_a_medication_stands_where_its_resource_has_one(kind: str, element: str) -> None:
    resource = made(f"{{medication: ATC A10BA02, as: {kind}, on: 2024-01-01}}")
    assert resource[element] == "2024-01-01"


def test_every_type_that_a_record_can_become_counts_as_loaded() -> None:
    found = {marker["resourceType"]: marker for marker in markers()}
    assert set(found) == set(LOADED)
    assert {"Condition", "Observation", "Procedure", "Immunization", "AllergyIntolerance", "FamilyMemberHistory"} < set(
        found
    )
    in_error = {kind for kind, marker in found.items() if "entered-in-error" in str(marker)}
    assert in_error == set(LOADED)
