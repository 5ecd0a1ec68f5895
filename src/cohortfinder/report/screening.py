"""The result of one screening as frozen rows: what every output format writes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cohortfinder.model import Trial
from cohortfinder.ranking.calibration import Calibration
from cohortfinder.ranking.candidates import Candidate, Connection, read_candidates
from cohortfinder.ranking.funnel import FunnelStep, PeopleStep, read_funnel, read_funnel_people
from cohortfinder.ranking.gates import GateCount, kept_off, read_gate_counts
from cohortfinder.ranking.next_step import NextSteps, read_steps
from cohortfinder.ranking.open_criteria import OpenCriteria, read_open_criteria
from cohortfinder.ranking.other_studies import OtherStudy, read_other_studies
from cohortfinder.ranking.outlook import Outlook, read_outlook
from cohortfinder.ranking.quality import (
    CoverageRow,
    QualityRow,
    UnknownRow,
    read_coverage,
    read_quality,
    read_unknowns,
)
from cohortfinder.ranking.what_if import WhatIfCurve
from cohortfinder.report.verdict_rows import Teller, VerdictReader, VerdictRow
from cohortfinder.wording import Language


@dataclass(frozen=True, slots=True)
class Screening:
    """A whole screening. `run` is the content of run.json; `warnings` say why it may be incomplete.

    `verdicts` are those of the candidates that are shown in full: of a whole hospital they would not fit into memory.
    `other_studies` are the patients' parts in studies by their records, `elsewhere` the site's trials that list them.
    `verdict_count` counts all of them, and `language` is in which they are told. `kept_off` patients are behind a gate.
    """

    trial: Trial
    as_of: date
    language: Language
    candidates: tuple[Candidate, ...]
    verdicts: tuple[VerdictRow, ...]
    verdict_count: int
    funnel: tuple[FunnelStep, ...]
    people: tuple[PeopleStep, ...]
    data_quality: tuple[QualityRow, ...]
    coverage: tuple[CoverageRow, ...]
    unknowns: tuple[UnknownRow, ...]
    gates: tuple[GateCount, ...] = ()
    kept_off: int = 0
    other_studies: Mapping[str, tuple[OtherStudy, ...]] = field(default_factory=dict)
    elsewhere: Mapping[str, tuple[OtherStudy, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    run: Mapping[str, Any] = field(default_factory=dict)
    open_criteria: Mapping[tuple[str, str], OpenCriteria] = field(default_factory=dict)
    what_if: tuple[WhatIfCurve, ...] = ()
    outlook: Outlook = field(default_factory=Outlook)
    calibration: Calibration | None = None
    next_steps: NextSteps = field(default_factory=NextSteps)

    def calibrated(self, candidate: Candidate) -> float | None:
        """Return the chance as the outcomes of screenings correct it, None where they do not."""
        line = self.calibration.map if self.calibration else None
        return line.of(candidate.score) if line else None

    def marks(self, patient_id: str) -> tuple[OtherStudy, ...]:
        """Return the other studies and trials of a patient."""
        return (*self.other_studies.get(patient_id, ()), *self.elsewhere.get(patient_id, ()))

    def verdicts_by_candidate(self) -> dict[tuple[str, str], tuple[VerdictRow, ...]]:
        """Return the verdicts of each (patient, arm), in protocol order."""
        grouped: dict[tuple[str, str], list[VerdictRow]] = {}
        for row in self.verdicts:
            grouped.setdefault((row.patient_id, row.arm), []).append(row)
        return {key: tuple(rows) for key, rows in grouped.items()}


def read_screening(
    connection: Connection,
    trial: Trial,
    as_of: date,
    *,
    labels: Mapping[str, str],
    in_full: int | str | None = None,
    warnings: tuple[str, ...] = (),
    run_record: Mapping[str, Any] | None = None,
    what_if: tuple[WhatIfCurve, ...] = (),
    calibration: Calibration | None = None,
    elsewhere: Mapping[str, tuple[OtherStudy, ...]] | None = None,
) -> Screening:
    """Read the tables of engine, `rank` and data quality into rows. `labels` names the concepts.

    `in_full`: of how many of the first candidates, or of which patient, to read the verdicts; None: of all.
    """
    language = Language(labels, as_of)
    candidates = read_candidates(connection)
    return Screening(
        trial=trial,
        as_of=as_of,
        language=language,
        candidates=candidates,
        verdicts=tuple(Teller(trial, language).told(VerdictReader(connection, trial).some(in_full))),
        verdict_count=sum(one.passed + one.failed + one.unknown + one.judgement for one in candidates),
        funnel=read_funnel(connection, trial),
        people=read_funnel_people(connection),
        data_quality=read_quality(connection),
        coverage=read_coverage(connection, trial),
        unknowns=read_unknowns(connection),
        gates=read_gate_counts(connection),
        kept_off=kept_off(connection),
        other_studies=read_other_studies(connection, trial, as_of),
        elsewhere=elsewhere or {},
        warnings=warnings,
        run=run_record or {},
        open_criteria=read_open_criteria(connection),
        what_if=what_if,
        outlook=read_outlook(connection),
        calibration=calibration,
        next_steps=read_steps(connection),
    )
