"""A screening as candidates.xlsx: a worklist for each arm, and what the verdicts of the first patients rest on."""

from collections.abc import Iterator, Mapping
from operator import attrgetter
from pathlib import Path

from cohortfinder import wording
from cohortfinder.report.list_rows import ListRow, list_rows
from cohortfinder.report.screening import Screening
from cohortfinder.report.step_words import step_words
from cohortfinder.report.verdict_rows import VerdictRow
from cohortfinder.report.workbook import ANSWERS, Cell, Column, new_workbook

# a sign and a word, so that the colour is an extra
STATUSES = {"eligible": "✓ Eligible", "possible": "? Possible", "excluded": "✗ Excluded"}
VERDICTS = {name: f"{wording.VERDICT_SYMBOLS[name]} {word}" for name, word in wording.VERDICTS.items()}
_SHADES = {
    **dict(zip(STATUSES.values(), ("good", "open", "bad"), strict=True)),
    VERDICTS["pass"]: "good",
    VERDICTS["unknown"]: "open",
    VERDICTS["fail"]: "bad",
}
_DECISIONS = tuple(ANSWERS)
# what somebody has to act on comes first
_URGENCY = {"fail": 0, "unknown": 1, "pass": 2}


LIST: tuple[Column[ListRow], ...] = (
    Column("Rank", 7, attrgetter("candidate.rank"), "number"),
    Column("Patient", 26, attrgetter("candidate.patient_id")),
    Column("Status", 12, lambda row: STATUSES[row.candidate.status], shades=_SHADES),
    Column("Chance", 9, attrgetter("candidate.score"), "percent"),
    Column("Fails", 24, lambda row: ", ".join(row.failing), "long"),
    Column("Missing (share of the known who pass)", 44, lambda row: _missing(row), "long"),
    Column("Settle first", 14, attrgetter("candidate.next_step")),
    Column("Next test", 40, lambda row: step_words(row.next_test) if row.next_test else None, "long"),
    Column("Passes", 8, attrgetter("candidate.passed"), "number"),
    Column("For a person to judge", 10, attrgetter("candidate.judgement"), "number"),
    Column("Nothing fails from", 12, attrgetter("candidate.eligible_from"), "date"),
    Column("Last contact", 12, attrgetter("candidate.last_contact"), "date"),
    Column("Decision", 12, look="input", choices=_DECISIONS),
    Column("By", 14, look="input"),
    Column("On", 12, look="input"),
    Column("Note", 40, look="input"),
)


def write_worklist(target: Path, screening: Screening, *, scratch: Path) -> None:
    """Write candidates.xlsx."""
    rows: dict[str, list[ListRow]] = {arm.id: [] for arm in screening.trial.arms}
    for row in list_rows(screening):
        rows[row.candidate.arm].append(row)
    columns = (*LIST, *_corrected(screening))
    title = f"{screening.trial.id}: recruitment list"
    with new_workbook(target, scratch=scratch, title=title, made_on=screening.as_of) as book:
        for arm, listed in rows.items():
            book.sheet(arm, columns, listed)
        book.sheet("Evidence", _evidence_columns(screening.trial.flag_words), _evidence_rows(screening), fixed=3)
        book.page("About", _about(screening))


def _corrected(screening: Screening) -> Iterator[Column[ListRow]]:
    """Yield the column of the chances that outcomes correct, where they do."""
    if screening.calibration and screening.calibration.map:
        yield Column("Chance corrected by outcomes", 12, lambda row: screening.calibrated(row.candidate), "percent")


def _missing(row: ListRow) -> Cell:
    told = (id if share is None else f"{id} {100 * share:.0f} %" for id, share in row.missing)
    return ", ".join(told)


def _evidence_columns(flag_words: Mapping[str, str]) -> tuple[Column[VerdictRow], ...]:
    """Return the columns of the evidence; those that a person fills in are named as in a file of answers."""
    return (
        Column("patient_id", 26, attrgetter("patient_id")),
        Column("arm", 10, attrgetter("arm")),
        Column("criterion_id", 16, attrgetter("criterion.id")),
        Column("verdict", 12, lambda row: VERDICTS[row.verdict], shades=_SHADES),
        Column("reason", 60, attrgetter("reason"), "long"),
        Column("evidence", 60, _evidence, "long"),
        Column(
            "to watch", 30, lambda row: "; ".join(wording.flag_words(flag, flag_words) for flag in row.flags), "long"
        ),
        Column("changes on", 12, attrgetter("changes_on"), "date"),
        Column("answer", 12, look="input", choices=_DECISIONS),
        Column("by", 14, look="input"),
        Column("at", 12, look="input"),
        Column("note", 40, look="input"),
    )


def _evidence_rows(screening: Screening) -> Iterator[VerdictRow]:
    verdicts = screening.verdicts_by_candidate()
    for one in screening.candidates:
        yield from sorted(verdicts.get((one.patient_id, one.arm), ()), key=lambda row: _URGENCY[row.verdict])


def _evidence(row: VerdictRow) -> str:
    return "\n".join(map(_record, row.found()))


def _record(item: wording.Evidence) -> str:
    compared = f"(compared: {wording.compared(item.compared)})" if item.compared and item.compared != item.value else ""
    return " ".join(part for part in ((item.date or "no date")[:16], item.value, compared, item.resource) if part)


def _about(screening: Screening) -> Iterator[tuple[str, str]]:
    in_full = len({(row.patient_id, row.arm) for row in screening.verdicts})
    yield "Trial", f"{screening.trial.id}: {screening.trial.title}"
    yield "As of", screening.as_of.isoformat()
    for warning in screening.warnings:
        yield "Read this first", warning
    for arm in screening.trial.arms:
        yield arm.id, arm.name
    yield "Chance", "Estimated from the shares beside what is missing. It orders the list and decides nothing."
    yield "Next test", "Most likely to end the question for the minutes that it takes; next_steps.csv has all tests."
    yield "Decision", "Choose yes, no or not sure; it stays in this file."
    yield "Evidence", f"Every verdict of the first {in_full} rows of the list; those of everybody are in verdicts.csv."
    yield "Answers", "patient_id, arm, criterion_id, answer, by, at and note are the columns of a file of answers."
    yield "Keep it", "Contains patient data: keep it inside the study team."
