"""Conditions, exposures and procedures as events in time, and the question whether one lies in a window."""

from dataclasses import dataclass
from typing import Any, Literal

from reference.dates import EVER, NEVER, Span, days_after, plus_months
from reference.forms import decimal
from reference.site import Answer, Site, in_error, reference_of, target_of

Standing = Literal["firm", "tentative", "against"]


@dataclass(frozen=True)
class Event:
    """A record: when it began and ended, what it is worth; a diagnosis also when it was noted."""

    reference: str
    standing: Standing
    start: Span
    end: Span
    problem: str | None = None
    noted: Span | None = None
    closed: bool = False
    concept: str = ""


def strength_of(
    site: Site, concept: str, codings: list[dict[str, Any]], said: str = "", *, drug: bool = False
) -> str | None:
    """Return what the codings of one statement, or else its text, say: definite, possible, conflict or nothing."""
    found = {site.mappings.clinical_strength(concept, c.get("system", ""), c.get("code", "")) for c in codings}
    if "definite" in found:
        return "conflict" if "excluded" in found else "definite"
    text = site.mappings.text_strength(concept, said) if said and drug else None
    if said and text is None and site.mappings.named(concept, codings, said, drug=drug):
        text = "possible"
    if "excluded" in found:
        return None
    return text if text == "definite" else ("possible" if "possible" in found or text else None)


PROBLEM = {"conflict": "conflicting_codes", "possible": "unspecific_code"}


def conditions(site: Site, patient_id: str, concept: str) -> list[Event]:
    """Return the patient's Conditions of the concept."""
    events = []
    for resource in site.of_type(patient_id, "Condition"):
        verification = code_of(resource.get("verificationStatus"))
        code = resource.get("code", {})
        strength = strength_of(site, concept, code.get("coding", []), code.get("text", ""))
        if strength is None or verification == "entered-in-error":
            continue
        weak = verification in ("provisional", "differential", "unconfirmed")
        standing: Standing = "against" if verification == "refuted" else "firm"
        if standing == "firm" and (weak or strength != "definite"):
            standing = "tentative"
        problem = PROBLEM.get(strength) or ("tentative_record" if weak else None)
        start, noted = _onset(site, patient_id, resource)
        end, closed = _ending(site, resource, start, site.mappings.clinical[concept]["course"])
        events.append(Event(reference_of(resource), standing, start, end, problem, noted, closed, concept))
    return events


def code_of(concept: dict[str, Any] | None) -> str | None:
    """Return the first code of an element whose code system nobody reads."""
    codings = (concept or {}).get("coding", [])
    return codings[0].get("code") if codings else None


def visit_of(site: Site, resource: dict[str, Any]) -> dict[str, Any]:
    """Return the Encounter that the resource refers to; an empty one when it was never sent or entered in error."""
    encounter = site.by_reference.get(target_of(resource.get("encounter", {})), {})
    return {} if in_error(encounter) else encounter


def _onset(site: Site, patient_id: str, resource: dict[str, Any]) -> tuple[Span, Span]:
    """Return when the condition began, and when it was noted: recorded, else begun, else at the visit, else sent."""
    encounter = visit_of(site, resource)
    admitted = site.span(encounter.get("period", {}).get("start"))
    updated = site.span(resource.get("meta", {}).get("lastUpdated"))
    recorded = site.span(resource.get("recordedDate"))
    onset = site.span(resource.get("onsetDateTime") or resource.get("onsetPeriod", {}).get("start"))
    noted = next((span for span in (recorded, onset, admitted, updated) if span), Span(EVER, NEVER))
    onset = onset or _by_age(site, patient_id, resource) or _by_words(site, resource)
    categories = {c.get("code") for k in resource.get("category", []) for c in k.get("coding", [])}
    inpatient = encounter.get("class", {}).get("code") in ("IMP", "ACUTE", "NONAC", "EMER")
    if onset is None and inpatient and "encounter-diagnosis" in categories:
        onset = admitted
    latest = next((span.hi for span in (recorded, admitted, updated) if span), NEVER)
    return onset or Span(EVER, latest), noted


