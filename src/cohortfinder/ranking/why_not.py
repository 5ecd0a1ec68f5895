"""What would have to change before a patient is a candidate of an arm: the smallest set of facts, and the day. Pure.

A fact changes by a wait (time alone turns it), by a test (a new record can) or never. For each day on which time
changes anything all ways are found in which no criterion fails, and the best way of all days is told: the one with the
fewest changes that never come, then with the fewest changes, then with the fewest tests, since time passes for certain
and a test may say the same again, then the earliest, then the one with the fewest tests for which something has to
happen to the patient. Tests of the same thing are one. Facts are taken to be independent of each other. What is not
known need not change: it stays open.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from cohortfinder.dates import months_back
from cohortfinder.engine.why_not import Course
from cohortfinder.model import Leaf, Rule, Truth
from cohortfinder.ranking.ways import NOTHING, Asked, Need, Sort, Way, Ways, remedy_of, truth_of

# so many months after the day what fails by time alone is told
_MONTHS_ON = 24


@dataclass(frozen=True, slots=True)
class Change:
    """A fact that would have to be `wanted`, for the sake of some criteria.

    `day`: of a wait the day on which time turns it; of a test the first day on which a new record counts; of what never
    changes the day on which time has made it so, None where it is so today.
    """

    leaf: Leaf
    wanted: bool
    sort: Sort
    day: date | None
    criteria: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhyNot:
    """The best way in which a patient becomes a candidate of an arm on a day; never where a change never comes.

    `open` are the criteria that are not known then. From `until` on `ending` fail by time alone. Not `exact`: there
    were too many ways to look at all of them.
    """

    arm: str
    day: date
    changes: tuple[Change, ...]
    open: tuple[str, ...]
    until: date | None
    ending: tuple[str, ...]
    exact: bool

    @property
    def possible(self) -> bool:
        """Whether everything that has to change can."""
        return not any(one.sort == "never" for one in self.changes)

    def of(self, sort: Sort) -> tuple[Change, ...]:
        """Return the changes of a sort."""
        return tuple(one for one in self.changes if one.sort == sort)


def why_not(arm: str, criteria: Sequence[Asked], courses: Mapping[object, Course], as_of: date) -> WhyNot | None:
    """Return the best way to become a candidate; None where the criteria contradict each other.

    `courses` has those of all leaves, by `same_question`.
    """
    search = Ways(criteria, courses, as_of)
    ways = [(day, way) for day in search.days() for way in search.on(day)]
    if not ways:
        return None
    day, way = min(ways, key=lambda one: (*search.cost(one[1]), one[0], search.events(one[1]), sorted(one[1])))
    return _Telling(criteria, search, as_of).told(arm, day, way)


@dataclass(frozen=True, slots=True)
class _Telling:
    """Tells a way: what it changes, what stays open, and how long it lasts."""

    _criteria: Sequence[Asked]
    _ways: Ways
    _as_of: date

    def told(self, arm: str, day: date, way: Way) -> WhyNot:
        """Return a way as it is told: what it changes, what stays open, and how long it lasts."""
        made = {need.fact: need.wanted for need in way if need.sort != "free"}
        by_record = {need.fact: need.wanted for need in way if need.sort in ("test", "never")}
        truths = self._truths(lambda course: course.held_on(day), made)
        until, ending = self._end(day, by_record)
        changes = [self._change(need, day) for need in sorted(way) if need.sort != "free"]
        return WhyNot(
            arm=arm,
            day=day,
            changes=tuple(changes),
            open=tuple(one.criterion_id for one in self._criteria if not one.judged and truths(one.rule) is None),
            until=until,
            ending=ending,
            exact=self._ways.exact,
        )

    def _change(self, need: Need, day: date) -> Change:
        course = self._ways.courses[need.fact]
        ways = [self._ways.of_criterion(number, day) for number in range(len(self._criteria))]
        criteria = [
            one.criterion_id
            for one, own in zip(self._criteria, ways, strict=True)
            if NOTHING not in own and any(need in way for way in own)
        ]
        assert need.sort != "free"
        assert need.sort != "later"
        return Change(course.leaf, need.wanted, need.sort, self._day_of(need, course, day), tuple(criteria))

    def _day_of(self, need: Need, course: Course, day: date) -> date | None:
        if need.sort == "test":
            return self._counts_from(course, need.wanted, day)
        since = course.since(day)
        return since if since > self._as_of else None

    def _counts_from(self, course: Course, wanted: bool, day: date) -> date:
        """Return the first day on which a record can have turned a fact: made today, or when nothing else stands."""
        if course.today is None:
            return self._as_of
        if (remedy := remedy_of(course, wanted)) is not None:
            return min(remedy.counts_from(self._as_of), day)
        return max(turned for turned, _ in course.truths if turned <= day)

    def _end(self, day: date, made: Mapping[int, bool]) -> tuple[date | None, tuple[str, ...]]:
        """Return the first day after one on which a criterion fails by time alone, and which criteria do."""
        last = months_back(day, -_MONTHS_ON)
        for later in self._ways.days():
            if day < later <= last:
                truths = self._truths(lambda course, on=later: course.on(on), made)  # type: ignore[misc]
                failing = tuple(one.criterion_id for one in self._criteria if truths(one.rule) == (not one.wanted))
                if failing:
                    return later, failing
        return None, ()

    def _truths(self, of: Callable[[Course], Truth], made: Mapping[int, bool]) -> Callable[[Rule], Truth]:
        """Return how a rule is answered by its leaves, some of which are changed."""

        def answer(leaf: Leaf) -> Truth:
            number = self._ways.fact(leaf)
            return made[number] if number in made else of(self._ways.courses[number])

        return lambda rule: truth_of(rule, answer)
