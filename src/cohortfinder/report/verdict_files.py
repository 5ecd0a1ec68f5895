"""Verdicts to verdicts.csv and verdicts.parquet, told once for both and never all in memory."""

import csv
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

from cohortfinder.ranking.candidates import Connection, run
from cohortfinder.report.cells import safe
from cohortfinder.report.verdict_rows import VerdictRow
from cohortfinder.wording import ANSWER, Evidence, rounded

VERDICTS = (
    "patient_id", "arm", "criterion_id", "kind", "verdict", "certainty", "reason", "flags", "evidence",
    "changes_on",
)  # fmt: skip
# the columns VERDICTS as text; a day on which the verdict changes may be missing
VerdictCells = tuple[str, str, str, str, str, str, str, str, str, str | None]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some verdicts in two files: as lines of verdicts.csv, and as NDJSON, from which Parquet is made."""

    table: Path
    lines: Path


def write_stretch(rows: Iterable[VerdictRow], stretch: Stretch) -> None:
    """Write verdicts into the files of a stretch."""
    with stretch.table.open("w", encoding="utf-8", newline="") as table, stretch.lines.open("wb") as lines:
        writer = csv.writer(table, lineterminator="\r\n")
        for row in rows:
            cells = verdict_cells(row)
            writer.writerow(_safe(cells))
            lines.write(orjson.dumps(dict(zip(VERDICTS, cells, strict=True)), option=orjson.OPT_APPEND_NEWLINE))


def to_csv(stretches: Iterable[Stretch], target: Path) -> None:
    """Make verdicts.csv (UTF-8, CRLF) of stretches in their order."""
    with target.open("wb") as whole:
        whole.write((",".join(VERDICTS) + "\r\n").encode())
        for stretch in stretches:
            with stretch.table.open("rb") as part:
                shutil.copyfileobj(part, whole)


def to_parquet(connection: Connection, stretches: Iterable[Stretch], target: Path) -> None:
    """Make verdicts.parquet, typed, of stretches. The target may exist already."""
    paths = [str(stretch.lines) for stretch in stretches]
    run(connection, "ranking/verdict_parquet.sql.jinja", paths=paths, target=str(target))


def verdict_cells(row: VerdictRow) -> VerdictCells:
    """Return a verdict as the texts of the columns VERDICTS, the same for CSV and Parquet."""
    evidence = orjson.dumps([evidence_object(item) for item in row.shown(by_concept=True)]) if row.evidence else b"[]"
    return (
        row.patient_id,
        row.arm,
        row.criterion.id,
        row.criterion.kind,
        row.verdict,
        row.criterion.certainty,
        row.reason,
        ";".join(row.flags),
        evidence.decode(),
        row.changes_on.isoformat() if row.changes_on else None,
    )


def evidence_object(item: Evidence) -> dict[str, str | int | None]:
    """Return evidence as `{resource, date, value, compared, concept}` or `{searched, since, found}`.

    An answer is `{answer, by, at, note}`.
    """
    if item.concept == ANSWER:
        return {"answer": item.value, "by": item.resource, "at": item.date, "note": item.compared}
    if item.searched is not None:
        return {"searched": item.searched, "since": item.since, "found": item.found or 0}
    return {
        "resource": item.resource,
        "date": item.date,
        "value": item.value,
        "compared": item.compared and rounded(item.compared),
        "concept": item.concept,
    }


def _safe(cells: VerdictCells) -> VerdictCells:
    """Return cells of which a spreadsheet runs none: five of the columns can begin like a formula."""
    patient, arm, criterion, kind, verdict, certainty, reason, flags, evidence, changes_on = cells
    named = (safe(patient), safe(arm), safe(criterion), kind, verdict, certainty)
    return (*named, safe(reason), safe(flags), evidence, changes_on)
