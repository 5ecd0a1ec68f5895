"""`cohortfinder check`: is a trial file right, and does no rule decide about a patient of whom nothing is known?"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
HEAD = """\
trial: T-1
title: A small trial
time_zone: UTC
arms:
  A: {name: The only arm, entry: I-1}
inclusion:
  - {id: I-1, text: adults, age: {at_least: 18}}
  - id: I-2
    text: a sentence
"""


@pytest.mark.parametrize(("name", "criteria"), [("NCT06983964", 77), ("T2D-EXAMPLE", None)])
def test_a_shipped_trial_is_right(run: Run, name: str, criteria: int | None) -> None:
    done = run("check", name, "--json")
    assert done.status == 0
    said = json.loads(done.out)
    assert said["trial"] == name
    assert criteria in (None, said["criteria"])


def test_a_right_file_is_said_to_be_right(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(HEAD + "    computed: no\n", encoding="utf-8")
    done = run("check", tmp_path / "t.yaml")
    assert (done.status, done.out) == (0, "T-1 is right: 2 criteria, 1 with a rule.\n")


def test_a_wrong_file_is_told_with_file_line_and_word(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(HEAD + "    observation: creatinin_serum\n    at_most: 1 ULN\n", encoding="utf-8")
    done = run("check", file)
    assert done.status == 64
    assert f"{file}:10: unknown concept 'creatinin_serum'. Did you mean 'creatinine_serum'?" in done.err
    assert "Traceback" not in done.err


def test_json_lists_the_problems_of_a_wrong_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(
        HEAD + "    observation: hemoglobin\n    at_least: 20 g/dL\n    at_most: 90 g/L\n", encoding="utf-8"
    )
    done = run("check", file, "--json")
    assert done.status == 64
    (problem,) = json.loads(done.out)["problems"]
    assert (problem["file"], problem["line"]) == (str(file), 12)
    assert problem["message"] == "the lower bound 20 g/dL is above the upper bound 90 g/L; swap them"


def test_a_rule_that_is_true_without_any_data_is_refused(run: Run, tmp_path: Path) -> None:
    """A gender that is not recorded is read as not female here, so that silence would let a patient pass."""
    file = tmp_path / "t.yaml"
    file.write_text(HEAD + "    not: {sex: female, absence: 'false'}\n", encoding="utf-8")
    done = run("check", file)
    assert done.status == 64
    assert f"{file}:8: I-2 is pass for a patient without any data; let it be unknown" in done.err


def test_describe_tells_a_shipped_trial(run: Run) -> None:
    done = run("describe", "NCT06983964")
    assert done.status == 0
    assert "Of 77 criteria" in done.out


def test_a_reading_that_is_true_without_any_data_is_refused_though_another_is_in_force(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "t.yaml"
    silent = "{not: {sex: female, absence: 'false'}}"
    rule = f"    by_parameter: {{read: {{well: {{sex: female}}, badly: {silent}}}}}\n"
    file.write_text(
        HEAD + rule + "parameters: {read: {default: well, choices: [well, badly], why: x}}\n", encoding="utf-8"
    )
    done = run("check", file)
    assert done.status == 64
    assert f"{file}:8: I-2 with read = badly is pass for a patient without any data; let it be unknown" in done.err
