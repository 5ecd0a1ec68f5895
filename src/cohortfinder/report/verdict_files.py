"""Every verdict to verdicts.csv and verdicts.parquet, told once for both and never all in memory."""

import csv
from collections.abc import Iterable
from pathlib import Path

import orjson

from cohortfinder.ranking.candidates import Connection, run
from cohortfinder.report.csv_files import safe
from cohortfinder.report.verdict_rows import VerdictRow
from cohortfinder.wording import Evidence, rounded

VERDICTS = (
    "patient_id", "arm", "criterion_id", "kind", "verdict", "certainty", "reason", "flags", "evidence",
    "changes_on",
)  # fmt: skip
# the columns VERDICTS as text; a day on which the verdict changes may be missing
VerdictCells = tuple[str, str, str, str, str, str, str, str, str, str | None]


def write_verdicts(rows: Iterable[VerdictRow], table: Path, lines: Path) -> None:
    """Write verdicts as verdicts.csv (UTF-8, CRLF), and as NDJSON, from which Parquet is made."""
    with table.open("w", encoding="utf-8", newline="") as as_csv, lines.open("wb") as as_json:
        writer = csv.writer(as_csv, lineterminator="\r\n")
        writer.writerow(VERDICTS)
        for row in rows:
            cells = verdict_cells(row)
            writer.writerow(_safe(cells))
            as_json.write(orjson.dumps(dict(zip(VERDICTS, cells, strict=True)), option=orjson.OPT_APPEND_NEWLINE))


def to_parquet(connection: Connection, lines: Path, target: Path) -> None:
    """Make verdicts.parquet, typed, from NDJSON. The target may exist already."""
    run(connection, "ranking/verdict_parquet.sql.jinja", path=str(lines), target=str(target))


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


def _safe(cells: VerdictCells) -> VerdictCells:
    """Return cells of which a spreadsheet runs none: five of the columns can begin like a formula."""
    patient, arm, criterion, kind, verdict, certainty, reason, flags, evidence, changes_on = cells
    named = (safe(patient), safe(arm), safe(criterion), kind, verdict, certainty)
    return (*named, safe(reason), safe(flags), evidence, changes_on)
