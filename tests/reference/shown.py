"""What a resource says of itself, as it was sent: the date and the words that evidence may show."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from reference.events import strength_of, visit_of
from reference.exposures import nameless, names_of
from reference.site import MEDICATION_TYPES, Site, target_of


def dates_of(site: Site, resource: dict[str, Any]) -> list[str]:
    """Return the texts that may date it, the one that counts first."""
    kind, visit = resource["resourceType"], visit_of(site, resource)
    periods = {name: resource.get(name, {}) for name in ("effectivePeriod", "onsetPeriod", "performedPeriod")}
    found: Iterable[str | None] = ()
    if kind == "Observation":
        effective = [resource.get("effectiveDateTime"), resource.get("effectiveInstant")]
        found = [
            *effective,
            periods["effectivePeriod"].get("end"),
            periods["effectivePeriod"].get("start"),
            resource.get("issued"),
        ]
    elif kind == "Condition":
        onset = [resource.get("onsetDateTime"), periods["onsetPeriod"].get("start"), resource.get("onsetString")]
        found = [*onset, resource.get("recordedDate"), visit.get("period", {}).get("start")]
    elif kind == "Procedure":
        found = [resource.get("performedDateTime"), periods["performedPeriod"].get("start")]
    elif kind == "MedicationRequest":
        dosage: dict[str, Any] = next(iter(resource.get("dosageInstruction", [])), {})
        bounds = dosage.get("timing", {}).get("repeat", {}).get("boundsPeriod", {})
        found = [
            bounds.get("start"),
            resource.get("dispenseRequest", {}).get("validityPeriod", {}).get("start"),
            resource.get("authoredOn"),
        ]
    elif kind in MEDICATION_TYPES:
        handed = [resource.get("whenHandedOver"), resource.get("whenPrepared")]
        found = [
            resource.get("effectiveDateTime"),
            periods["effectivePeriod"].get("start"),
            *handed,
            resource.get("dateAsserted"),
        ]
    elif kind == "Immunization":
        found = [resource.get("occurrenceDateTime"), resource.get("occurrenceString")]
    elif kind == "AllergyIntolerance":
        found = [resource.get("onsetDateTime"), resource.get("recordedDate")]
    elif kind == "ResearchSubject":
        found = [resource.get("period", {}).get("start"), resource.get("period", {}).get("end")]
    elif kind == "FamilyMemberHistory":
        found = [resource.get("date")]
    elif kind == "Patient":
        found = [resource.get("birthDate")]
    return [text for text in found if text]


def values_of(site: Site, resource: dict[str, Any], concepts: Iterable[str]) -> set[str | None]:
    """Return the values, or names, by which it may be shown as evidence for one of the concepts."""
    kind, wanted = resource["resourceType"], set(concepts)
    if kind == "Observation":
        nodes = [resource, *resource.get("component", [])]
        return {_value(node) for node in nodes if wanted & _concepts(site, node)}
    if kind == "Patient":
        return {resource.get("gender")}
    if kind == "ResearchSubject":
        study = site.by_reference.get(target_of(resource.get("study", {})), {})
        return {study.get("title") or resource.get("study", {}).get("display") or resource["status"]}
    if kind in MEDICATION_TYPES:
        if nameless(site, resource):
            return {None}
        named = [
            (name, said)
            for name, said in names_of(site, resource)
            if any(strength_of(site, concept, name.get("coding", []), said, drug=True) for concept in wanted)
        ]
    else:
        coded = [resource.get("vaccineCode") or resource.get("code", {})]
        if kind == "FamilyMemberHistory":
            coded = [condition.get("code", {}) for condition in resource.get("condition", [])]
        named = [(name, name.get("text", "")) for name in coded]
    return {text for name, said in named for text in ([said] if said else [c["code"] for c in name.get("coding", [])])}


def _concepts(site: Site, node: dict[str, Any]) -> set[str]:
    codings = node.get("code", {}).get("coding", [])
    return {
        name for c in codings for name, _ in site.mappings.observation_concepts(c.get("system", ""), c.get("code", ""))
    }


def _number(value: Any) -> str:
    text = f"{Decimal(str(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _value(node: dict[str, Any]) -> str | None:
    if quantity := node.get("valueQuantity"):
        return _quantity(quantity)
    if sent := node.get("valueRange"):
        ends = [sent.get("low", {}), sent.get("high", {})]
        unit = next((end["unit"] for end in ends if "unit" in end), "")
        return " to ".join(_number(end["value"]) if "value" in end else "?" for end in ends) + f" {unit}".rstrip()
    if ratio := node.get("valueRatio"):
        return ":".join(
            end.get("comparator", "") + _number(end["value"]) for end in (ratio["numerator"], ratio["denominator"])
        )
    if coded := node.get("valueCodeableConcept"):
        return str(coded.get("text") or coded["coding"][0]["code"])
    for name in ("valueString", "valueInteger", "valueBoolean"):
        if name in node:
            return str(node[name]).lower() if name == "valueBoolean" else str(node[name])
    return None


def _quantity(quantity: dict[str, Any]) -> str | None:
    sent = quantity["value"]
    digits = str(sent) if isinstance(sent, Decimal) else json.dumps(sent)
    parts = [quantity.get("comparator"), digits, quantity.get("unit") or quantity.get("code")]
    return " ".join(part for part in parts if part)
