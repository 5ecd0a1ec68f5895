"""Views of the kind that a cohort needs, over resources as hospitals and simulators send them."""

from typing import Any


def column(name: str, path: str, kind: str = "", *, collection: bool = False) -> dict[str, Any]:
    """Return a column."""
    return (
        {"name": name, "path": path} | ({"type": kind} if kind else {}) | ({"collection": True} if collection else {})
    )


def view(
    name: str, resource: str, *selects: dict[str, Any], where: tuple[str, ...] = (), **constants: str
) -> dict[str, Any]:
    """Return a ViewDefinition; constants are strings."""
    return {
        "name": name, "resource": resource, "select": list(selects),
        "where": [{"path": path} for path in where],
        "constant": [{"name": key, "valueString": value} for key, value in constants.items()],
    }  # fmt: skip


LOINC, SCT = "http://loinc.org", "http://snomed.info/sct"
CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
ID = column("id", "id")
SUBJECT = column("patient_id", "subject.getReferenceKey(Patient)")
PART = "component.where(code.coding.exists(system = %loinc and code = '{code}')).value.ofType(Quantity).value.first()"

VIEWS = (
    view("patient", "Patient", {"column": [ID, column("gender", "gender"), column("birth_date", "birthDate"),
         column("dead", "deceased.exists()"), column("died", "deceased.ofType(dateTime)"),
         column("city", "address.first().city"), column("family", "name.where(use = 'official').first().family"),
         column("given", "name.first().given.join(' ')")]}),
    view("patient_name", "Patient", {"column": [ID]}, {"forEach": "name", "column": [column("use", "use"),
         column("family", "family"), column("given", "given", collection=True), column("place", "%rowIndex")]}),
    view("patient_race", "Patient", {"column": [ID, column("race", "extension('" + CORE + "/us-core-race')"
         ".extension('ombCategory').value.ofType(Coding).code.first()"), column("birth_sex", "extension('" + CORE
         + "/us-core-birthsex').value.ofType(code).first()")]}),
    view("patient_language", "Patient", {"column": [ID, column("language", "communication.language.coding.code.first()"),
         column("languages", "communication.language.coding.count()"), column("twin", "multipleBirth.ofType(boolean)"),
         column("birth_order", "multipleBirth.ofType(integer)")]}),
    view("patient_identifier", "Patient", {"column": [ID]}, {"forEachOrNull": "identifier.where(type.coding.exists(code = 'MR'))",
         "column": [column("mrn", "value"), column("system", "system")]}),
    view("living_women", "Patient", {"column": [ID]}, where=("gender = 'female'", "deceased.exists().not()")),
    view("replaced", "Patient", {"column": [ID]}, {"forEach": "link.where(type = 'replaced-by')",
         "column": [column("other", "other.getReferenceKey(Patient)")]}),
    view("observation_code", "Observation", {"column": [ID, SUBJECT, column("status", "status"),
         column("day", "effective.ofType(dateTime)")]},
         {"forEach": "code.coding", "column": [column("system", "system"), column("code", "code")]}),
    view("observation_value", "Observation", {"column": [ID, column("value", "value.ofType(Quantity).value", "decimal"),
         column("comparator", "value.ofType(Quantity).comparator"), column("unit", "value.ofType(Quantity).code"),
         column("text", "value.ofType(string)"), column("coded", "value.ofType(CodeableConcept).coding.first().code"),
         column("yes", "value.ofType(boolean)"), column("whole", "value.ofType(integer)")]}),
    view("blood_pressure", "Observation", {"column": [ID, column("systolic", PART.format(code="8480-6"), "decimal"),
         column("diastolic", PART.format(code="8462-4"), "decimal")]},
         where=("code.coding.exists(system = %loinc and code = '85354-9')",), loinc=LOINC),
    view("component_place", "Observation", {"column": [ID]}, {"forEach": "component", "column": [
         column("place", "%rowIndex"), column("code", "code.coding.first().code"),
         column("value", "value.ofType(Quantity).value", "decimal")]}),
    view("component_code", "Observation", {"column": [ID]}, {"forEach": "component", "select": [
         {"column": [column("unit", "value.ofType(Quantity).unit")]},
         {"forEach": "code.coding", "column": [column("code", "code"), column("place", "%rowIndex")]}]}),
    view("any_code", "Observation", {"column": [ID]}, {"unionAll": [
         {"forEach": "code.coding", "column": [column("code", "code"), column("part", "'whole'")]},
         {"forEach": "component.code.coding", "column": [column("code", "code"), column("part", "'component'")]}]}),
    view("interpretation", "Observation", {"column": [ID, column("codes", "interpretation.coding.code", collection=True),
         column("absent", "dataAbsentReason.coding.code.first()"), column("none", "value.exists().not()")]}),
    view("reference_range", "Observation", {"column": [ID]}, {"forEachOrNull": "referenceRange", "column": [
         column("low", "low.value", "decimal"), column("high", "high.value", "decimal"), column("said", "text")]}),
    view("final_numbers", "Observation", {"column": [ID]},
         where=("status = 'final' or status = 'amended'", "value.ofType(Quantity).value > 7.5")),
    view("laboratory", "Observation", {"column": [ID, column("kinds", "category.coding.code.join('|')")]},
         where=("category.coding.exists(code = 'laboratory')",)),
    view("condition", "Condition", {"column": [ID, SUBJECT, column("code", "code.coding.where(system = %sct).code.first()"),
         column("clinical", "clinicalStatus.coding.first().code"), column("verified", "verificationStatus.coding.first().code"),
         column("onset", "onset.ofType(dateTime)"), column("ended", "abatement.ofType(dateTime)"),
         column("age", "onset.ofType(Age).value", "decimal"), column("encounter", "encounter.getReferenceKey(Encounter)")]}, sct=SCT),
    view("active_condition", "Condition", {"column": [ID]},
         where=("clinicalStatus.coding.exists(code = 'active')", "verificationStatus.coding.exists(code = 'refuted').not()")),
    view("condition_onset", "Condition", {"column": [ID, column("first", "onset.ofType(dateTime).lowBoundary()"),
         column("last", "onset.ofType(dateTime).highBoundary()")]}),
    view("medication_request", "MedicationRequest", {"column": [ID, SUBJECT, column("intent", "intent"),
         column("code", "medication.ofType(CodeableConcept).coding.first().code"),
         column("medication_id", "medication.ofType(Reference).getReferenceKey(Medication)"),
         column("coded", "medication.ofType(CodeableConcept).exists()")]}),
    view("dosage", "MedicationRequest", {"column": [ID]}, {"forEachOrNull": "dosageInstruction", "select": [
         {"column": [column("sequence", "sequence"), column("needed", "asNeeded.ofType(boolean)"),
                     column("frequency", "timing.repeat.frequency"), column("period", "timing.repeat.period", "decimal"),
                     column("unit", "timing.repeat.periodUnit")]},
         {"forEachOrNull": "doseAndRate", "column": [column("dose", "dose.ofType(Quantity).value", "decimal"),
                                                   column("kind", "type.coding.first().code")]}]}),
    view("administration", "MedicationAdministration", {"column": [ID, SUBJECT, column("day", "effective.ofType(dateTime)"),
         column("code", "medication.ofType(CodeableConcept).coding.code.first()"),
         column("dose", "dosage.dose.value", "decimal"), column("visit", "context.getReferenceKey(Encounter)")]}),
    view("medication", "Medication", {"column": [ID, column("code", "code.coding.first().code")]},
         {"forEachOrNull": "ingredient", "column": [
             column("ingredient", "item.ofType(CodeableConcept).coding.first().code"), column("active", "isActive")]}),
    view("procedure", "Procedure", {"column": [ID, SUBJECT, column("day", "performed.ofType(dateTime)"),
         column("start", "performed.ofType(Period).start"), column("reason", "reasonReference.getReferenceKey(Condition).first()"),
         column("code", "code.coding.first().code")]}),
    view("encounter", "Encounter", {"column": [ID, SUBJECT, column("kind", "class.code"), column("start", "period.start"),
         column("end", "period.end"), column("why", "reasonCode.coding.code", collection=True)]}),
    view("participant", "Encounter", {"column": [ID]}, {"forEach": "participant", "column": [
         column("role", "type.coding.code.first()"), column("begin", "period.start"), column("place", "%rowIndex")]}),
    view("immunization", "Immunization", {"column": [ID, column("patient_id", "patient.getReferenceKey(Patient)"),
         column("code", "vaccineCode.coding.first().code"), column("day", "occurrence.ofType(dateTime)")]}),
    view("allergy", "AllergyIntolerance", {"column": [ID, column("code", "code.coding.first().code"),
         column("categories", "category", collection=True)]},
         {"forEachOrNull": "reaction.manifestation.coding", "column": [column("sign", "code"), column("place", "%rowIndex")]}),
    view("word_or_code", "Observation", {"column": [ID, column("said",
         "iif(value.ofType(string).exists(), value.ofType(string), value.ofType(CodeableConcept).text)")]}),
)  # fmt: skip
