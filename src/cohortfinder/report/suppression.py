"""Counts that may leave the site: small ones are withheld, and with them what would give them away.

The counts of an arm are one chain, each a part of the one before: living patients, those listed, those left after each
criterion, and of those the eligible. A small group is a small number or a small difference between two of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cohortfinder.model import Arm
from cohortfinder.ranking.funnel import FunnelStep
from cohortfinder.report.screening import Screening

SMALLEST = 5


@dataclass(frozen=True, slots=True)
class CountedStep:
    """Who is left after a criterion, whom it removed, and who is unknown of those left; None: withheld."""

    criterion_id: str
    remaining: int | None
    removed: int | None
    unknown: int | None


@dataclass(frozen=True, slots=True)
class ArmCounts:
    """The counts of an arm; None: withheld. Eligible and possible are those whom no criterion removed."""

    arm: Arm
    living: int | None
    steps: tuple[CountedStep, ...]
    eligible: int | None
    possible: int | None


def counts_to_share(screening: Screening, *, below: int = SMALLEST) -> tuple[ArmCounts, ...]:
    """Return the counts of every arm in which a criterion is computed, without numbers from 1 up to below `below`.

    Zero is shown: it is nobody. With `below` 1 nothing is withheld.
    """
    return tuple(_counted(screening, arm, below) for arm in screening.trial.arms if _steps(screening, arm))


def shown(chain: Sequence[int], below: int) -> Iterator[int | None]:
    """Yield the numbers of a falling chain that give no small group away, None for the others.

    No number is small, and neither is the difference between any two of those shown, so that the one that is withheld
    between two lies in a span of at least `below`.
    """
    last: int | None = None
    for number in chain:
        apart = last is None or _is_large(last - number, below)
        if apart and _is_large(number, below):
            last = number
            yield number
        else:
            yield None


def _counted(screening: Screening, arm: Arm, below: int) -> ArmCounts:
    steps = _steps(screening, arm)
    eligible = sum(one.status == "eligible" for one in screening.candidates if one.arm == arm.id)
    chain = [steps[0].remaining + steps[0].removed, *(step.remaining for step in steps), eligible]
    living, *remaining, sure = shown(chain, below)
    removed = [_difference(before, after) for before, after in pairwise([living, *remaining, sure])]
    return ArmCounts(
        arm,
        living,
        tuple(
            CountedStep(step.criterion_id, left, gone, _part(step.unknown, left, below))
            for step, left, gone in zip(steps, remaining, removed, strict=False)
        ),
        sure,
        removed[-1],
    )


def _steps(screening: Screening, arm: Arm) -> list[FunnelStep]:
    return [step for step in screening.funnel if step.arm == arm.id]


def _part(number: int, whole: int | None, below: int) -> int | None:
    """Return a part of a number, None where it or the rest is small or the whole is withheld."""
    if whole is None or not (_is_large(number, below) and _is_large(whole - number, below)):
        return None
    return number


def _difference(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else before - after


def _is_large(number: int, below: int) -> bool:
    return number == 0 or number >= below
