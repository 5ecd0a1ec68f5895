"""A statement names every concept whose results it may read: of the others it sees none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cohortfinder.engine.asking import in_one, names_in
from cohortfinder.engine.questions import Setting, concepts_of, derivations
from cohortfinder.engine.rules import plan_rules
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.model import leaves_of
from cohortfinder.resources import resource_dir
from cohortfinder.settings import Settings
from cohortfinder.sql.environment import Rendered
from cohortfinder.sql.together import of_one_shape, one_by_one
from cohortfinder.terminology import Terminology

TRIALS = sorted(Path(resource_dir("trials")).glob("*.yaml"))


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    return read_terminology(Settings())


@pytest.mark.parametrize("file", TRIALS, ids=lambda file: file.stem)
@pytest.mark.parametrize("gathered", [of_one_shape, one_by_one])
def test_every_concept_of_a_leaf_is_named_by_its_statement(
    file: Path, gathered: Callable[..., list[dict[int, Rendered]]], terminology: Terminology
) -> None:
    trial = read_trial(file.stem, terminology, Settings())
    plan = plan_rules(trial, Setting(terminology, {"Observation": True}))
    leaves = {
        number: leaf
        for rule in plan.rules.values()
        for leaf, *numbers in zip(leaves_of(rule.rule), rule.numbers, rule.bare_numbers, strict=True)
        for number in numbers
    }
    asked = 0
    for questions, table in ((plan.explained, "leaf_answer"), (plan.bare, "leaf_truth")):
        for shape in gathered(questions):
            named = names_in(in_one(shape, shape.keys(), table))
            for number in shape.keys() & leaves.keys():
                leaf = leaves[number]
                # a derived result has its own concept; those that it was made of are not read again
                made_of = {one for concept in leaf.question.concepts for one in derivations().get(concept, ())}
                read = {*concepts_of(leaf)} - (made_of - {*leaf.question.concepts})
                read &= terminology.observation_concepts.keys()
                assert read <= named, leaf
                asked += bool(read)
    assert asked
