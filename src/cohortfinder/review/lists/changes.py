"""What is another verdict on a patient now than on the list before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cohortfinder.model import Criterion
from cohortfinder.warehouse.published import ListedRow, ListedVerdict


@dataclass(frozen=True, slots=True)
class Change:
    """A criterion in an arm on two lists; None where the patient was not listed in the arm, or is not now."""

    arm: str
    criterion: Criterion
    before: ListedVerdict | None
    now: ListedVerdict | None

    @property
    def turned(self) -> bool:
        """Say whether the verdict is another one, and not its reason alone."""
        before, now = self.before, self.now
        return before is None or now is None or before.verdict != now.verdict


def changes(
    criteria: Mapping[str, Criterion], before: Iterable[ListedVerdict], now: Iterable[ListedVerdict]
) -> tuple[Change, ...]:
    """Return the criteria whose verdict or reason is another one, in protocol order, arm by arm."""
    old = {(one.arm, one.criterion_id): one for one in before}
    new = {(one.arm, one.criterion_id): one for one in now}
    found = [
        Change(arm, criteria[name], old.get((arm, name)), new.get((arm, name)))
        for arm, name in {**old, **new}
        if name in criteria and _said(old.get((arm, name))) != _said(new.get((arm, name)))
    ]
    return tuple(sorted(found, key=lambda one: (not one.turned, one.arm, one.criterion.position)))


def moved(
    before: Iterable[ListedRow], now: Iterable[ListedRow]
) -> tuple[tuple[str, ListedRow | None, ListedRow | None], ...]:
    """Return the arms of a patient with the row on each list, None where there was none."""
    old, new = {one.arm: one for one in before}, {one.arm: one for one in now}
    return tuple((arm, old.get(arm), new.get(arm)) for arm in sorted({*old, *new}))


def _said(verdict: ListedVerdict | None) -> tuple[str, str, str] | None:
    return None if verdict is None else (verdict.verdict, verdict.reason, verdict.flags)
