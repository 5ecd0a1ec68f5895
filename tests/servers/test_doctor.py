"""`cohortfinder doctor` on real servers of different ways: what it says of them is what they do."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.cli.main import status_of
from cohortfinder.connection import Connection
from cohortfinder.fhir.client import FhirClient
from cohortfinder.resources import resource_dir

Examine = Callable[[str], dict[str, Any]]
_HOW = "How it searches"


def fill(address: str) -> None:
    """Bring some invented patients onto a server."""
    with FhirClient(Connection(address)) as client:
        for file in sorted(resource_dir("sample_bundles").glob("sle-*.json.gz"))[8:12]:
            entries = [entry["resource"] for entry in json.loads(gzip.decompress(file.read_bytes()))["entry"]]
            puts = [
                {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
                for one in entries
            ]
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": puts}
            assert client.ask("POST", "", resource=bundle).resource()["type"] == "transaction-response"


@pytest.fixture
def examine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Examine]:
    """Examine a server for one trial, and return the record."""

    def examined(address: str) -> dict[str, Any]:
        (tmp_path / "site.toml").write_text(f'trials = ["NCT06983964"]\n[fhir]\nurl = "{address}"\n')
        status = status_of(["doctor", "--json", "--config", str(tmp_path / "site.toml")])
        record: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert record["exit_status"] == status
        return record

    return examined


def told(record: dict[str, Any], title: str) -> dict[str, tuple[str, str]]:
    """Return how each check of a part came out."""
    section = next(one for one in record["sections"] if one["title"] == title)
    return {one["check"]: (one["severity"], one["what"]) for one in section["findings"]}


def test_hapi_is_told_as_it_is(hapi: str, examine: Examine) -> None:
    fill(hapi)
    record = examine(hapi)
    assert record["exit_status"] in (0, 3)
    assert (record["software"].split()[0], record["fhir"]) == ("HAPI", "4.0.1")
    how = told(record, _HOW)
    assert how["_lastUpdated"][0] == "fine"
    assert how["strict"] == ("fine", "an unknown search parameter is refused (400)")
    assert how["codes"] == ("fine", "observations can be asked for by combo-code or code")
    assert how["pages"] == ("fine", "links to the next page are with a number, of the same origin, and lead there")
    assert how["deletions"][0] == "fine"
    assert told(record, "The server")["export"][0] == "fine"
    sample = {one["resource_type"]: one for one in record["sample"]}
    assert sample["Observation"]["aspects"]["standard_code"]["words"] in ("all", "nearly all")


def test_helios_is_told_as_it_is(helios: str, examine: Examine) -> None:
    fill(helios)
    record = examine(helios)
    assert record["exit_status"] in (0, 3)
    assert (record["software"].split()[0], record["fhir"]) == ("Helios", "4.0.1")
    how = told(record, _HOW)
    assert how["_lastUpdated"][0] == "fine"
    assert how["strict"] == ("fine", "an unknown search parameter is refused (400)")
    assert how["pages"] == ("fine", "links to the next page are with a cursor, of the same origin, and lead there")
    assert told(record, "The server")["export"] == ("fine", "$export is offered for the whole system, Patient, Group")
    assert told(record, "The server")["known of it"][0] == "note"
    lacking = {one["criterion"]: one["concepts"] for one in record["trials"][0]["without_results"]}
    assert "I-HB" not in lacking
    assert lacking["I-AAV-BVAS"][0].startswith("bvas")


def test_an_address_below_the_base_is_told(helios: str, examine: Examine) -> None:
    record = examine(f"{helios}/nowhere")
    assert record["exit_status"] == 78
    assert told(record, "The server")["server"][1] == f"there is no FHIR server at {helios}/nowhere (404 for /metadata)"
