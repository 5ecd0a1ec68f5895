"""The ways to make criteria hold on a day: sets of facts that would have to change, none a part of another. Pure.

A fact is the answer of a leaf. For each node of a rule its ways are made of those of its children: where all must be
as wanted, one of each together, where one is enough, those of any.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Literal, NamedTuple

from cohortfinder.criteria.question import Remedy
from cohortfinder.engine.rules import same_question
from cohortfinder.engine.why_not import Course
from cohortfinder.model import Combination, Leaf, Rule, Truth

Sort = Literal["wait", "test", "never"]
# so many ways of a rule are followed; of more the best
_MOST_WAYS = 256


@dataclass(frozen=True, slots=True)
class Asked:
    """A criterion whose truth must become `wanted`, or at least not the opposite.

    `known`: it must be known to be so, as the entry criterion of a patient who is not listed otherwise.
    """

    criterion_id: str
    rule: Rule
    wanted: bool
    known: bool = False
    judged: bool = False


class Need(NamedTuple):
    """A fact (by its number) that must be so on a day.

    Free: it is so today as well, and may not be changed. Later: it may become so, but not by that day.
    """

    fact: int
    wanted: bool
    sort: Sort | Literal["free", "later"]


Way = frozenset[Need]
NOTHING: Way = frozenset()


def subject(leaf: Leaf) -> object:
    """Return what a test of a leaf looks at: leaves of one subject may be settled by one record."""
    return leaf.kind, getattr(leaf.question, "formula", None) or leaf.question.concepts or leaf.question


class Ways:
    """The ways to become a candidate on a day."""

    def __init__(self, criteria: Sequence[Asked], courses: Mapping[object, Course], as_of: date) -> None:
        """`courses` has those of all leaves, by `same_question`."""
        self._criteria = criteria
        self._as_of = as_of
        self.courses = list(courses.values())
        self._numbers = {question: number for number, question in enumerate(courses)}
        subjects = [subject(course.leaf) for course in self.courses]
        self._subjects = [subjects.index(one) for one in subjects]
        self._torn = frozenset(self._wanted_both_ways())
        self._known: dict[tuple[int, tuple[Need, ...]], tuple[Way, ...]] = {}
        # whether all ways were looked at
        self.exact = True

    def fact(self, leaf: Leaf) -> int:
        """Return the number of the fact that a leaf asks for."""
        return self._numbers[same_question(leaf)]

    def cost(self, way: Way) -> tuple[int, int, int]:
        """Return how many changes never come, how many there are, and how many of them are tests."""
        sorts = [need.sort for need in way]
        never, tests = sorts.count("never"), len({self._subjects[need.fact] for need in way if need.sort == "test"})
        return never, never + sorts.count("wait") + tests, tests

    def events(self, way: Way) -> int:
        """Return for how many tests something has to happen to the patient."""
        remedies = (remedy_of(self.courses[need.fact], need.wanted) for need in way if need.sort == "test")
        return sum(one.happens for one in remedies if one is not None)

    def days(self) -> list[date]:
        """Return today, and the days on which time changes a fact, or a record made today begins to count."""
        turned = {day for course in self.courses for day, _ in course.truths}
        remedies = (course.leaf.question.remedy(wanted) for course in self.courses for wanted in (True, False))
        counting = {one.counts_from(self._as_of) for one in remedies if one is not None}
        return sorted({self._as_of, *turned, *counting})

    def on(self, day: date) -> tuple[Way, ...]:
        """Return the ways in which no criterion fails on a day; none is a part of another one."""
        found: tuple[Way, ...] = (NOTHING,)
        for number in range(len(self._criteria)):
            own = self.of_criterion(number, day)
            if own != (NOTHING,):
                found = self._both(found, own)
        return found

    def of_criterion(self, number: int, day: date) -> tuple[Way, ...]:
        """Return the ways in which one criterion does not fail on a day."""
        asked = self._criteria[number]
        wants = _wants(asked.rule, asked.wanted)
        needs = {leaf.id: self._need(leaf, wanted, asked.known, day) for leaf, wanted in wants}
        key = (number, tuple(needs.values()))
        if key not in self._known:
            self._known[key] = self._rule_ways(asked.rule, asked.wanted, needs)
        return self._known[key]

    def _rule_ways(self, rule: Rule, wanted: bool, needs: Mapping[str, Need]) -> tuple[Way, ...]:
        """Return the ways in which a rule is as wanted; `needs` has those of its leaves by their ids."""
        if truth_of(rule, lambda leaf: needs[leaf.id].wanted == self._stands(needs[leaf.id])) == wanted:
            return (NOTHING,)
        if isinstance(rule, Leaf):
            return (frozenset({needs[rule.id]}),) if needs[rule.id].sort != "later" else ()
        turned = wanted != (rule.operator == "not")
        below = [self._rule_ways(child, turned, needs) for child in rule.children]
        chosen = combinations(below, _how_many(rule, wanted))
        return self._least([way for some in chosen for way in self._all(some)])

    def _stands(self, need: Need) -> bool:
        """Say whether nothing has to change for it, and nothing else may change it."""
        return need.sort == "free" and need.fact not in self._torn

    def _all(self, families: Iterable[tuple[Way, ...]]) -> tuple[Way, ...]:
        found: tuple[Way, ...] = (NOTHING,)
        for family in families:
            found = self._both(found, family)
        return found

    def _both(self, some: tuple[Way, ...], others: tuple[Way, ...]) -> tuple[Way, ...]:
        return self._least([_joined(one, other) for one in some for other in others if _agree(one, other)])

    def _least(self, ways: Iterable[Way]) -> tuple[Way, ...]:
        """Drop the ways that hold another one, and the worst where they are too many."""
        ordered = sorted(set(ways), key=lambda way: (*self.cost(way), len(way), sorted(way)))
        if len(ordered) > _MOST_WAYS:
            self.exact = False
        kept: list[Way] = []
        for way in ordered[:_MOST_WAYS]:
            if not any(less <= way for less in kept):
                kept.append(way)
        return tuple(kept)

    def _need(self, leaf: Leaf, wanted: bool, known: bool, day: date) -> Need:
        number = self.fact(leaf)
        course = self.courses[number]
        if known:
            today, then = course.today == wanted, course.on(day) == wanted
        else:
            today, then = course.today != (not wanted), course.held_on(day) != (not wanted)
        sort = ("free" if today else "wait") if then else self._by_record(course, wanted, day)
        return Need(number, wanted, sort)

    def _by_record(self, course: Course, wanted: bool, day: date) -> Literal["test", "never", "later"]:
        """Say whether a record that is made from today on can have turned a fact by a day."""
        if course.on(day) is None:
            return "test"
        if (remedy := remedy_of(course, wanted)) is not None:
            return "test" if remedy.counts_from(self._as_of) <= day else "later"
        return "later" if course.comes_to(wanted, after=day) else "never"

    def _wanted_both_ways(self) -> Iterator[int]:
        """Yield the facts that are wanted true in one place and false in another."""
        found: dict[int, bool] = {}
        for asked in self._criteria:
            for leaf, wanted in _wants(asked.rule, asked.wanted):
                number = self.fact(leaf)
                if found.setdefault(number, wanted) != wanted:
                    yield number


def remedy_of(course: Course, wanted: bool) -> Remedy | None:
    """Return how a new record turns a fact; what time takes away is over, and does not end by a record."""
    remedy: Remedy | None = course.leaf.question.remedy(wanted)
    return None if remedy is None or (remedy.ends and course.comes_to(wanted, after=course.begin)) else remedy


def truth_of(rule: Rule, answer: Callable[[Leaf], Truth]) -> Truth:
    """Return the truth of a rule by Kleene's logic from those of its leaves."""
    if isinstance(rule, Leaf):
        return answer(rule)
    truths = [truth_of(child, answer) for child in rule.children]
    if rule.operator == "not":
        return None if truths[0] is None else not truths[0]
    needed = _how_many(rule, True)
    if truths.count(True) >= needed:
        return True
    return False if len(truths) - truths.count(False) < needed else None


def _how_many(rule: Combination, wanted: bool) -> int:
    """Return how many parts of a combination must be so that it is as wanted."""
    parts = len(rule.children)
    true = {"all": parts, "any": 1, "not": 1, "need": rule.need or 0}[rule.operator]
    return true if wanted else parts + 1 - true


def _wants(rule: Rule, wanted: bool) -> Iterator[tuple[Leaf, bool]]:
    """Yield each leaf, left to right, and what it should be so that the rule is as wanted."""
    if isinstance(rule, Leaf):
        yield rule, wanted
        return
    for child in rule.children:
        yield from _wants(child, wanted != (rule.operator == "not"))


def _joined(way: Way, other: Way) -> Way:
    """Return two ways as one: what a record has changed need not be waited for."""
    both = way | other
    recorded = {need.fact for need in both if need.sort in ("test", "never")}
    return frozenset(need for need in both if need.sort != "wait" or need.fact not in recorded)


def _agree(way: Way, other: Way) -> bool:
    """Say whether two ways want the same of each fact: what is free on both sides may stay open."""
    return not any(
        one.fact == two.fact and one.wanted != two.wanted and {one.sort, two.sort} != {"free"}
        for one in way
        for two in other
    )
