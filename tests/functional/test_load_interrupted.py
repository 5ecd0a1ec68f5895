"""A load that dies: the next one ends as if nothing had been, whatever the moment."""

import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.jobs.load import load
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.tables import typed_tables
from functional.test_load import SAMPLES, mixed, observation, write
from length import AT_LENGTH

COMMAND = "from cohortfinder.jobs.load import load; from pathlib import Path; import sys; load(map(Path, sys.argv[2:]), Path(sys.argv[1]))"
SEED = int(os.environ.get("KILL_SEED", time.time_ns() % 10**6))
MOMENTS = 25 if AT_LENGTH else 5


@dataclass(frozen=True)
class Calm:
    """What the same files become when nothing happens, and how long that takes in a process of its own."""

    files: list[Path]
    seconds: float
    state: dict[str, Any]


def state(store: Path) -> dict[str, Any]:
    """Everything in the tables and the books, without what no two loads have in common: their names and times."""
    asked = {table.name: f"SELECT * FROM {table.name}" for table in typed_tables()} | {
        "resources": "SELECT * FROM store.resource",
        "loads": "SELECT complete, quarantined FROM store.load",
        "quarantine": "SELECT file, line, resource_type, reason FROM store.quarantine",
    }
    with open_warehouse(store, read_only=True) as connection:
        found = {
            name: sorted(connection.execute(query).fetchall(), key=repr) for name, query in asked.items()
        } | {
            # the first load has brought everything, the second nothing
            "types": connection.execute(
                "SELECT resource_type, complete, list(resources ORDER BY load_id) FROM store.loaded_type"
                " GROUP BY ALL ORDER BY ALL"
            ).fetchall(),
        }  # fmt: skip
    records = [file.read_text("utf-8").splitlines() for file in sorted((store / "quarantine").iterdir())]
    return found | {"records": records, "landing": len(list((store / "landing").iterdir()))}


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """Files of several types, with lines that landing refuses and lines that the tables refuse."""
    folder = tmp_path_factory.mktemp("calm")
    many = [observation(f"o{number}", 1, number) for number in range(6_000)]
    patients = [{"resourceType": "Patient", "id": f"p{number}", "gender": "female"} for number in range(1_000)]
    patients += [{"resourceType": "Patient", "id": "wrong", "name": "text"}, {"resourceType": "Claim", "id": "c"}]
    files = [mixed(folder / "mixed.ndjson"), write(folder / "many.ndjson", *many), SAMPLES / "ss-typical.json"]
    files.append(
        write(folder / "patients.ndjson", *patients, {"resourceType": "Patient", "id": "bad", "deceasedBoolean": 1})
    )
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", COMMAND, str(folder / "store"), *map(str, files)], check=True)
    seconds = time.monotonic() - started
    load(files, folder / "store")
    return Calm(files, seconds, state(folder / "store"))


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_after_a_kill_the_next_load_ends_as_if_nothing_had_been(tmp_path: Path, calm: Calm, moment: int) -> None:
    share = random.Random(f"{SEED} {moment}").uniform(0.1, 1.05)
    print(f"KILL_SEED={SEED}: killed after {share:.3f} of {calm.seconds:.2f} s")
    store = tmp_path / "store"
    with subprocess.Popen([sys.executable, "-c", COMMAND, str(store), *map(str, calm.files)]) as process:
        time.sleep(calm.seconds * share)
        process.kill()
    load(calm.files, store)
    with open_warehouse(store, read_only=True) as connection:
        (loads,) = connection.execute("SELECT count(*) FROM store.load").fetchone() or (0,)
    if loads == 1:  # it had not reached landing
        load(calm.files, store)
    assert state(store) == calm.state


def test_the_next_load_clears_a_quarantine_file_that_was_only_begun(tmp_path: Path) -> None:
    store = tmp_path / "store"
    load([SAMPLES / "ss-typical.json"], store)
    (store / "quarantine" / "20261126T000000-001.tables.new").touch()
    load([SAMPLES / "ss-typical.json"], store)
    assert list((store / "quarantine").iterdir()) == []


def test_what_a_type_has_finished_is_not_read_again(tmp_path: Path, calm: Calm) -> None:
    store = tmp_path / "store"
    load(calm.files, store)
    before = state(store)
    (folder,) = (store / "landing").iterdir()
    with open_warehouse(store) as connection:
        connection.execute("DELETE FROM store.load")
        connection.execute("DELETE FROM store.quarantine")
    for part in folder.glob("Observation.*"):
        part.write_bytes(b"no longer readable")
    load([write(tmp_path / "p.ndjson", {"resourceType": "Patient", "id": "p0", "gender": "female"})], store)
    after = state(store)
    assert after["observation"] == before["observation"]
    assert after["quarantine"] == before["quarantine"]
    assert after["records"] == before["records"]
