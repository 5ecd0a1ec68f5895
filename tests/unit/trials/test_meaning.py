"""What is well written and cannot be answered is refused too: concepts, units, windows and bounds that never match."""

from dataclasses import replace

import pytest

from cohortfinder.errors import TrialError
from cohortfinder.trials.parser import parse_trial
from unit.trials.trial_text import TERMINOLOGY, problems, read, with_rule

READING = "series: [{observation: systolic_bp, above: '140 mm[Hg]'}]\n"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("observation: creatinin_serum\nat_most: 1 ULN", "unknown concept 'creatinin_serum'. Did you mean 'creatinine_serum'?"),
        ("condition: dx_sl\never: yes", "unknown concept 'dx_sl'. Did you mean 'dx_sle'?"),
        ("condition: hbsag\never: yes", "the concept 'hbsag' is not for 'condition'; see mappings/concepts/"),
        ("observation: dx_sle\nis: positive", "the concept 'dx_sle' is not for 'observation'; see mappings/concepts/"),
        ("observation: []\nis: positive", "'observation' names no concept"),
        ("formula: cockroft_gault\nat_least: 30 mL/min", "unknown formula 'cockroft_gault'. Did you mean 'cockcroft_gault'?"),
        ("observation: creatinine_serum\nat_most: 1.5 mg/dl", "'creatinine_serum' has no unit 'mg/dl'. Did you mean 'mg/dL'?"),
        ("observation: systolic_bp\nat_most: 140", "'systolic_bp' needs a unit; it can be compared in kPa, mm[Hg]"),
        ("observation: creatinine_serum\nat_most: '1:80'", "'creatinine_serum' is no titre; write a number and its unit in place of 1:80"),
        ("observation: creatinine_serum\nis: positive", "'creatinine_serum' is a number and neither positive nor negative; compare it"),
        ("observation: hbsag\nat_most: 5", "'hbsag' is positive or negative; write 'is: positive'"),
        ("observation: creatinine_serum\nbetween: [2 mg/dL, 1 mg/dL]", "the lower bound 2 is above the upper bound 1; swap them"),
        ("observation: creatinine_serum\nabove: 1 mg/dL\nbelow: 1 mg/dL", "no number is both above and below 1; write at_least and at_most"),
        ("observation: creatinine_serum\nbetween: [1 ULN, 2 ULN]", "a multiple of ULN or LLN stands alone; write two leaves under 'all:'"),
        ("formula: cockcroft_gault\nat_least: 30 mL/s", "'cockcroft_gault' is compared in mL/min, not in 'mL/s'"),
        ("formula: cockcroft_gault\nat_least: 1 ULN", "'cockcroft_gault' is compared in mL/min, not in 'ULN'"),
        ("age: {}", "'age' needs a bound: at_least, at_most or both"),
        ("age: {at_least: 65, at_most: 18}", "the lower bound 65 is above the upper bound 18; swap them"),
        ("condition: dx_sle\nwithin: 0 days", "a window of length 0 can never match; write at least 1 day"),
        (READING + "within: 1 month\nrecent: 2 months", "'recent' is longer than 'within', so it can never be filled; make it shorter"),
        (READING + "within: 1 month\nrecent: 2 days\ndays: 0", "'days' is 0, which 'within' can never hold; write 1 or more days"),
        ("observation: creatinine_serum\nrole: confirm\nat_most: 1 ULN", "the concept 'creatinine_serum' has no confirming code; add one to mappings/concepts/"),
    ],
)  # fmt: skip
def test_a_leaf_that_cannot_be_answered_is_refused_in_its_line(rule: str, expected: str) -> None:
    assert problems(with_rule(rule)) == [f"t.yaml:9: {expected}"]


def test_a_concept_without_a_code_that_decides_is_refused() -> None:
    hbsag = TERMINOLOGY.observation_concepts["hbsag"]
    weak = tuple(replace(code, role="supporting") for code in hbsag.codes)
    bare = replace(
        TERMINOLOGY,
        observation_concepts={**TERMINOLOGY.observation_concepts, "hbsag": replace(hbsag, codes=weak)},
        clinical_concepts={"dx_sle": replace(TERMINOLOGY.clinical_concepts["dx_sle"], codes=(), terms=())},
    )
    text = with_rule("all:\n  - {observation: hbsag, is: positive}\n  - {condition: dx_sle, ever: yes}")
    with pytest.raises(TrialError) as caught:
        parse_trial(text, source="t.yaml", terminology=bare)
    assert str(caught.value).splitlines() == [
        "t.yaml:10: the concept 'hbsag' has no code that decides; add one to mappings/concepts/",
        "t.yaml:11: the concept 'dx_sle' has no code that decides; add one to mappings/concepts/",
    ]


@pytest.mark.parametrize(
    "rule",
    [
        "observation: ana_titer\nat_least: '1:80'",
        "observation: ana_titer\nat_least: 80",
        "observation: hiv_rna\nis: negative",
        "observation: sledai_2k_total\nat_least: 8",
        "observation: creatinine_serum\nbetween: [1 mg/dL, 1 mg/dL]",
    ],
)
def test_what_can_be_answered_is_accepted(rule: str) -> None:
    assert read(with_rule(rule)).criteria[0].computed


def test_without_a_terminology_only_the_shape_is_checked() -> None:
    trial = parse_trial(with_rule("condition: nothing\never: yes"), source="t.yaml")
    assert trial.criteria[0].computed
