"""One night under way: what its steps share, and its record, which is kept before and after each of them."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from cohortfinder.errors import CohortFinderError
from cohortfinder.jobs.pulling.outcome import PullSummary
from cohortfinder.model import Trial
from cohortfinder.review.facts import Said
from cohortfinder.runs.record import (
    FAILED,
    INTERRUPTED,
    REFUSED,
    RUNNING,
    Refusal,
    RunRecord,
    Step,
    moment,
    write_record,
)
from cohortfinder.settings import Settings
from cohortfinder.terminology import Terminology

Log = Callable[[str], None]
DONE, SKIPPED = "done", "skipped"


class NotPublished(Exception):
    """The night ends without publishing; why is in the refusals of its record."""


@dataclass(frozen=True, slots=True)
class NightOptions:
    """What the command line asks of a night. `as_of`: None for today; `accept`: codes of what would stop it."""

    as_of: date | None = None
    pull: bool = True
    accept: tuple[str, ...] = ()


@dataclass(slots=True)
class Night:
    """What the steps share. `trials` are those that can be read, by the names that the configuration gives them.

    `said` is what people have said in the review application, by the ids of trials, and `names` how they are called.
    """

    settings: Settings
    options: NightOptions
    record: RunRecord
    log: Log
    trials: dict[str, Trial] = field(default_factory=dict)
    terminology: Terminology | None = None
    pulled: PullSummary | None = None
    said: Mapping[str, Said] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)

    @property
    def as_of(self) -> date:
        """The index date."""
        return date.fromisoformat(self.record.index_date)

    @property
    def known(self) -> Terminology:
        """The mappings, which the first step has read."""
        if self.terminology is None:
            raise RuntimeError("the mappings were not read yet")
        return self.terminology

    def keep(self) -> None:
        """Bring the record to the disk. Raises ReadWriteError."""
        write_record(self.settings.store, self.record)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Do one step, and note when it began, how long it took and how it ended."""
        step, began = Step(name, moment(datetime.now(UTC))), time.monotonic()
        self.record.steps.append(step)
        try:
            self.keep()
            yield step
            step.state = DONE if step.state == RUNNING else step.state
        except BaseException as error:
            step.state = _state_after(error)
            raise
        finally:
            step.seconds = round(time.monotonic() - began, 2)
            self.keep()

    def skip(self, name: str, message: str) -> None:
        """Note a step that is not done, and why."""
        self.record.steps.append(Step(name, moment(datetime.now(UTC)), 0.0, SKIPPED, message=message))
        self.log(message)
        self.keep()

    def refuse(self, refusal: Refusal) -> bool:
        """Note what stops the night from publishing; return whether it does, or was accepted."""
        if refusal.code in self.options.accept:
            self.record.accepted.append(refusal.code)
            self.warn(f"Accepted ({refusal.code}): {refusal.message}")
            return False
        self.record.refusals.append(refusal)
        self.log(refusal.message)
        return True

    def warn(self, message: str) -> None:
        """Note what the list lacks though it is published."""
        if message not in self.record.warnings:
            self.record.warnings.append(message)
            self.log(message)


def _state_after(error: BaseException) -> str:
    if isinstance(error, NotPublished):
        return REFUSED
    return FAILED if isinstance(error, CohortFinderError | OSError) else INTERRUPTED
