"""A trial file that somebody spoilt is right, or every problem is named with a line of the file: never a traceback."""

from contextlib import suppress
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohortfinder.engine.rules import plan_rules
from cohortfinder.engine.setting import Setting
from cohortfinder.errors import ConfigurationError, Problem, TrialError
from cohortfinder.model import Override, Overrides, Trial
from cohortfinder.resources import resource_dir
from cohortfinder.terminology import Terminology, load_terminology
from cohortfinder.trials.parser import parse_trial
from length import AT_LENGTH
from properties.spoilt import WORDS, spoilt

FILES = sorted(resource_dir("trials").glob("*.yaml"), key=lambda path: path.stat().st_size)
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in FILES}


@cache
def terminology() -> Terminology:
    return load_terminology(resource_dir("mappings"))


@cache
def whole(name: str) -> Trial:
    return parse_trial(TEXTS[name], source="t.yaml", terminology=terminology())


def problems_of(text: str, overrides: Overrides | None = None) -> tuple[Problem, ...]:
    """Return what is wrong with a file; one that is right becomes SQL, too."""
    try:
        trial = parse_trial(text, source="t.yaml", terminology=terminology(), overrides=overrides)
    except TrialError as error:
        return error.problems
    plan_rules(trial, Setting(terminology(), {}))
    return ()


@pytest.mark.parametrize("name", TEXTS)
@settings(max_examples=200 if AT_LENGTH else 10)
@given(random=st.randoms(use_true_random=False))
def test_a_spoilt_file_is_refused_in_words(name: str, random: Random) -> None:
    text = spoilt(TEXTS[name], random)
    lines = len(text.splitlines())
    assert [one for one in problems_of(text) if not (1 <= one.line <= max(lines, 1) and one.message)] == []


@pytest.mark.parametrize("name", TEXTS)
@settings(max_examples=200 if AT_LENGTH else 4)
@given(random=st.randoms(use_true_random=False))
def test_a_value_of_the_site_that_nobody_expects_is_refused_in_words(name: str, random: Random) -> None:
    """What the file itself says is right, so that a value is blamed in the configuration or does no harm."""
    trial = whole(name)
    names = [one.name for one in trial.parameters] or ["none"]
    values = {random.choice(names): Override(random.choice(WORDS), "site.toml:3")}
    with suppress(ConfigurationError):
        assert problems_of(TEXTS[name], Overrides(by_trial={trial.id: values})) == ()


@pytest.mark.parametrize("name", TEXTS)
def test_the_file_itself_is_right(name: str) -> None:
    assert problems_of(TEXTS[name]) == ()
