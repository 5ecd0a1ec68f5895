"""The screening log as trial monitors ask for it: numbers instead of names, what was decided, when and why."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cohortfinder.review.store.decisions import Decision
from cohortfinder.warehouse.published import ListedRow

COLUMNS = (
    "screening_number",
    "arm",
    "state",
    "decided_at",
    "decided_by",
    "reason",
    "status_on_the_list",
    "fails",
    "open",
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """A patient of whom something was decided; `status` and the counts are those of the list that holds, if any."""

    number: str
    arm: str
    state: str
    at: datetime
    by: str
    reason: str
    status: str
    failed: int | None
    open: int | None

    @property
    def cells(self) -> tuple[str | int | None, ...]:
        """The columns of COLUMNS."""
        return (
            self.number, self.arm, self.state, self.at.isoformat(timespec="seconds"), self.by, self.reason,
            self.status, self.failed, self.open,
        )  # fmt: skip


def log_lines(
    decisions: Iterable[Decision], rows_of: Mapping[str, tuple[ListedRow, ...]], people: Mapping[int, str],
    number_of: Callable[[str], str],
) -> list[LogLine]:  # fmt: skip
    """Return the lines by number: their order, too, says nothing of who it is."""
    return sorted((_line(one, rows_of, people, number_of) for one in decisions), key=lambda line: line.number)


def _line(
    decision: Decision, rows_of: Mapping[str, tuple[ListedRow, ...]], people: Mapping[int, str],
    number_of: Callable[[str], str],
) -> LogLine:  # fmt: skip
    rows = rows_of.get(decision.patient_id, ())
    row = next((one for one in rows if one.arm == decision.arm), rows[0] if rows else None)
    return LogLine(
        number=number_of(decision.patient_id), arm=decision.arm or (row.arm if row else ""), state=decision.state,
        at=decision.at, by=people.get(decision.account_id, ""), reason=decision.reason,
        status=row.status if row else "", failed=row.failed if row else None, open=row.unknown if row else None,
    )  # fmt: skip
