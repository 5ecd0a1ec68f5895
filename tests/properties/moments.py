"""Strategies for dates at the edges of windows, and what the other strategies share."""

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

Resource = dict[str, Any]
AS_OFS = (date(2026, 6, 15), date(2026, 8, 31), date(2025, 3, 1))
DAYS_AGO = (
    0, 0, 1, 2, 6, 7, 13, 14, 15, 20, 21, 22, 27, 28, 29, 30,
    31, 60, 89, 90, 91, 179, 180, 183, 184, 185, 364, 366, 400, 800, -1, -20,
)  # fmt: skip


@st.composite
def moments(draw: st.DrawFn, as_of: date, vague: bool = True) -> str:
    """A date, an instant or a partial date at the edge of a window."""
    day = as_of - timedelta(days=draw(st.sampled_from(DAYS_AGO)))
    forms = ["day", "day", "morning", "evening in UTC", "local"] + (["month", "year"] if vague else [])
    match draw(st.sampled_from(forms)):
        case "month":
            return day.isoformat()[:7]
        case "year":
            return day.isoformat()[:4]
        case "morning":
            return f"{day.isoformat()}T08:30:00+08:00"
        case "evening in UTC":
            return datetime(day.year, day.month, day.day, 17, 30).isoformat() + "Z"
        case "local":
            return f"{day.isoformat()}T{draw(st.sampled_from(['00:00', '23:59']))}:00+08:00"
        case _:
            return day.isoformat()


def maybe(draw: st.DrawFn, resource: Resource, name: str, values: st.SearchStrategy[Any], *, out_of: int = 4) -> None:
    """Give the resource the element once in so many times."""
    if draw(st.integers(1, out_of)) == 1:
        resource[name] = draw(values)


def instants(as_of: date) -> st.SearchStrategy[str]:
    """A time of day, as meta.lastUpdated and issued have it."""
    return st.sampled_from(DAYS_AGO).map(lambda ago: f"{(as_of - timedelta(days=ago)).isoformat()}T10:00:00+08:00")


def concept_of(code: str) -> Resource:
    """A CodeableConcept of one code, for elements whose code system nobody reads."""
    return {"coding": [{"code": code}]}
