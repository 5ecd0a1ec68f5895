"""The time of a record: days on which it lies in a window, on its edge, or just outside."""

from dataclasses import dataclass
from datetime import date, timedelta

from cohortfinder.dates import back, months_back
from cohortfinder.dummy.facts import BEGINNING
from cohortfinder.model import Duration

DAY = timedelta(days=1)
_LONG_AGO = 26


@dataclass(frozen=True, slots=True)
class Window:
    """The days of which a leaf asks, up to the index date; `since` is the first one."""

    since: date
    as_of: date
    recent: date

    @property
    def bounded(self) -> bool:
        """Whether a day can lie before it."""
        return self.since > BEGINNING

    @property
    def middle(self) -> date:
        """A day well inside."""
        inside = self.since + (self.as_of - self.since) / 2 if self.bounded else months_back(self.as_of, _LONG_AGO)
        return min(inside, self.recent)

    def inside(self, *, just: bool) -> date:
        """Return a day inside: the first one where `just`."""
        return self.since if just and self.bounded else self.middle

    @property
    def before(self) -> date:
        """The last day before it."""
        return self.since - DAY


def window_of(within: Duration | None, as_of: date, recent: date) -> Window:
    """Return the window of `within`; without it everything is inside."""
    return Window(BEGINNING if within is None else back(as_of, within), as_of, recent)
