"""`cohortfinder whatif`: what it says is what a screening with the changed trial file says."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TRIAL = """
trial: SMALL
title: Active lupus
time_zone: UTC
arms:
  SLE: {name: Lupus, entry: I-SLE}
  OLD: {name: Lupus of the old, entry: I-SLE}
inclusion:
  - id: I-SLE
    text: systemic lupus erythematosus
    condition: dx_sle
    ever: yes
  - id: I-AGE
    text: 18 to 65 years old
    age: {at_least: 18, at_most: 65}
    by_arm:
      OLD: {age: {at_least: 50}}
  - id: I-ACT
    text: SLEDAI of at least 8
    observation: sledai_2k_total
    at_least: 8
  - id: I-WILL
    text: willing
    certainty: judgement
    judgement: ask
exclusion:
  - id: E-BELI
    text: belimumab within 3 weeks
    medication: rx_belimumab
    within: 3 weeks
"""
AS_OF = "2026-11-20"
Run = Callable[..., Any]


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(TRIAL, encoding="utf-8")
    return path


def whatif(run: Run, demo: Path, *arguments: object) -> Any:
    return run("whatif", *arguments, "--store", demo, "--as-of", AS_OF)


def listed(run: Run, demo: Path, trial: Path) -> dict[str, int]:
    """Screen, and count eligible and possible ones."""
    counts = json.loads(run("screen", trial, "--store", demo, "--as-of", AS_OF, "--json").out)["candidates"]
    return {status: counts.get(status, 0) for status in ("eligible", "possible")}


def tried(run: Run, demo: Path, trial: Path, criterion: str, word: str, value: str) -> dict[str, dict[str, int]]:
    """Try a value, and add up the arms: at the value, and at the one in force."""
    numbers = json.loads(whatif(run, demo, trial, criterion, "--at", value, "--json").out)["numbers"]
    found: dict[str, dict[str, int]] = {}
    for point in (point for one in numbers if one["word"] == word for point in one["points"]):
        counts = found.setdefault("now" if point["in_force"] else point["value"], {"eligible": 0, "possible": 0})
        for status in counts:
            counts[status] += point[status]
    return found


@pytest.mark.parametrize(
    ("criterion", "word", "written", "value"),
    [
        ("I-ACT", "at_least", "at_least: 8", "10"),
        ("E-BELI", "within", "within: 3 weeks", "60 days"),
    ],
)
def test_a_value_gives_what_a_trial_file_with_it_gives(
    run: Run, demo: Path, trial: Path, criterion: str, word: str, written: str, value: str
) -> None:
    now = listed(run, demo, trial)
    found = tried(run, demo, trial, criterion, word, value)
    key = written.split(":")[0]
    assert TRIAL.count(written) == 1
    trial.write_text(TRIAL.replace(written, f"{key}: {value}"), encoding="utf-8")
    assert found == {"now": now, value: listed(run, demo, trial)}


def test_what_a_person_has_answered_stays_whatever_the_number(
    run: Run, demo: Path, trial: Path, tmp_path: Path
) -> None:
    """Everyone has SLEDAI enough by a person's answer: no bound changes anything in that arm."""
    rows = listed_patients(run, demo, trial, tmp_path)
    answers = tmp_path / "answers.csv"
    lines = [f"{patient},SLE,I-ACT,yes,Dr. Lee,2026-11-19T10:00:00Z," for patient in rows]
    answers.write_text("\n".join(["patient_id,arm,criterion_id,answer,by,at,note", *lines]) + "\n", encoding="utf-8")
    told = whatif(run, demo, trial, "I-ACT", "--at", "100", "--json", "--answers", answers)
    numbers = json.loads(told.out)["numbers"]
    counts = {one["arm"]: {point["candidates"] for point in one["points"]} for one in numbers}
    assert len(counts["SLE"]) == 1
    assert len(counts["OLD"]) == 2


def listed_patients(run: Run, demo: Path, trial: Path, folder: Path) -> list[str]:
    run("screen", trial, "--store", demo, "--as-of", AS_OF, "--out", folder / "first")
    text = (folder / "first" / "candidates.csv").read_text(encoding="utf-8")
    return sorted({row["patient_id"] for row in csv.DictReader(io.StringIO(text)) if row["arm"] == "SLE"})


def test_the_rule_of_one_arm_changes_that_arm_alone(run: Run, demo: Path, trial: Path) -> None:
    numbers = json.loads(whatif(run, demo, trial, "I-AGE", "--at", "40", "--json").out)["numbers"]
    assert [(one["arm"], one["word"], [point["value"] for point in one["points"]]) for one in numbers] == [
        ("SLE", "age.at_least", ["18", "40"]), ("SLE", "age.at_most", ["40", "65"]), ("OLD", "age.at_least", ["40", "50"]),
    ]  # fmt: skip


def test_whatif_csv_of_a_screening_has_rows_of_the_command(run: Run, demo: Path, trial: Path, tmp_path: Path) -> None:
    run("screen", trial, "--store", demo, "--as-of", AS_OF, "--out", tmp_path / "out")
    written = (tmp_path / "out" / "whatif.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(io.StringIO(written)) if row["criterion_id"] == "E-BELI"]
    of_command = [*csv.DictReader(io.StringIO(whatif(run, demo, trial, "E-BELI", "--csv").out))]
    values = {row["value"] for row in rows}
    assert rows == [row for row in of_command if row["value"] in values]
    assert 2 < len(values) < len({row["value"] for row in of_command})
    assert {(row["arm"], row["more"]) for row in rows if row["in_force"] == "true"} == {("SLE", "0"), ("OLD", "0")}
    assert "What if the protocol said another number?" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_the_table_marks_the_value_in_force(run: Run, demo: Path, trial: Path) -> None:
    printed = whatif(run, demo, trial, "I-ACT").out
    assert "sledai_2k_total, at_least (I-ACT.1) in SLE" in printed
    assert "8 (now)" in printed


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("I-ACTT",), 64, "Did you mean 'I-ACT'?"),
        (("I-SLE",), 64, "decides who is listed"),
        (("I-WILL",), 64, "has no number"),
        (("E-BELI", "--at", "6"), 2, "fits no number of E-BELI"),
        (("E-BELI", "--at", "soon"), 2, "is no number and no span of time"),
        (("I-ACT", "--at", "8 mg"), 2, "fits no number of I-ACT"),
    ],
)
def test_what_cannot_be_tried_is_refused_with_the_remedy(
    run: Run, demo: Path, trial: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    ran = whatif(run, demo, trial, *arguments)
    assert (ran.status, words in ran.err, ran.out) == (status, True, "")
