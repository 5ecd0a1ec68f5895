"""The page of a site's own codes: its configuration and its CSV files are read, and the command that it shows passes."""

import json
import re
from pathlib import Path

import pytest

from cohortfinder.cli.main import status_of

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "site-codes.md").read_text(encoding="utf-8")
SLE = {"system": "http://hl7.org/fhir/sid/icd-10", "concept": [{"code": "M32.8"}]}
RITUXIMAB = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "concept": [{"code": "121191"}]}
ILD = {"system": "http://snomed.info/sct", "filter": [{"property": "concept", "op": "is-a", "value": "233703007"}]}
SETS = {"lupus": SLE, "rituximab": RITUXIMAB, "perhaps_ild": ILD}
LABORATORY = {
    "resourceType": "ConceptMap",
    "group": [
        {
            "source": "urn:hospital:lab",
            "target": "http://loinc.org",
            "element": [{"code": "INR", "target": [{"code": "6301-6", "equivalence": "equivalent"}]}],
        }
    ],
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site as the page describes it, in a folder of its own."""
    configuration = blocks("toml")[0]
    (tmp_path / "cohortfinder.toml").write_text(configuration, encoding="utf-8")
    concept_rows, local_rows, products = blocks("csv")
    for folder in ("mappings/concepts", "value_sets"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "mappings/concepts/clinical_codes.csv").write_text(concept_rows, encoding="utf-8")
    (tmp_path / "mappings/products.csv").write_text(products, encoding="utf-8")
    (tmp_path / "pharmacy.csv").write_text(local_rows, encoding="utf-8")
    (tmp_path / "laboratory.json").write_text(json.dumps(LABORATORY), encoding="utf-8")
    for name, include in SETS.items():
        held = {"resourceType": "ValueSet", "status": "active", "compose": {"include": [include]}}
        (tmp_path / f"value_sets/{name}.json").write_text(json.dumps(held), encoding="utf-8")
    return tmp_path


def test_the_files_of_the_page_are_right_and_named(
    site: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(site)
    (line,) = [line for line in PAGE.splitlines() if line.startswith("cohortfinder check")]
    assert status_of(line.split()[1:]) == 0
    said = capfd.readouterr().out
    assert said.startswith("NCT06983964 is right: 77 criteria")
    read = re.findall(r"^read with (\S+) \(sha256 [0-9a-f]{12}\)$", said, re.MULTILINE)
    assert read == [
        "laboratory.json", "mappings/concepts/clinical_codes.csv", "mappings/products.csv", "pharmacy.csv",
        "value_sets/lupus.json", "value_sets/perhaps_ild.json", "value_sets/rituximab.json",
    ]  # fmt: skip


def test_an_error_in_a_file_of_the_site_stops_the_command_with_the_status_of_the_configuration(
    site: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(site)
    with (site / "pharmacy.csv").open("a", encoding="utf-8") as file:
        file.write("urn:hospital:lab,X,http://snomed.info/sct,7.3211E+08,equal\n")
    assert status_of(["check", "NCT06983964"]) == 78
    assert capfd.readouterr().err == (
        "cohortfinder: pharmacy.csv:5: code '7.3211E+08' was turned into a number by a spreadsheet; copy it again as text\n"
    )
