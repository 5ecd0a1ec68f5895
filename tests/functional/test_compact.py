"""`cohortfinder compact`: landing without what was superseded; what is made of it is what was made of it before."""

import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.jobs.compact import compact
from cohortfinder.jobs.erase import erase
from cohortfinder.jobs.load import load
from cohortfinder.jobs.remade import remade
from cohortfinder.jobs.verify import rebuild, verify
from cohortfinder.landing.manifest import landed
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.tables import typed_tables
from functional.test_load import mixed, observation, write
from functional.test_pull import patient
from length import AT_LENGTH
from small_disk import small_disk_in

SEED = int(os.environ.get("KILL_SEED", time.time_ns() % 10**6))
MOMENTS = 25 if AT_LENGTH else 3
COMMAND = [sys.executable, "-m", "cohortfinder", "compact", "--json", "--store"]
Resource = dict[str, Any]


def content(store: Path) -> dict[str, Any]:
    """Everything in the typed tables and the books, but for whom loads changed and numbers of versions that are gone."""
    asked = {table.name: f"SELECT * FROM {table.name}" for table in typed_tables()} | {
        "resource": "SELECT resource_type, id, updated, version FROM store.resource",
        "load": "SELECT * FROM store.load",
        "loaded_type": "SELECT * FROM store.loaded_type",
        "pulled_type": "SELECT * FROM store.pulled_type",
        "quarantine": "SELECT * FROM store.quarantine",
        "numbers": "SELECT * FROM exact_number SEMI JOIN observation USING (id)"
        " WHERE (id, last_updated, version_id) IN (SELECT (id, last_updated, version_id) FROM observation)",
    }
    with open_warehouse(store, read_only=True) as connection:
        return {name: sorted(connection.execute(query).fetchall(), key=repr) for name, query in asked.items()}


def lines(store: Path) -> dict[str, list[Resource]]:
    """Everything that landing holds, by type."""
    found: dict[str, list[Resource]] = {}
    for folder, manifest in landed(store / "landing"):
        for kind in manifest.types:
            for part in kind.parts:
                with gzip.open(folder / part.file) as text:
                    found.setdefault(kind.resource_type, []).extend(map(json.loads, text))
    return found


def deletions(path: Path, *urls: str, at: str) -> Path:
    entries = [
        {"request": {"method": "DELETE", "url": url}, "response": {"status": "204", "lastModified": at}} for url in urls
    ]
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "history", "entry": entries}), encoding="utf-8")
    return path


def unversioned(own_id: str, value: float) -> Resource:
    return {name: part for name, part in observation(own_id, 1, value).items() if name != "meta"}


def histories(folder: Path) -> list[list[Path]]:
    """What six loads bring: versions in and out of order, without any, refused lines, deletions, returns, one type new."""
    folder.mkdir()
    exact = json.dumps(observation("digits", 2, 0)).replace('"value": 0', '"value": 0.010')
    (folder / "exact.ndjson").write_text(f"{exact}\n", encoding="utf-8")
    wrong = {**observation("o3", 3, 1), "code": "a text where an object belongs"}
    claim = {"resourceType": "Claim", "id": "k", "meta": {"versionId": "1", "lastUpdated": "2026-11-01T00:00:00Z"}}
    return [
        [mixed(folder / "mixed.ndjson"), write(folder / "a.ndjson", patient("a"), claim, *(observation(f"o{n}", 1, n) for n in range(9)),
               unversioned("u1", 1), unversioned("u2", 1), observation("digits", 1, 5))],
        [write(folder / "b.ndjson", observation("o1", 3, 31), observation("o2", 2, 22), wrong, unversioned("u1", 2)), folder / "exact.ndjson"],
        [write(folder / "c.ndjson", observation("o1", 2, 21), observation("o2", 2, 23), unversioned("u1", 1), unversioned("u2", 1)),
         deletions(folder / "d.json", "Observation/o4", "Observation/o5", "Observation/o8", "Claim/k", at="2026-11-05T00:00:00Z")],
        [write(folder / "e.ndjson", observation("o4", 1, 4), observation("o5", 6, 56))],
        [deletions(folder / "f.json", "Observation/o6", at="2026-11-07T00:00:00Z"), write(folder / "g.ndjson", patient("late"))],
        [write(folder / "h.ndjson", observation("o7", 1, 7), observation("o7", 9, 79))],
    ]  # fmt: skip


