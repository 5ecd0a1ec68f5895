"""The coming weeks as the page draws them: whose status changes in which week, why, and what grows unknown."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from cohortfinder.ranking.outlook import Turn
from cohortfinder.report.causes import Causes
from cohortfinder.report.screening import Screening

OUTLOOK_WEEKS = 12
# of a week the page has so many changes, of a change so many criteria
_SHOWN = 20
_REASONS = 2
_FADING = 8


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A patient whose status changes in an arm: `number` is the place in the list, `turns` what makes it and why."""

    number: int
    day: date
    patient_id: str
    arm: str
    status_from: str
    status_to: str
    turns: tuple[tuple[Turn, str], ...]
    more: int

    @property
    def opens(self) -> bool:
        """Whether the new status is the better one."""
        return self.status_from == "excluded" or self.status_to == "eligible"


@dataclass(frozen=True, slots=True)
class Week:
    """A week of the calendar; `fading` are criteria that become unknown for those not excluded, with how many."""

    first: date
    last: date
    changes: tuple[StatusChange, ...]
    more: int
    fading: tuple[tuple[str, int], ...]


def weeks(screening: Screening) -> list[Week]:
    """Return the coming weeks from Monday to Sunday, the first from the day after the index date."""
    causes = Causes(screening.trial, screening.language)
    numbers = {(one.patient_id, one.arm): number for number, one in enumerate(screening.candidates, start=1)}
    until = screening.as_of + timedelta(weeks=OUTLOOK_WEEKS)
    turns = [turn for turn in screening.outlook.turns if turn.day <= until]
    return [_week(first, last, turns, numbers, causes) for first, last in _spans(screening.as_of, until)]


def status_changes(
    turns: Sequence[Turn], numbers: dict[tuple[str, str], int], causes: Causes
) -> Iterator[StatusChange]:
    """Yield each change of a status, in the order of the turns: by day, then by place in the list."""
    for (day, patient, arm), group in groupby(turns, key=lambda one: (one.day, one.patient_id, one.arm)):
        own = tuple(group)
        before, after = own[0].status_from, own[0].status_to
        if before != after:
            making = [turn for turn in own if _makes(turn, before, after)]
            told = tuple((turn, causes.reason(turn)) for turn in making[:_REASONS])
            more = len(making) - len(told)
            yield StatusChange(numbers[patient, arm], day, patient, arm, before, after, told, more)


def _makes(turn: Turn, before: str, after: str) -> bool:
    """Say whether a verdict has a part in the change: it makes the new status, or it made the old one."""
    if after == "excluded":
        return turn.verdict_to == "fail"
    if before == "excluded":
        return turn.verdict_from == "fail"
    return turn.verdict_to == "unknown" if after == "possible" else turn.verdict_from == "unknown"


def _week(first: date, last: date, turns: Sequence[Turn], numbers: dict[tuple[str, str], int], causes: Causes) -> Week:
    own = [turn for turn in turns if first <= turn.day <= last]
    moved = [turn for turn in own if turn.status_from != turn.status_to]
    changes = tuple(status_changes(moved, numbers, causes))
    fading = Counter(turn.criterion_id for turn in own if turn.verdict_to == "unknown" and turn.status_to != "excluded")
    return Week(first, last, changes[:_SHOWN], max(len(changes) - _SHOWN, 0), tuple(fading.most_common(_FADING)))


def _spans(as_of: date, until: date) -> Iterator[tuple[date, date]]:
    first = as_of + timedelta(days=1)
    while first <= until:
        last = min(first + timedelta(days=6 - first.weekday()), until)
        yield first, last
        first = last + timedelta(days=1)
