"""Medication resources as spans of exposure, certain and possible parts apart."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from reference.dates import EVER, NEVER, Span, days_after
from reference.events import PROBLEM, Standing, strength_of
from reference.site import MEDICATION_TYPES, Site, reference_of, target_of

UNNAMED = "unnamed_drug"
ANYTIME = Span(EVER, NEVER)
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
        if strength is None and standing not in (None, "against") and nameless(site, resource):
            found.append(_exposure(site, resource, "tentative", UNNAMED))
        if strength is None or standing is None:
            continue
        weak = standing == "firm" and strength != "definite"
        found.append(_exposure(site, resource, "tentative" if weak else standing, PROBLEM.get(strength)))
    return found


def nameless(site: Site, resource: dict[str, Any]) -> bool:
    """Say whether neither a code nor a word names the drug: then it may be any."""
    names = names_of(site, resource)
    return not any(text or any(c.get("code") for c in name.get("coding", [])) for name, text in names)


def _strength(site: Site, resource: dict[str, Any], concept: str) -> str | None:
    said = [
        strength_of(site, concept, name.get("coding", []), text, drug=True) for name, text in names_of(site, resource)
    ]
    return next((s for s in ("definite", "possible", "conflict") if s in said), None)


def names_of(site: Site, resource: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Return what names the drug, each with its text: the record itself, its product, and the parts of the product."""
    reference = resource.get("medicationReference", {})
    named = [(resource.get("medicationCodeableConcept", {}), reference.get("display", ""))]
    contained = {f"#{inner.get('id')}": inner for inner in resource.get("contained", [])}
    product = contained.get(reference.get("reference", "")) or site.by_reference.get(target_of(reference))
    if product:
        named.append((product.get("code", {}), ""))
        parts = [part for part in product.get("ingredient", []) if part.get("isActive", True)]
        named += [(part.get("itemCodeableConcept", {}), "") for part in parts]
    return [(name, name.get("text") or other) for name, other in named]


def _standing(resource: dict[str, Any]) -> Standing | None:
    kind, status = resource["resourceType"], resource.get("status")
    if kind == "MedicationRequest" and resource.get("intent", "order") not in _ORDERS:
        return None
    tentative = status in ("on-hold", "unknown") and kind != "MedicationDispense"
    if (status in _REFUSED and kind != "MedicationRequest") or (
        resource.get("doNotPerform") and (tentative or status in _TAKEN[kind])
    ):
        return "against"
    if tentative:
        return "tentative"
    return "firm" if status in _TAKEN[kind] else None


def _first(site: Site, *texts: str | None) -> Span | None:
    return next((span for text in texts if (span := site.span(text))), None)


def _exposure(site: Site, resource: dict[str, Any], standing: Standing, doubt: str | None) -> Exposure:
    kind = resource["resourceType"]
    if doubt == UNNAMED:
        return replace(_exposure(site, resource, standing, None), why=UNNAMED)
    why = doubt or ("tentative_record" if standing == "tentative" else "partial_date")
    parts = (reference_of(resource), standing, kind == "MedicationRequest")
    if kind == "MedicationRequest":
        start, sure, perhaps = _ordered(site, resource)
        why = why if standing == "tentative" else "order_unconfirmed"
        return Exposure(*parts, start, sure, perhaps, "no_date" if start == ANYTIME else why)
    period = resource.get("effectivePeriod", {})
    moment = _first(
        site, resource.get("effectiveDateTime"), resource.get("whenHandedOver"), resource.get("whenPrepared")
    )
    begun = moment or site.span(period.get("start"))
    end: Span | None = site.span(period.get("end")) or (moment or (begun if kind != "MedicationStatement" else None))
    asserted = _first(site, resource.get("dateAsserted"))
    start = begun or (Span(EVER, asserted.hi) if asserted else ANYTIME)
    closed = resource["status"] in ("completed", "stopped")
    updated = site.span(resource.get("meta", {}).get("lastUpdated"))
    unknown = Span(EVER, _closed_by(ANYTIME, updated)) if closed else ANYTIME
    sure, perhaps = (end, end) if end else (ANYTIME, unknown)
    if end is None and kind == "MedicationStatement":
        sure, perhaps = _open(site, resource, start)
        why = why if standing == "tentative" else "open_ended_record"
    return Exposure(*parts, start, sure, perhaps, why if begun else "no_date")


def _open(site: Site, resource: dict[str, Any], start: Span) -> tuple[Span, Span]:
    """Return the certain and the possible end of a statement without one."""
    updated = site.span(resource.get("meta", {}).get("lastUpdated"))
    if resource["status"] in ("completed", "stopped"):
        return start, Span(start.lo, _closed_by(start, updated))
    return _ongoing(start, site.span(resource.get("dateAsserted")) or updated)


def _ongoing(start: Span, asserted: Span | None) -> tuple[Span, Span]:
    """Return the ends of what nobody ended: certain for 180 days after it was last asserted."""
    until = max(start.lo, days_after(asserted.lo, 180)) if asserted else start.lo
    return Span(until, until), Span(until, NEVER)


def _ordered(site: Site, resource: dict[str, Any]) -> tuple[Span, Span, Span]:
    dispense = resource.get("dispenseRequest", {})
    dosage: dict[str, Any] = next(iter(resource.get("dosageInstruction", [])), {})
    repeat = dosage.get("timing", {}).get("repeat", {})
    bounds, validity = repeat.get("boundsPeriod", {}), dispense.get("validityPeriod", {})
    begun = _first(site, bounds.get("start"), validity.get("start"), resource.get("authoredOn"))
    start = begun or ANYTIME
    end = _first(site, bounds.get("end"), validity.get("end"))
    supply = dispense.get("expectedSupplyDuration", {}).get("value")
    if end is None and supply is not None:
        days = int(supply) * (1 + dispense.get("numberOfRepeatsAllowed", 0))
        end = Span(_later(start.lo, days), _later(start.hi, days))
    if end is not None:
        return start, end, end
    if resource["status"] in ("completed", "stopped"):
        return start, start, Span(start.lo, _closed_by(start, site.span(resource.get("meta", {}).get("lastUpdated"))))
    return start, *_ongoing(start, _first(site, resource.get("authoredOn")))


def _closed_by(start: Span, updated: Span | None) -> date:
    """Return the last day on which what is over may have ended: when it was last updated, or its start."""
    if updated is None:
        return start.hi
    return updated.hi if start == ANYTIME else max(start.hi, updated.hi)


def _later(day: date, count: int) -> date:
    return day if day in (EVER, NEVER) else days_after(day, count)
