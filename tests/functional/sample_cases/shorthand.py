"""Expand the shorthand of the case files into FHIR R4 resources.

A case file says `anc: {value: "<1.0 10*9/L", on: 2026-11-12}`; this module makes the Observation of
it. What it does not know it passes through, so a case may always write plain FHIR.
"""

import csv
import re
from datetime import date
from pathlib import Path
from typing import Any

Json = dict[str, Any]

with (Path(__file__).resolve().parents[3] / "mappings" / "system_words.csv").open(encoding="utf-8") as _lines:
    SYSTEMS = {row["word"]: row["uri"] for row in csv.DictReader(_lines)}
SYSTEMS["HOSPITAL"] = "https://hospital.invalid/codes"
UCUM = "http://unitsofmeasure.org"
_HL7 = "http://terminology.hl7.org/CodeSystem/"
STATUS_SYSTEMS = {
    "clinicalStatus": _HL7 + "condition-clinical",
    "verificationStatus": _HL7 + "condition-ver-status",
}
CONCEPTS = {
    "code",
    "medicationCodeableConcept",
    "vaccineCode",
    "valueCodeableConcept",
    "itemCodeableConcept",
    "method",
}
_QUANTITY = re.compile(r"(<=|>=|<|>)?\s*([0-9.]+)\s*(.*)")


def concept(words: str) -> Json:
    """`SNOMED 55464009 | ICD10 M32.9 | lupus` gives two codings and a text."""
    codings, text = [], None
    for part in words.split(" | "):
        system, _, code = part.partition(" ")
        if system in SYSTEMS and code:
            codings.append({"system": SYSTEMS[system], "code": code})
        else:
            text = part
    result: Json = {"coding": codings} if codings else {}
    return result | ({"text": text} if text else {})


def number(text: str) -> int | float:
    """Keep a whole number whole: JSON `120`, not `120.0`."""
    return float(text) if "." in text else int(text)


def quantity(words: str, coded: bool = True) -> Json:
    """`<1.0 10*9/L` gives a Quantity; without `coded` the unit is text only, without a unit there is none."""
    match = _QUANTITY.fullmatch(words)
    if match is None:
        raise ValueError(f"no quantity: {words!r}")
    comparator, value, unit = match.groups()
    result: Json = {"value": number(value)} | ({"comparator": comparator} if comparator else {})
    if unit:
        result["unit"] = unit
    return result | ({"system": UCUM, "code": unit} if unit and coded else {})


def reference_range(words: str, coded: bool) -> list[Json]:
    """`0-40 U/L`, `-40 U/L` and `0.8-1.2` give low and high."""
    limits, _, unit = words.partition(" ")
    low, _, high = limits.partition("-")
    result: Json = {}
    for name, limit in (("low", low), ("high", high)):
        if limit:
            result[name] = quantity(f"{limit} {unit}".strip(), coded)
    return [result]


def moment(value: Any) -> str:
    """A full date is a morning in the site's zone; a partial date or an instant stays as it is written."""
    text = str(value)
    return f"{text}T08:30:00+08:00" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text


def plain(value: Any) -> Any:
    """Dates that the YAML reader recognised become text again, at any depth."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def _value(short: Json) -> Json:
    """The value[x] and the reference range of the shorthand keys, and None for those that they replace."""
    out: Json = {}
    coded = not short.get("value_as_text")
    if short.get("value") is not None:
        out["valueQuantity"] = quantity(str(short["value"]))
    elif short.get("value_as_text"):
        out["valueQuantity"] = quantity(str(short["value_as_text"]), coded=False)
    elif short.get("word"):
        out["valueString"] = short["word"]
    elif short.get("coded"):
        out["valueCodeableConcept"] = concept(short["coded"])
    if short.get("range"):
        out["referenceRange"] = reference_range(short["range"], coded and " " in short["range"])
    elif short.get("range_text"):
        out["referenceRange"] = [{"text": short["range_text"]}]
    if short.get("flag"):
        system = _HL7 + "v3-ObservationInterpretation"
        out["interpretation"] = [{"coding": [{"system": system, "code": short["flag"]}]}]
    return out


def dosage(words: str) -> list[Json]:
    """`10 mg every 1 d` by mouth, as one Dosage; `2 times 10 mg every 1 d` names the frequency."""
    match = re.fullmatch(r"(?:(\d+) times )?(.+) every (\d+) (d|wk|h)", words)
    if match is None:
        raise ValueError(f"no dosage: {words!r}")
    times, amount, period, unit = match.groups()
    repeat = {"frequency": int(times or 1), "period": int(period), "periodUnit": unit}
    return [
        {
            "route": concept("SNOMED 26643006 | by mouth"),
            "timing": {"repeat": repeat},
            "doseAndRate": [{"doseQuantity": quantity(amount)}],
        }
    ]


SHORT = {"value", "value_as_text", "word", "coded", "range", "range_text", "flag", "on"}


def expand(short: Json) -> Json:
    """One resource, or one component, in full FHIR."""
    out: Json = {}
    for key, item in short.items():
        if key in SHORT or item is None:
            continue
        if key in STATUS_SYSTEMS and isinstance(item, str):
            out[key] = {"coding": [{"system": STATUS_SYSTEMS[key], "code": item}]}
        elif key in CONCEPTS and isinstance(item, str):
            out[key] = concept(item)
        elif key == "dosage" and isinstance(item, str):
            out[key] = dosage(item)
        elif key in ("component", "contained", "ingredient"):
            out[key] = [expand(part) for part in item]
        else:
            out[key] = item
    if "on" in short:
        out["effectiveDateTime"] = moment(short["on"])
    return out | _value(short)


def merge(base: Json, change: Json) -> Json:
    """Lay a change over a shorthand resource: a new value replaces the old one in whatever form it was."""
    values = {"value", "value_as_text", "word", "coded"}
    replaced = {key for key in change if key in values or key.startswith("value")}
    kept = {key: item for key, item in base.items() if not (replaced and (key in values or key.startswith("value")))}
    if "range" in change or "range_text" in change:
        kept.pop("range", None)
        kept.pop("range_text", None)
    return kept | change
