"""The job `screen`: a trial and a store to a ranked, explained list and its files."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from cohortfinder.engine.carry import Keeping
from cohortfinder.engine.grids import coarse
from cohortfinder.engine.proof import fingerprint
from cohortfinder.engine.screening import screen
from cohortfinder.engine.what_if import ask_variants
from cohortfinder.jobs.answers import NO_ANSWERS
from cohortfinder.jobs.collector import collector_at_rest
from cohortfinder.jobs.screened import basis_of, count_all, outlook_weeks_of, read_result
from cohortfinder.model import Answers, Trial
from cohortfinder.ranking.other_studies import OtherStudy
from cohortfinder.ranking.what_if import WhatIfCurve, read_what_if
from cohortfinder.report.files import make_folder
from cohortfinder.report.outputs import write_outputs
from cohortfinder.report.screening import Screening
from cohortfinder.resources import resource_dir
from cohortfinder.settings import Settings
from cohortfinder.terminology import Terminology, load_terminology
from cohortfinder.trials.library import find_trial, read_text
from cohortfinder.trials.parser import parse_trial
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.state import loaded_types

Log = Callable[[str], None]
# what is done last: the connection, the screening, and which types of resources are complete
Then = Callable[[duckdb.DuckDBPyConnection, Screening, Mapping[str, bool]], None]
_MOST_PROCESSES = 4
# so many questions about other numbers are asked in less than a minute
_MOST_QUESTIONS = 10_000_000


@dataclass(frozen=True, slots=True)
class ScreenResult:
    """A screening and the files that were written of it."""

    screening: Screening
    files: tuple[Path, ...]

    @property
    def exit_status(self) -> int:
        """0, or 3 when the data are known to be incomplete, or some answers reach nobody."""
        return 3 if self.screening.warnings else 0


def read_trial(name: str, terminology: Terminology, settings: Settings) -> Trial:
    """Find and parse a trial by its file or id, with the site's parameters.

    Raises InputError when there is none, TrialError when it has errors.
    """
    path = find_trial(name)
    return parse_trial(read_text(path), source=str(path), terminology=terminology, overrides=settings.parameters)


def read_terminology(settings: Settings) -> Terminology:
    """Load the mappings that ship with the program, and those of the site.

    Raises ConfigurationError with everything that is wrong in them, and its place.
    """
    return load_terminology(resource_dir("mappings"), settings.site)


def screen_store(
    trial: Trial, terminology: Terminology, settings: Settings, *, as_of: date, out: Path | None = None,
    everyone: bool = False, in_full: int | str | None = None, alone: str | None = None, answers: Answers = NO_ANSWERS,
    elsewhere: Mapping[str, tuple[OtherStudy, ...]] | None = None, take_up: Path | None = None,
    keep: Path | None = None, log: Log = lambda _: None, then: Then = lambda *_: None,
) -> ScreenResult:  # fmt: skip
    """Screen the store for one trial and write the outputs into `out`, where one is given.

    The screening holds the verdicts of the first `in_full` candidates, of the patient of that id, or (None) of all.
    `answers` of people decide, and who is listed `elsewhere` is marked. With `alone` only the patient of that id is
    asked about; `then` asks more at the end.
    `take_up` is the evaluation that an earlier screening has kept, and `keep` where to keep this one: what comes out is
    the same, for less work; other numbers are not tried then.

    Raises InputError when there is no store, LockedError when another process writes to it.
    """
    with open_warehouse(
        settings.store, read_only=True, memory_limit=settings.memory_limit, threads=settings.threads,
        reaches=[*([out] if out else ()), *(file.parent for file in (take_up, keep) if file)],
    ) as connection:  # fmt: skip
        started = time.perf_counter()
        basis = basis_of(trial, terminology, settings, loaded_types(connection), as_of, answers, everyone=everyone)
        if out:
            make_folder(out)  # before the work, not after it
        tell_begin(trial, terminology, as_of, log)
        known, gates, weeks = basis.known, basis.gates, outlook_weeks_of(out, in_full, everyone=everyone)
        whole = fingerprint(trial, terminology, known, gates, weeks, everyone=everyone) if keep else ""
        asked = screen(
            connection, trial, terminology, as_of=as_of, everyone=everyone, alone=alone, loaded=known, gates=gates,
            outlook_weeks=weeks, answers=answers.answers, outcomes=answers.outcomes,
            keeping=Keeping(whole, take_up, keep) if keep else None,
        )  # fmt: skip
        count_all(connection, trial, terminology, as_of)
        tried = _what_if(connection, trial, terminology, as_of, known, log) if out and not keep else ()
        seconds = time.perf_counter() - started
        with collector_at_rest():
            screening = read_result(
                connection, basis, seconds=seconds, in_full=in_full, asked=asked, what_if=tried, elsewhere=elsewhere
            )
            files = write_outputs(out, screening, connection, processes=processes_of(settings)) if out else ()
        then(connection, screening, known)
    return ScreenResult(screening, files)


def _what_if(
    connection: duckdb.DuckDBPyConnection, trial: Trial, terminology: Terminology, as_of: date, known: dict[str, bool],
    log: Log,
) -> tuple[WhatIfCurve, ...]:  # fmt: skip
    """Try out other numbers in all criteria, unless that would take longer than all the rest."""
    curves = ask_variants(
        connection, trial, terminology, as_of=as_of, loaded=known, most=_MOST_QUESTIONS,
        choose=lambda written, seen: coarse(written.value, seen),
    )  # fmt: skip
    if curves is None:
        log("too many candidates to try other numbers in every criterion; `cohortfinder whatif` tries those of one")
        return ()
    return read_what_if(connection, trial, curves)


def processes_of(settings: Settings) -> int:
    """Return how many processes may tell verdicts: each holds those of some hundred patients in memory."""
    return min(settings.threads or os.cpu_count() or 1, _MOST_PROCESSES)


def tell_begin(trial: Trial, terminology: Terminology, as_of: date, log: Log) -> None:
    """Say which trial is screened, and what a site adds to the mappings."""
    log(f"screening {trial.id} as of {as_of}")
    for name in terminology.inputs:
        log(f"with {name}")
