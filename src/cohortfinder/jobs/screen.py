"""The job `screen`: a trial and a store to a ranked, explained list and its files."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from cohortfinder import __version__
from cohortfinder.engine.carry import Keeping
from cohortfinder.engine.grids import coarse
from cohortfinder.engine.proof import fingerprint, proof_of
from cohortfinder.engine.screening import screen
from cohortfinder.engine.sources import codes_of
from cohortfinder.engine.what_if import ask_variants
from cohortfinder.gates import Gates, read_gates
from cohortfinder.jobs.answers import NO_ANSWERS, answer_warnings, answers_record
from cohortfinder.jobs.collector import collector_at_rest
from cohortfinder.jobs.gates import gate_warnings
from cohortfinder.model import Answers, Trial
from cohortfinder.ranking.calibration import calibrate
from cohortfinder.ranking.candidates import rank
from cohortfinder.ranking.funnel import count_funnel
from cohortfinder.ranking.next_step import find_steps
from cohortfinder.ranking.other_studies import OtherStudy
from cohortfinder.ranking.quality import assess
from cohortfinder.ranking.what_if import WhatIfCurve, read_what_if
from cohortfinder.report.calendar_page import OUTLOOK_WEEKS
from cohortfinder.report.files import make_folder
from cohortfinder.report.outputs import write_outputs
from cohortfinder.report.screening import Screening, read_screening
from cohortfinder.resources import resource_dir
from cohortfinder.settings import Settings
from cohortfinder.terminology import Terminology, load_terminology
from cohortfinder.trials.library import find_trial, read_text
from cohortfinder.trials.parser import parse_trial
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.state import TypeState, loaded_types

Log = Callable[[str], None]
# what is done last: the connection, the screening, and which types of resources are complete
Then = Callable[[duckdb.DuckDBPyConnection, Screening, Mapping[str, bool]], None]
_MOST_PROCESSES = 4
# so many questions about other numbers are asked in some twenty seconds
_MOST_QUESTIONS = 750_000


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
        gates, states, codes = read_gates(settings.gates), loaded_types(connection), codes_of(trial, terminology)
        if out:
            make_folder(out)  # before the work, not after it
        tell_begin(trial, terminology, as_of, log)
        known, weeks = known_types(states, codes), outlook_weeks_of(out, in_full, everyone=everyone)
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
            proof = proof_of(trial, terminology, resource_dir("mappings"), known)
            screening = read_screening(
                connection, trial, as_of, labels=concept_labels(terminology), in_full=in_full, what_if=tried,
                elsewhere=elsewhere, calibration=calibrate(connection, trial) if answers.outcomes else None,
                warnings=screening_warnings(
                    connection, terminology, settings, data_warnings(states, codes), gates, answers
                ),
                run_record=run_record(
                    terminology, gates, answers, states, seconds, proof, asked=asked, everyone=everyone
                ),
            )  # fmt: skip
            files = write_outputs(out, screening, connection, processes=processes_of(settings)) if out else ()
        then(connection, screening, known)
    return ScreenResult(screening, files)


def screening_warnings(
    connection: duckdb.DuckDBPyConnection, terminology: Terminology, settings: Settings, of_data: tuple[str, ...],
    gates: Gates, answers: Answers,
) -> tuple[str, ...]:  # fmt: skip
    """Return why the list may be incomplete, a sentence each."""
    of_people = (*gate_warnings(connection, gates), *answer_warnings(connection, answers))
    return (*of_data, *expansion_warnings(terminology, settings), *of_people)


def count_all(
    connection: duckdb.DuckDBPyConnection, trial: Trial, terminology: Terminology, as_of: date, *, counted: bool = False
) -> None:
    """Rank the candidates, count who drops out where and what the data lack, and find what would settle it.

    `counted`: the codes in the data are.
    """
    rank(connection, trial, as_of)
    count_funnel(connection, trial)
    assess(connection, trial, as_of, counted=counted)
    find_steps(connection, trial, terminology)


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


def outlook_weeks_of(out: Path | None, in_full: int | str | None, *, everyone: bool) -> int:
    """Return how many weeks to look ahead: none where nobody will read it."""
    return OUTLOOK_WEEKS if out or (isinstance(in_full, str) and not everyone) else 0


def processes_of(settings: Settings) -> int:
    """Return how many processes may tell verdicts: each holds those of a thousand patients in memory."""
    return min(settings.threads or os.cpu_count() or 1, _MOST_PROCESSES)


def tell_begin(trial: Trial, terminology: Terminology, as_of: date, log: Log) -> None:
    """Say which trial is screened, and what a site adds to the mappings."""
    log(f"screening {trial.id} as of {as_of}")
    for name in terminology.inputs:
        log(f"with {name}")


def concept_labels(terminology: Terminology) -> dict[str, str]:
    """Return the label of every concept."""
    concepts: Mapping[str, Any] = {**terminology.observation_concepts, **terminology.clinical_concepts}
    return {name: concept.label for name, concept in concepts.items()}


def known_types(states: Mapping[str, TypeState], codes: frozenset[str]) -> dict[str, bool]:
    """Say of each type in the store whether all of it is there, as far as a trial asks for it by these codes."""
    return {name: state.complete and not state.without(codes) for name, state in states.items()}


def data_warnings(states: Mapping[str, TypeState], codes: frozenset[str]) -> tuple[str, ...]:
    """Say what of the data was not loaded, or not with all codes that a trial asks for."""
    incomplete = sorted(name for name, state in states.items() if not state.complete)
    told = [f"The last load of {', '.join(incomplete)} was not complete; what is missing here may exist."]
    lacking = [(name, len(state.without(codes))) for name, state in sorted(states.items()) if state.without(codes)]
    return (
        *(told if incomplete else ()),
        *(
            f"{name} was pulled without {count} of the codes that this trial asks for; "
            "name the trial in the configuration and pull again."
            for name, count in lacking
        ),
    )


def _expansion_record(terminology: Terminology) -> dict[str, Any] | None:
    """Say what was known of the codes below those of the concepts, and from whom."""
    kept = terminology.expansions
    if not kept.file:
        return None
    return {"expanded_at": kept.expanded_at, "server": kept.server, "without_answer": len(kept.problems)}


def expansion_warnings(terminology: Terminology, settings: Settings) -> tuple[str, ...]:
    """Say where the kept expansions that the site has asked for are missing, or older than the concepts."""
    kept = terminology.expansions
    if settings.site.expansions is None:
        return ()
    if not kept.file:
        return (
            f"{settings.site.expansions.path} is not there yet: codes below those of the concepts are not found; "
            "run `cohortfinder expand`.",
        )
    if missing := kept.missing(terminology.questions):
        codes = "1 code" if missing == 1 else f"{missing} codes"
        return (
            f"{kept.file} of {kept.expanded_at[:10]} is older than the concepts: {codes} of theirs "
            f"{'was' if missing == 1 else 'were'} not expanded; run `cohortfinder expand`.",
        )
    return ()


def run_record(
    terminology: Terminology, gates: Gates, answers: Answers, states: Mapping[str, Any], seconds: float,
    proof: Mapping[str, Any], *, asked: int | None, everyone: bool,
) -> dict[str, Any]:  # fmt: skip
    """Return what run.json tells of what ran and on what."""
    return {
        "cohortfinder": __version__,
        "duckdb": duckdb.__version__,
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "mappings_sha256": terminology.sha256,
        "site_inputs": {**terminology.inputs, **gates.inputs},
        "expansions": _expansion_record(terminology),
        "everyone": everyone,
        "patients_asked_again": asked,
        "answers": answers_record(answers),
        "proof": proof,
        "resources": {name: state.resources for name, state in sorted(states.items())},
        "seconds": {"screen_and_rank": round(seconds, 3)},
    }
