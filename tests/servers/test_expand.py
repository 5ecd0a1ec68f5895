"""`cohortfinder expand` against a real terminology server, and screenings that know nothing but what it wrote."""

import json
from pathlib import Path

import pytest

from cohortfinder.cli.main import status_of
from cohortfinder.connection import Connection
from cohortfinder.fhir.client import FhirClient

SYSTEM = "http://site.example/CodeSystem/diagnoses"
LUPUS = {
    "resourceType": "CodeSystem", "id": "diagnoses", "url": SYSTEM, "version": "2026-11", "status": "active",
    "content": "complete", "hierarchyMeaning": "is-a",
    "property": [{"code": "stage", "type": "code"}],
    "concept": [
        {"code": "LE", "concept": [
            {"code": "LE-1", "concept": [{"code": "LE-1-A"}]},
            {"code": "LE-DRUG", "concept": [{"code": "LE-DRUG-A"}]},
        ]},
        {"code": "OTHER", "property": [{"code": "stage", "valueCode": "early"}]},
    ],
}  # fmt: skip
INCLUDE = {"system": SYSTEM, "filter": [{"property": "concept", "op": "is-a", "value": "LE"}]}
DRUG = {"system": SYSTEM, "filter": [{"property": "concept", "op": "is-a", "value": "LE-DRUG"}]}
BY_STAGE = {"system": SYSTEM, "filter": [{"property": "stage", "op": "=", "value": "early"}]}
CONFIGURATION = """
store = "store"
[site]
mappings = "mappings"
terminology_server = "{url}"
expansions = "expansions.json"
[site.replace]
dx_sle = "lupus.json"
[site.suggest]
dx_ild = "early.json"
"""


@pytest.fixture
def site(tmp_path: Path, hapi: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site whose diagnoses have a hierarchy that only the server knows."""
    with FhirClient(Connection(hapi)) as client:
        client.put("CodeSystem/diagnoses", LUPUS)
    lupus = {"include": [INCLUDE], "exclude": [DRUG]}
    for name, compose in (("lupus", lupus), ("early", {"include": [BY_STAGE]})):
        held = {"resourceType": "ValueSet", "status": "active", "compose": compose}
        (tmp_path / f"{name}.json").write_text(json.dumps(held), encoding="utf-8")
    (tmp_path / "mappings").mkdir()
    known = f"name,uri,alias\ndiagnoses,{SYSTEM},{SYSTEM.lower()}\n"
    (tmp_path / "mappings/code_systems.csv").write_text(known, encoding="utf-8")
    (tmp_path / "cohortfinder.toml").write_text(CONFIGURATION.format(url=hapi), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(folder: Path, *codes: str) -> None:
    """Load a patient for each code, who has a Condition with it."""
    lines = []
    for code in codes:
        lines.append({"resourceType": "Patient", "id": code, "gender": "female", "birthDate": "1990-01-01"})
        coding = {"coding": [{"system": SYSTEM, "code": code}]}
        subject = {"reference": f"Patient/{code}"}
        lines.append({"resourceType": "Condition", "id": code, "subject": subject, "code": coding})
    (folder / "data.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert status_of(["load", "data.ndjson"]) == 0


def listed(folder: Path) -> list[str]:
    """Screen, and return who is listed in the lupus arm."""
    status_of(["screen", "NCT06983964", "--out", "out"])
    lines = (folder / "out/candidates.csv").read_text().splitlines()[1:]
    return sorted(line.split(",")[1] for line in lines if line.split(",")[2] == "SLE")


def test_codes_below_are_found_only_by_what_the_server_told(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loaded(site, "LE", "LE-1-A", "LE-DRUG-A", "OTHER")
    # a filter that no match rule says is an error until the server has expanded it
    assert status_of(["check", "NCT06983964"]) == 78
    assert (
        "early.json:compose.include[0].filter[0]: the filter 'stage' = 'early' cannot be said" in capfd.readouterr().err
    )
    # the server knows the site's own code system and no SNOMED CT
    assert status_of(["expand", "--json"]) == 3
    told = json.loads(capfd.readouterr().out)
    assert told["server"]["software"].startswith("HAPI FHIR Server 8.")
    assert not [question for question in told["problems"] if question.startswith(SYSTEM)]
    assert listed(site) == ["LE", "LE-1-A"]
    run = json.loads((site / "out/run.json").read_text())
    assert "expansions.json" in run["site_inputs"]
    assert run["expansions"]["server"] == told["server"]
    assert run["warnings"] == []


def test_the_kept_file_says_what_was_asked_of_whom_and_when(site: Path) -> None:
    assert status_of(["expand"]) == 3
    kept = json.loads((site / "expansions.json").read_text())
    own = {one["code"]: one["below"] for one in kept["descendants"]}
    assert own == {"LE": ["LE-1", "LE-1-A", "LE-DRUG", "LE-DRUG-A"], "LE-DRUG": ["LE-DRUG-A"]}
    assert [one["codes"] for one in kept["value_sets"]] == [[[SYSTEM, "OTHER"]]]
    assert kept["code_systems"] == [f"{SYSTEM}|2026-11"]
    assert (kept["expanded_at"][:3], len(kept["sha256"])) == ("202", 64)


def test_a_screening_needs_no_server(site: Path) -> None:
    loaded(site, "LE-1-A")
    assert status_of(["expand"]) == 3
    configuration = (site / "cohortfinder.toml").read_text().splitlines()
    without = "\n".join(line for line in configuration if not line.startswith("terminology_server"))
    (site / "cohortfinder.toml").write_text(without, encoding="utf-8")
    assert listed(site) == ["LE-1-A"]


def test_a_concept_that_is_newer_than_the_file_is_told(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert status_of(["expand"]) == 3
    newer = {
        "resourceType": "ValueSet",
        "compose": {"include": [{**INCLUDE, "filter": [{"property": "concept", "op": "is-a", "value": "LE-1"}]}]},
    }
    (site / "lupus.json").write_text(json.dumps(newer), encoding="utf-8")
    capfd.readouterr()
    assert status_of(["check", "NCT06983964"]) == 0
    assert (
        "is older than the concepts: 1 code of theirs was not expanded; run `cohortfinder expand`"
        in capfd.readouterr().err
    )
