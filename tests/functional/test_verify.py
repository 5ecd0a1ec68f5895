"""A warehouse that was damaged or has lost commits: `verify` and every command find it, `rebuild` makes it anew."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohortfinder.jobs.load import finish_earlier, load
from cohortfinder.jobs.verify import rebuild, verify
from cohortfinder.warehouse.seal import read_seal
from cohortfinder.warehouse.tables import typed_tables
from functional.test_load import SAMPLES, observation, write
from length import AT_LENGTH

# dies after the last commit of a load, before its WAL is brought into the file
KILLED = """
import os, sys
from pathlib import Path
from cohortfinder.jobs import load as job
job.checkpoint = lambda connection: os.kill(os.getpid(), 9)
job.load(map(Path, sys.argv[2:]), Path(sys.argv[1]))
"""
SEED = int(os.environ.get("FLIP_SEED", time.time_ns() % 10**6))
FLIPS = 100 if AT_LENGTH else 10
Mutation = Callable[[Path], None]


def content(store: Path) -> dict[str, Any]:
    """Everything in the typed tables, and which versions of resources these are."""
    asked = {table.name: f"SELECT * FROM {table.name}" for table in typed_tables()}
    asked |= {
        "resource": "SELECT resource_type, id, updated, version FROM store.resource",
        "loads": "SELECT load_id FROM store.load",
    }
    with duckdb.connect(str(store / "warehouse.duckdb"), read_only=True) as connection:
        return {name: sorted(connection.execute(query).fetchall(), key=repr) for name, query in asked.items()}


@dataclass(frozen=True)
class Stores:
    """The same two loads: at rest, with the second in the WAL, and what the tables hold."""

    rest: Path
    in_wal: Path
    content: dict[str, Any]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    folder = tmp_path_factory.mktemp("verify")
    first = [write(folder / "a.ndjson", *(observation(f"o{number}", 1, number) for number in range(9_000)))]
    load([*first, *sorted(SAMPLES.glob("ss-*.json"))], folder / "wal")
    shutil.copytree(folder / "wal", folder / "older")
    second = write(folder / "b.ndjson", *(observation(f"o{number}", 2, number + 1) for number in range(500)))
    died = subprocess.run([sys.executable, "-c", KILLED, str(folder / "wal"), str(second)])
    assert died.returncode == -9
    assert (folder / "wal" / "warehouse.duckdb.wal").stat().st_size > 0
    shutil.copytree(folder / "wal", folder / "rest")
    finish_earlier(folder / "rest")
    # acknowledged, as it were, though all of it is in the WAL
    shutil.copy(folder / "rest" / "warehouse.json", folder / "wal" / "warehouse.json")
    assert verify(folder / "rest") == verify(folder / "wal") == ()
    shutil.copy(folder / "older" / "warehouse.duckdb", folder / "rest" / "older.file")
    return Stores(folder / "rest", folder / "wal", content(folder / "rest"))


def flip(path: Path, place: float | int, length: int = 8) -> None:
    """Turn all bits of some bytes, at an offset or a share of the file."""
    offset = int(place * path.stat().st_size) if isinstance(place, float) else place
    with path.open("r+b") as file:
        file.seek(offset)
        old = file.read(length)
        file.seek(offset)
        file.write(bytes(byte ^ 255 for byte in old))


def of(name: str, change: Callable[[Path], object]) -> Mutation:
    return lambda store: change(store / name) and None


WAL, FILE = "warehouse.duckdb.wal", "warehouse.duckdb"
IN_WAL: dict[str, Mutation] = {
    "WAL deleted": of(WAL, Path.unlink),
    "WAL emptied": of(WAL, lambda path: path.write_bytes(b"")),
    "WAL head flipped": of(WAL, lambda path: flip(path, 0)),
    "WAL cut at its tail": of(WAL, lambda path: os.truncate(path, path.stat().st_size - 100)),
    "WAL cut in half": of(WAL, lambda path: os.truncate(path, path.stat().st_size // 2)),
    "WAL flipped in the middle": of(WAL, lambda path: flip(path, 0.5)),
    "WAL is text": of(WAL, lambda path: path.write_text("no WAL\n" * 99)),
}
AT_REST: dict[str, Mutation] = {
    "main header flipped": of(FILE, lambda path: flip(path, 8)),
    "first header flipped": of(FILE, lambda path: flip(path, 4096 + 8)),
    "second header flipped": of(FILE, lambda path: flip(path, 8192 + 8)),
    "first block flipped": of(FILE, lambda path: flip(path, 12288 + 100)),
    "block flipped in the middle": of(FILE, lambda path: flip(path, 0.5)),
    "last block flipped": of(FILE, lambda path: flip(path, 0.99)),
    "cut in half": of(FILE, lambda path: os.truncate(path, path.stat().st_size // 2)),
    "last block cut": of(FILE, lambda path: os.truncate(path, path.stat().st_size - 262_144)),
    "0 bytes": of(FILE, lambda path: os.truncate(path, 0)),
    "text": of(FILE, lambda path: path.write_text("no warehouse\n" * 999)),
    "an older file": lambda store: (store / "older.file").replace(store / FILE) and None,
    "foreign WAL": lambda store: shutil.copy(store.parent / "wal" / WAL, store / WAL) and None,
    "file deleted": of(FILE, Path.unlink),
    "seal damaged": of("warehouse.json", lambda path: path.write_text("{")),
    "seal deleted": of("warehouse.json", Path.unlink),
}


@pytest.mark.parametrize("name", [*IN_WAL, *AT_REST])
def test_a_damage_is_found_and_rebuilt(tmp_path: Path, stores: Stores, run: Callable[..., Any], name: str) -> None:
    """18 ways of B4 to damage a warehouse, 4 of which DuckDB opens without a word, and four more."""
    (tmp_path / "wal").mkdir()
    shutil.copy(stores.in_wal / WAL, tmp_path / "wal" / WAL)
    store = tmp_path / "store"
    shutil.copytree(stores.in_wal if name in IN_WAL else stores.rest, store)
    (IN_WAL | AT_REST)[name](store)
    found = run("verify", "--store", store)
    assert found.status == 65 or (not found.status and content(store) == stores.content), found
    if found.status:
        assert "cohortfinder rebuild" in found.err
    assert run("rebuild", "--store", store).status == 0
    assert verify(store) == ()
    assert content(store) == stores.content


@pytest.mark.parametrize("name", ["WAL deleted", "WAL cut at its tail", "an older file", "0 bytes", "text"])
def test_no_command_goes_on_with_a_warehouse_that_has_lost_loads(
    tmp_path: Path, stores: Stores, run: Callable[..., Any], name: str
) -> None:
    store = tmp_path / "store"
    shutil.copytree(stores.in_wal if name in IN_WAL else stores.rest, store)
    (IN_WAL | AT_REST)[name](store)
    new = write(tmp_path / "new.ndjson", observation("new", 1, 1))
    for command in (("load", new), ("screen", "NCT06983964"), ("status",)):
        done = run(*command, "--store", store)
        assert done.status == 65, (command, done)
        assert "cohortfinder rebuild" in done.err
    assert run("rebuild", "--store", store).status == 0
    assert run("load", new, "--store", store).status == 0


def test_a_flip_anywhere_is_found_or_harmless(tmp_path: Path, stores: Stores) -> None:
    for number in range(FLIPS):
        place = random.Random(f"{SEED} {number}").random()
        store = tmp_path / str(number)
        shutil.copytree(stores.rest, store)
        flip(store / FILE, place, 1)
        assert verify(store) or content(store) == stores.content, f"FLIP_SEED={SEED}: {place}"
        shutil.rmtree(store)


def test_a_load_that_died_before_its_checkpoint_is_in_the_tables(tmp_path: Path, stores: Stores) -> None:
    """Newer than its seal is no loss: the seal is written anew."""
    store = tmp_path / "store"
    load([write(tmp_path / "a.ndjson", observation("a", 1, 1))], store)
    second = write(tmp_path / "b.ndjson", observation("b", 1, 1))
    subprocess.run([sys.executable, "-c", KILLED, str(store), str(second)])
    sealed = read_seal(store)
    finish_earlier(store)
    renewed = read_seal(store)
    assert sealed is not None
    assert renewed is not None
    assert (len(sealed.loads), len(renewed.loads), renewed.rows["observation"]) == (1, 2, 2)
    assert verify(store) == ()


def test_a_landing_file_that_is_damaged_is_found_and_nothing_is_rebuilt(tmp_path: Path, stores: Stores) -> None:
    shutil.copytree(stores.rest, tmp_path / "store")
    part = next((tmp_path / "store" / "landing").rglob("Observation.000.ndjson.gz"))
    flip(part, 0.5)
    (told,) = verify(tmp_path / "store")
    assert str(part) in told
    with pytest.raises(Exception, match="restore it from a backup"):
        rebuild(tmp_path / "store")
    assert content(tmp_path / "store") == stores.content


def test_a_rebuild_that_is_killed_is_gone_on_with(tmp_path: Path, stores: Stores) -> None:
    store = tmp_path / "store"
    for share in (0.3, 0.6, 0.9):
        shutil.copytree(stores.rest, store)
        flip(store / FILE, 0.5)
        command = "from cohortfinder.jobs.verify import rebuild; from pathlib import Path; import sys; rebuild(Path(sys.argv[1]))"
        with subprocess.Popen([sys.executable, "-c", command, str(store)]) as process:
            time.sleep(2 * share)
            process.kill()
        rebuild(store)
        assert (verify(store), content(store)) == ((), stores.content)
        shutil.rmtree(store)


def test_a_store_that_is_not_there_cannot_be_rebuilt(tmp_path: Path, run: Callable[..., Any]) -> None:
    assert run("rebuild", "--store", tmp_path / "none").status == 64


def test_every_command_says_what_to_do_where_blocks_are_damaged(
    tmp_path: Path, stores: Stores, run: Callable[..., Any]
) -> None:
    """What comes to light while rows are read, long after the file was opened."""
    store, config = tmp_path / "store", tmp_path / "site.toml"
    shutil.copytree(stores.rest, store)
    config.write_text(f'store = "{store}"\ntrials = ["T2D-EXAMPLE"]\n', encoding="utf-8")
    for place in range(12288 + 262_144 + 4096, (store / FILE).stat().st_size - 8, 262_144):
        flip(store / FILE, place)
    day = ("--as-of", "2026-11-20", "--config", config)
    for command in (("screen", "T2D-EXAMPLE", *day), ("explain", "T2D-EXAMPLE", "ss-typical", *day), ("nightly", *day)):
        done = run(*command)
        assert done.status == 65, command
        assert "`cohortfinder rebuild` makes the tables anew" in done.out + done.err
