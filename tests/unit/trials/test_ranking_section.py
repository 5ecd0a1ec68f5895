"""The `ranking:` section of a trial file: what it says, and what is wrong with its line and the nearest word."""

import pytest

from cohortfinder.errors import TrialError
from cohortfinder.model import Prior, Ranking, Recalibration
from cohortfinder.trials.parser import parse_trial

HEAD = """\
trial: T-1
title: A small trial
time_zone: UTC
arms:
  A: {name: First, entry: I-1}
inclusion:
  - {id: I-1, text: adults, age: {at_least: 18}}
  - {id: I-CONSENT, text: consent, certainty: judgement, judgement: the form}
"""
SECTION = """\
ranking:
  prior: {passes: 2, fails: 0.5}
  shrinkage: 0
  known_weight: 30
  criteria:
    I-CONSENT: {passes: 5, fails: 5, why: half of them}
  calibration: {weight: 25, at_least: 50}
"""


def test_every_word_is_read_and_the_others_have_defaults() -> None:
    read = parse_trial(HEAD + SECTION, source="t.yaml").ranking
    assert read == Ranking(True, Prior(2, 0.5), 0, 30, {"I-CONSENT": Prior(5, 5)}, Recalibration(25, 50))
    assert parse_trial(HEAD + "ranking: {shrinkage: 5}\n", source="t.yaml").ranking == Ranking(True, Prior(1, 1), 5, 20)
    assert parse_trial(HEAD, source="t.yaml").ranking == Ranking()
    bare = parse_trial(HEAD + "ranking: {calibration: {}}\n", source="t.yaml").ranking
    assert bare.recalibration == Recalibration(40, 30)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("shrinkage", "shrinkige", 11, "unknown word 'shrinkige' in 'ranking'. Did you mean 'shrinkage'?"),
        ("{passes: 2, fails: 0.5}", "2", 10, "'prior' holds passes, fails, why, each with its value"),
        ("fails: 0.5", "fail: 0.5", 10, "unknown word 'fail' in 'prior'. Did you mean 'fails'?"),
        ("fails: 0.5", "fails: 0", 10, "'0' is no number of patients for 'fails'; write more than 0, as 20"),
        ("shrinkage: 0", "shrinkage: -1", 11, "'-1' is no number of patients for 'shrinkage'; write 0 or more, as 20"),
        ("known_weight: 30", "known_weight: many", 12, "'many' is no number of patients for 'known_weight'"),
        ("known_weight: 30", "known_weight: nan", 12, "'nan' is no number of patients for 'known_weight'"),
        ("known_weight: 30", "known_weight: [3]", 12, "this is no number of patients for 'known_weight'"),
        ("I-CONSENT: {", "I-CONSNT: {", 14, "the trial has no criterion 'I-CONSNT' to rank by. Did you mean 'I-CONSENT'?"),
        ("weight: 25", "weight: 0", 15, "'0' is no number of patients for 'weight'; write more than 0, as 20"),
        ("at_least: 50", "atleast: 50", 15, "unknown word 'atleast' in 'calibration'. Did you mean 'at_least'?"),
        ("{weight: 25, at_least: 50}", "yes", 15, "'calibration' holds weight, at_least, each with its value"),
        ("passes: 5, ", "", 14, "'I-CONSENT' needs 'passes', how many of them are expected, as 7"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, line: int, message: str) -> None:
    assert old in SECTION
    with pytest.raises(TrialError) as caught:
        parse_trial(HEAD + SECTION.replace(old, new, 1), source="t.yaml")
    assert f"t.yaml:{line}: {message}" in str(caught.value)
