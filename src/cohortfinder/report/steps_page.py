"""Which test settles most, as the page shows it: what it is expected to end, and for whom to order it first."""

from dataclasses import dataclass

from cohortfinder.ranking.candidates import Candidate
from cohortfinder.ranking.next_step import ClinicStep
from cohortfinder.report.screening import Screening

_TESTS = 25
_PEOPLE = 6
_CRITERIA = 6


@dataclass(frozen=True, slots=True)
class StepRow:
    """A test: the widths are percents of the most that one ends, `whom` are candidates with their place in the list."""

    step: ClinicStep
    ends: float
    passes: float
    ends_words: str
    criteria: tuple[str, ...]
    whom: tuple[tuple[int, Candidate], ...]
    more: int


def tests(screening: Screening) -> tuple[StepRow, ...]:
    """Return the tests that are expected to end most questions, most first; not what a person must judge."""
    clinic = [one for one in screening.next_steps.clinic if not one.by_person]
    most = max((one.ends for one in clinic), default=1)
    return tuple(_row(screening, one, most) for one in clinic[:_TESTS])


def _row(screening: Screening, step: ClinicStep, most: float) -> StepRow:
    served = {screening.candidates[number - 1].patient_id: number for number in reversed(step.whom)}
    shown = sorted(served.values(), key=step.whom.index)[:_PEOPLE]
    return StepRow(
        step=step,
        ends=round(100 * step.ends / most, 1),
        passes=round(100 * step.passes / most, 1),
        ends_words=f"{step.ends:.1f} of {step.candidates}",
        criteria=_cut(step.criteria),
        whom=tuple((number, screening.candidates[number - 1]) for number in shown),
        more=step.people - len(shown),
    )


def _cut(criteria: str) -> tuple[str, ...]:
    told = criteria.split("; ")
    more = (f"{len(told) - _CRITERIA} more",) if len(told) > _CRITERIA else ()
    return (*told[:_CRITERIA], *more)
