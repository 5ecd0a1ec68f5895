"""`cohortfinder export`: what may leave the site, of the patients of the demo."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from functional.conftest import Ran

ADULTS = """\
trial: T-1
title: Grown up
time_zone: UTC
arms:
  A: {name: The only arm, entry: I-AGE}
inclusion:
  - {id: I-AGE, text: age 18 or more, certainty: exact, age: {at_least: 18}}
"""


@pytest.fixture
def trial(tmp_path: Path) -> tuple[object, ...]:
    """The beginning of an export of a trial that asks for nothing but the age."""
    (tmp_path / "trial.yaml").write_text(ADULTS)
    return ("export", tmp_path / "trial.yaml", "--as-of", "2026-11-20")


def test_an_export_names_no_patient_and_the_key_stays(
    demo: Path, trial: tuple[object, ...], run: Callable[..., Ran], tmp_path: Path
) -> None:
    key, out, who = tmp_path / "site.key", tmp_path / "out", tmp_path / "who.csv"
    assert run("keys", "pseudonyms", "--private", key).status == 0
    done = run(*trial, "--store", demo, "--key", key, "--out", out, "--identification", who, "--json")
    assert done.status == 0
    assert len(json.loads(done.out)["files"]) == len([path for path in out.rglob("*") if path.is_file()]) == 7
    patients = {line.split(",")[1] for line in who.read_text().splitlines()[1:]}
    assert len(patients) > 50
    candidates = (out / "pseudonymised" / "candidates.csv").read_text()
    assert [patient for patient in patients if patient in candidates] == []


def test_a_key_or_an_identification_that_would_leave_with_the_export_is_refused(
    demo: Path, trial: tuple[object, ...], run: Callable[..., Ran], tmp_path: Path
) -> None:
    inside = tmp_path / "out" / "site.key"
    assert run("keys", "pseudonyms", "--private", inside).status == 0
    refused = run(*trial, "--store", demo, "--key", inside, "--out", tmp_path / "out")
    assert (refused.status, "would leave with it" in refused.err) == (64, True)
    key = tmp_path / "site.key"
    assert run("keys", "pseudonyms", "--private", key).status == 0
    who = ("--identification", tmp_path / "out" / "who.csv")
    assert run(*trial, "--store", demo, "--key", key, "--out", tmp_path / "out", *who).status == 64


def test_a_key_that_others_may_read_stops_the_export_before_it_begins(
    demo: Path, trial: tuple[object, ...], run: Callable[..., Ran], tmp_path: Path
) -> None:
    key = tmp_path / "site.key"
    assert run("keys", "pseudonyms", "--private", key).status == 0
    key.chmod(0o644)
    refused = run(*trial, "--store", demo, "--key", key, "--out", tmp_path / "out")
    assert (refused.status, "chmod 600" in refused.err) == (78, True)
    assert not (tmp_path / "out").exists()
