"""Which rows of a list somebody wants to see, and in which order; pure, so that a page and its successor agree."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, Final

from cohortfinder.review.store.decisions import STATES, Decision
from cohortfinder.warehouse.published import ListedRow
from cohortfinder.wording import STATUSES

NEW: Final = "new"
NEAR_MISS: Final = "near_miss"
OTHER_TRIAL: Final = "other_trial"
ANSWERED: Final = "answered"
MARKS = (NEW, NEAR_MISS, OTHER_TRIAL, ANSWERED)
UNDECIDED: Final = "none"
DECISIONS = (UNDECIDED, *STATES)
RANK: Final = "rank"
ROWS_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked of a list; '' asks nothing. `text` never stands in an address, since it may be a name."""

    arm: str = ""
    status: str = ""
    decision: str = ""
    missing: str = ""
    mark: str = ""
    sort: str = RANK
    text: str = ""

    @property
    def query(self) -> dict[str, str]:
        """What stands in an address: all but what was searched for."""
        told = ((one.name, getattr(self, one.name)) for one in fields(self) if one.name != "text")
        return {name: value for name, value in told if value and (name, value) != ("sort", RANK)}

    @property
    def narrows(self) -> bool:
        """Say whether it leaves rows out."""
        return bool(replace(self, sort=RANK).query or self.text)


@dataclass(frozen=True)
class Known:
    """What else is known of the listed: the decision that holds, who is new, other trials, and how many answers."""

    decisions: Mapping[str, Decision] = field(default_factory=dict)
    new: frozenset[str] = frozenset()
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    answered: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def state_of(self, patient_id: str) -> str:
        """Return what was decided of a patient, `none` where nothing was."""
        decided = self.decisions.get(patient_id)
        return decided.state if decided else UNDECIDED

    def has_mark(self, row: ListedRow, mark: str) -> bool:
        """Say whether a row bears a mark."""
        if mark == NEAR_MISS:
            return row.near_miss
        return row.patient_id in {NEW: self.new, OTHER_TRIAL: self.others, ANSWERED: self.answered}[mark]


def choice_of(asked: Mapping[str, str]) -> Choice:
    """Return what an address or a form asks for; what is none of the words is not asked."""
    words = {"status": STATUSES, "decision": DECISIONS, "mark": MARKS, "sort": SORTS}
    given = {name: asked.get(name, "").replace("\0", "").strip()[:200] for name in Choice.__dataclass_fields__}
    kept = {name: value for name, value in given.items() if value and value in words.get(name, (value,))}
    return Choice(**kept)


def chosen(rows: Sequence[ListedRow], choice: Choice, known: Known, text_of: Callable[[str], str]) -> list[ListedRow]:
    """Return the rows that fit, in order. `text_of` is what a patient can be found by, in small letters."""
    fits = fitting(choice, known, text_of)
    return [row for row in ordered(rows, choice.sort, known) if fits(row)]


def fitting(choice: Choice, known: Known, text_of: Callable[[str], str]) -> Callable[[ListedRow], bool]:
    """Return what says whether a row fits."""
    text = choice.text.casefold()
    tests: list[tuple[str, Callable[[ListedRow], bool]]] = [
        (choice.arm, lambda row: row.arm == choice.arm),
        (choice.status, lambda row: row.status == choice.status),
        (choice.decision, lambda row: known.state_of(row.patient_id) == choice.decision),
        (choice.missing, lambda row: choice.missing in known.missing.get((row.patient_id, row.arm), ())),
        (choice.mark, lambda row: known.has_mark(row, choice.mark)),
        (text, lambda row: text in text_of(row.patient_id)),
    ]
    asked = [test for value, test in tests if value]
    # most look at the whole list, of thousands of rows
    return (lambda row: all(test(row) for test in asked)) if asked else (lambda row: True)


def ordered(rows: Sequence[ListedRow], sort: str, known: Known) -> Sequence[ListedRow]:
    """Return rows in another order; those that are alike stay in the order of the list."""
    key = SORTS[sort]
    return rows if key is None else sorted(rows, key=lambda row: key(row, known))


SORTS: Mapping[str, Callable[[ListedRow, Known], Any] | None] = {
    RANK: None,
    "new": lambda row, known: row.patient_id not in known.new,
    "contact": lambda row, known: -(row.last_contact or date.min).toordinal(),
    "soonest": lambda row, known: row.eligible_from or date.max,
    "fewest": lambda row, known: (row.failed, row.unknown),
    "decision": lambda row, known: DECISIONS.index(known.state_of(row.patient_id)),
    "decided": lambda row, known: -known.decisions[row.patient_id].id if row.patient_id in known.decisions else 0,
    "arm": lambda row, known: row.arm,
}


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Who comes before and after a row among those that fit, and how many they are; `place` is None outside of them."""

    before: ListedRow | None
    after: ListedRow | None
    place: int | None
    count: int


def neighbours(
    rows: Sequence[ListedRow], choice: Choice, known: Known, text_of: Callable[[str], str], here: tuple[str, str]
) -> Neighbours:
    """Return who comes before and after the row of a patient and an arm.

    A row that does not fit any more, since it was just decided, keeps its place in the order.
    """
    if not choice.narrows and choice.sort == RANK:
        return _next_to(rows, here)
    fits = fitting(choice, known, text_of)
    before, after, place, count, passed = None, None, None, 0, False
    for row in ordered(rows, choice.sort, known):
        is_here = (row.patient_id, row.arm) == here
        fit = fits(row)
        count += fit
        if is_here:
            passed, place = True, count if fit else None
        elif fit and passed and after is None:
            after = row
        elif fit and not passed:
            before = row
    return Neighbours(before if passed else None, after, place, count)


def _next_to(rows: Sequence[ListedRow], here: tuple[str, str]) -> Neighbours:
    """Return who stands beside a row of the whole list, as most go through it."""
    place = next((number for number, row in enumerate(rows) if row[:2] == here), None)
    if place is None:
        return Neighbours(None, None, None, len(rows))
    before, after = rows[place - 1] if place else None, rows[place + 1] if place + 1 < len(rows) else None
    return Neighbours(before, after, place + 1, len(rows))
