"""A rule and the truth that it shall have to charts: what each leaf must be, while nothing contradicts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, islice

from cohortfinder.dummy.chart import Chart
from cohortfinder.dummy.facts import Way
from cohortfinder.dummy.kinds import WAYS
from cohortfinder.dummy.scene import Scene
from cohortfinder.model import Leaf, Rule, Truth

# a rule of forty leaves can be met in more ways than can be tried: a search ends after so many steps, and each part of
# it after a share of those that are left
STEPS = 6000
_SHARE, _LEAST = 4, 60
_WAYS_OF_A_LEAF = 24
Solved = Iterator[Chart]
Wanted = list[tuple[Rule, Truth]]


@dataclass(slots=True)
class _Order:
    """One order in which parts are tried: `deepest` is the first that no chart could meet."""

    wanted: Wanted
    deepest: int = 0


@dataclass(slots=True)
class Solver:
    """Finds charts for one scene. `steps` counts down over one search; a part of it ends at its `floor`."""

    scene: Scene
    known: dict[tuple[object, Truth, bool], tuple[Way, ...]] = field(default_factory=dict)
    steps: int = 0

    def charts(self, rule: Rule, truth: Truth, chart: Chart, *, just: bool = False, steps: int = STEPS) -> Solved:
        """Yield charts in which the rule should have the truth, the plainest first; at the edge of it where `just`."""
        self.steps = steps
        return self._solve(rule, truth, chart, just, 0)

    def _solve(self, rule: Rule, truth: Truth, chart: Chart, just: bool, floor: int) -> Solved:
        if isinstance(rule, Leaf):
            yield from self._leaf(rule, truth, chart, just, floor)
        elif rule.operator == "not":
            yield from self._solve(rule.children[0], None if truth is None else not truth, chart, just, floor)
        else:
            need = {"all": len(rule.children), "any": 1}.get(rule.operator, rule.need or 0)
            for wanted in choices(rule.children, need, truth):
                yield from self._all_of(wanted, chart, just, self._share(floor))
                if self.steps <= floor:
                    return

    def _share(self, floor: int) -> int:
        """Return the floor of a part that may use a share of the steps that are left."""
        return max(floor, self.steps - max((self.steps - floor) // _SHARE, _LEAST))

    def _all_of(self, wanted: Wanted, chart: Chart, just: bool, floor: int) -> Solved:
        """Yield charts for all of them together; one that could not be met is tried before the others next time."""
        order = _Order(list(wanted))
        for _ in wanted:
            solved = False
            for found in self._in_order(order, 0, chart, just, self._share(floor)):
                solved = True
                yield found
            if solved or self.steps <= floor:
                return
            order = _Order([order.wanted[order.deepest], *_without(order.wanted, order.deepest)])

    def _in_order(self, order: _Order, depth: int, chart: Chart, just: bool, floor: int) -> Solved:
        if depth == len(order.wanted):
            yield chart
            return
        order.deepest = max(order.deepest, depth)
        rule, truth = order.wanted[depth]
        for found in self._solve(rule, truth, chart, just, floor):
            yield from self._in_order(order, depth + 1, found, just, floor)
            if self.steps <= floor:
                return

    def _leaf(self, leaf: Leaf, truth: Truth, chart: Chart, just: bool, floor: int) -> Solved:
        for way in self.ways(leaf, truth, just=just):
            if self.steps <= floor:
                return
            self.steps -= 1
            found = chart.with_facts(way)
            if found is not None:
                yield found

    def ways(self, leaf: Leaf, truth: Truth, *, just: bool) -> tuple[Way, ...]:
        """Return the first ways in which a leaf can have a truth."""
        key = (leaf.question, truth, just)
        if key not in self.known:
            make: Callable[..., Iterator[Way]] = WAYS[leaf.kind]
            self.known[key] = tuple(islice(make(leaf.question, truth, self.scene, just=just), _WAYS_OF_A_LEAF))
        return self.known[key]


def choices(children: tuple[Rule, ...], need: int, truth: Truth) -> Iterator[Wanted]:
    """Yield what the children must be: `need` of them true, more than can be spared not true, or some open."""
    if truth is not None:
        for chosen in combinations(children, need if truth else len(children) - need + 1):
            yield [(child, truth) for child in chosen]
        return
    places = range(len(children))
    for number in range(1, len(children) + 1):
        for open_ones in combinations(places, number):
            rest = [place for place in places if place not in open_ones]
            # with those that are open there would be enough
            for true_ones in combinations(rest, max(need - number, 0)):
                if len(true_ones) < need:
                    others = [(children[place], place in true_ones) for place in rest]
                    yield [*((children[place], None) for place in open_ones), *others]


def _without(wanted: Wanted, place: int) -> Wanted:
    return [one for number, one in enumerate(wanted) if number != place]
