"""Pull and export on Helios, a server of other ways than HAPI: cursors, 204 for what was deleted, exports that tell it."""

import gzip
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.cli.main import status_of
from cohortfinder.connection import Connection
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.export import Exported, export
from cohortfinder.fhir.export_question import ExportQuestion
from cohortfinder.resources import resource_dir
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.tables import typed_tables

TRIAL = "NCT06983964"
TYPES = ("Condition", "MedicationStatement", "Observation", "Patient")
Resource = dict[str, Any]
Pull = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def held(helios: str) -> dict[str, Resource]:
    """Some invented patients that are on the server, by their references."""
    files = sorted(resource_dir("sample_bundles").glob("sle-*.json.gz"))[:8]
    entries = [entry for file in files for entry in json.loads(gzip.decompress(file.read_bytes()))["entry"]]
    resources = {f"{one['resource']['resourceType']}/{one['resource']['id']}": one["resource"] for one in entries}
    with FhirClient(Connection(helios)) as client:
        puts = [{"resource": one, "request": {"method": "PUT", "url": key}} for key, one in resources.items()]
        client.post("", {"resourceType": "Bundle", "type": "transaction", "entry": puts})
    return resources


@pytest.fixture
def pull(helios: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Pull:
    """Pull into a store, and return what was told."""
    (tmp_path / "site.toml").write_text(f'trials = ["{TRIAL}"]\n[fhir]\nurl = "{helios}"\noverlap_minutes = 0\n')

    def pulled(*options: str) -> dict[str, Any]:
        told = ["--config", str(tmp_path / "site.toml"), "--store", str(tmp_path / "store"), "--json"]
        status = status_of(["pull", *told, *options])
        shown = capsys.readouterr()
        assert status == 0, shown.out + shown.err
        summary: dict[str, Any] = json.loads(shown.out)
        return summary

    return pulled


def rows(store: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What the typed tables of a store hold."""
    with open_warehouse(store, read_only=True) as connection:
        return {
            table.name: sorted(connection.execute(f'FROM "{table.name}"').fetchall(), key=repr)
            for table in typed_tables()
        }


def loaded(resources: Iterable[Resource], folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What the typed tables of a store hold that was loaded from files of these resources."""
    file = folder / "all.ndjson"
    file.write_text("".join(json.dumps(one) + "\n" for one in resources))
    assert status_of(["load", str(file), "--store", str(folder / "loaded")]) == 0
    return rows(folder / "loaded")


def on_server(helios: str, types: Iterable[str]) -> list[Resource]:
    """Read every resource of some types one by one, from the pages of searches without any condition."""
    found: dict[str, Resource] = {}
    with FhirClient(Connection(helios)) as client:
        for kind in types:
            address: str | None = f"{kind}?_count=1000"
            while address:
                answer = client.ask("GET", address)
                page = answer.resource()
                found |= {f"{kind}/{one['resource']['id']}": one["resource"] for one in page.get("entry", [])}
                address = next((one["url"] for one in page["link"] if one["relation"] == "next"), None)
                address = address and client.follow(answer, address)
    return list(found.values())


def test_a_pull_is_what_the_server_holds(held: dict[str, Resource], helios: str, pull: Pull, tmp_path: Path) -> None:
    summary = pull("--all-codes")
    assert all(one["complete"] for one in summary["types"].values())
    expected = loaded(on_server(helios, summary["types"]), tmp_path)
    assert rows(tmp_path / "store") == expected
    assert len(expected["observation"]) >= sum(key.startswith("Observation/") for key in held)


def test_the_next_pull_brings_what_changed_and_what_is_gone(
    held: dict[str, Resource], helios: str, pull: Pull, tmp_path: Path
) -> None:
    pull()
    time.sleep(1.1)
    kept, gone = [key for key in held if key.startswith("Condition/")][:2]
    with FhirClient(Connection(helios)) as client:
        client.put(kept, {**held[kept], "recordedDate": "2026-11-01"})
        client.ask("DELETE", gone)
        try:
            summary = pull()
            conditions = {row[0]: row for row in rows(tmp_path / "store")["condition"]}
        finally:
            client.put(kept, held[kept])
            client.put(gone, held[gone])
    assert "2026-11-01" in map(str, conditions[kept.split("/")[1]])
    assert gone.split("/")[1] not in conditions
    assert (summary["types"]["Condition"]["changed"], summary["types"]["Condition"]["deleted"]) == (1, 1)


def exported(helios: str, folder: Path, **asked: Any) -> Exported:
    folder.mkdir(exist_ok=True)
    with FhirClient(Connection(helios)) as client:
        return export(client, ExportQuestion(**{"types": TYPES, **asked}), folder)


def content(found: Exported) -> dict[str, Resource]:
    """What the files of an export hold, each resource once."""
    resources = [json.loads(line) for file in found.files for line in file.read_bytes().splitlines()]
    by_reference = {f"{one['resourceType']}/{one.get('id')}": one for one in resources if one["resourceType"] in TYPES}
    assert len(by_reference) == sum(one["resourceType"] in TYPES for one in resources)
    return by_reference


@pytest.mark.parametrize("level", ["", "Patient"])
def test_an_export_is_what_searches_find(held: dict[str, Resource], helios: str, tmp_path: Path, level: str) -> None:
    found = exported(helios, tmp_path / "export", level=level)
    expected = {f"{one['resourceType']}/{one['id']}": one for one in on_server(helios, TYPES)}
    assert content(found) == expected
    assert (found.failed, found.left_out) == ({}, {})


def test_an_export_since_tells_what_changed_and_not_what_is_gone(
    held: dict[str, Resource], helios: str, tmp_path: Path
) -> None:
    """Its list of what was deleted stays empty: whoever believes it keeps what is gone. The history tells it."""
    before = exported(helios, tmp_path / "before")
    time.sleep(1.1)
    gone = next(key for key in held if key.startswith("Condition/"))
    with FhirClient(Connection(helios)) as client:
        client.put("Patient/newcomer", {"resourceType": "Patient", "id": "newcomer"})
        client.ask("DELETE", gone)
        try:
            found = exported(helios, tmp_path / "after", since=before.watermark)
            history = client.get("Condition/_history?_count=1")
        finally:
            client.put(gone, held[gone])
            client.ask("DELETE", "Patient/newcomer")
    assert set(content(found)) == {"Patient/newcomer"}
    assert [file.name for file in found.files if file.parent.name == "deleted"] == []
    assert history["entry"][0]["request"] == {"method": "DELETE", "url": gone}
