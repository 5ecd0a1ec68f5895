"""The coming weeks as files: outlook.csv with every change, outlook.ics for a calendar that may leave the machine."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from uuid import NAMESPACE_URL, uuid5

from icalendar import Calendar, Event

from cohortfinder.ranking.outlook import Place
from cohortfinder.report.calendar_page import OUTLOOK_WEEKS
from cohortfinder.report.causes import Causes
from cohortfinder.report.cells import Cell, table
from cohortfinder.report.screening import Screening

OUTLOOK = ("patient_id", "arm", "date", "criterion_id", "from", "to", "reason", "status_from", "status_to")


def outlook_csv(screening: Screening) -> bytes:
    """Return outlook.csv: one row per verdict that changes in the coming weeks, day by day."""
    return table(OUTLOOK, _rows(screening))


def _rows(screening: Screening) -> Iterator[tuple[Cell, ...]]:
    causes = Causes(screening.trial, screening.language)
    until = screening.as_of + timedelta(weeks=OUTLOOK_WEEKS)
    for turn in screening.outlook.turns:
        if turn.day <= until:
            yield (
                turn.patient_id, turn.arm, turn.day, turn.criterion_id, turn.verdict_from, turn.verdict_to,
                causes.reason(turn), turn.status_from, turn.status_to,
            )  # fmt: skip


def outlook_ics(screening: Screening) -> bytes:
    """Return outlook.ics (RFC 5545): an all-day event for each day on which somebody opens up or ends.

    A calendar may leave the machine: candidates are named by their place in this list, and nothing says which trial,
    arm, drug or diagnosis it is.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//cohortfinder//outlook//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Recruitment list: outlook")
    numbers = {(one.patient_id, one.arm): number for number, one in enumerate(screening.candidates, start=1)}
    opening = {
        (one.patient_id, one.arm): one.eligible_from for one in screening.candidates if one.eligible_from is not None
    }
    opens, ends = _by_day(opening, numbers), _by_day(screening.outlook.stops, numbers)
    for day in sorted({*opens, *ends}):
        if day <= screening.as_of + timedelta(weeks=OUTLOOK_WEEKS):
            calendar.add_component(_event(day, opens.get(day, []), ends.get(day, []), screening))
    return bytes(calendar.to_ical())


def _by_day(days: Mapping[Place, date], numbers: Mapping[Place, int]) -> dict[date, list[int]]:
    found: dict[date, list[int]] = {}
    for place, day in days.items():
        if place in numbers:
            found.setdefault(day, []).append(numbers[place])
    return {day: sorted(own) for day, own in found.items()}


def _event(day: date, opens: list[int], ends: list[int], screening: Screening) -> Event:
    event, as_of = Event(), screening.as_of
    # the same list gives the same events, and another trial or day other ones
    event.add("uid", str(uuid5(NAMESPACE_URL, f"{screening.trial.id} {as_of} {day}")))
    event.add("dtstamp", datetime.combine(as_of, time(), UTC))
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    told = [f"{len(own)} {words}" for own, words in ((opens, "open up"), (ends, "end")) if own]
    event.add("summary", f"Recruitment list: {', '.join(told)}")
    lines = [
        f"{words}: no. {', '.join(map(str, own))}"
        for own, words in ((opens, "Nothing fails from this day"), (ends, "Eligible or possible until the day before"))
        if own
    ]
    event.add("description", "\n".join([*lines, f"Numbers of the list of {as_of.isoformat()}, in its calendar."]))
    event.add("transp", "TRANSPARENT")
    return event
