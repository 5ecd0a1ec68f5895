"""Invented patients who are listed, and where the time of their screening goes."""

import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

from cohortfinder.gates import GateSettings
from cohortfinder.jobs import screen as job
from cohortfinder.jobs.demo import AS_OF, TRIAL
from cohortfinder.jobs.dummy import Wish, dummy
from cohortfinder.jobs.screen import ScreenResult, read_terminology, read_trial, screen_store
from cohortfinder.report.html import IN_FULL
from cohortfinder.settings import Settings
from cohortfinder.warehouse.connection import open_warehouse

# years of earlier results, orders and diagnoses of an invented patient
HISTORY = 1
_TABLE = re.compile(r"^(?:CREATE (?:OR REPLACE )?(?:TEMP )?TABLE|INSERT INTO|DELETE FROM|UPDATE) (\w+)", re.MULTILINE)
# Each phase begins with the first statement that makes this table.
PHASES = (
    ("facts", "map_code_system"),
    ("listing", "trial_criterion"),
    ("facts of the listed", "listing"),
    ("evaluation and changes", "change"),
    ("eligible from", "eligible_from"),
    ("ranking", "last_contact"),
    ("data quality and outputs", "unmapped_code"),
)


@dataclass(slots=True)
class Clock:
    """A connection that notes, for itself and its cursors, when each statement began and how long it took."""

    connection: Any
    noted: list[tuple[str, float, float]] = field(default_factory=list)

    def execute(self, query: str, parameters: Any = None) -> Any:
        """Run one statement."""
        started = time.perf_counter()
        result = self.connection.execute(query, parameters)
        made = _TABLE.search(query)
        name = re.sub(r"_\d+$", "", made[1]) if made else "(read)"
        self.noted.append((name, started, time.perf_counter() - started))
        return result

    def cursor(self) -> "Clock":
        """Return another connection to the same database."""
        return Clock(self.connection.cursor(), self.noted)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


def configured(folder: Path, *lines: str) -> Path:
    """Write a configuration by which invented patients, who say that they are for tests, are listed."""
    file = folder / "cohortfinder.toml"
    file.write_text("\n".join([*lines, "[gates]", 'test_labels = "none"', ""]), encoding="utf-8")
    return file


@dataclass(frozen=True, slots=True)
class Timed:
    """A screening with the seconds of it, of each phase, and of the statements that make each table."""

    result: ScreenResult
    seconds: float
    phases: dict[str, float]
    tables: list[tuple[str, int, float]]

    @property
    def listed(self) -> int:
        """How many patients are listed."""
        return len({one.patient_id for one in self.result.screening.candidates})


def timed_screening(trial: str, store: Path, as_of: date, out: Path | None = None) -> Timed:
    """Run the job `screen` with a clock on its connection."""
    settings = Settings(store=store)
    # the invented patients say that they are for tests
    settings = replace(settings, gates=GateSettings(test_labels=None))
    terminology = read_terminology(settings)
    clocks: list[Clock] = []

    @contextmanager
    def clocked(*places: Any, **options: Any) -> Iterator[Clock]:
        with open_warehouse(*places, **options) as connection:
            clocks.append(Clock(connection))
            yield clocks[0]

    with mock.patch.object(job, "open_warehouse", clocked):
        started = time.perf_counter()
        result = screen_store(
            read_trial(trial, terminology, settings), terminology, settings, as_of=as_of, out=out, in_full=IN_FULL
        )
        ended = time.perf_counter()
    return Timed(result, ended - started, _phases(clocks[0].noted, started, ended), _tables(clocks[0].noted))


def _phases(noted: list[tuple[str, float, float]], started: float, ended: float) -> dict[str, float]:
    begins = [next(began for name, began, _ in noted if name == marker) for _, marker in PHASES]
    bounds = [started, *begins, ended]
    names = ["trial and mappings", *(name for name, _ in PHASES)]
    return {name: after - before for name, before, after in zip(names, bounds, bounds[1:], strict=False)}


def _tables(noted: list[tuple[str, float, float]]) -> list[tuple[str, int, float]]:
    counts: Counter[str] = Counter()
    spent: defaultdict[str, float] = defaultdict(float)
    for name, _, took in noted:
        counts[name] += 1
        spent[name] += took
    return [(name, counts[name], took) for name, took in sorted(spent.items(), key=lambda one: -one[1])]


def invented(target: Path, patients: int) -> Path:
    """Write so many patients that `cohortfinder dummy` invents for the trial, and return the folder of their files.

    Nearly all of them are listed: only those who just miss an entry criterion are not.
    """
    wish, settings = Wish(count=patients, history=HISTORY, form="ndjson"), Settings(store=target)
    terminology = read_terminology(settings)
    trial = read_trial(TRIAL, terminology, settings)
    result = dummy(trial, terminology, settings, as_of=AS_OF, wish=wish, out=target)
    if result.written != patients:
        sys.exit(f"{patients:,} patients were asked for and {result.written:,} were invented")
    return target / "fhir"
