"""What is well written and cannot be answered is refused too: concepts, units, windows and bounds that never match."""

from dataclasses import replace

import pytest

from cohortfinder.errors import TrialError
from cohortfinder.trials.parser import parse_trial
from unit.trials.trial_text import TERMINOLOGY, problems, read, with_rule

UNDER = "treatment: rx_azathioprine\nfor: 90 days\nreaching:\n  observation: bvas_v3_total\n"
READING = "series: [{observation: systolic_bp, above: '140 mm[Hg]'}]\n"


@pytest.mark.parametrize(
    ("rule", "line", "expected"),
    [
        ("observation: creatinin_serum\nat_most: 1 ULN", 9, "unknown concept 'creatinin_serum'. Did you mean 'creatinine_serum'?"),
        ("condition: dx_sl\never: yes", 9, "unknown concept 'dx_sl'. Did you mean 'dx_sle'?"),
        ("condition:\n  - dx_sle\n  - dx_sl\never: yes", 11, "unknown concept 'dx_sl'. Did you mean 'dx_sle'?"),
        ("condition: hbsag\never: yes", 9, "the concept 'hbsag' is not for 'condition'; see mappings/concepts/"),
        ("observation: dx_sle\nis: positive", 9, "the concept 'dx_sle' is not for 'observation'; see mappings/concepts/"),
        ("condition: rx_belimumab\never: yes", 9, "the concept 'rx_belimumab' is of the domain medication and not for 'condition'; write 'medication: rx_belimumab'"),
        ("medication: px_pci\never: yes", 9, "the concept 'px_pci' is of the domain procedure and not for 'medication'; write 'procedure: px_pci'"),
        ("medication: st_pregnancy\never: yes", 9, "the concept 'st_pregnancy' is of the domain condition and not for 'medication'; write 'condition: st_pregnancy'"),
        ("procedure: dx_sle\never: yes", 9, "the concept 'dx_sle' is of the domain condition and not for 'procedure'; write 'condition: dx_sle'"),
        ("procedure: vx_live\never: yes", 9, "the concept 'vx_live' is of the domain vaccine and not for 'procedure'; write 'immunization: vx_live'"),
        ("observation: []\nis: positive", 9, "'observation' names no concept"),
        ("formula: cockroft_gault\nat_least: 30 mL/min", 9, "unknown formula 'cockroft_gault'. Did you mean 'cockcroft_gault'?"),
        ("observation: creatinine_serum\nat_most: 1.5 mg/dl", 10, "'creatinine_serum' has no unit 'mg/dl'. Did you mean 'mg/dL'?"),
        ("observation: systolic_bp\nat_most: 140", 10, "'systolic_bp' needs a unit; it can be compared in kPa, mm[Hg]"),
        ("observation: creatinine_serum\nat_most: '1:80'", 10, "'creatinine_serum' is no titre; write a number and its unit in place of 1:80"),
        ("observation: [hba1c, body_mass_index]\nabove: 7 %", 10, "'body_mass_index' has no unit '%'. It can be compared in g/cm2, kg/m2."),
        ("observation: creatinine_serum\nwithin: 1 year\nis: positive", 11, "'creatinine_serum' is a number and neither positive nor negative; compare it"),
        ("observation: hbsag\nat_most: 5", 10, "'hbsag' is positive or negative; write 'is: positive'"),
        ("observation: creatinine_serum\nbetween: [2 mg/dL, 1 mg/dL]", 10, "the lower bound 2 mg/dL is above the upper bound 1 mg/dL; swap them"),
        ("observation: hemoglobin\nat_least: 20 g/dL\nat_most: 90 g/L", 11, "the lower bound 20 g/dL is above the upper bound 90 g/L; swap them"),
        ("observation: hemoglobin\nbetween:\n  - 20 g/dL\n  - 90 g/L", 12, "the lower bound 20 g/dL is above the upper bound 90 g/L; swap them"),
        ("observation: ana_titer\nat_least: '1:80'\nat_most: 40", 11, "the lower bound 80 {titer} is above the upper bound 40; swap them"),
        ("observation: creatinine_serum\nabove: 1 mg/dL\nbelow: 1 mg/dL", 11, "no number is both above and below 1 mg/dL; write at_least and at_most"),
        ("observation: creatinine_serum\nabove: 1 mg/dL\nat_most: 88.4 umol/L", 11, "no number is both above and below 1 mg/dL; write at_least and at_most"),
        ("observation: creatinine_serum\nbetween: [1 ULN, 2 ULN]", 10, "a multiple of ULN or LLN stands alone; write two leaves under 'all:'"),
        ("formula: cockcroft_gault\nat_least: 30 mL/s", 10, "'cockcroft_gault' is compared in mL/min, not in 'mL/s'"),
        ("formula: cockcroft_gault\nat_least: 1 ULN", 10, "'cockcroft_gault' is compared in mL/min, not in 'ULN'"),
        ("age: {}", 9, "'age' needs a bound: at_least, at_most or both"),
        ("age:\n  at_least: 65\n  at_most: 18", 11, "the lower bound 65 is above the upper bound 18; swap them"),
        ("condition: dx_sle\nwithin: 0 days", 10, "a window of length 0 can never match; write at least 1 day"),
        (READING + "within: 1 month\nrecent: 2 months", 11, "'recent' is longer than 'within', so it can never be filled; make it shorter"),
        (READING + "within: 1 month\nrecent: 2 days\ndays: 0", 12, "'days' is 0, which 'within' can never hold; write 1 or more days"),
        ("series:\n  - observation: systolic_bp\n    above: 140\nwithin: 1 month\nrecent: 2 days", 11, "'systolic_bp' needs a unit; it can be compared in kPa, mm[Hg]"),
        ("immunization: dx_sle\never: yes", 9, "the concept 'dx_sle' is of the domain condition and not for 'immunization'; write 'condition: dx_sle'"),
        ("immunization: vx_live", 9, "'immunization': say when, once: ever: yes or within"),
        ("allergy: no_known_allergy", 9, "the concept 'no_known_allergy' is of the domain allergy and not for 'allergy'; no leaf asks for it"),
        ("family_history: px_pci", 9, "the concept 'px_pci' is of the domain procedure and not for 'family_history'; write 'procedure: px_pci'"),
        ("study: observational\never: yes", 9, "'observational' is not possible for 'study'; write 'interventional' or 'any'"),
        ("study: any", 9, "'study': say when, once: ever: yes, active: yes, or within"),
        ("study: any\nwithin: 0 days", 10, "a window of length 0 can never match; write at least 1 day"),
        ("treatment: rx_azathioprin\nfor: 90 days", 9, "unknown concept 'rx_azathioprin'. Did you mean 'rx_azathioprine'?"),
        ("treatment: rx_azathioprine\nwith: dx_sle\nfor: 90 days", 10, "the concept 'dx_sle' is of the domain condition and not for 'treatment'; write 'condition: dx_sle'"),
        ("treatment: rx_azathioprine", 7, "'treatment' needs 'for'"),
        ("treatment: rx_azathioprine\nfor: 3 months", 9, "'treatment': 'for' is a number of days or weeks, not of months"),
        ("treatment: rx_azathioprine\nfor: 0 days", 10, "a treatment of 0 days is none; write at least 1 day"),
        ("treatment: rx_azathioprine\nfor: 90 days\ngaps: 0 days", 9, "'treatment': 'gaps' is at least 1 day: what ends on one day goes on on the next"),
        ("treatment: rx_azathioprine\nwith: rx_azathioprine\nfor: 90 days", 9, "'treatment': 'with' names another drug than 'treatment'"),
        ("treatment: rx_azathioprine\nfor: 90 days\nresults: 3", 11, "'results' goes with 'reaching': how many show that it was never reached"),
        (UNDER + "  at_most: 0\nresults: 0", 14, "'results' is 0; write 1 or more"),
        (UNDER + "  at_most: 0\nuntil: 14 days", 9, "'treatment': 'until' and 'reaching' are two questions; write two leaves"),
        (UNDER.rstrip(), 11, "'reaching': 'reaching' needs at_least, at_most or both"),
        (UNDER + "  at_most: 1 ULN", 13, "'reaching' compares with a value, not with a multiple of ULN"),
        (UNDER + "  at_most: 5 kg", 13, "'bvas_v3_total' has no unit 'kg'. It can be compared in 1, {points}, {score}."),
        (UNDER.replace("bvas_v3_total", "bvas_v3_totl") + "  at_most: 0", 12, "unknown concept 'bvas_v3_totl'. Did you mean 'bvas_v3_total'?"),
        (UNDER.replace("bvas_v3_total", "hbsag") + "  at_most: 0", 12, "'hbsag' is no number, so no value of it can be reached"),
        (UNDER + "  at_most: 0\n  while: {dose: rx_insulin, at_most: 5 mg/d}", 14, "'rx_insulin' has no dose that can be counted; see mappings/doses.csv"),
        (UNDER + "  at_most: 0\n  while: {dose: rx_insuline, at_most: 5 mg/d}", 14, "unknown concept 'rx_insuline'. Did you mean 'rx_insulin'?"),
        (UNDER + "  at_most: 0\n  while: {dose: rx_methotrexate, above: 5 mg/d, within: 3 days}", 11, "'reaching': 'while' asks for the dose of the day of the result; leave 'within' away"),
        ("change: hbsag\nover: 1 year\nrises_by: 10 %", 9, "'hbsag' is no number, so it cannot rise or fall"),
        ("change: fvc_volume\nover: 1 year\nfalls_by: 10 kg", 11, "'fvc_volume' has no unit 'kg'. It can be compared in L, dL, mL."),
        ("change: fvc_volume\nover: 1 year\nfalls_by: 3", 11, "'fvc_volume' needs a unit; it can be compared in L, dL, mL"),
        ("change: alt\nover: 1 year\nrises_by: 1 ULN", 11, "a change is in percent or in the unit of the concept, not in ULN"),
        ("change: alt\nover: 1 year\nfalls_by: 110 %", 11, "nothing falls by more than 100 % of what it was; write 100 % or less"),
        ("change: alt\nover: 1 year\nrises_by: 10 %\nreading: both", 12, "'reading: both' is for an amount in percent of a concept that is itself in percent"),
        ("change: alt\nover: 1 week\nrises_by: 10 %", 9, "'apart' is longer than 'over', so no two results fit; make it shorter"),
        ("change: alt\nover: 1 year\nrises_by: 10 %\napart: 0 days", 12, "two results of one day are no change; write at least 1 day"),
        ("change: alt\nover: 1 year\nrises_by: 10 %\nrecent: 0 days", 12, "a window of length 0 can never match; write at least 1 day"),
        ("change: alt\nover: 1 year", 9, "'change': say how much, once: rises_by or falls_by"),
        ("change: alt\nover: 1 year\nrises_by: -10 %", 9, "'change': the amount of a change is above 0; say the direction by rises_by or falls_by"),
        ("observation: creatinine_serum\nrole: confirm\nat_most: 1 ULN", 9, "the concept 'creatinine_serum' has no confirming code; add one to mappings/concepts/"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_in_its_own_line(rule: str, line: int, expected: str) -> None:
    assert problems(with_rule(rule)) == [f"t.yaml:{line}: {expected}"]


def test_each_concept_of_a_list_is_held_against_the_unit() -> None:
    rule = "observation: [hba1c, fasting_glucose]\nabove: 7 %"
    assert problems(with_rule(rule)) == [
        "t.yaml:10: 'fasting_glucose' has no unit '%'. It can be compared in g/L, mg/dL, mmol/L, umol/L."
    ]


def test_the_rule_of_a_flag_is_checked_too() -> None:
    rule = "condition: dx_sle\never: yes\nflag_when:\n  look:\n    condition: dx_sl\n    ever: yes"
    assert problems(with_rule(rule, "flags:\n  look: Look twice.\n")) == [
        "t.yaml:13: unknown concept 'dx_sl'. Did you mean 'dx_sle'?"
    ]


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
        "observation: hemoglobin\nat_least: 8 g/dL\nat_most: 200 g/L",
        "observation: [hba1c, fasting_glucose]\nabove: 1 ULN",
        "observation: [ana_titer, ana_presence]\nat_least: '1:80'",
        "procedure: st_sterilization_female\never: yes",
        "medication: vx_live\never: yes",
        "immunization: rx_ivig\nwithin: 1 month",
    ],
)
def test_what_can_be_answered_is_accepted(rule: str) -> None:
    assert read(with_rule(rule)).criteria[0].computed


def test_without_a_terminology_only_the_shape_is_checked() -> None:
    trial = parse_trial(with_rule("condition: nothing\never: yes"), source="t.yaml")
    assert trial.criteria[0].computed
