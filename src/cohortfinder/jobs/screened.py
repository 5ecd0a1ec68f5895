"""What follows on the verdicts of a screening, whichever engine has found them: ranks, counts, the result as rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from cohortfinder import __version__
from cohortfinder.engine.proof import proof_of
from cohortfinder.engine.sources import codes_of
from cohortfinder.gates import Gates, read_gates
from cohortfinder.jobs.answers import answer_warnings, answers_record
from cohortfinder.jobs.gates import gate_warnings
from cohortfinder.model import Answers, Trial
from cohortfinder.ranking.calibration import calibrate
from cohortfinder.ranking.candidates import rank
from cohortfinder.ranking.funnel import count_funnel
from cohortfinder.ranking.next_step import find_steps
from cohortfinder.ranking.other_studies import OtherStudy
from cohortfinder.ranking.quality import assess
from cohortfinder.ranking.what_if import WhatIfCurve
from cohortfinder.report.calendar_page import OUTLOOK_WEEKS
from cohortfinder.report.screening import Screening, read_screening
from cohortfinder.resources import resource_dir
from cohortfinder.settings import Settings
from cohortfinder.terminology import Terminology
from cohortfinder.warehouse.state import TypeState


@dataclass(frozen=True, slots=True)
class Basis:
    """What a screening rests on beside the records of patients. `states` are those of the types of resources."""

    trial: Trial
    terminology: Terminology
    settings: Settings
    states: Mapping[str, TypeState]
    as_of: date
    gates: Gates
    answers: Answers
    codes: frozenset[str]
    everyone: bool = False

    @property
    def known(self) -> dict[str, bool]:
        """Whether all of each type is there, as far as the trial asks for it."""
        return known_types(self.states, self.codes)


def basis_of(
    trial: Trial, terminology: Terminology, settings: Settings, states: Mapping[str, TypeState], as_of: date,
    answers: Answers, *, everyone: bool,
) -> Basis:  # fmt: skip
    """Return what a screening rests on, with the lists of the site's gates as they are now."""
    gates, codes = read_gates(settings.gates), codes_of(trial, terminology)
    return Basis(trial, terminology, settings, states, as_of, gates, answers, codes, everyone)


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


def read_result(
    connection: duckdb.DuckDBPyConnection, basis: Basis, *, seconds: float, in_full: int | str | None,
    asked: int | None = None, what_if: tuple[WhatIfCurve, ...] = (),
    elsewhere: Mapping[str, tuple[OtherStudy, ...]] | None = None, engine: Mapping[str, Any] | None = None,
) -> Screening:  # fmt: skip
    """Read a screening that has been ranked. `asked`: how many patients were asked again; `engine`: what run.json tells
    of another one than DuckDB.
    """
    record = _run_record(basis, seconds, asked)
    return read_screening(
        connection, basis.trial, basis.as_of, labels=concept_labels(basis.terminology), in_full=in_full,
        what_if=what_if, elsewhere=elsewhere, warnings=_warnings(connection, basis),
        calibration=calibrate(connection, basis.trial) if basis.answers.outcomes else None,
        run_record=record if engine is None else {**record, "engine": engine},
    )  # fmt: skip


def _warnings(connection: duckdb.DuckDBPyConnection, basis: Basis) -> tuple[str, ...]:
    """Return why the list may be incomplete, a sentence each."""
    return (
        *data_warnings(basis.states, basis.codes),
        *expansion_warnings(basis.terminology, basis.settings),
        *gate_warnings(connection, basis.gates),
        *answer_warnings(connection, basis.answers),
    )


def _run_record(basis: Basis, seconds: float, asked: int | None) -> dict[str, Any]:
    terminology = basis.terminology
    return {
        "cohortfinder": __version__,
        "duckdb": duckdb.__version__,
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "mappings_sha256": terminology.sha256,
        "site_inputs": {**terminology.inputs, **basis.gates.inputs},
        "expansions": _expansion_record(terminology),
        "everyone": basis.everyone,
        "patients_asked_again": asked,
        "answers": answers_record(basis.answers),
        "proof": proof_of(basis.trial, terminology, resource_dir("mappings"), basis.known),
        "resources": {name: state.resources for name, state in sorted(basis.states.items())},
        "seconds": {"screen_and_rank": round(seconds, 3)},
    }


def outlook_weeks_of(out: Path | None, in_full: int | str | None, *, everyone: bool) -> int:
    """Return how many weeks to look ahead: none where nobody will read it."""
    return OUTLOOK_WEEKS if out or (isinstance(in_full, str) and not everyone) else 0


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
