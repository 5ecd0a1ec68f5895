"""Which FHIR release a resource belongs to, told by what only that release has."""

import csv
from functools import cache
from typing import Any

from cohortfinder.resources import resource_dir

R5 = "looks like FHIR R5; export it as R4"
OLDER = "looks like FHIR STU3 or DSTU2; export it as R4"

_MEDICATION = (b'"medication"', b'"recorded"')
_CONDITION = (b'"clinicalStatus":"', b'"clinicalStatus": "')

# Bytes that call for a closer look at the lines of a type; their absence proves R4 as far as we can tell.
MARKERS: dict[str, tuple[bytes, ...]] = {
    "AllergyIntolerance": (*_CONDITION, b'"type":{', b'"type": {'),
    "Condition": (*_CONDITION, b'"dateAsserted"', b'"dateRecorded"', b'"assertedDate"'),
    "Encounter": (b'"class":[', b'"class": [', b'"class":"', b'"class": "', b'"actualPeriod"'),
    "Immunization": (b'"notGiven"', b'"wasNotGiven"'),
    "MedicationAdministration": _MEDICATION,
    "MedicationDispense": _MEDICATION,
    "MedicationRequest": _MEDICATION,
    "MedicationStatement": _MEDICATION,
    "Observation": (b'"units"', b'"comments"'),
    "Patient": (b'"animal"',),
    "Procedure": (b'"occurrenceDateTime"', b'"occurrencePeriod"', b'"occurrenceString"', b'"notPerformed"'),
}


@cache
def resource_types() -> dict[str, str]:
    """Return the names of resource types, each with the newest release that has it (R4, or an older one)."""
    with (resource_dir("mappings") / "resource_types.csv").open(encoding="utf-8", newline="") as lines:
        return {row["resource_type"]: row["release"] for row in csv.DictReader(lines)}


def wrong_type(resource_type: Any) -> str | None:
    """Return why a resourceType is not one of R4, None when it is."""
    if not isinstance(resource_type, str) or not resource_type:
        return "no resourceType"
    release = resource_types().get(resource_type)
    if release == "R4":
        return None
    return "unknown resourceType" if release is None else OLDER


def wrong_release(resource: dict[str, Any]) -> str | None:
    """Return why a resource belongs to another release than R4, None when nothing speaks against R4."""
    match resource.get("resourceType"):
        case "MedicationAdministration" | "MedicationDispense" | "MedicationRequest" | "MedicationStatement":
            return R5 if _r5_medication(resource) else None
        case "Encounter":
            if "actualPeriod" in resource or isinstance(resource.get("class"), list):
                return R5
            return OLDER if isinstance(resource.get("class"), str) else None
        case "Condition" | "AllergyIntolerance":
            return _wrong_release_of_problem(resource)
        case "Observation":
            return OLDER if "comments" in resource or "units" in _object(resource.get("valueQuantity")) else None
        case "Patient":
            return OLDER if "animal" in resource else None
        case "Immunization" | "Procedure":
            return _wrong_release_of_event(resource)
    return None


def _r5_medication(resource: dict[str, Any]) -> bool:
    return isinstance(resource.get("medication"), dict) or resource.get("status") == "recorded"


def _wrong_release_of_problem(resource: dict[str, Any]) -> str | None:
    if isinstance(resource.get("clinicalStatus"), str):
        return OLDER
    if resource["resourceType"] == "AllergyIntolerance":
        return R5 if isinstance(resource.get("type"), dict) else None
    return OLDER if resource.keys() & {"dateAsserted", "dateRecorded", "assertedDate"} else None


def _wrong_release_of_event(resource: dict[str, Any]) -> str | None:
    if resource.keys() & {"notGiven", "wasNotGiven", "notPerformed"}:
        return OLDER
    newer = {"occurrenceDateTime", "occurrencePeriod", "occurrenceString"}
    return R5 if resource["resourceType"] == "Procedure" and resource.keys() & newer else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
