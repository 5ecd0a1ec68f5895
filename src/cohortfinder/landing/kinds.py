"""Numbers and truth values that were sent as another kind of JSON value: "130" in quotes is not the number 130.

The reader of the tables would take the text for the number, `true` for 1 and 1.5 for a whole number without a word.
"""

import re
from typing import Any

import orjson

# Elements that hold a Quantity (or Age, Duration) in the types below; Identifier and ContactPoint have a text `value`.
QUANTITIES = frozenset({
    "abatementAge", "boundsDuration", "daysSupply", "denominator", "dispenseInterval", "dose", "doseQuantity",
    "duration", "expectedSupplyDuration", "high", "low", "maxDosePerAdministration", "maxDosePerLifetime", "numerator",
    "onsetAge", "origin", "quantity", "rateQuantity", "valueQuantity",
})  # fmt: skip
_WHOLE_NUMBERS = frozenset({"valueInteger", "numberOfRepeatsAllowed"})
_TRUTH_VALUES = frozenset({
    "active", "asNeededBoolean", "deceasedBoolean", "doNotPerform", "isActive", "reportedBoolean", "valueBoolean",
})  # fmt: skip
_NOT_READ = frozenset({"extension", "modifierExtension", "contained"})

_QUANTITY = re.compile(rb'"value(?:"\s*:\s*[^\s\dn-]|Integer"|Boolean"\s*:\s*[^\stfn])')
_ORDER = re.compile(
    rb'"(?:value"\s*:\s*[^\s\dn-]|numberOfRepeatsAllowed"'
    rb'|(?:doNotPerform|reportedBoolean|asNeededBoolean)"\s*:\s*[^\stfn])'
)
_TRUTH = re.compile(rb'"(?:active|isActive|deceasedBoolean)"\s*:\s*[^\stfn]')

# What calls for a closer look at a line of a type; its absence proves that nothing is wrong in this respect.
_SUSPECTS = {
    "Condition": _QUANTITY,
    "Immunization": _QUANTITY,
    "Medication": _TRUTH,
    "MedicationAdministration": _QUANTITY,
    "MedicationDispense": _QUANTITY,
    "MedicationRequest": _ORDER,
    "MedicationStatement": _ORDER,
    "Observation": _QUANTITY,
    "Patient": _TRUTH,
}


def some_wrong_kind(block: bytes, resource_type: str) -> bool:
    """Say whether some line of a block must be put aside for it, or cannot be parsed to tell."""
    suspect = _SUSPECTS.get(resource_type)
    if suspect is None or not suspect.search(block):
        return False
    return any(suspect.search(line) and _is_wrong(line) for line in block.split(b"\n"))


def wrong_kind(resource: dict[str, Any], raw: bytes) -> str | None:
    """Return which number or truth value of a resource is none, None when all are right; `raw` is its text."""
    suspect = _SUSPECTS.get(resource["resourceType"])
    return _found(resource, "") if suspect and suspect.search(raw) else None


def kind_of(value: Any) -> str:
    """Name the kind of a JSON value."""
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "an array"
        case dict():
            return "an object"
    return "null"


def _is_wrong(line: bytes) -> bool:
    try:
        resource = orjson.loads(line)
    except orjson.JSONDecodeError:
        return True
    return _found(resource, "") is not None


def _found(element: dict[str, Any], path: str) -> str | None:
    for name, value in element.items():
        if name in _NOT_READ or value is None:
            continue
        wrong = _wrong_member(name, value, path + name)
        if wrong:
            return wrong
        for item in value if isinstance(value, list) else (value,):
            wrong = _found(item, f"{path}{name}.") if isinstance(item, dict) else None
            if wrong:
                return wrong
    return None


def _wrong_member(name: str, value: Any, path: str) -> str | None:
    if name in QUANTITIES and isinstance(value, dict) and value.get("value") is not None:
        if not _is_number(value["value"]):
            return f"{path}.value is {kind_of(value['value'])} where a number belongs"
    elif name in _WHOLE_NUMBERS and (not _is_number(value) or value != int(value)):
        return f"{path} is {'no whole number' if _is_number(value) else kind_of(value) + ' where a number belongs'}"
    elif name in _TRUTH_VALUES and not isinstance(value, bool):
        return f"{path} is {kind_of(value)} where true or false belongs"
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
