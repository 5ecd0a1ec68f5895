"""What the page tells the data team: what would settle most, and what the listed patients of each arm have."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cohortfinder.model import Arm
from cohortfinder.ranking.quality import CoverageRow, UnknownRow
from cohortfinder.report.screening import Screening

_SHOWN = 25


@dataclass(frozen=True, slots=True)
class SettlingBar:
    """Concepts or a code as they are drawn: the widths are percents of the most that one of them may settle.

    Several `rows` are concepts any of which will do, as the tests for one disease.
    """

    rows: tuple[UnknownRow, ...]
    settles: float
    may_settle: float


@dataclass(frozen=True, slots=True)
class ArmCoverage:
    """The concepts of an arm: the results, the other records that somebody has, and what nobody has."""

    arm: Arm
    listed: int
    results: tuple[CoverageRow, ...]
    records: tuple[CoverageRow, ...]
    nowhere: tuple[CoverageRow, ...]


def settling(screening: Screening) -> tuple[SettlingBar, ...]:
    """Return what would settle most, most first; concepts that settle the same in the same criteria stand together."""
    together: dict[UnknownRow, list[UnknownRow]] = {}
    for row in screening.unknowns:
        if row.may_settle:
            together.setdefault(replace(row, concept="", label=""), []).append(row)
    most = max((row.may_settle for row in together), default=1)
    return tuple(
        SettlingBar(tuple(rows), share(own.settles, most), share(own.may_settle, most))
        for own, rows in list(together.items())[:_SHOWN]
    )


def coverage(screening: Screening) -> Iterator[ArmCoverage]:
    """Yield the coverage of each arm in which somebody is listed."""
    for arm in screening.trial.arms:
        rows = [row for row in screening.coverage if row.arm == arm.id]
        if not rows:
            continue
        yield ArmCoverage(
            arm=arm,
            listed=rows[0].listed,
            results=tuple(row for row in rows if row.kind == "result"),
            records=tuple(row for row in rows if row.kind != "result" and row.patients),
            nowhere=tuple(row for row in rows if row.kind != "result" and not row.patients),
        )


def share(part: int, whole: int) -> float:
    """Return a part in percent, 0 of nothing."""
    return round(100 * part / whole, 1) if whole else 0.0
