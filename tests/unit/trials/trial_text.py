"""A small trial around the rule that a test is about; the rule begins in line 9."""

from pathlib import Path

import pytest

from cohortfinder.errors import TrialError
from cohortfinder.model import Leaf, Override, Overrides, Trial, leaves_of
from cohortfinder.terminology.load import load_terminology
from cohortfinder.trials.parser import parse_trial

ROOT = Path(__file__).parents[3]
TERMINOLOGY = load_terminology(ROOT / "mappings")
HEAD = """\
trial: T-1
title: A small trial
time_zone: UTC
arms:
  A: {name: The only arm, entry: I-1}
inclusion:
  - id: I-1
    text: a sentence
"""


def with_rule(rule: str, after: str = "") -> str:
    return HEAD + "".join(f"    {line}\n" for line in rule.splitlines()) + after


def read(text: str, overrides: dict[str, str] | None = None, *, trial: str = "T-1") -> Trial:
    """Read a trial file with the values that a site sets for one trial."""
    values = {name: Override(value, "site.toml:3") for name, value in (overrides or {}).items()}
    return read_with(text, Overrides(by_trial={trial: values}))


def read_with(text: str, overrides: Overrides) -> Trial:
    return parse_trial(text, source="t.yaml", terminology=TERMINOLOGY, overrides=overrides)


def problems(text: str) -> list[str]:
    with pytest.raises(TrialError) as caught:
        read(text)
    return str(caught.value).splitlines()


def leaves(trial: Trial) -> list[Leaf]:
    return [leaf for one in trial.criteria if one.rule is not None for leaf in leaves_of(one.rule)]
