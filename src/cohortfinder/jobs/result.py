"""The Python API: a screening for a program or a notebook, with its tables as Arrow, pandas or Polars."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from cohortfinder.jobs.screen import read_terminology, read_trial, screen_store
from cohortfinder.model import Answers, Trial
from cohortfinder.report import tables
from cohortfinder.report.screening import Screening
from cohortfinder.report.tables import Table
from cohortfinder.settings import Settings, read_settings
from cohortfinder.trials.answers import read_answers


@dataclass(frozen=True)
class Result:
    """A screening: each table has the columns of the file of that name, and `.arrow()`, `.pandas()`, `.polars()`.

    `warnings` say why the list may be incomplete; `screening` has everything as frozen rows.
    """

    screening: Screening

    @property
    def trial(self) -> Trial:
        """The trial with the parameters that held."""
        return self.screening.trial

    @property
    def as_of(self) -> date:
        """The index date."""
        return self.screening.as_of

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is incomplete, a sentence each."""
        return self.screening.warnings

    @cached_property
    def candidates(self) -> Table:
        """The list: one row per listed patient and arm, best first, as candidates.csv."""
        return tables.candidates(self.screening)

    @cached_property
    def verdicts(self) -> Table:
        """Every verdict with its reason and evidence, as verdicts.parquet."""
        return tables.verdicts(self.screening)

    @cached_property
    def funnel(self) -> Table:
        """Whom each criterion removes in each arm, as funnel.csv."""
        return tables.funnel(self.screening)

    @cached_property
    def people(self) -> Table:
        """The same over all arms, each person counted once, as funnel_people.csv."""
        return tables.people(self.screening)


def screen(
    trial: str | Path, *, store: str | Path | None, as_of: str | date | None, config: str | Path | None,
    answers: str | Path | None, out: str | Path | None, everyone: bool,
) -> Result:  # fmt: skip
    """Screen a store; see `cohortfinder.screen`."""
    settings = _settings(store, config)
    terminology = read_terminology(settings)
    read = read_trial(str(trial), terminology, settings)
    day = _day(as_of, settings.time_zone or read.time_zone)
    given = read_answers(Path(answers), read) if answers else Answers()
    folder = Path(out) if out else None
    result = screen_store(read, terminology, settings, as_of=day, out=folder, everyone=everyone, answers=given)
    return Result(result.screening)


def _settings(store: str | Path | None, config: str | Path | None) -> Settings:
    settings = read_settings(Path(config) if config else None)
    return settings if store is None else replace(settings, store=Path(store))


def _day(as_of: str | date | None, time_zone: str) -> date:
    if as_of is None:
        return datetime.now(ZoneInfo(time_zone)).date()
    return as_of if isinstance(as_of, date) else date.fromisoformat(as_of)
