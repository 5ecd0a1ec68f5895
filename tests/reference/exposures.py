"""Medication resources as spans of exposure, certain and possible parts apart."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from reference.dates import EVER, NEVER, Span, days_after
from reference.events import Standing, strength_of
from reference.site import MEDICATION_TYPES, Site, reference_of

_TAKEN = {
    "MedicationStatement": ("active", "completed", "stopped"),
    "MedicationRequest": ("active", "completed", "stopped"),
    "MedicationAdministration": ("completed", "in-progress", "stopped"),
    "MedicationDispense": ("completed",),
}
_REFUSED = ("not-taken", "not-done")
_ORDERS = ("order", "original-order", "reflex-order", "filler-order", "instance-order")


@dataclass(frozen=True)
class Exposure:
    """From `start` to `certain_end` for certain, to `possible_end` perhaps; `why` says why only perhaps."""

    reference: str
    standing: Standing
    order: bool
    start: Span
    certain_end: Span
    possible_end: Span
    why: str


def exposures(site: Site, patient_id: str, concept: str) -> list[Exposure]:
    """Return the patient's exposures to the concept."""
    found = []
    for resource in site.of_type(patient_id, *MEDICATION_TYPES):
        strength, standing = _strength(site, resource, concept), _standing(resource)
        if strength is None or standing is None:
            continue
        weak = standing == "firm" and strength != "definite"
        found.append(_exposure(site, resource, "tentative" if weak else standing, weak))
    return found


def _strength(site: Site, resource: dict[str, Any], concept: str) -> str | None:
    reference = resource.get("medicationReference", {})
    named = [(resource.get("medicationCodeableConcept", {}), reference.get("display", ""))]
    target = reference.get("reference", "")
    contained = {f"#{inner.get('id')}": inner for inner in resource.get("contained", [])}
    product = contained.get(target) or site.by_reference.get("/".join(target.split("/")[-2:]))
    if product:
        named.append((product.get("code", {}), ""))
        parts = [part for part in product.get("ingredient", []) if part.get("isActive", True)]
        named += [(part.get("itemCodeableConcept", {}), "") for part in parts]
    said = [strength_of(site, concept, name.get("coding", []), name.get("text") or other) for name, other in named]
    return next((s for s in ("definite", "possible", "conflict") if s in said), None)


def _standing(resource: dict[str, Any]) -> Standing | None:
    kind, status = resource["resourceType"], resource.get("status")
    if kind == "MedicationRequest" and resource.get("intent", "order") not in _ORDERS:
        return None
    if (status in _REFUSED and kind != "MedicationRequest") or (
        resource.get("doNotPerform") and status in _TAKEN[kind]
    ):
        return "against"
    if status in ("on-hold", "unknown") and kind != "MedicationDispense":
        return "tentative"
    return "firm" if status in _TAKEN[kind] else None


def _first(site: Site, *texts: str | None) -> Span | None:
    return next((span for text in texts if (span := site.span(text))), None)


def _exposure(site: Site, resource: dict[str, Any], standing: Standing, unspecific: bool) -> Exposure:
    kind, anytime = resource["resourceType"], Span(EVER, NEVER)
    why = "unspecific_code" if unspecific else "tentative_record" if standing == "tentative" else "partial_date"
    parts = (reference_of(resource), standing, kind == "MedicationRequest")
    if kind == "MedicationRequest":
        start, sure, perhaps = _ordered(site, resource)
        return Exposure(*parts, start, sure, perhaps, why if standing == "tentative" else "order_unconfirmed")
    period = resource.get("effectivePeriod", {})
    moment = _first(
        site, resource.get("effectiveDateTime"), resource.get("whenHandedOver"), resource.get("whenPrepared")
    )
    begun = moment or site.span(period.get("start"))
    end: Span | None = site.span(period.get("end")) or (moment or (begun if kind != "MedicationStatement" else None))
    asserted = _first(site, resource.get("dateAsserted"))
    start = begun or (Span(EVER, asserted.hi) if asserted else anytime)
    if end is not None:
        return Exposure(*parts, start, end, end, why)
    sure, perhaps = _open(site, resource, start)
    return Exposure(*parts, start, sure, perhaps, why if standing == "tentative" else "open_ended_record")


def _open(site: Site, resource: dict[str, Any], start: Span) -> tuple[Span, Span]:
    """Return the certain and the possible end of a statement without one."""
    updated = site.span(resource.get("meta", {}).get("lastUpdated"))
    if resource["status"] in ("completed", "stopped"):
        last = max(start.hi, updated.hi) if updated else start.hi
        return start, Span(start.lo, last)
    asserted = site.span(resource.get("dateAsserted")) or updated
    until = max(start.lo, days_after(asserted.lo, 180)) if asserted else start.lo
    return Span(until, until), Span(until, NEVER)


def _ordered(site: Site, resource: dict[str, Any]) -> tuple[Span, Span, Span]:
    dispense = resource.get("dispenseRequest", {})
    dosage: dict[str, Any] = next(iter(resource.get("dosageInstruction", [])), {})
    repeat = dosage.get("timing", {}).get("repeat", {})
    bounds, validity = repeat.get("boundsPeriod", {}), dispense.get("validityPeriod", {})
    start: Span = _first(site, bounds.get("start"), validity.get("start"), resource.get("authoredOn")) or Span(
        EVER, NEVER
    )
    end = _first(site, bounds.get("end"), validity.get("end"))
    supply = dispense.get("expectedSupplyDuration", {}).get("value")
    if end is None and supply is not None:
        days = int(supply) * (1 + dispense.get("numberOfRepeatsAllowed", 0))
        end = Span(_later(start.lo, days), _later(start.hi, days))
    if end is not None:
        return start, end, end
    updated = site.span(resource.get("meta", {}).get("lastUpdated"))
    closed = resource["status"] in ("completed", "stopped")
    last = max(start.hi, updated.hi if updated else start.hi) if closed else NEVER
    return start, start, Span(start.lo, last)


def _later(day: date, count: int) -> date:
    return day if day in (EVER, NEVER) else days_after(day, count)
