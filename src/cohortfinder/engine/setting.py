"""What every leaf needs beside its own words: the concepts, what is loaded, and windows as SQL counts them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from cohortfinder.dates import months_back
from cohortfinder.errors import InputError
from cohortfinder.model import Duration, Quantity
from cohortfinder.sql.dialect import Dialect
from cohortfinder.terminology import Terminology


@dataclass(frozen=True, slots=True)
class Span:
    """A window as SQL counts it: calendar months or days."""

    count: int
    unit: str


@dataclass(frozen=True, slots=True)
class Setting:
    """What a leaf needs to know beside its own words: the concepts, which resource types are complete, and the SQL."""

    terminology: Terminology
    loaded: Mapping[str, bool]
    dialect: Dialect = Dialect.DUCKDB


_OBSERVED_WITHIN = Span(12, "months")


def span_of(duration: Duration | None) -> Span | None:
    """Count weeks as days and years as calendar months; None stays None (for ever)."""
    if duration is None:
        return None
    match duration.unit:
        case "weeks":
            return Span(duration.count * 7, "days")
        case "years":
            return Span(duration.count * 12, "months")
        case unit:
            return Span(duration.count, unit)


def first_day(until: date, span: Span | None) -> date:
    """Return the first day of a window that ends on a day; None reaches back for ever."""
    if span is None:
        return date.min
    return until - timedelta(days=span.count) if span.unit == "days" else months_back(until, span.count)


def seen_within(span: Span | None) -> Span:
    """Return the window or twelve months, whichever is longer: how recently a patient must have been seen."""
    if span is None:
        return _OBSERVED_WITHIN
    return span if (span.count * 30 if span.unit == "months" else span.count) > 365 else _OBSERVED_WITHIN


def in_unit_of(concept: str, quantity: Quantity, terminology: Terminology) -> Decimal:
    """Convert a threshold into the unit of its concept.

    Raises InputError when the concept has no such unit.
    """
    unit = terminology.observation_concepts[concept].unit
    if quantity.unit in ("", "{titer}", unit):
        return quantity.value
    converted = terminology.convert(concept, quantity.value, quantity.unit, unit)
    if converted is None:
        raise InputError(f"{concept} has no unit {quantity.unit!r}; write the threshold in {unit}")
    return converted
