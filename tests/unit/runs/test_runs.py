"""The files that a store keeps of its nights: names that sort, notices that remember, folders that are settled."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cohortfinder.errors import LockedError, StoreError
from cohortfinder.runs.lock import holder_of, only_one
from cohortfinder.runs.notice import Notice, put_notice, read_notice, take_away_notice
from cohortfinder.runs.record import (
    PUBLISHED,
    RUNNING,
    Refusal,
    RunRecord,
    Step,
    new_run_id,
    read_record,
    run_folder,
    run_ids,
    write_record,
)
from cohortfinder.runs.snapshots import (
    LISTS,
    SnapshotManifest,
    current_run,
    differences,
    list_files,
    make_current,
    read_manifest,
    snapshot_folder,
    snapshot_ids,
    write_manifest,
)
from cohortfinder.runs.tidy import STATE, last_state, prune, tidy

NOW = datetime(2026, 11, 27, 2, tzinfo=UTC)
HOLD = "import sys, time; from pathlib import Path; from cohortfinder.runs.lock import only_one\nwith only_one(Path(sys.argv[1]), 'is at it'):\n    print('held', flush=True); time.sleep(60)"


def record(run_id: str, **more: object) -> RunRecord:
    return RunRecord(run_id, "2026-11-27T02:00:00+00:00", {"cohortfinder": "0"}, "2026-11-27", **more)  # type: ignore[arg-type]


def publish(store: Path, run_id: str, *, state: str = PUBLISHED) -> Path:
    """Make a snapshot of one file, and the record of its run."""
    write_record(store, record(run_id, state=state, load_ids=[run_id]))
    folder = snapshot_folder(store, run_id)
    folder.mkdir(parents=True)
    (folder / LISTS).write_bytes(run_id.encode())
    write_manifest(folder, SnapshotManifest(run_id, "2026-11-27", "", ("T",), list_files(folder), {"candidates": 1}))
    return folder


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([], "20261127T020000-001"),
        (["20261126T020000-001"], "20261127T020000-001"),
        (["20261127T020000-001"], "20261127T020000-002"),
        # a clock that was set back
        (["20261128T020000-007"], "20261128T020000-008"),
    ],
)
def test_a_run_sorts_after_all_that_were_before(taken: list[str], expected: str) -> None:
    assert new_run_id(taken, NOW) == expected


def test_a_record_is_read_as_it_was_written_and_only_its_owner_can(tmp_path: Path) -> None:
    written = record(
        "20261127T020000-001",
        steps=[Step("pull", "2026-11-27T02:00:00+00:00", 1.5, "done", {"Patient": 3})],
        refusals=[Refusal("clock", "The clock.", "That the clock is right.", 65)],
    )
    write_record(tmp_path, written)
    assert read_record(tmp_path, written.run_id) == written
    file = run_folder(tmp_path, written.run_id) / "run.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["run.json"]


def test_a_damaged_record_is_told_with_its_place(tmp_path: Path) -> None:
    write_record(tmp_path, record("20261127T020000-001"))
    file = run_folder(tmp_path, "20261127T020000-001") / "run.json"
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(StoreError, match=r"run\.json: the record of this run cannot be read"):
        read_record(tmp_path, "20261127T020000-001")


def test_a_lock_names_its_holder_and_goes_with_it(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, file], stdout=-1, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with (
            pytest.raises(LockedError, match=rf"process {process.pid} \(since 20.*\) is at it"),
            only_one(file, "is at it"),
        ):
            pass
        assert holder_of(file) is not None
        process.kill()
    assert holder_of(file) is None
    with only_one(file, "is at it"):
        assert file.read_text().startswith(f"process {os.getpid()} ")


def test_current_names_a_list_that_is_there(tmp_path: Path) -> None:
    assert current_run(tmp_path) is None
    publish(tmp_path, "20261127T020000-001")
    make_current(tmp_path, "20261127T020000-001")
    assert current_run(tmp_path) == "20261127T020000-001"
    make_current(tmp_path, "20261128T020000-001")
    with pytest.raises(StoreError, match="CURRENT: the list that it names is not in"):
        current_run(tmp_path)


def test_a_manifest_finds_what_is_missing_changed_or_added(tmp_path: Path) -> None:
    folder = publish(tmp_path, "20261127T020000-001")
    manifest = read_manifest(folder)
    assert differences(folder, manifest) == ()
    (folder / LISTS).write_bytes(b"20261127T020000-002")
    (folder / "more.csv").write_bytes(b"")
    assert differences(folder, manifest) == (LISTS, "more.csv")
    (folder / LISTS).unlink()
    assert differences(folder, manifest) == (LISTS, "more.csv")


def test_a_notice_counts_the_nights_from_the_first_on(tmp_path: Path) -> None:
    first = Notice("2026-11-27T02:00:00+00:00", "The clock.", "a", 65, ("clock",), 1, "z", "2026-11-26")
    put_notice(tmp_path, first)
    put_notice(tmp_path, Notice("2026-11-28T02:00:00+00:00", "No answer.", "b", 69, (), 1, "z", "2026-11-26"))
    found = read_notice(tmp_path)
    assert found == Notice("2026-11-27T02:00:00+00:00", "No answer.", "b", 69, (), 2, "z", "2026-11-26")
    assert found is not None
    assert found.sentence == (
        "This list is as of 2026-11-26: since 2026-11-27T02:00:00+00:00 no newer one was published. No answer."
    )
    take_away_notice(tmp_path)
    assert read_notice(tmp_path) is None


def test_a_killed_run_is_settled_by_what_current_says(tmp_path: Path) -> None:
    """Killed between rename and pointer the old list holds; killed after the pointer the new one does."""
    publish(tmp_path, "20261126T020000-001")
    publish(tmp_path, "20261127T020000-001", state=RUNNING)
    make_current(tmp_path, "20261126T020000-001")
    (tmp_path / "snapshots" / "20261127T020000-001.partial").mkdir()
    (tmp_path / "CURRENT.new").write_text("20261127T020000-001")
    assert tidy(tmp_path, NOW) == ("20261127T020000-001",)
    assert snapshot_ids(tmp_path) == ("20261126T020000-001",)
    assert [path.name for path in (tmp_path / "snapshots").iterdir()] == ["20261126T020000-001"]
    assert not (tmp_path / "CURRENT.new").exists()
    assert read_record(tmp_path, "20261127T020000-001").state == "interrupted"

    publish(tmp_path, "20261128T020000-001", state=RUNNING)
    make_current(tmp_path, "20261128T020000-001")
    assert tidy(tmp_path, NOW) == ()
    settled = read_record(tmp_path, "20261128T020000-001")
    assert (settled.state, settled.exit_status) == (PUBLISHED, 137)
    assert snapshot_ids(tmp_path) == ("20261126T020000-001", "20261128T020000-001")


def test_a_list_to_which_somebody_returned_keeps_the_newer_ones(tmp_path: Path) -> None:
    for day in (26, 27):
        publish(tmp_path, f"202611{day}T020000-001")
    make_current(tmp_path, "20261126T020000-001")
    assert tidy(tmp_path, NOW) == ()
    assert len(snapshot_ids(tmp_path)) == 2


def test_the_last_lists_stay_and_the_one_that_holds(tmp_path: Path) -> None:
    for day in range(20, 25):
        publish(tmp_path, f"202611{day}T020000-001")
        state = run_folder(tmp_path, f"202611{day}T020000-001") / "trials" / "T" / STATE
        state.parent.mkdir(parents=True)
        state.touch()
    make_current(tmp_path, "20261120T020000-001")
    assert prune(tmp_path, 2) == ("20261121T020000-001", "20261122T020000-001")
    assert [name[6:8] for name in snapshot_ids(tmp_path)] == ["20", "23", "24"]
    # of a run that has no list any more the record stays
    assert [path.name for path in run_folder(tmp_path, "20261121T020000-001").iterdir()] == ["run.json"]
    assert [one.parents[2].name[6:8] for one in (tmp_path / "runs").rglob(STATE)] == ["24"]
    assert last_state(tmp_path, "T") == run_folder(tmp_path, "20261124T020000-001") / "trials" / "T" / STATE
    assert len(run_ids(tmp_path)) == 5
    loads = {run_id[6:8]: len(read_record(tmp_path, run_id).load_ids) for run_id in run_ids(tmp_path)}
    assert loads == {"20": 1, "21": 0, "22": 0, "23": 1, "24": 1}


def test_records_go_when_there_are_many_but_for_those_of_kept_lists(tmp_path: Path) -> None:
    for day in range(20, 28):
        publish(tmp_path, f"202611{day}T020000-001")
    make_current(tmp_path, "20261120T020000-001")
    prune(tmp_path, 2, records=3)
    assert [name[6:8] for name in run_ids(tmp_path)] == ["20", "25", "26", "27"]
    assert prune(tmp_path, 2, records=3) == ()
    assert len(run_ids(tmp_path)) == 4
