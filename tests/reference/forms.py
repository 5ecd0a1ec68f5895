"""The forms in which an Observation may hold its value."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reference.intervals import INFINITY, Interval, from_comparator, point, stored
from reference.mappings import Mappings, plain

_NUMBER = re.compile(r"^(>=|<=|>|<)?\s*(-?\d+(?:\.\d+)?)\s*([^\d\s].*)?$")
_SPAN = re.compile(r"^(\d+(?:\.\d+)?)\s*[-~]\s*(\d+(?:\.\d+)?)\s*([^\d\s].*)?$")
_DIGITS = re.compile(r"(?:>=|<=|>|<)?\s*(?:1\s*[:/]\s*)?\d+(?:\.\d+)?")
_TITRE = re.compile(r"(>=|<=|>|<)?\s*1\s*[:/]\s*(\d+)")


@dataclass(frozen=True)
class Form:
    """A value as sent: a number with its unit (None: none sent), a polarity, or neither; `titre` says that it is one."""

    number: Interval | None = None
    unit: str | None = None
    polarity: str | None = None
    titre: bool = False


def decimal(value: Any) -> Decimal:
    """Return a JSON number as the decimal that was sent."""
    return Decimal(str(value))


def quantity_unit(quantity: dict[str, Any], mappings: Mappings) -> str | None:
    """Return the UCUM unit of a Quantity: its code, else its text."""
    sent = quantity.get("code") or quantity.get("unit")
    return mappings.unit(sent) if sent and sent.strip() else None


def form_of(node: dict[str, Any], concept: str, mappings: Mappings) -> Form:
    """Read value[x] of a root or component for a concept."""
    kind = mappings.concepts[concept]["value_kind"]
    if quantity := node.get("valueQuantity"):
        return _quantity(quantity, kind, mappings)
    if sent := node.get("valueRange"):
        return _range(sent, mappings)
    if sent := node.get("valueRatio"):
        return _ratio(sent, kind)
    if "valueInteger" in node:
        return Form(point(Decimal(node["valueInteger"])))
    if "valueBoolean" in node:
        return Form(polarity="positive" if node["valueBoolean"] else "negative") if kind == "ordinal" else Form()
    answer = mappings.answer(concept, node.get("valueCodeableConcept") or node.get("valueString", ""))
    if answer is not None:
        return Form(point(answer))
    if coded := node.get("valueCodeableConcept"):
        return _coded(coded, kind, mappings)
    return _text(node.get("valueString", ""), kind, mappings)


def _quantity(quantity: dict[str, Any], kind: str, mappings: Mappings) -> Form:
    if "value" not in quantity:
        return Form()
    value = decimal(quantity["value"])
    if kind == "titre" and 0 < value < 1:
        value = stored(1 / value)
    unit = quantity_unit(quantity, mappings)
    diluted = unit in ("{titer}", "{dilution}")
    return Form(from_comparator(value, quantity.get("comparator")), unit, titre=diluted)


def _range(sent: dict[str, Any], mappings: Mappings) -> Form:
    low, high = sent.get("low", {}), sent.get("high", {})
    lo = decimal(low["value"]) if "value" in low else -INFINITY
    hi = decimal(high["value"]) if "value" in high else INFINITY
    unit = quantity_unit(low, mappings) or quantity_unit(high, mappings)
    return Form(Interval(lo, hi, lo.is_infinite(), hi.is_infinite()), unit)


def _ratio(sent: dict[str, Any], kind: str) -> Form:
    top, bottom = sent.get("numerator", {}), sent.get("denominator", {})
    up, down = decimal(top.get("value", 0)), decimal(bottom.get("value", 0))
    if up <= 0 or down <= 0 or top.get("comparator"):
        return Form()
    if kind in ("titre", "ordinal"):
        return Form(from_comparator(stored(down / up), bottom.get("comparator")), titre=True)
    return Form(point(stored(up / down)))


def _coded(concept: dict[str, Any], kind: str, mappings: Mappings) -> Form:
    codings = concept.get("coding", [])
    found = {mappings.ordinal(coding.get("system", ""), coding.get("code", "")) for coding in codings} - {None}
    if found:
        return Form(polarity=found.pop() if len(found) == 1 else "equivocal")
    return _text(concept.get("text", ""), kind, mappings)


def _text(sent: str, kind: str, mappings: Mappings) -> Form:
    said = plain(sent).replace("≥", ">=").replace("≤", "<=")
    if polarity := mappings.words.get(said.lower()):
        return Form(polarity=polarity)
    around = _DIGITS.sub(" ", said).strip(" ,;:()").lower()
    polarity = mappings.words.get(around) if kind in ("ordinal", "titre") else None
    titres = [from_comparator(Decimal(number), sign) for sign, number in _TITRE.findall(said)]
    if kind in ("titre", "ordinal") and titres:
        return Form(highest(titres), polarity=polarity, titre=True)
    if found := _SPAN.match(said):
        unit = mappings.unit(found[3]) if found[3] else None
        return Form(Interval(Decimal(found[1]), Decimal(found[2])), unit)
    if found := _NUMBER.match(said):
        unit = mappings.unit(found[3]) if found[3] and kind != "titre" else None
        return Form(from_comparator(Decimal(found[2]), found[1]), unit)
    return Form(polarity=polarity)


def highest(values: list[Interval]) -> Interval:
    """Return the interval of the maximum of several values."""
    low = max(values, key=lambda value: (value.lo, value.lo_open))
    high = max(values, key=lambda value: (value.hi, not value.hi_open))
    return Interval(low.lo, high.hi, low.lo_open, high.hi_open)
