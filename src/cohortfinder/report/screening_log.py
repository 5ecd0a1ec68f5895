"""The screening log as trial monitors ask for it: numbers instead of names, eligible or not, and why not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from pathlib import Path

from cohortfinder.model import Status
from cohortfinder.ranking.open_criteria import OpenCriteria
from cohortfinder.report.cells import table
from cohortfinder.report.pseudonyms import Pseudonyms
from cohortfinder.report.screening import Screening
from cohortfinder.report.workbook import Column, new_workbook

ELIGIBLE: dict[Status, str] = {"eligible": "yes", "excluded": "no", "possible": "not yet known"}
LOG = ("screening_number", "date", "trial", "arm", "eligible", "reason_not_eligible", "not_yet_known")


@dataclass(frozen=True, slots=True)
class LogRow:
    """A patient screened for an arm: the criteria that fail, and those that data have yet to settle, in words."""

    screening_number: str
    day: date
    trial: str
    arm: str
    eligible: str
    reason: str
    open: str

    @property
    def cells(self) -> tuple[str | date, ...]:
        """The columns of LOG."""
        return (self.screening_number, self.day, self.trial, self.arm, self.eligible, self.reason, self.open)


_COLUMNS: tuple[Column[LogRow], ...] = (
    Column("Screening number", 20, attrgetter("screening_number")),
    Column("Date", 12, attrgetter("day"), "date"),
    Column("Trial", 16, attrgetter("trial")),
    Column("Arm", 10, attrgetter("arm")),
    Column("Eligible", 14, attrgetter("eligible"), shades={"yes": "good", "no": "bad", "not yet known": "open"}),
    Column("Reason not eligible", 70, attrgetter("reason"), "long"),
    Column("Not yet known", 30, attrgetter("open"), "long"),
    Column("Enrolled", 12, look="input", choices=("yes", "no")),
    Column("Checked by", 14, look="input"),
    Column("On", 12, look="input"),
)


def log_rows(screening: Screening, pseudonyms: Pseudonyms) -> list[LogRow]:
    """Return the rows by screening number: their order, too, says nothing of who it is."""
    return sorted(_rows(screening, pseudonyms), key=attrgetter("screening_number", "arm"))


def log_csv(rows: list[LogRow]) -> bytes:
    """Return screening_log.csv."""
    return table(LOG, (row.cells for row in rows))


def write_log_xlsx(target: Path, screening: Screening, rows: list[LogRow], *, scratch: Path) -> None:
    """Write screening_log.xlsx, with columns for who checks it."""
    title = f"{screening.trial.id}: screening log"
    with new_workbook(target, scratch=scratch, title=title, made_on=screening.as_of) as book:
        book.sheet("Screening log", _COLUMNS, rows, fixed=1)


def _rows(screening: Screening, pseudonyms: Pseudonyms) -> Iterator[LogRow]:
    texts = {criterion.id: f"{criterion.id}: {criterion.text}" for criterion in screening.trial.criteria}
    for one in screening.candidates:
        own = screening.open_criteria.get((one.patient_id, one.arm), OpenCriteria())
        yield LogRow(
            pseudonyms.of(one.patient_id),
            screening.as_of,
            screening.trial.id,
            one.arm,
            ELIGIBLE[one.status],
            "; ".join(texts[id] for id in own.failing),
            "; ".join(own.missing),
        )