def _by_age(site: Site, patient_id: str, resource: dict[str, Any]) -> Span | None:
    born, sent = site.birth(patient_id), resource.get("onsetAge", {})
    if born is None or "value" not in sent or sent.get("code", "a") != "a":
        return None
    years = int(decimal(sent["value"]))
    return Span(plus_months(born.lo, 12 * (years - 1)), plus_months(born.hi, 12 * (years + 1)))


def _by_words(site: Site, resource: dict[str, Any]) -> Span | None:
    words = "".join(c if c.isdigit() else " " for c in resource.get("onsetString", "")).split()
    years = [word for word in words if len(word) == 4 and word[:2] in ("19", "20")]
    return site.span(years[0]) if len(years) == 1 else None


def _ending(site: Site, resource: dict[str, Any], start: Span, course: str) -> tuple[Span, bool]:
    status = code_of(resource.get("clinicalStatus"))
    period = resource.get("abatementPeriod", {})
    if abated := site.span(resource.get("abatementDateTime") or period.get("end")):
        return abated, False
    sometime = any(name.startswith("abatement") for name in resource)
    if sometime or status in ("inactive", "resolved", "remission"):
        updated = site.span(resource.get("meta", {}).get("lastUpdated"))
        return Span(start.lo, updated.hi if updated else NEVER), True
    if status is None and course == "event":
        return Span(days_after(start.lo, 90) if start.lo > EVER else EVER, days_after(start.hi, 90)), False
    return Span(NEVER, NEVER), False


def procedures(site: Site, patient_id: str, concept: str) -> list[Event]:
    """Return the patient's Procedures of the concept."""
    standings: dict[str, Standing] = {
        "completed": "firm", "in-progress": "firm", "stopped": "tentative", "unknown": "tentative",
        "not-done": "against",
    }  # fmt: skip
    events = []
    for resource in site.of_type(patient_id, "Procedure"):
        code = resource.get("code", {})
        strength = strength_of(site, concept, code.get("coding", []), code.get("text", ""))
        standing = standings.get(resource.get("status", ""))
        if strength is None or standing is None:
            continue
        if standing == "firm" and strength != "definite":
            standing = "tentative"
        period = resource.get("performedPeriod", {})
        start = site.span(resource.get("performedDateTime") or period.get("start"))
        end = site.span(period.get("end")) or start
        problem = "no_date" if start is None else PROBLEM.get(strength)
        if standing == "tentative":
            problem = problem or "tentative_record"
        anytime = Span(EVER, NEVER)
        events.append(Event(reference_of(resource), standing, start or anytime, end or anytime, problem))
    return events


def _contested(event: Event, against: list[Event]) -> list[Event]:
    """Return the refuted records that may be newer than a firm one of the same concept: on its very day, nobody knows.

    Only a diagnosis is refuted; a procedure that was not done says nothing of one that was.
    """
    if event.noted is None:
        return []
    same = [record for record in against if record.concept == event.concept and record.noted is not None]
    return [record for record in same if record.noted and record.noted.hi >= event.noted.lo]


def judged(
    possible: list[tuple[Event, str]], sure: list[Event], outside: list[Event], against: list[Event]
) -> Answer | None:
    """Answer by the events surely inside, possibly inside (with why) and outside; None without any."""
    if sure:
        standing = [event for event in sure if not _contested(event, against)]
        if standing:
            return Answer(True, None, frozenset(), frozenset(event.reference for event in standing))
        evidence = frozenset(event.reference for event in [*sure, *(e for s in sure for e in _contested(s, against))])
        return Answer(None, "contradicted_by_refuted", frozenset(), evidence, True)
    if possible:
        tentative = any(event.standing == "tentative" for event, _ in possible)
        return Answer(None, possible[0][1], frozenset(), frozenset(e.reference for e, _ in possible), tentative)
    if outside or against:
        return Answer(False, None, frozenset(), frozenset(e.reference for e in outside + against))
    return None
