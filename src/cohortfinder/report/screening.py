"""The result of one screening as frozen rows: what every output format writes from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import orjson

from cohortfinder.model import Criterion, Trial
from cohortfinder.ranking.candidates import (
    Candidate,
    Connection,
    FunnelStep,
    read_candidates,
    read_funnel,
    run,
)
from cohortfinder.report.reasons import Sentences
from cohortfinder.wording import Evidence, Language


class VerdictRow(NamedTuple):
    """One patient, arm and criterion: the verdict, why in a sentence, and what it rests on."""

    patient_id: str
    arm: str
    criterion: Criterion
    verdict: str
    reason: str
    codes: tuple[str, ...]
    flags: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    changes_on: date | None

    def shown(self, *, by_concept: bool = False) -> tuple[Evidence, ...]:
        """Return each piece of evidence once: two leaves may rest on one record, and ask it for different concepts."""
        if len(self.evidence) < 2:
            return self.evidence
        same = {"leaf": ""} if by_concept else {"leaf": "", "concept": None}
        return tuple(dict.fromkeys(item._replace(**same) for item in self.evidence))


@dataclass(frozen=True, slots=True)
class QualityRow:
    """What could not be used and why, with one example resource."""

    kind: str
    concept: str | None
    system: str | None
    code: str | None
    unit: str | None
    reason: str
    count: int
    patients: int | None
    example: str | None


@dataclass(frozen=True, slots=True)
class Screening:
    """A whole screening. `run` is the content of run.json; `warnings` say why it may be incomplete."""

    trial: Trial
    as_of: date
    candidates: tuple[Candidate, ...]
    verdicts: tuple[VerdictRow, ...]
    funnel: tuple[FunnelStep, ...]
    data_quality: tuple[QualityRow, ...]
    warnings: tuple[str, ...] = ()
    run: Mapping[str, Any] = field(default_factory=dict)

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
    warnings: tuple[str, ...] = (),
    run_record: Mapping[str, Any] | None = None,
) -> Screening:
    """Read the TEMP tables of engine, `rank` and data quality into rows. `labels` names the concepts."""
    quality = run(connection, "quality/data_quality_rows.sql.jinja").fetchall()
    return Screening(
        trial=trial,
        as_of=as_of,
        candidates=read_candidates(connection),
        verdicts=tuple(_read_verdicts(connection, trial, Language(labels, as_of))),
        funnel=read_funnel(connection, trial),
        data_quality=tuple(QualityRow(*row) for row in quality),
        warnings=warnings,
        run=run_record or {},
    )


def _read_verdicts(connection: Connection, trial: Trial, language: Language) -> Iterator[VerdictRow]:
    criteria = {criterion.id: criterion for criterion in trial.criteria}
    sentences = {criterion.id: Sentences(criterion, language) for criterion in trial.criteria}
    arms = tuple(arm.id for arm in trial.arms)
    rows = run(connection, "ranking/verdict_rows.sql.jinja", arms=arms).fetchall()
    coded: dict[str, tuple[tuple[tuple[str, str], ...], tuple[str, ...]]] = {}
    # a verdict without evidence says the same of every patient: not computed, for a person to judge
    bare: dict[tuple[str, str], str] = {}
    for patient_id, arm, criterion_id, verdict, reasons, flags, evidence, changes_on in rows:
        if reasons not in coded:
            pairs = tuple([(one["leaf"] or "", one["code"]) for one in orjson.loads(reasons)])
            coded[reasons] = pairs, tuple([code for _, code in pairs])
        by_leaf, codes = coded[reasons]
        found = tuple([Evidence(**item) for item in orjson.loads(evidence)]) if evidence != "[]" else ()
        reason = None if found else bare.get((criterion_id, reasons))
        if reason is None:
            reason = sentences[criterion_id].reason(by_leaf, found)
        if not found:
            bare[(criterion_id, reasons)] = reason
        yield VerdictRow(
            patient_id=patient_id,
            arm=arm,
            criterion=criteria[criterion_id],
            verdict=verdict,
            reason=reason,
            codes=codes,
            flags=tuple(flags),
            evidence=found,
            changes_on=changes_on,
        )
