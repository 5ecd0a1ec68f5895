"""The reference of the trial language: every example parses, and no word of the language is missing."""

import re
from pathlib import Path

import pytest

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.terminology.load import load_terminology
from cohortfinder.trials.criterion import CRITERION_KEYS
from cohortfinder.trials.leaves import COMBINATIONS, option_names
from cohortfinder.trials.parameters import KEYS as PARAMETER_KEYS
from cohortfinder.trials.parser import TRIAL_KEYS, parse_trial
from cohortfinder.trials.ranking import PRIOR_KEYS, RANKING_KEYS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "trial-language.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TERMINOLOGY = load_terminology(ROOT / "mappings")
HEAD = """\
trial: EXAMPLE
title: An example
time_zone: UTC
arms:
  MAIN: {name: Everyone, entry: ENTRY}
"""
ENTRY = "inclusion:\n- {id: ENTRY, text: everyone, age: {at_least: 18}}\n"


def whole_trial(block: str) -> str:
    """Put what a trial needs around an example: a trial, some of its sections, a list of criteria, or a rule."""
    if block.startswith("trial:"):
        return block
    if "inclusion:\n" in block:
        indented = ENTRY.replace("- {", "  - {")
        return HEAD + block.replace("inclusion:\n", indented)
    if block.startswith("- id:"):
        return HEAD + ENTRY + block
    return HEAD + ENTRY + "- id: EXAMPLE\n  text: an example\n" + "".join(f"  {line}\n" for line in block.splitlines())


@pytest.mark.parametrize("block", BLOCKS, ids=[block.splitlines()[0] for block in BLOCKS])
def test_an_example_is_right(block: str) -> None:
    trial = parse_trial(whole_trial(block), source="example", terminology=TERMINOLOGY)
    assert len(trial.criteria) >= 2


def test_every_word_of_the_language_is_explained() -> None:
    words = {*TRIAL_KEYS, *CRITERION_KEYS, *COMBINATIONS, *PARAMETER_KEYS, *LEAF_KINDS, *RANKING_KEYS, *PRIOR_KEYS}
    words |= {option for kind in LEAF_KINDS for option in option_names(kind)}
    explained = set(re.findall(r"`([a-z_]+)[:`]", PAGE))
    assert words - explained == set()


def test_every_leaf_kind_has_a_chapter_with_an_example() -> None:
    for kind in LEAF_KINDS:
        chapter = PAGE.split(f"### `{kind}`\n", 1)[1].split("\n#", 1)[0]
        assert f"```yaml\n{kind}:" in chapter
