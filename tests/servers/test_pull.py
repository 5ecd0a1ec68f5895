"""`cohortfinder pull` from a real HAPI: the same as the files that were put there, and each night what changed."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cohortfinder.connection import Connection
from cohortfinder.fhir.client import FhirClient
from cohortfinder.jobs.load import finish_earlier, load
from cohortfinder.resources import resource_dir
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.tables import typed_tables

Resource = dict[str, Any]
SEED = int(os.environ.get("KILL_SEED", time.time_ns() % 10**6))
KILLS = 2
# of the ids of this run
NIGHT = f"night-{uuid4().hex[:8]}-"
COMMAND = [sys.executable, "-m", "cohortfinder", "pull", "--json", "--config"]
CONFIGURATION = """
store = "{folder}/store"
trials = ["NCT06983964"]
[fhir]
url = "{url}"
allow_http = true
page_size = {page_size}
overlap_minutes = 1
"""
# of the server, not of the resource
_META = frozenset({"last_updated", "version_id"})


@pytest.fixture(scope="module")
def held(hapi: str) -> dict[str, Resource]:
    """What is on the server, by its reference: sample patients under ids of this module."""
    resources = {}
    for file in sorted(resource_dir("sample_bundles").glob("*.json.gz"))[:40]:
        text = gzip.decompress(file.read_bytes()).decode()
        for entry in json.loads(text)["entry"]:
            resource = entry["resource"]
            resources[f"{resource['resourceType']}/{resource['id']}"] = resource
    with FhirClient(Connection(hapi)) as client:
        put(client, *resources.values())
    return resources


def put(client: FhirClient, *resources: Resource) -> None:
    """Write resources in transactions, each of one time."""
    for start in range(0, len(resources), 500):
        entries = [
            {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
            for one in resources[start : start + 500]
        ]
        client.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})


class Site:
    """A store that is pulled from the server."""

    def __init__(self, folder: Path, url: str, page_size: int) -> None:
        self.store, self.file = folder / "store", folder / "site.toml"
        self.file.write_text(CONFIGURATION.format(folder=folder, url=url, page_size=page_size), encoding="utf-8")

    def pull(self, *options: str) -> dict[str, Any]:
        """Pull in a process of its own, and return the summary."""
        done = subprocess.run([*COMMAND, self.file, *options], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every table, but for what the server makes of a resource."""
        with open_warehouse(self.store, read_only=True) as connection:
            return {table.name: _rows(connection, table) for table in typed_tables()}

    def versions(self) -> list[tuple[Any, ...]]:
        with open_warehouse(self.store, read_only=True) as connection:
            return connection.execute(
                "SELECT resource_type, id, updated, version FROM store.resource ORDER BY ALL"
            ).fetchall()


def _rows(connection: Any, table: Any) -> list[tuple[Any, ...]]:
    columns = ", ".join(f'"{column.name}"' for column in table.view.columns if column.name not in _META)
    return sorted(connection.execute(f"SELECT {columns} FROM {table.name}").fetchall(), key=repr)


@pytest.fixture
def site(tmp_path: Path, hapi: str, held: dict[str, Resource]) -> Site:
    return Site(tmp_path, hapi, page_size=100)


@pytest.fixture
def client(hapi: str) -> Iterator[FhirClient]:
    with FhirClient(Connection(hapi)) as one:
        yield one


