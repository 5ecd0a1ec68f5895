"""What the hospital sent, by patient, and what the rules of the trial add to it."""

from copy import copy
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from reference.dates import EVER, Span, before, plus_months, span_of
from reference.mappings import Mappings

MEDICATION_TYPES = (
    "MedicationStatement", "MedicationRequest", "MedicationAdministration", "MedicationDispense",
)  # fmt: skip


_BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"


@dataclass(frozen=True)
class Answer:
    """The truth of a leaf with its reason, its flags and the resources that decided it.

    `open_flags` are those of which partial dates leave open whether they hold, `open_reasons` what could be the reason
    as well, where dates leave open which unusable result is the newest.
    """

    truth: bool | None
    reason: str | None = None
    flags: frozenset[str] = frozenset()
    evidence: frozenset[str] = frozenset()
    suggested: bool = False
    open_flags: frozenset[str] = frozenset()
    open_reasons: frozenset[str] = frozenset()


@dataclass
class Site:
    """All resources, the mappings and the settings of one evaluation."""

    resources: list[dict[str, Any]]
    mappings: Mappings
    zone: str
    profile: str = "prescreen"
    by_patient: dict[str, list[dict[str, Any]]] = field(init=False)
    by_reference: dict[str, dict[str, Any]] = field(init=False)
    # the records that say that they replace another one
    replacing: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_reference = {reference_of(resource): resource for resource in self.resources}
        patients = [r["id"] for r in self.resources if r["resourceType"] == "Patient"]
        self.replacing = {}
        for patient in sorted(patients):
            for other in self.linked(patient, "replaces"):
                self.replacing.setdefault(other, []).append(patient)
        self.by_patient = {p: [] for p in patients if self.survivor(p) == p}
        for resource in self.resources:
            person = resource.get("subject") or resource.get("patient") or resource.get("individual") or {}
            patient = person.get("reference", "").rsplit("/", 1)[-1]
            if f"Patient/{patient}" in self.by_reference:
                self.by_patient[self.survivor(patient)].append(resource)

    def survivor(self, patient_id: str) -> str:
        """Follow the links of type replaced-by, else those of others who say that they replace it, to who counts."""
        seen = [patient_id]
        while True:
            targets = self.linked(seen[-1], "replaced-by") or self.replacing.get(seen[-1], [])
            known = [t for t in targets if f"Patient/{t}" in self.by_reference and t not in seen]
            if not known:
                return seen[-1]
            seen.append(known[0])

    def linked(self, patient_id: str, kind: str) -> list[str]:
        """Return the ids to which a record links in one way."""
        links = self.by_reference[f"Patient/{patient_id}"].get("link", [])
        return [link["other"]["reference"].rsplit("/", 1)[-1] for link in links if link["type"] == kind]

    def patient(self, patient_id: str) -> dict[str, Any]:
        """Return the Patient resource."""
        return self.by_reference[f"Patient/{patient_id}"]

    def of_type(self, patient_id: str, *types: str) -> list[dict[str, Any]]:
        """Return the patient's resources of these types."""
        return [r for r in self.by_patient[patient_id] if r["resourceType"] in types]

    def with_only(self, patient_id: str, references: frozenset[str]) -> "Site":
        """Return the site as if of all records of this patient only these were there."""
        site = copy(self)
        kept = [resource for resource in self.by_patient[patient_id] if reference_of(resource) in references]
        site.by_patient = {**self.by_patient, patient_id: kept}
        return site

    def span(self, text: str | None) -> Span | None:
        """Read a date in the trial's zone."""
        return span_of(text, self.zone)

    def birth(self, patient_id: str) -> Span | None:
        """Return the days on which the patient may be born."""
        return span_of(self.patient(patient_id).get("birthDate"), self.zone)

    def sex(self, patient_id: str) -> str | None:
        """Return Patient.gender, "unknown" where the sex at birth is the other one."""
        patient = self.patient(patient_id)
        gender: str | None = patient.get("gender")
        born = [e.get("valueCode") for e in patient.get("extension", []) if e.get("url") == _BIRTH_SEX]
        contradicted = (gender, next(iter(born), None)) in (("male", "F"), ("female", "M"))
        return "unknown" if contradicted else gender


def target_of(reference: dict[str, Any]) -> str:
    """Return "Type/id" of a literal reference, whether relative, absolute or to one version; else what it says."""
    text = str(reference.get("reference", "")).split("/_history/")[0]
    return "/".join(text.split("/")[-2:])


def reference_of(resource: dict[str, Any]) -> str:
    """Return "Type/id"."""
    return f"{resource['resourceType']}/{resource['id']}"


def window_of(question: Any, as_of: date) -> date:
    """Return the first day of `within`; without it everything is inside."""
    return before(as_of, question.within) if question.within else EVER


def absent(site: Site, patient_id: str, question: Any, types: tuple[str, ...], start: date, as_of: date) -> Answer:
    """Answer when there is no record at all, by the rule of absence."""
    loaded = any(resource["resourceType"] in types for resource in site.resources)
    since = min(start, plus_months(as_of, -12))
    seen = any(since <= day <= as_of for day in _contacts(site, patient_id))
    if types == MEDICATION_TYPES:
        drugs = [r for r in site.of_type(patient_id, *MEDICATION_TYPES) if not in_error(r)]
        days = [_contact(site, r) for r in drugs]
        seen = seen and any(day is None or day <= as_of for day in days)
    if question.absence == "false" and loaded and seen:
        return Answer(False, "no_data")
    return Answer(None, "no_data")


_NO_CONTACT = {
    "Encounter": ("planned", "cancelled"),
    "Observation": ("registered", "cancelled", "unknown"),
}


def _contacts(site: Site, patient_id: str) -> list[date]:
    """Return the days on which the patient was certainly seen."""
    days: list[date] = []
    for resource in site.of_type(patient_id, "Encounter", "Condition", "Observation", *MEDICATION_TYPES):
        if in_error(resource) or resource.get("status") in _NO_CONTACT.get(resource["resourceType"], ()):
            continue
        day = _contact(site, resource)
        days += [day] if day else []
    return days


def in_error(resource: dict[str, Any]) -> bool:
    """Say whether the resource was entered in error; such a one never counts."""
    codings = resource.get("verificationStatus", {}).get("coding", [])
    return resource.get("status") == "entered-in-error" or any(c.get("code") == "entered-in-error" for c in codings)


def _contact(site: Site, resource: dict[str, Any]) -> date | None:
    texts = [resource.get(name) for name in _CONTACT_DATES[resource["resourceType"]]]
    texts = [text.get("end") or text.get("start") if isinstance(text, dict) else text for text in texts]
    span = next((span for text in texts if (span := site.span(text))), None)
    return span.lo if span else None


_CONTACT_DATES = {
    "Encounter": ("period",),
    "Condition": ("recordedDate", "onsetDateTime", "onsetPeriod"),
    "Observation": ("effectiveDateTime", "effectiveInstant", "effectivePeriod", "issued"),
    "MedicationStatement": ("effectiveDateTime", "effectivePeriod", "dateAsserted"),
    "MedicationRequest": ("authoredOn",),
    "MedicationAdministration": ("effectiveDateTime", "effectivePeriod"),
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
}
