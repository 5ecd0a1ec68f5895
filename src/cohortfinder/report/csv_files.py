"""A screening as CSV (RFC 4180): candidates, funnel, and what the data team could mend."""

from collections.abc import Iterable, Iterator
from dataclasses import astuple, fields

from cohortfinder.ranking.funnel import FunnelStep, PeopleStep
from cohortfinder.ranking.gates import GateCount
from cohortfinder.ranking.next_step import Steps
from cohortfinder.ranking.quality import CoverageRow, QualityRow, UnknownRow
from cohortfinder.ranking.what_if import WhatIfCurve
from cohortfinder.report.cells import Cell, table
from cohortfinder.report.factor_words import factors_cell
from cohortfinder.report.outlook_reasons import beginnings, endings
from cohortfinder.report.screening import Screening
from cohortfinder.report.step_words import NO_TEST
from cohortfinder.terminology.efforts import Effort


def _names(row: type) -> tuple[str, ...]:
    return tuple(one.name for one in fields(row))


CANDIDATES = (
    "rank", "patient_id", "arm", "status", "score", "pass", "fail", "unknown", "judgement",
    "eligible_from", "next_step", "last_contact", "near_miss", "other_studies", "factors", "stops_on",
    "eligible_from_reason", "stops_on_reason", "calibrated",
)  # fmt: skip
FUNNEL = _names(FunnelStep)
FUNNEL_PEOPLE = _names(PeopleStep)
WHAT_IF = (
    "criterion_id", "arm", "leaf", "about", "word", "value", "in_force",
    "eligible", "possible", "candidates", "more", "passes", "unknown",
)  # fmt: skip
DATA_QUALITY = _names(QualityRow)
COVERAGE = _names(CoverageRow)
UNKNOWNS = _names(UnknownRow)
GATES = _names(GateCount)
NEXT_STEPS = (
    "patient_id", "arm", "step", "test", "label", "work", "minutes", "settles", "may_settle", "ends", "passes",
)  # fmt: skip
CLINIC_STEPS = (
    "test", "label", "work", "minutes", "people", "candidates", "ends", "passes", "per_hour", "criteria", "whom",
)  # fmt: skip


def candidates_csv(screening: Screening) -> bytes:
    """Return candidates.csv: one row per listed patient and arm, best first, excluded ones last."""
    return table(CANDIDATES, candidate_cells(screening))


def candidate_cells(screening: Screening) -> Iterator[tuple[Cell, ...]]:
    """Return each candidate as the columns CANDIDATES."""
    begins, stops = beginnings(screening), endings(screening)
    return (
        (
            one.rank, one.patient_id, one.arm, one.status, round(one.score, 6), one.passed, one.failed,
            one.unknown, one.judgement, one.eligible_from, one.next_step, one.last_contact, one.near_miss,
            "; ".join(map(str, screening.marks(one.patient_id))),
            factors_cell(one),
            screening.outlook.stops.get((one.patient_id, one.arm)), begins.get((one.patient_id, one.arm)),
            stops.get((one.patient_id, one.arm)), screening.calibrated(one),
        )
        for one in screening.candidates
    )  # fmt: skip


def funnel_csv(screening: Screening) -> bytes:
    """Return funnel.csv: one row per arm and criterion."""
    return table(FUNNEL, map(astuple, screening.funnel))


def funnel_people_csv(screening: Screening) -> bytes:
    """Return funnel_people.csv: one row per criterion, over all arms together."""
    return table(FUNNEL_PEOPLE, map(astuple, screening.people))


def what_if_csv(curves: Iterable[WhatIfCurve]) -> bytes:
    """Return whatif.csv: one row per number of a criterion, arm and value."""
    return table(
        WHAT_IF,
        (
            (
                curve.criterion_id, curve.arm, curve.leaf, curve.about, curve.word, point.value, point.in_force,
                point.eligible, point.possible, point.candidates, point.more, point.passes, point.unknown,
            )
            for curve in curves
            for point in curve.points
        ),
    )  # fmt: skip


def data_quality_csv(screening: Screening) -> bytes:
    """Return data_quality.csv: what could not be used, and why."""
    return table(DATA_QUALITY, map(astuple, screening.data_quality))


def concept_coverage_csv(screening: Screening) -> bytes:
    """Return concept_coverage.csv: one row per arm and concept that its criteria ask for."""
    return table(COVERAGE, map(astuple, screening.coverage))


def unknowns_csv(screening: Screening) -> bytes:
    """Return unknowns.csv: what the unknown verdicts hang on, what would settle most first."""
    return table(UNKNOWNS, map(astuple, screening.unknowns))


def gates_csv(screening: Screening) -> bytes:
    """Return gates.csv: how many patients each gate keeps off the list."""
    return table(GATES, map(astuple, screening.gates))


def next_steps_csv(screening: Screening) -> bytes:
    """Return next_steps.csv: for each candidate the tests that would settle something, best first."""
    return table(NEXT_STEPS, next_step_cells(screening))


def next_step_cells(screening: Screening) -> Iterator[tuple[Cell, ...]]:
    """Return each step as the columns NEXT_STEPS; what no test settles alone is a row without one."""
    for candidate in screening.candidates:
        own = screening.next_steps.of.get((candidate.patient_id, candidate.arm), Steps())
        for place, one in enumerate(own.steps, start=1):
            yield (
                candidate.patient_id, candidate.arm, place, *_effort_cells(one.effort),
                "; ".join(one.settles), "; ".join(one.may_settle), one.ends, one.passes,
            )  # fmt: skip
        if own.unsettled:
            ids = "; ".join(own.unsettled)
            yield candidate.patient_id, candidate.arm, None, None, NO_TEST, None, None, ids, None, None, None


def _effort_cells(effort: Effort) -> tuple[Cell, ...]:
    return effort.test, effort.label, effort.work, effort.minutes


def clinic_steps_csv(screening: Screening) -> bytes:
    """Return clinic_steps.csv: what each test would settle for all candidates, what ends most questions first."""
    rows = (
        (
            *_effort_cells(one.effort), one.people, one.candidates, one.ends, one.passes, one.per_hour, one.criteria,
            "; ".join(dict.fromkeys(screening.candidates[number - 1].patient_id for number in one.whom)),
        )
        for one in screening.next_steps.clinic
    )  # fmt: skip
    return table(CLINIC_STEPS, rows)
