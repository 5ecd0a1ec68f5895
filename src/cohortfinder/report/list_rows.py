"""The list as page and workbook show it: a row for each candidate, with what fails and what is missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from cohortfinder.ranking.candidates import Candidate
from cohortfinder.ranking.next_step import Step, Steps
from cohortfinder.ranking.open_criteria import OpenCriteria
from cohortfinder.report.screening import Screening

# of a whole hospital (`--all`) no browser would open every row
LISTED = 10_000
# a browser lays out a stretch of rows when it comes into view
_STRETCH = 50
_NOTHING_OPEN = OpenCriteria()


@dataclass(frozen=True, slots=True)
class ListRow:
    """A candidate in the list: ids that fail, and those that are missing with the share that passes, lowest first.

    What a person judges is not missing. A share is None where the criterion has no part in the score. `number` is the
    place in the list, from 1.
    """

    number: int
    candidate: Candidate
    failing: tuple[str, ...]
    missing: tuple[tuple[str, float | None], ...]
    next_test: Step | None = None


def stretches(screening: Screening) -> list[list[ListRow]]:
    """Return the first rows of the list in its order, in stretches that are drawn one by one."""
    rows = [*islice(list_rows(screening), LISTED)]
    return [rows[start : start + _STRETCH] for start in range(0, len(rows), _STRETCH)]


def list_rows(screening: Screening) -> Iterator[ListRow]:
    """Yield the rows of the list in its order."""
    for number, one in enumerate(screening.candidates, start=1):
        own = screening.open_criteria.get((one.patient_id, one.arm), _NOTHING_OPEN)
        shares = {factor.criterion_id: factor.share for factor in one.factors if not factor.judged}
        without = tuple((id, None) for id in own.missing if id not in shares)
        steps = screening.next_steps.of.get((one.patient_id, one.arm), Steps()).steps
        yield ListRow(number, one, own.failing, (*shares.items(), *without), steps[0] if steps else None)
