"""The smallest set of facts that would have to change is the one that trying out every set finds."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product

import pytest

from cohortfinder.criteria.age import AgeQuestion
from cohortfinder.criteria.condition import ConditionQuestion
from cohortfinder.criteria.medication import MedicationQuestion
from cohortfinder.criteria.observation import ObservationQuestion
from cohortfinder.engine.rules import same_question
from cohortfinder.engine.why_not import Course
from cohortfinder.model import Combination, Leaf, Rule, Truth
from cohortfinder.ranking.ways import Asked, subject
from cohortfinder.ranking.why_not import WhyNot, why_not
from length import AT_LENGTH

AS_OF = date(2026, 11, 20)
TURNING = (10, 40, 70)
MUCH_LATER = 1000
# among them the days on which a drug that is stopped today is washed out, and on which a result of today is 2 months old
DAYS = (0, 5, 10, 21, 22, 40, 60, 61, 70)
SEEDS = range(600 if AT_LENGTH else 90)
FACTS = 4
TRUTHS = (True, False, None)


@dataclass(frozen=True)
class Kind:
    """A question to choose from, and on which days a record of today can have made it so, where time alone does not."""

    question: Callable[[str], object]
    turned: Callable[[bool, int], bool]
    only_ends: bool = False


KINDS = (
    Kind(lambda name: AgeQuestion.model_validate({"age": {"at_least": 18 + int(name)}}), lambda wanted, day: False),
    Kind(lambda name: ObservationQuestion.model_validate({"observation": name, "at_least": 8}), lambda wanted, day: True),
    Kind(lambda name: ObservationQuestion.model_validate({"observation": name, "at_least": 8, "ago": "2 months"}), lambda wanted, day: day >= 61),
    Kind(lambda name: ConditionQuestion.model_validate({"condition": name, "ever": "yes"}), lambda wanted, day: wanted),
    Kind(lambda name: MedicationQuestion.model_validate({"medication": name, "within": "3 weeks"}), lambda wanted, day: wanted or day >= 22, True),
)  # fmt: skip
HAPPENING = KINDS[3:]
EVENTS = (ConditionQuestion, MedicationQuestion)


@dataclass(frozen=True)
class Fact:
    """A fact with its course; `kind` says what a record can do."""

    kind: Kind
    course: Course

    def on(self, day: int) -> Truth:
        return [truth for turned, truth in self.course.truths if turned <= AS_OF + timedelta(days=day)][-1]

    def held(self, day: int) -> Truth:
        return [truth for number in range(day + 1) if (truth := self.on(number)) is not None or number == 0][-1]

    def sort(self, wanted: bool, day: int) -> str:
        """How the fact may be another one by a day; nothing: it may later."""
        if self.on(day) is None:
            return "test"
        over = self.kind.only_ends and not wanted and any(truth is False for _, truth in self.course.truths[1:])
        if self.kind.turned(wanted, MUCH_LATER) and not over:
            return "test" if self.kind.turned(wanted, day) else ""
        return "" if any(self.on(later) == wanted for later in TURNING if later > day) else "never"


@dataclass(frozen=True)
class Case:
    facts: tuple[Fact, ...]
    criteria: tuple[Asked, ...]

    def number(self, leaf: Leaf) -> int:
        return next(n for n, fact in enumerate(self.facts) if same_question(fact.course.leaf) == same_question(leaf))


def a_case(seed: int) -> Case:
    chance = random.Random(seed)
    facts = tuple(a_fact(chance, number) for number in range(FACTS))
    criteria = tuple(
        Asked(f"C{n}", a_rule(chance, facts, f"C{n}", 2), chance.random() < 0.6, known=n == 0 and chance.random() < 0.5)
        for n in range(chance.randint(1, 3))
    )
    return Case(facts, criteria)


def a_fact(chance: random.Random, number: int) -> Fact:
    kind = chance.choice(KINDS)
    leaf = Leaf(f"F.{number}", "any", kind.question(str(number)), False, 1)
    truths = [(AS_OF, chance.choice((True, False, False, None)))]
    for day in chance.sample(TURNING, chance.randint(0, 2)):
        truths.append((AS_OF + timedelta(days=day), chance.choice(TRUTHS)))
    ordered = sorted(truths, key=lambda one: one[0])
    turned = [one for place, one in enumerate(ordered) if place == 0 or one[1] is not ordered[place - 1][1]]
    return Fact(kind, Course(leaf, tuple(turned)))


def a_rule(chance: random.Random, facts: Sequence[Fact], name: str, depth: int) -> Rule:
    operator = chance.choice(("leaf", "all", "any", "not", "need", "need")) if depth else "leaf"
    if operator == "leaf":
        leaf = chance.choice(facts).course.leaf
        return Leaf(f"{name}.{chance.random()}", leaf.kind, leaf.question, leaf.adverse, 1)
    if operator == "not":
        return Combination("not", (a_rule(chance, facts, name, depth - 1),))
    children = tuple(a_rule(chance, facts, name, depth - 1) for _ in range(chance.randint(2, 3)))
    return Combination(operator, children, chance.randint(1, len(children)) if operator == "need" else None)  # type: ignore[arg-type]


# what is chosen for a fact: nothing, to wait until the day, or a record that makes it so
Chosen = tuple[str, Truth]


def choices(fact: Fact, day: int) -> Iterator[Chosen]:
    yield "", None
    if fact.held(day) is not None and fact.held(day) != fact.on(0):
        yield "wait", fact.held(day)
    for wanted in (True, False):
        if how := fact.sort(wanted, day):
            yield how, wanted


def holds(case: Case, rule: Rule, wanted: bool, known: bool, chosen: Sequence[Chosen], day: int) -> bool:
    """Say whether a rule is as wanted, whatever becomes by time of those facts that nothing was chosen for."""
    if isinstance(rule, Leaf):
        number = case.number(rule)
        fact, (how, value) = case.facts[number], chosen[number]
        if not known:
            return (not wanted) not in ({value} if how else {fact.on(0), fact.held(day)})
        return value == wanted and (how != "wait" or fact.on(day) == wanted) if how else fact.on(0) == fact.on(day) == wanted  # fmt: skip
    if rule.operator == "not":
        return holds(case, rule.children[0], not wanted, known, chosen, day)
    needed = {"all": len(rule.children), "any": 1}.get(rule.operator, rule.need or 0)
    if not wanted:
        needed = len(rule.children) + 1 - needed
    return sum(holds(case, child, wanted, known, chosen, day) for child in rule.children) >= needed


# never, changes, tests, the day, and tests for which something has to happen to the patient
Cost = tuple[int, int, int, int, int]


def tried(case: Case) -> Cost | None:
    """Return what the best of all sets of changes costs, on the best of all days."""
    best: Cost | None = None
    for day in DAYS:
        for chosen in product(*(choices(fact, day) for fact in case.facts)):
            sorts = [how for how, _ in chosen if how]
            # every age is known by one birth date
            tests = {0 if fact.kind is KINDS[0] else id(fact) for fact, (how, _) in zip(case.facts, chosen, strict=True) if how == "test"}  # fmt: skip
            never = sorts.count("never")
            events = sum(how == "test" and wanted is True and fact.kind in HAPPENING for fact, (how, wanted) in zip(case.facts, chosen, strict=True))  # fmt: skip
            cost = (never, never + sorts.count("wait") + len(tests), len(tests), day, events)
            if (best is None or cost < best) and all(
                holds(case, one.rule, one.wanted, one.known, chosen, day) for one in case.criteria
            ):
                best = cost
    return best


def cost_of(found: WhyNot | None) -> Cost | None:
    if found is None:
        return None
    assert found.exact
    never, tests = len(found.of("never")), len({subject(one.leaf) for one in found.of("test")})
    events = sum(one.wanted and isinstance(one.leaf.question, EVENTS) for one in found.of("test"))
    return never, never + len(found.of("wait")) + tests, tests, (found.day - AS_OF).days, events


def found_in(case: Case) -> WhyNot | None:
    courses = {same_question(fact.course.leaf): fact.course for fact in case.facts}
    return why_not("A", case.criteria, courses, AS_OF)


@pytest.mark.parametrize("part", range(3))
def test_no_set_of_changes_is_smaller(part: int) -> None:
    for seed in SEEDS[part::3]:
        case = a_case(seed)
        assert cost_of(found_in(case)) == tried(case), seed


def truth(case: Case, rule: Rule, made: dict[int, bool], day: int) -> Truth:
    """The truth of a rule on a day, when some facts were changed."""
    if isinstance(rule, Leaf):
        number = case.number(rule)
        return made.get(number, case.facts[number].on(day))
    truths = [truth(case, child, made, day) for child in rule.children]
    if rule.operator == "not":
        return None if truths[0] is None else not truths[0]
    needed = {"all": len(truths), "any": 1}.get(rule.operator, rule.need or 0)
    if truths.count(True) >= needed:
        return True
    return None if len(truths) - truths.count(False) >= needed else False


def test_nothing_fails_on_that_day_when_the_tests_come_out_so_and_time_passes() -> None:
    """The day holds with the data as they will be then; and what fails later by time alone is said."""
    ended = 0
    for seed in SEEDS:
        case = a_case(seed)
        found = found_in(case)
        if found is None:
            continue
        day, made = (found.day - AS_OF).days, {case.number(one.leaf): one.wanted for one in found.changes if one.sort != "wait"}  # fmt: skip
        then = {one.criterion_id: truth(case, one.rule, made, day) for one in case.criteria}
        assert all(then[one.criterion_id] != (not one.wanted) for one in case.criteria), seed
        assert all(then[one.criterion_id] == one.wanted for one in case.criteria if one.known), seed
        failing = {
            later: tuple(one.criterion_id for one in case.criteria if truth(case, one.rule, made, later) == (not one.wanted))
            for later in TURNING if later > day
        }  # fmt: skip
        first = next((later for later, names in failing.items() if names), None)
        told = None if found.until is None else (found.until - AS_OF).days
        assert (told, found.ending) == (first, failing[first] if first else ()), seed
        ended += first is not None
    assert ended > 5


def test_the_cases_have_everything_in_them() -> None:
    """Waits, tests and what never changes, several of them, later days, ways that last, and none."""
    found = [found_in(a_case(seed)) for seed in SEEDS]
    known = [one for one in found if one is not None]
    assert any(one is None for one in found)
    assert {one.sort for way in known for one in way.changes} == {"wait", "test", "never"}
    assert {len(one.changes) for one in known} >= {0, 1, 2}
    assert any(one.day > AS_OF and one.of("test") for one in known)
    assert any(one.open for one in known)
