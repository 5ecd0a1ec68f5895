"""A screening as CSV (RFC 4180): candidates, verdicts, funnel and data quality."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

import orjson

from cohortfinder.report.screening import Screening, VerdictRow
from cohortfinder.wording import Evidence, rounded

CANDIDATES = (
    "rank", "patient_id", "arm", "status", "score", "pass", "fail", "unknown", "judgement",
    "eligible_from", "next_step", "last_contact", "near_miss",
)  # fmt: skip
VERDICTS = (
    "patient_id", "arm", "criterion_id", "kind", "verdict", "certainty", "reason", "flags", "evidence",
    "changes_on",
)  # fmt: skip
FUNNEL = ("arm", "order", "criterion_id", "remaining", "removed", "unknown")
DATA_QUALITY = ("kind", "concept", "system", "code", "unit", "reason", "count", "patients", "example")

# what a spreadsheet would run as a formula, also behind a tab or a line break
_FORMULA_STARTS = frozenset("=+-@\t\r\n")
Cell = str | int | float | bool | date | None
# the columns VERDICTS as text; a day on which the verdict changes may be missing
VerdictCells = tuple[str, str, str, str, str, str, str, str, str, str | None]


def candidates_csv(screening: Screening) -> bytes:
    """Return candidates.csv: one row per listed patient and arm, best first, excluded ones last."""
    return table(
        CANDIDATES,
        (
            (
                one.rank, one.patient_id, one.arm, one.status, round(one.score, 6), one.passed, one.failed,
                one.unknown, one.judgement, one.eligible_from, one.next_step, one.last_contact, one.near_miss,
            )
            for one in screening.candidates
        ),
    )  # fmt: skip


def verdict_cells(row: VerdictRow) -> VerdictCells:
    """Return a verdict as the texts of the columns VERDICTS, the same for CSV and Parquet."""
    found = [evidence_object(item) for item in row.shown(by_concept=True)]
    evidence = orjson.dumps(found).decode() if found else "[]"
    return (
        row.patient_id,
        row.arm,
        row.criterion.id,
        row.criterion.kind,
        row.verdict,
        row.criterion.certainty,
        row.reason,
        ";".join(row.flags),
        evidence,
        row.changes_on.isoformat() if row.changes_on else None,
    )


def evidence_object(item: Evidence) -> dict[str, str | int | None]:
    """Return evidence as `{resource, date, value, compared, concept}` or `{searched, since, found}`."""
    if item.searched is not None:
        return {"searched": item.searched, "since": item.since, "found": item.found or 0}
    return {
        "resource": item.resource,
        "date": item.date,
        "value": item.value,
        "compared": item.compared and rounded(item.compared),
        "concept": item.concept,
    }


def verdicts_csv(cells: Iterable[VerdictCells]) -> bytes:
    """Return verdicts.csv, from the cells of each verdict: one row per patient, arm and criterion."""
    # a hundred thousand rows of nothing but text, of which five columns can begin like a formula: nothing else is asked
    return _written(
        VERDICTS,
        (
            (_safe(patient), _safe(arm), _safe(criterion), kind, verdict, certainty, _safe(reason), _safe(flags), *last)
            for patient, arm, criterion, kind, verdict, certainty, reason, flags, *last in cells
        ),
    )


def funnel_csv(screening: Screening) -> bytes:
    """Return funnel.csv: one row per arm and criterion."""
    return table(
        FUNNEL,
        (
            (step.arm, step.order, step.criterion_id, step.remaining, step.removed, step.unknown)
            for step in screening.funnel
        ),
    )


def data_quality_csv(screening: Screening) -> bytes:
    """Return data_quality.csv: what could not be used, and why."""
    return table(
        DATA_QUALITY,
        (
            (
                row.kind,
                row.concept,
                row.system,
                row.code,
                row.unit,
                row.reason,
                row.count,
                row.patients,
                row.example,
            )
            for row in screening.data_quality
        ),
    )


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a CSV table in UTF-8 with CRLF line ends."""
    return _written(header, ([_cell(value) for value in row] for row in rows))


def _written(header: Sequence[str], rows: Iterable[Sequence[str | None]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def _safe(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run."""
    return f"'{text}" if text[:1] in _FORMULA_STARTS else text


def _cell(value: Cell) -> str:
    """Write a value."""
    if isinstance(value, str):
        return _safe(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return str(value)
