"""The oracle reads the invented patients as their expected verdicts say."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cohortfinder.model import Trial
from cohortfinder.resources import resource_dir
from cohortfinder.terminology import load_terminology
from cohortfinder.trials.parser import parse_trial
from length import AT_LENGTH
from reference.bundles import read_folder
from reference.evaluate import changes_on, listed, outcome_of, site_of
from reference.site import Site

SAMPLES = resource_dir("sample_bundles")
MAPPINGS = resource_dir("mappings")
AS_OF = date(2026, 11, 20)
PATH = Path(resource_dir("trials")) / "NCT06983964.yaml"


def rows(name: str) -> Iterator[dict[str, str]]:
    with (SAMPLES / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@pytest.fixture(scope="module")
def trial() -> Trial:
    text = PATH.read_text(encoding="utf-8")
    return parse_trial(text, source=PATH.name, terminology=load_terminology(MAPPINGS))


@pytest.fixture(scope="module")
def site(trial: Trial) -> Site:
    return site_of(trial, read_folder(SAMPLES), MAPPINGS)


def test_every_expected_verdict_is_the_oracles(trial: Trial, site: Site) -> None:
    """Of every patient where there is time for it, else of every fourth, and of all in what they were made for."""
    criteria = {criterion.id: criterion for criterion in trial.criteria}
    asked = {patient for n, patient in enumerate(sorted({r["patient_id"] for r in rows("expected.csv")})) if n % 4 == 0}
    wrong = [
        (row["patient_id"], row["criterion_id"], row["verdict"], outcome.verdict, outcome.reasons)
        for row in rows("expected.csv")
        if row["verdict"] != "not_listed" and (AT_LENGTH or row["why"] or row["patient_id"] in asked)
        for outcome in [outcome_of(site, criteria[row["criterion_id"]], row["patient_id"], AS_OF, row["arm"])]
        if outcome.verdict != row["verdict"]
    ]
    assert wrong == []


def test_the_oracle_lists_whom_the_expectation_lists(trial: Trial) -> None:
    arms = listed(trial, read_folder(SAMPLES), MAPPINGS, AS_OF)
    expected = {(row["patient_id"], row["arm"]) for row in rows("expected.csv") if row["verdict"] != "not_listed"}
    assert arms == expected


def test_every_expected_change_is_the_oracles(trial: Trial, site: Site) -> None:
    criteria = {criterion.id: criterion for criterion in trial.criteria}
    wrong = [
        (row["patient_id"], row["criterion_id"], row["changes_on"], found)
        for row in rows("expected_changes.csv")
        for until in [date.fromisoformat(row["changes_on"])]
        for found in [changes_on(site, criteria[row["criterion_id"]], row["patient_id"], AS_OF, until, row["arm"])]
        if found != until
    ]
    assert wrong == []
