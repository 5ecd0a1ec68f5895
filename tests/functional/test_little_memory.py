"""Little memory: what does not fit is spilled into the store, nothing comes out otherwise for it, and none of it stays."""

import gzip
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.landing.manifest import landed
from cohortfinder.warehouse.connection import SPILL, open_warehouse
from cohortfinder.warehouse.tables import typed_tables
from functional.test_load import observation, write

PATIENTS = 200
RESULTS = 60_000
# Where all results are compared with their older versions, not everything fits. 140 and 180 MB do it too, with either
# DuckDB; with 120 MB the older one fails in the screening.
# One thread, because each more takes its own buffers, and a machine with more cores would need another limit.
LITTLE, AMPLE = "160MB", "2GB"
AT_LEAST_SPILLED = 2**20
SAMPLING_SECONDS = 0.01
AS_OF = "2026-11-20"


@dataclass(frozen=True)
class Watched:
    """How one command ended, what it said, and what it had spilled: the most bytes at a time, and what was left.

    `files` and `folders` are what was spilled and where, with their permissions.
    """

    status: int
    said: str
    spilled: int
    files: dict[str, int]
    folders: dict[str, int]
    left: list[str]


@dataclass
class Hospital:
    """What a hospital has become with one memory limit: the commands, and what they have left."""

    folder: Path
    commands: dict[str, Watched] = field(default_factory=dict)

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def run(self, name: str, memory: str, *command: object) -> Watched:
        """Run one command in a process of its own, with a umask that takes no permission away."""
        config = self.folder / "cohortfinder.toml"
        config.write_text(f'store = "{self.store}"\nmemory_limit = "{memory}"\nthreads = 1\n', encoding="utf-8")
        arguments = [sys.executable, "-m", "cohortfinder", *map(str, command), "--config", str(config)]
        spilled, files, folders = 0, dict[str, int](), dict[str, int]()
        with subprocess.Popen(
            arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, umask=0
        ) as process:
            while process.poll() is None:
                now = 0
                for file in _temporary_files(self.store):
                    try:
                        state, above = file.stat(), file.parent.stat()
                    except FileNotFoundError:
                        continue
                    now += state.st_size
                    files[str(file.relative_to(self.store))] = state.st_mode & 0o777
                    folders[str(file.parent.relative_to(self.store))] = above.st_mode & 0o777
                spilled = max(spilled, now)
                time.sleep(SAMPLING_SECONDS)
            said = process.communicate()[1]
        left = [str(file) for file in (*_temporary_files(self.store), *(self.store / SPILL).iterdir())]
        self.commands[name] = Watched(process.returncode, said, spilled, files, folders, left)
        return self.commands[name]

    def outputs(self) -> dict[str, bytes]:
        """Every file that the screening has written, but the one that says when it ran and how long."""
        out = self.folder / "out"
        return {
            str(path.relative_to(out)): path.read_bytes()
            for path in out.rglob("*")
            if path.is_file() and path.name != "run.json"
        }


def _temporary_files(store: Path) -> Iterator[Path]:
    """Yield what DuckDB spills, wherever it does, while folders come and go."""
    for folder, _, names in os.walk(store):
        yield from (Path(folder, name) for name in names if name.startswith("duckdb_temp"))


def results(version: int) -> Iterator[dict[str, Any]]:
    """HbA1c values of this year, of the size that results of real servers have; each version has other values."""
    for number in range(RESULTS):
        yield observation(f"o{number}", version, 4 + number * version % 90 / 10) | {
            "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
            "subject": {"reference": f"Patient/p{number % PATIENTS}"},
            "effectiveDateTime": f"2026-0{1 + number % 9}-{10 + number % 18}T10:00:00Z",
            "valueQuantity": {"value": 4 + number * version % 90 / 10, "system": "http://unitsofmeasure.org", "code": "%"},
            "note": [{"text": f"Result {number} as told on the ward. " * 16}],
        }  # fmt: skip


