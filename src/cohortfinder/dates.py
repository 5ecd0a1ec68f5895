"""Days before a day, by the calendar: 6 months before 31 August is the last day of February."""

from calendar import monthrange
from datetime import date, timedelta

from cohortfinder.model import Duration

_DAYS = {"days": 1, "weeks": 7}
_MONTHS = {"months": 1, "years": 12}


def back(day: date, span: Duration, times: int = 1) -> date:
    """Return the day that lies a span before another one."""
    if span.unit in _DAYS:
        return day - timedelta(days=times * span.count * _DAYS[span.unit])
    return months_back(day, times * span.count * _MONTHS[span.unit])


def months_back(day: date, months: int) -> date:
    """Return the day so many calendar months before, or after where the number is negative."""
    number = day.year * 12 + day.month - 1 - months
    year, month = divmod(number, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def years_back(day: date, years: int) -> date:
    """Return the birthday of somebody who turns so many years old on a day."""
    return months_back(day, 12 * years)
