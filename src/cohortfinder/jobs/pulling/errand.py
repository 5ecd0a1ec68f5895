"""One pull under way: what is wanted of which server, the spool it goes into, and the crew that fetches it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.search import Habits, Noted
from cohortfinder.jobs.pulling.fetch import Crew
from cohortfinder.jobs.pulling.plan import Circumstances, offered
from cohortfinder.jobs.pulling.wanted import Wanted
from cohortfinder.landing.spool import Mark, Plan, Slice, Spool

SPOOL = "pull"


@dataclass(frozen=True, slots=True)
class Errand:
    """Everything that the stages of a pull share."""

    store: Path
    client: FhirClient
    wanted: Wanted
    around: Circumstances
    habits: Habits
    spool: Spool
    crew: Crew
    log: Callable[[str], None]
    told: Noted

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types that are pulled."""
        return offered(self.wanted, self.around.capability)

    def noted(self, part: Slice, mark: Mark, total: int | None) -> None:
        """Tell of a page that is on the disk. Raises StoppedError when the pull is to end."""
        self.told(part, mark, total)
        self.crew.check()

    def keep(self, slices: Sequence[Slice], *, token: str = "", loading: Sequence[Slice] = ()) -> None:
        """Keep what is asked, and remove from the spool what belongs to nothing of it."""
        numbers = tuple(part.number for part in loading)
        self.spool.write(Plan(self.wanted.server, self.wanted.scope, tuple(slices), token, numbers))

    def files(self, slices: Sequence[Slice], kinds: Collection[str] | None = None) -> list[Path]:
        """Return the files of the slices that are done, of some types or of all."""
        done = (part for part in slices if part.number in self.crew.fetched.done)
        own = (part for part in done if kinds is None or {*part.types} & {*kinds})
        return [file for part in own for file in self.spool.of(part).files(kinds)]
