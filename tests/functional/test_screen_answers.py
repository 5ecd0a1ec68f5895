"""`--answers`: what people have answered decides criteria in a screening and in `explain`."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
HEADER = "patient_id,arm,criterion_id,answer,by,at,note\n"
ENDED = """sle-typical,SLE,outcome,ineligible,Dr. Li,2026-11-17,
sle-typical,SLE,outcome,enrolled,Dr. Li,2026-11-18,the earlier one was wrong
aav-typical,AAV,outcome,eligible,Dr. Li,2026-11-10,
aav-typical,AAV,outcome,declined,Dr. Mo,2026-11-12,
nobody-here,SLE,outcome,eligible,Dr. Li,2026-11-18,
"""
SAID = "sle-typical,SLE,I-CONSENT,yes,Dr. Li,2026-11-18T10:00,signed today\nsle-typical,SLE,E-OTHER,no,Dr. Li,2026-11-18T10:00,\n"


@pytest.fixture
def answers(tmp_path: Path) -> Callable[[str], Path]:
    def write(lines: str) -> Path:
        (tmp_path / "answers.csv").write_text(HEADER + lines, encoding="utf-8")
        return tmp_path / "answers.csv"

    return write


def test_answers_decide_in_every_output_and_stand_as_evidence(
    run: Run, demo: Path, answers: Callable[[str], Path], tmp_path: Path
) -> None:
    """The verdicts of everybody else are those of a screening without answers."""
    file = answers(SAID + "nobody-here,SLE,I-CONSENT,yes,Dr. Li,2026-11-18,\n" + ENDED)
    done = run("screen", "NCT06983964", "--store", demo, "--as-of", "2026-11-20", "--answers", file, "--out", tmp_path / "out")  # fmt: skip
    assert done.status == 3
    assert "the store has no patient of 1 of the ids (line 4)" in done.out
    got, before = rows(tmp_path / "out" / "verdicts.csv"), rows(demo / "out" / "verdicts.csv")
    changed = {key: row for key, row in got.items() if row != before[key]}
    assert {key: row["verdict"] for key, row in changed.items()} == {
        ("sle-typical", "SLE", "I-CONSENT"): "pass", ("sle-typical", "SLE", "E-OTHER"): "pass",
    }  # fmt: skip
    consent = changed["sle-typical", "SLE", "I-CONSENT"]
    assert consent["reason"] == "Dr. Li answered yes on 2026-11-18: signed today."
    assert json.loads(consent["evidence"]) == [
        {"answer": "yes", "by": "Dr. Li", "at": "2026-11-18T10:00", "note": "signed today"}
    ]
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    said = record["answers"]
    assert (said["file"], said["answers"], said["outcomes"]) == ("answers.csv", 3, 5)
    told = record["calibration"]
    assert [told[name] for name in ("outcomes", "passed", "unlisted", "undecided", "recalibrated")] == [
        1,
        1,
        1,
        1,
        None,
    ]
    # of the score that nobody's answers have touched, while that of today knows of the consent
    (listed,) = [row for row in list_rows(demo) if (row["patient_id"], row["arm"]) == ("sle-typical", "SLE")]
    assert told["expected"] == pytest.approx(float(listed["score"]), abs=0.001)
    assert told["brier"]["mean"] == pytest.approx((1 - float(listed["score"])) ** 2, abs=0.002)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "1 outcome: too few to judge." in page
    assert 'id="calibration"' not in (demo / "out" / "report.html").read_text(encoding="utf-8")


def test_explain_heeds_answers_too_and_tells_why_one_is_not_listed(
    run: Run, demo: Path, answers: Callable[[str], Path]
) -> None:
    file = answers(SAID)
    told = run("explain", "NCT06983964", "sle-typical", "--store", demo, "--as-of", "2026-11-20", "--answers", file)
    assert "Dr. Li answered yes on 2026-11-18: signed today." in told.out
    assert "Stops being eligible on 2026-12-11: " in told.out
    assert "2026-12-11  I-PREG pass to unknown: " in told.out
    file = answers("sle-typical,,I-SLE-DX,no,Dr. Li,2026-11-18,the diagnosis was withdrawn\n")
    told = run("explain", "NCT06983964", "sle-typical", "--store", demo, "--as-of", "2026-11-20", "--answers", file)
    assert "sle-typical is not listed in any arm" in told.out
    assert "Dr. Li answered no on 2026-11-18: the diagnosis was withdrawn." in told.out


def test_a_wrong_file_is_refused_before_anything_runs(
    run: Run, demo: Path, answers: Callable[[str], Path], tmp_path: Path
) -> None:
    file = answers("sle-typical,SLE,I-CONSNT,yes,Dr. Li,2026-11-18,\n")
    done = run("screen", "NCT06983964", "--store", demo, "--as-of", "2026-11-20", "--answers", file, "--out", tmp_path / "out")  # fmt: skip
    assert (done.status, done.out) == (64, "")
    assert f"{file}:2: NCT06983964 has no criterion 'I-CONSNT'. Did you mean 'I-CONSENT'?" in done.err
    assert not (tmp_path / "out").exists()


def list_rows(demo: Path) -> list[dict[str, str]]:
    with (demo / "out" / "candidates.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def rows(file: Path) -> dict[tuple[str, str, str], dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as table:
        return {(row["patient_id"], row["arm"], row["criterion_id"]): row for row in csv.DictReader(table)}
