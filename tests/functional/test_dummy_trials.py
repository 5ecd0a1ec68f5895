"""Of every trial that ships, patients are invented; the engine gives each verdict that can be had, and the oracle agrees."""

from datetime import date
from pathlib import Path

import pytest

from cohortfinder.jobs.dummy import DummyResult, Wish, dummy
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.resources import resource_dir
from cohortfinder.settings import Settings
from length import AT_LENGTH
from reference.bundles import read_folder
from reference.evaluate import outcome_of, site_of

AS_OF = date(2026, 11, 20)
# how many patients of a trial; None: one for each verdict of each criterion
PATIENTS = {"NCT06983964": 520 if AT_LENGTH else 30}
TRIALS = sorted(path.stem for path in resource_dir("trials").glob("*.yaml"))
# what no record can bring about: that nobody in the family has a disease
UNREACHED = {"NCT03954834": [("E-MTC", "pass")]}


@pytest.mark.parametrize("trial", TRIALS)
def test_every_verdict_that_records_can_bring_about_is_reached_and_the_oracle_agrees(
    trial: str, tmp_path: Path
) -> None:
    """The oracle is asked for all criteria of the arm, not only the one that a patient was made for."""
    wish = Wish(count=PATIENTS.get(trial), form="ndjson")
    settings = Settings(store=tmp_path)
    terminology = read_terminology(settings)
    read = read_trial(trial, terminology, settings)
    result = dummy(read, terminology, settings, as_of=AS_OF, wish=wish, out=tmp_path / "out")
    unreached = UNREACHED.get(trial, [])
    assert [(one.criterion, one.verdict) for one in result.missed] == unreached
    open_ones = {name: "unknown" for name, verdict in unreached if verdict == "pass"}
    assert all(missing == open_ones for missing in result.incomplete.values())
    assert disagreements(result, tmp_path / "out" / "fhir") == []


def disagreements(result: DummyResult, folder: Path) -> list[tuple[object, ...]]:
    """Return where the oracle gives another verdict than the engine."""
    site = site_of(result.trial, read_folder(folder), resource_dir("mappings"))
    criteria = {criterion.id: criterion for criterion in result.trial.criteria}
    return [
        (one.id, name, said, outcome.verdict, outcome.reasons)
        for one in result.made
        for name, said in one.verdicts.items()
        for outcome in [outcome_of(site, criteria[name], one.id, AS_OF, one.aim.arm)]
        if outcome.verdict != said
    ]
