"""`cohortfinder dummy`: patients are invented from a trial definition, and the engine says what they get."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cohortfinder.jobs.dummy import DummyResult, Wish, dummy
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.settings import Settings
from reference.bundles import read_folder

Run = Callable[..., Any]
AS_OF = date(2026, 11, 20)
SETTINGS = Settings(store=Path("none"))
LEAVES = """\
trial: T-1
title: A criterion for each kind of leaf, in its ways
time_zone: Europe/Berlin
arms:
  A: {name: The arm, entry: I-ENTRY}
inclusion:
  - {id: I-ENTRY, text: lupus, condition: dx_sle, ever: yes}
  - {id: I-AGE, text: adults, age: {at_least: 18, at_most: 65}}
  - {id: I-OLD, text: not too young, age: {at_least: 30}}
  - {id: I-MALE, text: men, sex: male}
  - {id: I-HB, text: hemoglobin, observation: hemoglobin, at_least: 60 g/L}
  - {id: I-ALT, text: liver, observation: alt, at_most: 3 ULN}
  - {id: I-IGG, text: immunoglobulin, observation: igg, at_least: 1 LLN, within: 4 weeks}
  - {id: I-FVC, text: lung, observation: fvc_percent_predicted, between: [45 %, 70 %]}
  - {id: I-ANA, text: antibody, observation: [ana_titer, ana_presence], at_least: "1:80"}
  - {id: I-SM, text: antibody, observation: anti_sm, is: positive}
  - {id: I-EVER, text: antibody once, observation: anti_dsdna, is: positive, ever: yes, pick: any}
  - {id: I-AGO, text: active then, observation: sledai_2k_total, at_least: 8, ever: yes, ago: 2 months}
  - {id: I-ALL, text: active always, observation: bvas_v3_total, above: 2, within: 8 weeks, pick: all}
  - {id: I-HCG, text: no pregnancy, observation: hcg_quantitative, is: negative}
  - {id: I-MRSS, text: skin, change: mrss, over: 6 months, rises_by: 10 %}
  - {id: I-WEIGHT, text: weight loss, change: body_weight, over: 3 months, falls_by: 3 kg}
  - {id: I-LONG, text: heart failure for long, condition: dx_heart_failure, before: 2 months}
  - {id: I-AZA, text: treated, treatment: rx_azathioprine, for: 90 days}
  - {id: I-BOTH, text: treated together, treatment: rx_methotrexate, with: rx_leflunomide, for: 90 days, until: 14 days}
  - {id: I-CRCL, text: clearance, formula: cockcroft_gault, at_least: 30 mL/min}
  - {id: I-METFORMIN, text: metformin, medication: rx_metformin, ever: yes, absence: unknown}
  - id: I-TWO
    text: two of three
    need: 2
    of:
      - {observation: ast, at_most: 2 ULN}
      - {observation: inr, at_most: 1.5 ULN}
      - {observation: platelet_count, at_least: 20 10*9/L}
exclusion:
  - {id: E-MI, text: infarction, condition: dx_myocardial_infarction, within: 6 months}
  - {id: E-PARKINSON, text: chronic, condition: dx_cns_parkinson, active: yes, within: 6 months}
  - {id: E-DEPRESSION, text: depressed, condition: dx_depression, active: yes}
  - {id: E-BELI, text: belimumab, medication: rx_belimumab, within: 3 weeks}
  - {id: E-INSULIN, text: insulin now, medication: rx_insulin, active: yes}
  - {id: E-IVIG, text: immunoglobulin, medication: rx_ivig, within: 1 month, absence: unknown}
  - {id: E-PULSE, text: pulse, dose: rx_glucocorticoid_systemic, as: prednisone, at_least: 500 mg/d, within: 2 weeks}
  - {id: E-HCQ, text: high dose, dose: rx_hydroxychloroquine, above: 400 mg/d}
  - {id: E-MYCO, text: high dose for long, dose: rx_mycophenolate, above: 2 g/d, within: 8 weeks, for: 14 days}
  - {id: E-PCI, text: stent, procedure: px_pci, within: 6 months}
  - {id: E-ORGAN, text: transplant, procedure: px_organ_transplant, ever: yes}
  - {id: E-VACCINE, text: vaccine, immunization: vx_live, within: 6 weeks}
  - {id: E-ALLERGY, text: allergy, allergy: rx_lymphodepletion, severe: yes}
  - {id: E-STUDY, text: study, study: interventional, within: 3 months}
  - {id: E-FAMILY, text: family, family_history: dx_breast_cancer, absence: false}
  - {id: E-SPO2, text: oxygen, formula: spo2_room_air, below: 92 %}
  - id: E-BP
    text: pressure
    series: [{observation: systolic_bp, above: "160 mm[Hg]"}, {observation: diastolic_bp, above: "100 mm[Hg]"}]
    within: 6 months
    recent: 28 days
  - id: E-REACHED
    text: remission under treatment
    treatment: rx_cyclophosphamide
    with: rx_rituximab
    for: 90 days
    reaching: {observation: bvas_v3_major_items, at_most: 0}
  - id: E-ASK
    text: never passes by itself
    any:
      - {condition: dx_gastroparesis, active: yes}
      - judgement: something else
