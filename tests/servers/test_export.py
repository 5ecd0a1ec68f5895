"""Bulk exports of a real HAPI: the same as the files that were put there, whatever was asked, and after any kill."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cohortfinder.connection import Connection
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.export import Exported, export
from cohortfinder.fhir.export_question import CodeFilter, ExportQuestion
from cohortfinder.resources import resource_dir

LOINC = "http://loinc.org"
TYPES = ("Condition", "MedicationStatement", "Observation", "Patient")
KILLED = """
import sys
from pathlib import Path
from cohortfinder.connection import Connection
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.export import export
from cohortfinder.fhir.export_question import ExportQuestion
with FhirClient(Connection(sys.argv[1])) as client:
    export(client, ExportQuestion(tuple(sys.argv[3:])), Path(sys.argv[2]), parallel=1)
"""


@pytest.fixture(scope="module")
def held(hapi: str) -> dict[str, dict[str, Any]]:
    """What is on the server, by its reference: some sample patients, a group of two of them, and what a pull leaves out."""
    resources = {}
    for file in sorted(resource_dir("sample_bundles").glob("sle-*.json.gz"))[:8]:
        for entry in json.loads(gzip.decompress(file.read_bytes()))["entry"]:
            resource = entry["resource"]
            resources[f"{resource['resourceType']}/{resource['id']}"] = resource
    members = sorted(key for key in resources if key.startswith("Patient/"))[:2]
    group = {"resourceType": "Group", "id": "export-few", "type": "person", "actual": True}
    resources["Group/export-few"] = {**group, "member": [{"entity": {"reference": key}} for key in members]}
    with FhirClient(Connection(hapi)) as client:
        put(client, resources)
    return resources


def put(client: FhirClient, resources: dict[str, dict[str, Any]]) -> None:
    """Write resources in one transaction."""
    entries = [{"resource": resource, "request": {"method": "PUT", "url": key}} for key, resource in resources.items()]
    told = client.ask("POST", "", resource={"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert told.resource()["type"] == "transaction-response"


def exported(hapi: str, folder: Path, **asked: Any) -> Exported:
    folder.mkdir(exist_ok=True)
    with FhirClient(Connection(hapi)) as client:
        return export(client, ExportQuestion(**{"types": TYPES, **asked}), folder)


def content(files: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """What files hold, by its reference, without what the server adds."""
    found = {}
    for line in (line for file in files for line in file.read_bytes().splitlines()):
        resource = json.loads(line)
        assert f"{resource['resourceType']}/{resource['id']}" not in found
        found[f"{resource['resourceType']}/{resource['id']}"] = plain(resource)
    return found


def plain(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource without its version, and without the text and tags that HAPI adds."""
    return {key: value for key, value in resource.items() if key not in ("meta", "text")}


def searched(hapi: str, types: Iterable[str] = TYPES) -> dict[str, dict[str, Any]]:
    """What searches find on the server, which other tests use as well, page by page."""
    found = {}
    with FhirClient(Connection(hapi)) as client:
        for kind in types:
            address: str | None = f"{kind}?_count=500"
            while address:
                answer = client.ask("GET", address, headers={"Cache-Control": "no-cache"})
                page = answer.resource()
                resources = [entry["resource"] for entry in page.get("entry", [])]
                found |= {f"{kind}/{resource['id']}": plain(resource) for resource in resources}
                links = {link["relation"]: link["url"] for link in page["link"]}
                address = client.follow(answer, links["next"]) if "next" in links else None
    return found


def of_types(held: dict[str, dict[str, Any]], types: Iterable[str] = TYPES) -> dict[str, dict[str, Any]]:
    return {key: plain(resource) for key, resource in held.items() if resource["resourceType"] in types}


@pytest.mark.parametrize("level", ["", "Patient"])
def test_an_export_is_what_was_put_there(held: dict[str, Any], hapi: str, tmp_path: Path, level: str) -> None:
    found = exported(hapi, tmp_path, level=level)
    assert content(found.files) == searched(hapi)
    assert content(found.files).items() >= of_types(held).items()
    assert (found.failed, found.left_out) == ({}, {})


