"""The reference ranges that a result brings with it."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from reference.dates import completed_years
from reference.forms import decimal, quantity_unit
from reference.mappings import plain
from reference.site import Site

_SEXED = {"male": r"(?:男|\b(?:male|men|m)\b)", "female": r"(?:女|\b(?:female|women|f)\b)"}
_ANY_SEX = re.compile(r"男|女|\b(?:male|female|men|women|m|f)\b")


@dataclass(frozen=True)
class Range:
    """One normal range: `above_included` says that the upper limit itself is abnormal ("<5")."""

    low: Decimal | None
    high: Decimal | None
    unit: str | None
    above_included: bool = False


def ranges_of(node: dict[str, Any], site: Site, patient_id: str, day: date) -> list[Range]:
    """Return the applicable normal ranges of a root or component: numbers, else the numbers in the text."""
    found = []
    for sent in node.get("referenceRange", []):
        codes = {c.get("code") for c in sent.get("type", {}).get("coding", [])}
        if codes <= {"normal"} and _applies(sent, site, patient_id, day):
            found += _read(sent, site, patient_id)
    return found


def _applies(sent: dict[str, Any], site: Site, patient_id: str, day: date) -> bool:
    sexes = {c.get("code", "").lower() for a in sent.get("appliesTo", []) for c in a.get("coding", [])}
    asked = {"male" for code in sexes if code in ("male", "m", "248153007")}
    asked |= {"female" for code in sexes if code in ("female", "f", "248152002")}
    sex = site.sex(patient_id)
    if asked and sex in ("male", "female") and sex not in asked:
        return False
    born, ages = site.birth(patient_id), sent.get("age", {})
    if born is None:
        return True
    oldest, youngest = completed_years(born.lo, day), completed_years(born.hi, day)
    too_old = "high" in ages and youngest > decimal(ages["high"]["value"])
    return not (too_old or ("low" in ages and oldest < decimal(ages["low"]["value"])))


def _read(sent: dict[str, Any], site: Site, patient_id: str) -> list[Range]:
    if "low" in sent or "high" in sent:
        ends = [sent.get("low", {}), sent.get("high", {})]
        low, high = (decimal(end["value"]) if "value" in end else None for end in ends)
        unit = quantity_unit(ends[1], site.mappings) or quantity_unit(ends[0], site.mappings)
        return [Range(low, high, unit)]
    return _parse(plain(sent.get("text", "")).replace("≤", "<=").replace("≥", ">="), site.sex(patient_id))


def _parse(said: str, sex: str | None) -> list[Range]:
    said = said.lower()
    if _ANY_SEX.search(said):
        own = re.search(_SEXED.get(sex or "", r"(?!)") + r"([^;,]*)", said)
        said = own[1].strip(" :") if own else ""
    if span := re.match(r"^\D*?(\d+(?:\.\d+)?)\s*[-~]\s*(\d+(?:\.\d+)?)", said):
        return [Range(Decimal(span[1]), Decimal(span[2]), None)]
    if upper := re.match(r"^(<=?)\s*(?:1\s*:\s*)?(\d+(?:\.\d+)?)", said):
        return [Range(None, Decimal(upper[2]), None, upper[1] == "<")]
    if lower := re.match(r"^>=?\s*(\d+(?:\.\d+)?)", said):
        return [Range(Decimal(lower[1]), None, None)]
    return []