"""
SMALL = """\
trial: T-2
title: A small trial
time_zone: UTC
arms:
  A: {name: The arm, entry: I-ENTRY}
inclusion:
  - {id: I-ENTRY, text: lupus, condition: dx_sle, ever: yes}
  - {id: I-HB, text: hemoglobin, observation: hemoglobin, at_least: 60 g/L}
exclusion:
  - {id: E-BELI, text: belimumab, medication: rx_belimumab, within: 3 weeks}
"""
NEVER = """\
  - id: I-NEVER
    text: never
    all:
      - {sex: male}
      - not: {sex: male}
  - {id: I-LOOK, text: look, judgement: the patient}
exclusion:
"""


def invented(trial: str | Path, out: Path | None = None, **wish: Any) -> DummyResult:
    terminology = read_terminology(SETTINGS)
    read = read_trial(str(trial), terminology, SETTINGS)
    return dummy(read, terminology, SETTINGS, as_of=AS_OF, wish=Wish(**wish), out=out)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A trial of three criteria."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def test_every_kind_of_leaf_is_met_missed_and_left_open(tmp_path: Path) -> None:
    path = tmp_path / "leaves.yaml"
    path.write_text(LEAVES, encoding="utf-8")
    result = invented(path, history=2)
    assert [(one.criterion, one.verdict, one.got) for one in result.missed] == []
    assert result.incomplete == {"A": {}}


def test_the_patients_are_fhir_marked_as_invented_and_the_same_each_time(small: Path, tmp_path: Path) -> None:
    first, again = (invented(small, tmp_path / name, count=14, history=1) for name in ("first", "again"))
    files = sorted((tmp_path / "first" / "fhir").iterdir())
    assert len(files) == first.written + 1 == 15
    for file in files:
        assert file.read_bytes() == (tmp_path / "again" / "fhir" / file.name).read_bytes()
        bundle = json.loads(file.read_text(encoding="utf-8"))
        get_fhir_model_class("Bundle").model_validate(bundle)
        assert all(one["resource"]["meta"]["tag"][0]["code"] == "HTEST" for one in bundle["entry"])
    assert again.outcomes == first.outcomes


def test_another_seed_makes_other_histories(small: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        invented(small, tmp_path / str(seed), count=4, history=2, seed=seed)
    one, other = (tmp_path / seed / "fhir" / "T-2-dummy-00001.json" for seed in ("1", "2"))
    assert one.read_bytes() != other.read_bytes()


def test_ndjson_holds_the_same_resources_and_copies_are_told_apart(small: Path, tmp_path: Path) -> None:
    bundles = invented(small, tmp_path / "bundle", count=60)
    lines = invented(small, tmp_path / "ndjson", count=60, form="ndjson")
    assert bundles.written == lines.written == 60
    assert len(lines.made) < 60
    texts = [
        sorted(json.dumps(one, sort_keys=True, default=str) for one in read_folder(tmp_path / form / "fhir"))
        for form in ("bundle", "ndjson")
    ]
    assert texts[0] == texts[1]


def test_a_longer_history_has_more_records_and_the_same_verdicts(small: Path, tmp_path: Path) -> None:
    short, long = (invented(small, tmp_path / str(years), history=years) for years in (1, 5))
    assert [one.verdicts for one in short.made] == [one.verdicts for one in long.made]
    counts = [len(read_folder(tmp_path / str(years) / "fhir")) for years in (1, 5)]
    assert counts[1] > 3 * counts[0]


def test_the_case_file_holds_what_the_patients_got(run: Run, small: Path, tmp_path: Path) -> None:
    for form in ("bundle", "ndjson"):
        out = tmp_path / form
        made = run("dummy", small, "--as-of", AS_OF, "--out", out, "--format", form, "--json")
        assert made.status == 0, made.err
        summary = json.loads(made.out)
        assert (summary["patients"], summary["missed"]) == (10, [])
        tested = run("test", small, "--cases", out / "cases.yaml", "--json")
        assert tested.status == 0, tested.out
        assert json.loads(tested.out)["differences"] == []
        assert json.loads(tested.out)["not_tested"] == {}


def test_what_cannot_be_reached_is_told(run: Run, tmp_path: Path) -> None:
    trial = tmp_path / "t.yaml"
    trial.write_text(SMALL.replace("exclusion:\n", NEVER), encoding="utf-8")
    made = run("dummy", trial, "--as-of", AS_OF, "--out", tmp_path / "out")
    assert made.status == 3
    assert "not reached: I-NEVER pass: no records were found that would bring it about" in made.out
    assert "the typical patient of A does not pass everything: I-NEVER is fail" in made.out
    assert "left to a person: I-LOOK is never pass or fail by records alone" in made.out


@pytest.mark.parametrize("name", ["precious.txt", "cases.yaml"])
def test_a_folder_with_something_else_is_left_alone(run: Run, small: Path, tmp_path: Path, name: str) -> None:
    precious = tmp_path / name
    precious.write_text("mine", encoding="utf-8")
    made = run("dummy", small, "--out", tmp_path)
    assert made.status == 64
    assert "holds something else" in made.err
    assert precious.read_text(encoding="utf-8") == "mine"
