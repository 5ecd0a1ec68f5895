"""Immunizations, allergies, parts in studies and conditions of relatives as events in time."""

from typing import Any

from reference.dates import EVER, NEVER, Span
from reference.events import PROBLEM, Event, Standing, code_of, strength_of
from reference.site import Site, in_error, reference_of, target_of

ANYTIME = Span(EVER, NEVER)
FOREVER = Span(NEVER, NEVER)
NO_KNOWN_ALLERGY = "no_known_allergy"
STILL_IN = ("on-study", "on-study-intervention", "on-study-observation", "follow-up")
OVER = ("off-study", "withdrawn")
PLANNED = ("screening", "pending-on-study")


def immunizations(site: Site, patient_id: str, concept: str) -> list[Event]:
    """Return the patient's Immunizations of the concept."""
    events = []
    for resource in site.of_type(patient_id, "Immunization"):
        code = resource.get("vaccineCode", {})
        strength = strength_of(site, concept, code.get("coding", []), code.get("text", ""))
        if strength is None or resource["status"] not in ("completed", "not-done"):
            continue
        standing: Standing = "firm" if strength == "definite" else "tentative"
        day = site.span(resource.get("occurrenceDateTime"))
        problem = "no_date" if day is None else PROBLEM.get(strength)
        if resource["status"] == "not-done":
            standing = "against"
        events.append(Event(reference_of(resource), standing, day or ANYTIME, day or ANYTIME, problem))
    return events


def allergies(site: Site, patient_id: str, concept: str, severe: bool) -> list[Event]:
    """Return the patient's AllergyIntolerances to the concept, and those that say that there is none."""
    events = []
    for resource in site.of_type(patient_id, "AllergyIntolerance"):
        verification, clinical = code_of(resource.get("verificationStatus")), code_of(resource.get("clinicalStatus"))
        if verification in ("refuted", "entered-in-error") or clinical in ("inactive", "resolved"):
            continue
        codings = resource.get("code", {}).get("coding", [])
        onset = site.span(resource.get("onsetDateTime"))
        start = onset or ANYTIME
        if strength_of(site, NO_KNOWN_ALLERGY, codings):
            events.append(Event(reference_of(resource), "against", start, FOREVER))
        strength = strength_of(site, concept, codings)
        if strength is None:
            continue
        problem = PROBLEM.get(strength) or ("tentative_record" if verification == "unconfirmed" else None)
        worst = {reaction.get("severity") for reaction in resource.get("reaction", [])}
        if severe and problem is None and "severe" not in worst and resource.get("criticality") != "high":
            problem = "severity_unclear"
        events.append(Event(reference_of(resource), "tentative" if problem else "firm", start, FOREVER, problem))
    return events


def studies(site: Site, patient_id: str, question: Any) -> list[Event]:
    """Return the patient's parts in the studies that the question asks for."""
    events = []
    for resource in site.of_type(patient_id, "ResearchSubject"):
        status = resource["status"]
        study = site.by_reference.get(target_of(resource.get("study", {})), {})
        names = {str(one.get("value")).lower() for one in study.get("identifier", [])}
        names.add(target_of(resource.get("study", {})).rsplit("/", 1)[-1].lower())
        if status not in (*STILL_IN, *OVER, *PLANNED) or names & {name.lower() for name in question.except_}:
            continue
        kind = "interventional" if question.study == "any" else _kind(study)
        if kind == "observational":
            continue
        problem = "planned_participation" if status in PLANNED else None if kind else "study_kind_unclear"
        start, end, why = _period(site, resource, status in OVER)
        standing: Standing = "tentative" if problem else "firm"
        events.append(Event(reference_of(resource), standing, start, end, problem or why))
    return events


def _period(site: Site, resource: dict[str, Any], over: bool) -> tuple[Span, Span, str | None]:
    """Return when the part began and ended, and what is wrong with that."""
    period = resource.get("period", {})
    start, end = site.span(period.get("start")), site.span(period.get("end"))
    if end or not over:
        return start or ANYTIME, end or FOREVER, None
    updated = site.span(resource.get("meta", {}).get("lastUpdated"))
    until = max(updated.hi, start.hi if start else EVER) if updated else NEVER
    why = "participation_end_unknown" if start else "no_date"
    return start or ANYTIME, Span(start.lo if start else EVER, until), why


def _kind(study: dict[str, Any]) -> str | None:
    said = []
    for category in study.get("category", []):
        said += [category.get("text", "")]
        said += [coding.get(name, "") for coding in category.get("coding", []) for name in ("code", "display")]
    words = " ".join(said).lower()
    if any(word in words for word in ("non-interventional", "observational", "观察性", "非干预性")):
        return "observational"
    if "interventional" in words or "干预性" in words:
        return "interventional"
    if code_of(study.get("primaryPurposeType")) in ("treatment", "prevention", "supportive-care", "device-feasibility"):
        return "interventional"
    return "interventional" if "phase-" in (code_of(study.get("phase")) or "") else None


def relatives(site: Site, patient_id: str, concept: str) -> list[Event]:
    """Return the FamilyMemberHistories of the patient in which the condition stands."""
    events = []
    for resource in site.of_type(patient_id, "FamilyMemberHistory"):
        told = [
            strength_of(site, concept, condition.get("code", {}).get("coding", []))
            for condition in resource.get("condition", [])
        ]
        strength = next((one for one in ("definite", "possible", "conflict") if one in told), None)
        if strength is None or in_error(resource):
            continue
        problem = PROBLEM.get(strength) or ("tentative_record" if resource["status"] == "health-unknown" else None)
        events.append(Event(reference_of(resource), "tentative" if problem else "firm", ANYTIME, FOREVER, problem))
    return events
