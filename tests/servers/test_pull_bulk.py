"""`cohortfinder pull --bulk` from real servers ends as a pull by search does, night after night, and after any kill."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cohortfinder.cli.main import status_of
from cohortfinder.connection import Connection
from cohortfinder.fhir.client import FhirClient
from cohortfinder.resources import resource_dir
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.tables import typed_tables

SEED = int(os.environ.get("KILL_SEED", time.time_ns() % 10**6))
# of the ids of this run
RUN = f"bulk-{uuid4().hex[:8]}-"
CONFIGURATION = """
store = "{folder}/store"
trials = ["NCT06983964"]
[fhir]
url = "{url}"
allow_http = true
overlap_minutes = 1
{more}
"""


class Site:
    """A store that is pulled from a server in one way."""

    def __init__(self, folder: Path, url: str, *options: str, more: str = "") -> None:
        folder.mkdir()
        (folder / "site.toml").write_text(CONFIGURATION.format(folder=folder, url=url, more=more), encoding="utf-8")
        self.store = folder / "store"
        self.command = ["pull", "--config", str(folder / "site.toml"), *options]

    def pull(self) -> None:
        assert status_of(self.command) == 0

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        with open_warehouse(self.store, read_only=True) as connection:
            return {
                table.name: sorted(connection.execute(f"SELECT * FROM {table.name}").fetchall(), key=repr)
                for table in typed_tables()
            }


def put(client: FhirClient, *resources: dict[str, Any]) -> None:
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in resources
    ]
    client.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})


@pytest.fixture(scope="module", params=["hapi", "helios"])
def server(request: pytest.FixtureRequest) -> str:
    """A server with some sample patients and a patient of this run."""
    url: str = request.getfixturevalue(request.param)
    resources = [patient("p"), observation("o", 100.0), observation("gone", 1.0)]
    for file in sorted(resource_dir("sample_bundles").glob("ss-*.json.gz"))[:5]:
        entries = json.loads(gzip.decompress(file.read_bytes()))["entry"]
        resources += [entry["resource"] for entry in entries]
    with FhirClient(Connection(url)) as client:
        put(client, *resources)
    return url


def patient(own_id: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": RUN + own_id, "gender": "female", "birthDate": "1980-01-01"}


def observation(own_id: str, value: float) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": RUN + own_id, "status": "final",
        "subject": {"reference": f"Patient/{RUN}p"}, "effectiveDateTime": "2026-11-01",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "g/L", "unit": "g/L"},
    }  # fmt: skip


@pytest.fixture
def searched(server: str, tmp_path: Path) -> Site:
    """The same server, pulled by search."""
    site = Site(tmp_path / "searched", server, "--search")
    site.pull()
    return site


def test_a_bulk_pull_ends_as_a_search_does(server: str, searched: Site, tmp_path: Path) -> None:
    """And the next one, with what was changed, made and deleted since."""
    site = Site(tmp_path / "bulk", server, "--bulk")
    site.pull()
    assert site.tables() == searched.tables()
    assert len(site.tables()["observation"]) > 20
    with FhirClient(Connection(server)) as client:
        put(client, observation("o", 90.0), observation("new", 80.0))
        client.ask("DELETE", f"Observation/{RUN}gone")
    searched.pull()
    site.pull()
    assert site.tables() == searched.tables()
    ours = {row[0] for row in site.tables()["observation"] if str(row[0]).startswith(RUN)}
    assert ours == {RUN + "o", RUN + "new"}


def test_a_bulk_pull_that_was_killed_ends_as_if_nothing_had_been(server: str, searched: Site, tmp_path: Path) -> None:
    """At any moment: while the server exports, while files come, while they are loaded."""
    print(f"KILL_SEED={SEED}")
    site = Site(tmp_path / "killed", server, "--bulk", more='export = "Patient"')
    moments = random.Random(SEED)
    log = site.store / "pull"
    for awaited in ("kickoff", "download_complete", "export_complete"):
        with subprocess.Popen([sys.executable, "-m", "cohortfinder", *site.command]) as process:
            while process.poll() is None and not any(awaited in one.read_text() for one in log.rglob("log.ndjson")):
                time.sleep(0.01)
            time.sleep(moments.uniform(0, 0.3))
            process.send_signal(signal.SIGKILL)
    site.pull()
    assert site.tables() == searched.tables()
    assert [path.name for path in log.iterdir() if path.is_dir()] == []
