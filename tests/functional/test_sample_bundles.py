"""The sample bundles are what their case files say, valid FHIR, complete in themselves and fully covered by
expected.csv. What the program makes of them is held against expected.csv elsewhere."""

import csv
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cohortfinder.model import Criterion, leaves_of
from cohortfinder.trials.parser import parse_trial

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_bundles"
BUILD = ROOT / "tests" / "functional" / "sample_cases" / "build.py"
TRIAL_FILE = ROOT / "trials" / "NCT06983964.yaml"
TRIAL = parse_trial(TRIAL_FILE.read_text("utf-8"), source=TRIAL_FILE.name)


def expects_data(criterion: Criterion) -> bool:
    """Whether data can settle the criterion at all."""
    return criterion.rule is not None and any(leaf.kind != "judgement" for leaf in leaves_of(criterion.rule))


OF_ARM = {arm.id: {one.id for one in TRIAL.criteria_of(arm.id) if expects_data(one)} for arm in TRIAL.arms}


def content(path: Path) -> bytes:
    """The file as text bytes; a compressed one unpacked, for its packed bytes depend on the library."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def files_below(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): content(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def groups() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """File name and Bundle entries; the lines of an NDJSON file count as entries."""
    for path in sorted([*SAMPLES.glob("*.json"), *SAMPLES.glob("*.json.gz")]):
        yield path.name, json.loads(content(path))["entry"]
    for path in sorted([*SAMPLES.glob("*.ndjson"), *SAMPLES.glob("*.ndjson.gz")]):
        yield (
            path.name,
            [{"resource": json.loads(line)} for line in content(path).decode().split("\n") if line],
        )


def references(value: Any) -> Iterator[str]:
    """Every Reference.reference below this value."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "reference" and isinstance(item, str):
                yield item
            else:
                yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def rows(name: str) -> list[dict[str, str]]:
    with (SAMPLES / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def patients() -> set[str]:
    every = (entry["resource"] for _, entries in groups() for entry in entries)
    return {item["id"] for item in every if item["resourceType"] == "Patient"}


def test_committed_files_equal_the_built_ones(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(BUILD), "--out", str(tmp_path)], check=True)
    built, committed = files_below(tmp_path), files_below(SAMPLES)
    assert sorted(built) == sorted(committed)
    assert [name for name in built if built[name] != committed[name]] == []


def test_every_resource_is_valid_r4b() -> None:
    for name, entries in groups():
        for entry in entries:
            resource = entry["resource"]
            model = get_fhir_model_class(resource["resourceType"])
            assert model.model_validate(resource).id, f"{name}: {resource['id']}"


def test_references_resolve_inside_their_file() -> None:
    across_files = {"Patient/ss-merged"}
    for name, entries in groups():
        known = {entry.get("fullUrl") for entry in entries}
        known |= {f"{entry['resource']['resourceType']}/{entry['resource']['id']}" for entry in entries}
        for entry in entries:
            contained = {"#" + item["id"] for item in entry["resource"].get("contained", [])}
            missing = set(references(entry["resource"])) - known - contained - across_files
            assert not missing, f"{name}: {missing}"


def test_a_patient_is_in_one_file_only_and_named_as_invented() -> None:
    seen: set[str] = set()
    for name, entries in groups():
        for resource in (entry["resource"] for entry in entries):
            if resource["resourceType"] == "Patient":
                assert resource["id"] not in seen, name
                seen.add(resource["id"])
                assert resource["name"][0]["family"].startswith("Test-"), name


def test_expected_covers_every_patient_arm_and_criterion() -> None:
    found: dict[tuple[str, str], list[str]] = {}
    not_listed = []
    for row in rows("expected.csv"):
        if row["verdict"] == "not_listed":
            assert (row["arm"], row["criterion_id"]) == ("", "")
            not_listed.append(row["patient_id"])
        else:
            assert row["verdict"] in {"pass", "fail", "unknown"}
            found.setdefault((row["patient_id"], row["arm"]), []).append(row["criterion_id"])
    for (patient, arm), criteria in found.items():
        assert sorted(criteria) == sorted(OF_ARM[arm]), f"{patient} in {arm}"
    listed = {patient for patient, _ in found}
    assert len(not_listed) == len(set(not_listed))
    assert not listed & set(not_listed)
    assert listed | set(not_listed) == patients()


def test_expected_changes_name_expected_rows() -> None:
    known = {(r["patient_id"], r["arm"], r["criterion_id"]) for r in rows("expected.csv")}
    for row in rows("expected_changes.csv"):
        assert (row["patient_id"], row["arm"], row["criterion_id"]) in known
        assert row["changes_on"] > "2026-11-20"


@pytest.mark.parametrize("criterion", sorted(set().union(*OF_ARM.values())))
def test_every_criterion_has_each_verdict(criterion: str) -> None:
    """What never fails in the samples shows no error; a patient whose diagnosis fails is not listed.

    That a B-cell depletion has not failed, that no lung disease is there and that lupus was quiet, only a person can say.
    """
    verdicts = {row["verdict"] for row in rows("expected.csv") if row["criterion_id"] == criterion}
    never_fails = criterion.endswith("-DX") or criterion in ("E-BCELL", "I-SSC-ILD", "I-SLE-2MO")
    assert verdicts == ({"pass", "unknown"} if never_fails else {"pass", "fail", "unknown"})


def test_samples_are_many_and_small() -> None:
    listed = {row["patient_id"] for row in rows("expected.csv") if row["verdict"] != "not_listed"}
    assert len(listed) >= 45
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 4_000_000


def test_the_readme_says_how_many_there_are() -> None:
    with (SAMPLES / "expected.csv").open(encoding="utf-8", newline="") as rows:
        patients = {row["patient_id"] for row in csv.DictReader(rows)}
    assert f"loads {len(patients)} invented patients" in (ROOT / "README.md").read_text("utf-8")
