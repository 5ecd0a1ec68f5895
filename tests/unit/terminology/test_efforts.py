"""The tests that bring the data on a concept, and their efforts."""

import shutil
from pathlib import Path

import pytest

from cohortfinder.engine.unknowns import rules_asked, subjects_of
from cohortfinder.errors import ConfigurationError
from cohortfinder.model import leaves_of
from cohortfinder.resources import resource_dir
from cohortfinder.site import Site, SiteFile
from cohortfinder.terminology import Terminology, load_terminology
from cohortfinder.trials.parser import parse_trial

TERMINOLOGY = load_terminology(resource_dir("mappings"))
EFFORTS = "test,label,work,minutes,source"
TESTS = "match,name,test"


def at_site(folder: Path, **files: str) -> Terminology:
    """Load the mappings with files of a site."""
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(f"{text}\n", encoding="utf-8")
    return load_terminology(resource_dir("mappings"), Site(mappings=SiteFile(folder, "site.toml")))


def test_every_concept_that_a_leaf_of_a_trial_hangs_on_has_a_test() -> None:
    trials = [
        parse_trial(path.read_text(encoding="utf-8"), source=path.name, terminology=TERMINOLOGY)
        for path in sorted(resource_dir("trials").glob("*.yaml"))
    ]
    leaves = [leaf for trial in trials for rule in rules_asked(trial).values() for leaf in leaves_of(rule)]
    concepts = {concept for leaf in leaves for found in subjects_of(leaf).values() for concept in found}
    assert len(concepts) > 200
    assert concepts - TERMINOLOGY.efforts.keys() == set()
    assert min(one.minutes for one in TERMINOLOGY.efforts.values()) > 0


@pytest.mark.parametrize(
    ("concept", "test"),
    [
        ("hemoglobin", "blood_count"),
        ("platelet_count", "blood_count"),
        ("alt", "blood_chemistry"),
        ("ild_on_imaging", "chest_hrct"),
        ("dx_ild", "chart_review"),
        ("rx_belimumab", "medication_history"),
        ("st_menopause", "questions"),
        ("gender", "patient_record"),
        ("judgement", "judgement"),
    ],
)
def test_a_concept_has_its_own_test_or_that_of_its_kind(concept: str, test: str) -> None:
    assert TERMINOLOGY.efforts[concept].test == test


def test_a_site_says_what_a_test_costs_there_and_what_comes_with_it(tmp_path: Path) -> None:
    own = at_site(
        tmp_path,
        efforts=f"{EFFORTS}\nblood_count,Small blood count,blood,3,measured\ndraw,Blood draw,blood,25,measured",
        concept_tests=f"{TESTS}\ngroup,laboratory,draw\nconcept,lvef,draw",
    ).efforts
    assert (own["hemoglobin"].label, own["hemoglobin"].minutes) == ("Small blood count", 3)
    assert {own[concept].test for concept in ("alt", "lvef")} == {"draw"}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"efforts": f"{EFFORTS}\nx,X,ask,0,guess"}, "efforts.csv:2: minutes '0' is no whole number above 0"),
        ({"efforts": f"{EFFORTS}\nx,X,ask,1.5,guess"}, "minutes '1.5' is no whole number above 0"),
        ({"efforts": f"{EFFORTS}\nx, ,ask,5,guess"}, "label must not be empty"),
        ({"concept_tests": f"{TESTS}\nconcept,hemoglobine,blood_count"}, "did you mean 'hemoglobin'"),
        ({"concept_tests": f"{TESTS}\ngroup,functions,ecg"}, "unknown group 'functions'; did you mean 'function'"),
        ({"concept_tests": f"{TESTS}\nconcept,hemoglobin,blod_count"}, "did you mean 'blood_count'"),
        ({"concept_tests": f"{TESTS}\ncode,hemoglobin,blood_count"}, "unknown match 'code'"),
    ],
)
def test_a_row_that_means_nothing_is_refused(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        at_site(tmp_path, **files)
    assert message in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_kind_without_a_test_is_refused(tmp_path: Path) -> None:
    """Our own file is complete; the copy here has lost a row."""
    mappings = shutil.copytree(resource_dir("mappings"), tmp_path / "mappings")
    rows = (mappings / "concept_tests.csv").read_text(encoding="utf-8").replace("domain,procedure,chart_review\n", "")
    (mappings / "concept_tests.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no test for the domain 'procedure'; add a row"):
        load_terminology(mappings)