def test_an_export_of_a_group_is_what_its_members_have(held: dict[str, Any], hapi: str, tmp_path: Path) -> None:
    members = {member["entity"]["reference"] for member in held["Group/export-few"]["member"]}
    expected = {
        key: resource
        for key, resource in searched(hapi).items()
        if key in members or resource.get("subject", {}).get("reference") in members
    }
    assert content(exported(hapi, tmp_path, level="Group/export-few").files) == expected


def test_a_filter_is_what_the_server_makes_of_it(held: dict[str, Any], hapi: str, tmp_path: Path) -> None:
    """Two codes in one filter, one of which has a comma inside."""
    with FhirClient(Connection(hapi)) as client:
        odd = {
            "resourceType": "Observation",
            "id": "odd",
            "status": "final",
            "code": {"coding": [{"system": LOINC, "code": "a,b"}]},
        }
        put(client, {"Observation/odd": odd})
    asked = CodeFilter(("a,b", "718-7", "8480-6"))
    found = exported(hapi, tmp_path, types=("Observation",), filters={"Observation": asked})
    expected = {
        key: resource for key, resource in searched(hapi, ["Observation"]).items()
        if not {"a,b", "718-7", "8480-6"}.isdisjoint(codes(resource))
    }  # fmt: skip
    assert content(found.files) == expected
    assert "Observation/odd" in expected
    assert len(expected) > 1
    assert found.left_out == {}
    with FhirClient(Connection(hapi)) as client:
        client.ask("DELETE", "Observation/odd")


def codes(resource: dict[str, Any]) -> set[str]:
    if resource["resourceType"] != "Observation":
        return set()
    holders = [resource, *resource.get("component", [])]
    return {coding.get("code") for holder in holders for coding in holder.get("code", {}).get("coding", [])}


def test_a_type_that_belongs_to_no_patient_is_refused_as_a_whole(
    held: dict[str, Any], hapi: str, tmp_path: Path
) -> None:
    """HAPI reads the first of several parameters only: what would come is a part, and it must not look like the whole."""
    with pytest.raises(Exception, match="Resource types \\[Medication\\] are invalid for this type of export"):
        exported(hapi, tmp_path, level="Patient", types=(*TYPES, "Medication"))


def test_since_brings_what_was_changed(held: dict[str, Any], hapi: str, tmp_path: Path) -> None:
    before = exported(hapi, tmp_path / "before", types=("Patient",))
    time.sleep(1.1)
    changed = {"resourceType": "Patient", "id": f"new-{uuid4().hex[:8]}"}
    with FhirClient(Connection(hapi)) as client:
        put(client, {f"Patient/{changed['id']}": changed})
        found = exported(hapi, tmp_path / "after", types=("Patient",), since=before.watermark)
        client.ask("DELETE", f"Patient/{changed['id']}")
    assert content(found.files) == {f"Patient/{changed['id']}": changed}


def test_an_empty_export_is_one(held: dict[str, Any], hapi: str, tmp_path: Path) -> None:
    found = exported(hapi, tmp_path, since="2999-01-01T00:00:00Z")
    assert (found.files, found.counts, found.failed) == ((), {}, {})


def test_an_export_that_was_killed_goes_on(held: dict[str, Any], hapi: str, tmp_path: Path) -> None:
    """While it waits, and while it downloads: in the end everything is there once, of one job."""
    seed = int(os.environ.get("KILL_SEED", time.time_ns() % 10**6))
    moments = random.Random(seed)
    print(f"KILL_SEED={seed}")
    for awaited in ('"kickoff"', '"download_complete"'):
        log = tmp_path / "log.ndjson"
        with subprocess.Popen([sys.executable, "-c", KILLED, hapi, str(tmp_path), *TYPES]) as process:
            while process.poll() is None and not (log.exists() and awaited in log.read_text()):
                time.sleep(0.005)
            time.sleep(moments.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
    found = exported(hapi, tmp_path)
    assert content(found.files) == searched(hapi)
    assert log.read_text().count('"kickoff"') == 1