def from_files(folder: Path, client: FhirClient) -> Site:
    """Load from files what the server says that it holds, each resource read by itself."""
    other = Site(folder, client.base, page_size=100)
    lines = [json.dumps(one) for one in everything(client)]
    (folder / "all.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
    load([folder / "all.ndjson"], other.store)
    return other


def everything(client: FhirClient) -> Iterator[Resource]:
    """Yield what the server holds of the types that have tables, by pages of our own."""
    for kind in sorted({table.resource_type for table in typed_tables()}):
        answer = client.ask("GET", f"{kind}?_count=500")
        while True:
            bundle = answer.resource()
            yield from (entry["resource"] for entry in bundle.get("entry", []))
            following = [one["url"] for one in bundle["link"] if one["relation"] == "next"]
            if not following:
                break
            answer = client.ask("GET", following[0])


def needed(tables: dict[str, list[tuple[Any, ...]]], pulled: dict[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
    """Return the tables of the types that were pulled."""
    kinds = {table.name for table in typed_tables() if table.resource_type in pulled}
    return {name: rows for name, rows in tables.items() if name in kinds}


def test_a_pull_brings_what_the_files_hold_resource_by_resource(
    tmp_path: Path, site: Site, client: FhirClient, held: dict[str, Resource]
) -> None:
    told = site.pull("--all-codes")
    other = tmp_path / "files"
    other.mkdir()
    assert sum(one["new"] for one in told["types"].values()) > 1500
    assert needed(site.tables(), told["types"]) == needed(from_files(other, client).tables(), told["types"])
    again = site.pull("--all-codes")
    assert [one["new"] + one["changed"] + one["deleted"] for one in again["types"].values()] == [0] * len(
        again["types"]
    )


def test_the_nights_that_follow_see_what_changed(tmp_path: Path, site: Site, client: FhirClient) -> None:
    mine = [
        {"resourceType": "Patient", "id": f"{NIGHT}a", "gender": "female", "birthDate": "1980-01-01"},
        {"resourceType": "Patient", "id": f"{NIGHT}b", "gender": "female", "birthDate": "1980-01-01"},
        *(_creatinine(f"{NIGHT}{number}") for number in range(5)),
        {"resourceType": "Medication", "id": f"{NIGHT}m", "code": {"text": "belimumab"}},
        {
            "resourceType": "MedicationRequest", "id": f"{NIGHT}r", "status": "active", "intent": "order",
            "subject": {"reference": f"Patient/{NIGHT}a"}, "medicationReference": {"reference": f"Medication/{NIGHT}m"},
        },
    ]  # fmt: skip
    put(client, *mine)
    site.pull("--all-codes")
    put(
        client,
        _creatinine(f"{NIGHT}0", value=2.0),
        _creatinine(f"{NIGHT}new"),
        {**_creatinine(f"{NIGHT}1"), "status": "entered-in-error"},
    )
    client.ask("DELETE", f"Observation/{NIGHT}2")
    link = [{"other": {"reference": f"Patient/{NIGHT}a"}, "type": "replaced-by"}]
    put(client, {**mine[1], "active": False, "link": link})
    told = site.pull("--all-codes")["types"]
    assert (told["Observation"]["new"], told["Observation"]["changed"], told["Observation"]["deleted"]) == (1, 2, 1)
    assert told["Patient"]["changed"] == 1
    other = tmp_path / "files"
    other.mkdir()
    assert needed(site.tables(), told) == needed(from_files(other, client).tables(), told)
    # deleted, then there again
    client.ask("DELETE", f"Observation/{NIGHT}3")
    put(client, _creatinine(f"{NIGHT}3", value=3.0))
    told = site.pull("--all-codes")["types"]
    assert (told["Observation"]["changed"], told["Observation"]["deleted"]) == (1, 0)


def _creatinine(own_id: str, value: float = 1.0) -> Resource:
    coding = {"system": "http://loinc.org", "code": "2160-0"}
    return {
        "resourceType": "Observation", "id": own_id, "status": "final", "subject": {"reference": f"Patient/{NIGHT}a"},
        "code": {"coding": [coding]}, "effectiveDateTime": "2026-11-01",
        "valueQuantity": {"value": value, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
    }  # fmt: skip


def test_the_codes_of_the_trial_give_the_same_list(tmp_path: Path, site: Site) -> None:
    """Fewer Observations come, and no verdict is another one."""
    site.pull()
    screened(site, tmp_path / "some")
    few = len(site.versions())
    site.pull("--all-codes")
    screened(site, tmp_path / "all")
    assert few < len(site.versions())
    assert (tmp_path / "some" / "verdicts.csv").read_text() == (tmp_path / "all" / "verdicts.csv").read_text()


def screened(site: Site, out: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "cohortfinder",
        "screen",
        "NCT06983964",
        "--as-of",
        "2026-11-20",
        "--config",
        str(site.file),
    ]
    subprocess.run([*command, "--out", str(out)], check=True, capture_output=True)


def test_after_kills_the_store_is_that_of_a_pull_that_nobody_disturbed(tmp_path: Path, site: Site, hapi: str) -> None:
    began = time.monotonic()
    site.pull()
    seconds = time.monotonic() - began
    chance = random.Random(SEED)
    for moment in range(KILLS):
        (tmp_path / str(moment)).mkdir()
        other = Site(tmp_path / str(moment), hapi, page_size=100)
        share = chance.uniform(0.2, 1)
        print(f"KILL_SEED={SEED}: killed after {share:.2f} of {seconds:.1f} s")
        with subprocess.Popen([*COMMAND, other.file], stdout=-3, stderr=-3) as process:
            time.sleep(seconds * share)
            process.send_signal(signal.SIGKILL)
        finish_earlier(other.store)
        other.pull()
        assert other.versions() == site.versions()
        assert other.tables() == site.tables()
