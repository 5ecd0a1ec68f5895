"""What the page tells of the gates: how many patients each keeps off the list."""

from dataclasses import dataclass

from cohortfinder import wording
from cohortfinder.report.screening import Screening


@dataclass(frozen=True, slots=True)
class GateLine:
    """A gate as it is shown."""

    words: str
    patients: int
    only: int


def gate_lines(screening: Screening) -> tuple[GateLine, ...]:
    """Return the gates behind which somebody is."""
    return tuple(GateLine(wording.GATES[one.gate], one.patients, one.only) for one in screening.gates if one.patients)
