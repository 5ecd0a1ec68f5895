"""FHIR dates as spans of days in one time zone, and calendar arithmetic."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from cohortfinder.model import Duration

EVER = date.min
NEVER = date.max


@dataclass(frozen=True)
class Span:
    """The days on which something may lie."""

    lo: date
    hi: date

    @property
    def exact(self) -> bool:
        return self.lo == self.hi


def span_of(text: str | None, zone: str) -> Span | None:
    """Read a FHIR date, dateTime or instant of any precision; None when it is missing or no date."""
    try:
        match (text or "").split("-"):
            case [year] if len(year) == 4:
                return Span(date(int(year), 1, 1), date(int(year), 12, 31))
            case [year, month] if len(month) == 2:
                return Span(
                    date(int(year), int(month), 1),
                    date(int(year), int(month), monthrange(int(year), int(month))[1]),
                )
        moment = moment_of(text, zone)
    except ValueError:
        return None
    return Span(moment.date(), moment.date()) if moment else None


def moment_of(text: str | None, zone: str) -> datetime | None:
    """Return the moment in the zone; a date without time begins at midnight, a partial one has none."""
    if not text or len(text) < 10:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=ZoneInfo(zone))
    return moment.astimezone(ZoneInfo(zone))


def order_of(moment: datetime | None) -> datetime:
    """Return a key that sorts a missing moment first."""
    return moment.astimezone(UTC) if moment else datetime.min.replace(tzinfo=UTC)


def plus_months(day: date, months: int) -> date:
    """Move by calendar months; a day that the month lacks becomes its last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if year < date.min.year:
        return EVER
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def before(day: date, span: Duration) -> date:
    """Return the first day of the window of that length that ends on `day`."""
    if span.unit in ("days", "weeks"):
        return day - timedelta(days=span.count * (7 if span.unit == "weeks" else 1))
    return plus_months(day, -span.count * (12 if span.unit == "years" else 1))


def completed_years(born: date, day: date) -> int:
    """Count birthdays; one on 29 February falls on 28 February in other years."""
    return day.year - born.year - (plus_months(born, 12 * (day.year - born.year)) > day)


def days_after(day: date, count: int) -> date:
    """Return the day `count` days later, the last possible one at the end of time."""
    return day + timedelta(days=count) if (date.max - day).days > count else date.max