def afterwards(folder: Path) -> list[list[Path]]:
    """Loads that ask what is remembered: old versions, ties with other content, the same without a version."""
    return [
        [write(folder / "old.ndjson", *(observation(f"o{n}", 1, 100 + n) for n in range(9)), observation("o2", 2, 21))],
        [write(folder / "tie.ndjson", observation("o1", 3, 310), unversioned("u1", 1), unversioned("u2", 9))],
        [write(folder / "back.ndjson", observation("o8", 8, 88), observation("o6", 6, 66))],
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same store twice: as the loads have left it, and with its loads merged."""
    folder = tmp_path_factory.mktemp("made")
    for files in histories(folder / "files"):
        load(files, folder / "plain")
    shutil.copytree(folder / "plain", folder / "merged")
    done = compact(folder / "merged")
    assert done is not None
    assert (done.loads, done.resources) == (6, sum(map(len, lines(folder / "merged").values())))
    return folder


@pytest.fixture
def two(made: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Copies of both, to be changed."""
    (tmp_path / "files").mkdir()
    for name in ("plain", "merged"):
        shutil.copytree(made / name, tmp_path / name)
    return tmp_path / "plain", tmp_path / "merged"


def test_what_was_superseded_deleted_or_refused_is_not_in_landing(two: tuple[Path, Path]) -> None:
    _, merged = two
    held = lines(merged)
    assert len(list((merged / "landing").iterdir())) == 1
    with open_warehouse(merged, read_only=True) as connection:
        ids = [one for (one,) in connection.execute("SELECT DISTINCT id FROM observation ORDER BY id").fetchall()]
    assert sorted(one["id"] for one in held["Observation"]) == ids
    assert {"o4", "o6", "o8"}.isdisjoint(ids)
    assert "Claim" not in held
    assert [one["valueQuantity"]["value"] for one in held["Observation"] if one["id"] == "u1"] == [1]


def test_the_tables_are_untouched_and_made_anew_they_are_the_same(two: tuple[Path, Path]) -> None:
    plain, merged = two
    assert content(merged) == content(plain)
    assert verify(merged) == ()
    rebuild(plain)
    rebuild(merged)
    assert content(merged) == content(plain)
    assert verify(merged) == ()


@pytest.mark.parametrize("anew", [False, True])
def test_later_loads_do_the_same_to_both(tmp_path: Path, two: tuple[Path, Path], anew: bool) -> None:
    for store in two:
        if anew:
            rebuild(store)
        for files in afterwards(tmp_path / "files"):
            load(files, store)
    plain, merged = (_without_loads(content(store)) for store in two)
    assert merged == plain
    assert compact(two[1]) is not None
    rebuild(two[1])
    assert _without_loads(content(two[1])) == plain


def _without_loads(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out what two stores cannot have in common: the names and times of their later loads."""
    return {name: rows for name, rows in found.items() if name not in ("load", "loaded_type", "quarantine")}


def test_a_second_compaction_finds_nothing_and_lines_stay_as_they_were_sent(two: tuple[Path, Path]) -> None:
    plain, merged = two
    before = {str(path): path.read_bytes() for path in merged.rglob("landing/**/*") if path.is_file()}
    assert compact(merged) is None
    assert {str(path): path.read_bytes() for path in merged.rglob("landing/**/*") if path.is_file()} == before
    assert all(line in lines(plain)[kind] for kind, held in lines(merged).items() for line in held)
    with gzip.open(next(merged.rglob("Observation.000.ndjson.gz"))) as text:
        assert b'"value": 0.010' in text.read()


def test_what_was_deleted_goes_with_a_patient_who_is_erased(tmp_path: Path) -> None:
    """Of a deleted record its id is kept, so that it does not come back; it goes with her to whom it belonged."""
    store = tmp_path / "store"
    load([write(tmp_path / "a.ndjson", patient("a"), observation("hers-77", 1, 1), observation("o", 1, 1))], store)
    load([deletions(tmp_path / "d.json", "Observation/hers-77", at="2026-11-05T00:00:00Z")], store)
    load([write(tmp_path / "b.ndjson", patient("b"))], store)
    assert compact(store) is not None
    assert _told_anywhere(store, b"hers-77")
    load([write(tmp_path / "c.ndjson", patient("c"))], store)
    assert compact(store) is not None
    assert _told_anywhere(store, b"hers-77")
    erase(store, "a")
    assert not _told_anywhere(store, b"hers-77")
    with open_warehouse(store, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM store.resource WHERE id = 'hers-77'").fetchone() == (0,)
    assert verify(store) == ()


def test_one_of_whom_only_deleted_records_are_known_is_erased_too(tmp_path: Path) -> None:
    store = tmp_path / "store"
    load([write(tmp_path / "a.ndjson", patient("b"), observation("hers-77", 1, 1))], store)
    load([deletions(tmp_path / "d.json", "Observation/hers-77", at="2026-11-05T00:00:00Z")], store)
    assert compact(store) is not None
    assert erase(store, "a").resources == {"Observation": 1}
    assert not _told_anywhere(store, b"hers-77")
    with open_warehouse(store, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM store.resource WHERE id = 'hers-77'").fetchone() == (0,)


def _told_anywhere(store: Path, word: bytes) -> bool:
    for file in (path for path in store.rglob("*") if path.is_file()):
        found = file.read_bytes()
        if word in (gzip.decompress(found) if file.suffix == ".gz" else found):
            return True
    return False


def test_what_a_killed_compaction_left_goes_with_an_erasure(tmp_path: Path, two: tuple[Path, Path]) -> None:
    plain, merged = two
    for old in (plain / "landing").iterdir():
        shutil.copytree(old, merged / "landing" / old.name)
    shutil.copytree(plain, merged / "replay" / "before")
    erase(merged, "a")
    assert not _told_anywhere(merged, b"Patient/a")
    assert (verify(merged), len(list((merged / "landing").iterdir()))) == ((), 1)


def test_a_damaged_file_of_what_was_told_is_found(two: tuple[Path, Path]) -> None:
    _, merged = two
    for name in ("gone.jsonl.gz", "load.jsonl.gz"):
        file = next(merged.rglob(name))
        was = file.read_bytes()
        file.write_bytes(was[:-9])
        assert [str(file) in told for told in verify(merged)] == [True]
        file.write_bytes(was)
    file.write_bytes(gzip.compress(b""))
    assert "does not tell of all loads" in verify(merged)[0]


@pytest.mark.parametrize("cut", [9, 40])
def test_a_file_that_was_cut_is_not_merged(two: tuple[Path, Path], cut: int) -> None:
    """DuckDB reads what is left of it without a word."""
    plain, _ = two
    part = max((plain / "landing").rglob("Observation.000.ndjson.gz"), key=lambda path: path.stat().st_size)
    part.write_bytes(part.read_bytes()[:-cut])
    done = subprocess.run([*COMMAND, plain], capture_output=True, text=True)
    assert (done.returncode, str(part) in done.stderr) == (65, True)
    assert len([*(plain / "landing").iterdir()]) == 6


def test_nobody_merges_what_somebody_reads_or_writes(tmp_path: Path, run: Callable[..., Any]) -> None:
    store = tmp_path / "store"
    for number in (1, 2):
        load([write(tmp_path / "a.ndjson", observation("o", number, number))], store)
    told: Callable[[], Any] = lambda: subprocess.run([*COMMAND, store], capture_output=True, text=True)  # noqa: E731
    with remade(store):
        replaying = told()
    with open_warehouse(store):
        writing = told()
    assert (replaying.returncode, "is replaying a run, or merging" in replaying.stderr) == (75, True)
    assert (writing.returncode, f"process {os.getpid()} is using the warehouse" in writing.stderr) == (75, True)
    with open_warehouse(store, read_only=True):
        assert json.loads(told().stdout)["loads"] == 2
    assert run("compact", "--store", tmp_path / "none").status == 64
    assert "There was nothing to merge" in run("compact", "--store", store).out


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose compaction takes a while."""
    folder = tmp_path_factory.mktemp("large")
    for files in histories(folder / "files"):
        load(files, folder / "store")
    for number in (1, 2, 3):
        file = write(folder / "many.ndjson", *(observation(f"m{one}", number, one) for one in range(3_000)))
        load([file], folder / "store")
    return folder / "store"


def test_a_kill_at_any_moment_leaves_a_whole_store(tmp_path: Path, large: Path) -> None:
    """The old landing or the new one; what is left beside it the next compaction removes."""
    calm = tmp_path / "calm"
    shutil.copytree(large, calm)
    began = time.monotonic()
    subprocess.run([*COMMAND, calm], check=True, capture_output=True)
    seconds, expected = time.monotonic() - began, content(large)
    kept = {kind: sorted(map(repr, held)) for kind, held in lines(calm).items()}
    for moment in range(MOMENTS):
        share = random.Random(f"{SEED} {moment}").uniform(0.1, 1.0)
        store = tmp_path / str(moment)
        shutil.copytree(large, store)
        with subprocess.Popen([*COMMAND, store], stdout=-3, stderr=-3) as process:
            time.sleep(seconds * share)
            process.kill()
        told = f"KILL_SEED={SEED}: killed after {share:.3f} of {seconds:.2f} s"
        assert verify(store) == (), told
        subprocess.run([*COMMAND, store], check=True, capture_output=True)
        assert {kind: sorted(map(repr, held)) for kind, held in lines(store).items()} == kept, told
        assert sorted(path.name for path in store.iterdir() if path.name == "replay") == [], told
        assert len(list((store / "landing").iterdir())) == 1, told
        rebuild(store)
        assert content(store) == expected, told
        shutil.rmtree(store)


# ends before or after the moment from which the new folder counts
DYING = """
import os, sys
from pathlib import Path
from cohortfinder.jobs import compact as job
real, when, seen = {"rename": job.rename_durably, "remove": job.remove}, sys.argv[2], []
def dying(name):
    def act(*given):
        if when == f"before {name}":
            os.kill(os.getpid(), 9)
        real[name](*given)
        if when == f"after {name}":
            os.kill(os.getpid(), 9)
    return act
job.rename_durably, job.remove = dying("rename"), dying("remove")
job.compact(Path(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("moment", "goes_on"),
    [
        ("before rename", "load"), ("before rename", "compact"), ("after rename", "rebuild"), ("before remove", "load"),
        ("after remove", "compact"), ("half removed", "load"), ("half removed", "rebuild"),
    ],
)  # fmt: skip
def test_a_kill_at_the_turn_is_gone_on_with_by_whatever_comes_next(
    tmp_path: Path, two: tuple[Path, Path], moment: str, goes_on: str
) -> None:
    plain, _ = two
    store, expected = tmp_path / "store", content(plain)
    shutil.copytree(plain, store)
    when = "after rename" if moment == "half removed" else moment
    assert subprocess.run([sys.executable, "-c", DYING, store, when]).returncode == -9
    if moment == "half removed":
        (min((store / "landing").iterdir()) / "manifest.json").unlink()
    assert verify(store) == ()
    if goes_on == "load":
        load([write(tmp_path / "more.ndjson", observation("o0", 1, 0))], store)
    elif goes_on == "compact":
        compact(store)
    rebuild(store)
    assert _without_loads(content(store)) == _without_loads(expected)
    assert verify(store) == ()
    folders = 6 if moment == "before rename" and goes_on != "compact" else 1
    assert len(list((store / "landing").iterdir())) == folders + (goes_on == "load")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 40 MB, where this may be made."""
    with small_disk_in(tmp_path, 40) as disk:
        yield disk


@pytest.mark.parametrize("free", [0, 30_000, 300_000, 3_000_000])
def test_a_full_disk_leaves_landing_as_it_was(small_disk: Path, large: Path, free: int) -> None:
    store, filler = small_disk / "store", small_disk / "filler"
    shutil.copytree(large, store)
    before = {str(path): path.read_bytes() for path in (store / "landing").rglob("*") if path.is_file()}
    filler.write_bytes(b"0" * (shutil.disk_usage(small_disk).free - free))
    full = subprocess.run([*COMMAND, store], capture_output=True, text=True)
    assert (full.returncode, full.stderr.count("Traceback")) == (74, 0), full.stderr
    assert {str(path): path.read_bytes() for path in (store / "landing").rglob("*") if path.is_file()} == before
    assert not (store / "replay").exists()
    filler.unlink()
    assert verify(store) == ()
    assert compact(store) is not None
    assert verify(store) == ()
