"""A rule is solved when each choice for its parts gives the truth that is asked, and contradictions are seen."""

from datetime import date
from itertools import product
from pathlib import Path

import pytest

from cohortfinder.dummy.chart import Chart
from cohortfinder.dummy.scene import Scene
from cohortfinder.dummy.solve import Solver, choices
from cohortfinder.model import Leaf, Truth
from cohortfinder.resources import resource_dir
from cohortfinder.terminology import load_terminology
from cohortfinder.trials.parser import parse_trial

TRUTHS: tuple[Truth, ...] = (True, False, None)
TRIAL = """\
trial: T-1
title: Rules that contradict themselves, or seem to
time_zone: UTC
arms:
  A: {name: The arm, entry: I-BOTH}
inclusion:
  - id: I-BOTH
    text: lupus and no lupus
    all:
      - {condition: dx_sle, ever: yes}
      - not: {condition: dx_sle, ever: yes}
  - id: I-NARROW
    text: a narrow interval, and the drug longer than it was not taken
    all:
      - {observation: hemoglobin, at_least: 60 g/L}
      - {observation: hemoglobin, below: 61 g/L}
      - {treatment: rx_azathioprine, for: 90 days}
      - not: {medication: rx_azathioprine, within: 2 weeks}
  - id: I-ORDER
    text: the second part can be met in one way only, which the first one must leave open
    all:
      - any:
          - {medication: rx_metformin, ever: yes}
          - {medication: rx_insulin, ever: yes}
      - not: {medication: rx_metformin, ever: yes}
"""


def leaf(number: int) -> Leaf:
    return Leaf(str(number), "judgement", None, False, 1)


def counted(truths: tuple[Truth, ...], need: int) -> Truth:
    """At least `need` of them, by Kleene's logic."""
    if truths.count(True) >= need:
        return True
    return None if truths.count(True) + truths.count(None) >= need else False


@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize(("children", "need"), [(1, 1), (3, 1), (3, 2), (3, 3), (4, 2)])
def test_each_choice_gives_the_truth_whatever_the_parts_are_of_which_it_says_nothing(
    children: int, need: int, truth: Truth
) -> None:
    parts = tuple(leaf(number) for number in range(children))
    found = list(choices(parts, need, truth))
    assert found
    for chosen in found:
        said = {part.id: wanted for part, wanted in chosen if isinstance(part, Leaf)}
        for filled in product(*(TRUTHS if part.id not in said else (said[part.id],) for part in parts)):
            assert counted(filled, need) is truth


@pytest.fixture(scope="module")
def solver() -> Solver:
    terminology = load_terminology(Path(resource_dir("mappings")))
    trial = parse_trial(TRIAL, source="t.yaml", terminology=terminology)
    return Solver(Scene(trial, terminology, date(2026, 6, 1)))


@pytest.mark.parametrize(
    ("criterion", "truth", "solved"),
    [("I-BOTH", True, False), ("I-BOTH", False, True), ("I-NARROW", True, True), ("I-ORDER", True, True)],
)
def test_a_chart_is_found_where_the_parts_agree(solver: Solver, criterion: str, truth: bool, solved: bool) -> None:
    rule = next(one.rule for one in solver.scene.trial.criteria if one.id == criterion)
    assert rule is not None
    found = next(solver.charts(rule, truth, Chart(solver.scene.codes.matches)), None)
    assert (found is not None) == solved
