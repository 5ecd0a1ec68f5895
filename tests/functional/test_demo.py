"""The main job on the sample patients gives the verdicts that were written down by hand."""

import csv
import json
import re
from pathlib import Path

from cohortfinder.resources import resource_dir

EXPECTED = resource_dir("sample_bundles")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_expected_verdict_is_given(demo: Path) -> None:
    got = {
        (row["patient_id"], row["arm"], row["criterion_id"]): row["verdict"] for row in read(demo / "out/verdicts.csv")
    }
    expected = {
        (row["patient_id"], row["arm"], row["criterion_id"]): row["verdict"]
        for row in read(EXPECTED / "expected.csv")
        if row["arm"]
    }
    assert len(expected) > 4000
    assert {key: got.get(key) for key in expected} == expected


def test_exactly_the_expected_patients_are_listed(demo: Path) -> None:
    listed = {(row["patient_id"], row["arm"]) for row in read(demo / "out/candidates.csv")}
    assert listed == {(row["patient_id"], row["arm"]) for row in read(EXPECTED / "expected.csv") if row["arm"]}


def test_verdicts_change_on_the_expected_days(demo: Path) -> None:
    got = {
        (row["patient_id"], row["arm"], row["criterion_id"]): row["changes_on"]
        for row in read(demo / "out/verdicts.csv")
    }
    expected = {
        (row["patient_id"], row["arm"], row["criterion_id"]): row["changes_on"]
        for row in read(EXPECTED / "expected_changes.csv")
    }
    assert {key: got[key] for key in expected} == expected


def test_every_day_on_which_a_status_is_another_one_has_its_reason_be_it_soon_or_late(demo: Path) -> None:
    days = list[str]()
    for row in read(demo / "out/candidates.csv"):
        for day in ("eligible_from", "stops_on"):
            assert bool(row[day]) == bool(row[f"{day}_reason"]), row
        days += filter(None, (row["eligible_from"], row["stops_on"]))
    # the outlook tells all of the next weeks; of later days the reason alone
    told = {row["date"] for row in read(demo / "out/outlook.csv")}
    assert min(days) < max(told) < max(days)


def test_counts_of_a_candidate_add_up_to_the_criteria_of_the_arm(demo: Path) -> None:
    verdicts = read(demo / "out/verdicts.csv")
    for row in read(demo / "out/candidates.csv"):
        criteria = sum(1 for one in verdicts if (one["patient_id"], one["arm"]) == (row["patient_id"], row["arm"]))
        assert sum(int(row[name]) for name in ("pass", "fail", "unknown", "judgement")) == criteria


def test_what_only_a_person_can_judge_is_unknown_and_never_a_pass(demo: Path) -> None:
    judged = [row for row in read(demo / "out/verdicts.csv") if row["criterion_id"] in ("I-CONSENT", "E-OTHER")]
    assert judged
    assert {row["verdict"] for row in judged} == {"unknown"}


def test_the_report_needs_nothing_from_elsewhere(demo: Path) -> None:
    html = (demo / "out/report.html").read_text(encoding="utf-8")
    assert "NCT06983964" in html
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", html)


def test_run_json_says_what_ran(demo: Path) -> None:
    run = json.loads((demo / "out/run.json").read_text())
    assert run["trial"] == "NCT06983964"
    assert run["as_of"] == "2026-11-20"
    assert len(run["mappings_sha256"]) == 64
    assert run["parameters"]["below_lloq_is_negative"] == "negative"


def test_the_store_is_private(demo: Path) -> None:
    assert demo.stat().st_mode & 0o777 == 0o700
    assert (demo / "warehouse.duckdb").stat().st_mode & 0o777 == 0o600