def people() -> Iterator[dict[str, Any]]:
    for number in range(PATIENTS):
        yield {"resourceType": "Patient", "id": f"p{number}", "gender": "female", "birthDate": "1970-01-01"}
    for number in range(0, PATIENTS, 2):
        yield {
            "resourceType": "Condition",
            "id": f"c{number}",
            "subject": {"reference": f"Patient/p{number}"},
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "44054006"}]},
            "recordedDate": "2015-01-01",
        }


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [
        write(tmp_path / "people.ndjson", *people()),
        write(tmp_path / "first.ndjson", *results(1)),
        write(tmp_path / "second.ndjson", *results(2)),
    ]


def hospital(folder: Path, files: list[Path], memory: str) -> Hospital:
    """Load, load newer versions of everything, merge both loads, and screen."""
    folder.mkdir()
    one = Hospital(folder)
    one.run("load", memory, "load", *files[:2])
    one.run("newer", memory, "load", files[2])
    one.run("compact", memory, "compact")
    one.run("screen", memory, "screen", "T2D-EXAMPLE", "--as-of", AS_OF, "--out", folder / "out")
    return one


def tables(store: Path) -> dict[str, tuple[Any, ...]]:
    """How many rows each table has, and the sum of their hashes: the rows alone are hundreds of megabytes."""
    asked = {table.name: f"SELECT * FROM {table.name}" for table in typed_tables()}
    asked |= {"resource": "SELECT resource_type, id, updated, version FROM store.resource"}
    with open_warehouse(store, read_only=True) as connection:
        return {
            name: connection.execute(f"SELECT count(*), sum(hash(t)) FROM ({query}) AS t").fetchone() or ()
            for name, query in asked.items()
        }


def landing(store: Path) -> dict[str, list[bytes]]:
    """The lines of landing by type, in no order: what is spilled may come back in another one."""
    found: dict[str, list[bytes]] = {}
    for folder, manifest in landed(store / "landing"):
        for kind in manifest.types:
            for part in kind.parts:
                with gzip.open(folder / part.file) as text:
                    found.setdefault(kind.resource_type, []).extend(text)
    return {kind: sorted(some) for kind, some in found.items()}


def test_what_does_not_fit_into_memory_is_spilled_and_changes_nothing(tmp_path: Path, files: list[Path]) -> None:
    little, ample = (hospital(tmp_path / memory, files, memory) for memory in (LITTLE, AMPLE))
    for name, ran in (*little.commands.items(), *ample.commands.items()):
        assert (name, ran.status, ran.left) == (name, 0, []), ran.said
    assert {name: ran.spilled for name, ran in ample.commands.items()} == dict.fromkeys(ample.commands, 0)
    assert min(little.commands[name].spilled for name in ("newer", "compact")) > AT_LEAST_SPILLED
    for name in ("newer", "compact"):
        ran = little.commands[name]
        assert {Path(folder).name for folder in ran.folders} == {SPILL}
        assert ({*ran.folders.values()}, {*ran.files.values()}) == ({0o700}, {0o600})

    outputs = little.outputs()
    assert outputs["verdicts.csv"].count(b"\n") > PATIENTS
    assert outputs == ample.outputs()
    found = tables(little.store)
    assert found["observation"][0] == RESULTS
    assert found == tables(ample.store)
    assert landing(little.store) == landing(ample.store)


def test_a_load_with_too_little_memory_says_so_and_the_next_one_makes_it_good(tmp_path: Path) -> None:
    file = write(tmp_path / "some.ndjson", *people(), *(observation(f"o{number}", 1, number) for number in range(500)))
    small, calm = Hospital(tmp_path / "small"), Hospital(tmp_path / "calm")
    for one in (small, calm):
        one.folder.mkdir()
    refused = small.run("refused", "20MB", "load", file)
    (sentence,) = refused.said.splitlines()[-1:]
    assert refused.status == 78, refused.said
    assert f"{small.store}: the memory_limit of the configuration is too small for this" in sentence
    assert sentence.endswith("; raise it")
    assert "Traceback" not in refused.said
    assert refused.left == []
    assert tables(small.store)["patient"][0] == 0

    for one in (small, calm):
        assert one.run("load", AMPLE, "load", file).status == 0
    assert tables(small.store) == tables(calm.store)
    assert tables(small.store)["observation"][0] == 500
