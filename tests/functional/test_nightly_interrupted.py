"""A night that is killed, at whatever step: the old list holds or the new one, and the next night ends as if nothing had been."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.runs.notice import read_notice
from cohortfinder.runs.snapshots import current_run, differences, read_manifest, snapshot_folder, snapshot_ids
from functional.test_nightly import DAY, Nights
from functional.test_pull import condition, furnish, observation, patient
from length import AT_LENGTH
from searched_server import Searched, serving
from small_disk import small_disk_in

SEED = int(os.environ.get("KILL_SEED", time.time_ns() % 10**6))
MOMENTS = 25 if AT_LENGTH else 2
STEPS = (
    ("pull", "check", "screen PULLED", "compare", "publish", "notify") if AT_LENGTH else ("pull", "compare", "publish")
)
COMMAND = [sys.executable, "-m", "cohortfinder", "nightly", "--json", "--as-of", DAY, "--config"]
LISTS = ("candidates.csv", "verdicts.csv", "funnel.csv", "outlook.csv", "next_steps.csv")


@pytest.fixture(scope="module")
def server() -> Iterator[Searched]:
    """A server after the first night: more patients, and a deletion."""
    with serving(Searched()) as one:
        furnish(one)
        yield one


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, server: Searched) -> Path:
    """A store with the list of one night, to be copied; then the server goes on."""
    nights = Nights(tmp_path_factory.mktemp("first"), lambda *_: None, server.url)
    subprocess.run([*COMMAND, nights.config], check=True, capture_output=True)
    server.sleep(hours=5)
    server.put(*(patient(f"p{number}") for number in range(20)))
    server.put(*(condition(f"d{number}", f"p{number}") for number in range(20)))
    server.put(*(observation(f"x{number}", f"p{number}", value=60.0 + 2 * number) for number in range(20)))
    return nights.folder


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, first: Path, server: Searched) -> tuple[dict[str, bytes], float]:
    """The list of a second night that nobody interrupts, and how long it takes."""
    nights = copy_of(first, tmp_path_factory.mktemp("calm"), server)
    began = time.monotonic()
    subprocess.run([*COMMAND, nights.config], check=True, capture_output=True)
    return lists_of(nights), time.monotonic() - began


def copy_of(first: Path, folder: Path, server: Searched) -> Nights:
    shutil.copytree(first, folder, dirs_exist_ok=True)
    nights = Nights.__new__(Nights)
    nights.folder, nights.store, nights.config = folder, folder / "store", folder / "site.toml"
    nights.configure(url=server.url)
    return nights


def lists_of(nights: Nights) -> dict[str, bytes]:
    """Return the list that holds, which must be what its manifest says."""
    run_id = current_run(nights.store)
    assert run_id is not None
    folder = snapshot_folder(nights.store, run_id)
    assert differences(folder, read_manifest(folder)) == ()
    return {name: (folder / "PULLED" / name).read_bytes() for name in LISTS}


def newest_record(nights: Nights) -> dict[str, Any]:
    """Return the record of the newest run as it is, nothing while there is none."""
    files = sorted((nights.store / "runs").glob("*/run.json"))
    record: dict[str, Any] = json.loads(files[-1].read_bytes())
    return record


def killed_in(nights: Nights, step: str, sent: signal.Signals = signal.SIGKILL) -> int:
    """Run a night in a process of its own, which gets a signal as soon as its record says that it does a step."""
    before = newest_record(nights)["run_id"]
    with subprocess.Popen([*COMMAND, nights.config], stdout=-3, stderr=-3) as process:
        until = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < until:
            record = newest_record(nights)
            if record["run_id"] != before and record["steps"] and record["steps"][-1]["name"] == step:
                process.send_signal(sent)
                break
            time.sleep(0.002)
        return process.wait()


def ends_well(nights: Nights, calm: dict[str, bytes]) -> None:
    """See that the next night publishes what an undisturbed one does, and that nothing is left of the others."""
    done = subprocess.run([*COMMAND, nights.config], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert lists_of(nights) == calm
    assert read_notice(nights.store) is None
    states = [json.loads(file.read_bytes())["state"] for file in sorted((nights.store / "runs").glob("*/run.json"))]
    assert "running" not in states
    kept = {*snapshot_ids(nights.store), "index.html"}
    left = [path.name for path in (nights.store / "snapshots").iterdir() if path.name not in kept]
    assert left == []
    assert [*nights.store.rglob("*.new")] == []


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_in_any_step_leaves_a_whole_list_and_the_next_night_goes_on(
    tmp_path: Path, first: Path, server: Searched, calm: tuple[dict[str, bytes], float], step: str
) -> None:
    nights = copy_of(first, tmp_path, server)
    old = lists_of(nights)
    assert killed_in(nights, step) == -signal.SIGKILL
    assert lists_of(nights) in ([old, calm[0]] if step in ("publish", "notify") else [old])
    ends_well(nights, calm[0])


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_kills_at_any_time_leave_a_whole_list_and_the_next_night_goes_on(
    tmp_path: Path, first: Path, server: Searched, calm: tuple[dict[str, bytes], float], moment: int
) -> None:
    nights, (lists, seconds) = copy_of(first, tmp_path, server), calm
    old, chance = lists_of(nights), random.Random(f"{SEED} {moment}")
    shares = [chance.uniform(0.1, 1.05) for _ in range(2)]
    print(f"KILL_SEED={SEED}: killed after {shares} of {seconds:.1f} s", file=sys.stderr)
    for share in shares:
        with subprocess.Popen([*COMMAND, nights.config], stdout=-3, stderr=-3) as process:
            time.sleep(seconds * share)
            process.kill()
        assert lists_of(nights) in (old, lists)
    ends_well(nights, lists)


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_night_that_is_asked_to_end_says_so_in_its_record_and_notice(
    tmp_path: Path,
    first: Path,
    server: Searched,
    calm: tuple[dict[str, bytes], float],
    sent: signal.Signals,
    status: int,
) -> None:
    nights = copy_of(first, tmp_path, server)
    before = lists_of(nights)
    # what a shell runs in the background is deaf to SIGINT, and so are its children
    was = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert killed_in(nights, "screen PULLED", sent) == status
    finally:
        signal.signal(signal.SIGINT, was)
    record = newest_record(nights)
    assert (record["state"], record["exit_status"], record["steps"][-1]["state"]) == (
        "interrupted",
        status,
        "interrupted",
    )
    notice = read_notice(nights.store)
    assert notice is not None
    assert notice.reason == "The night was interrupted; the next one goes on."
    assert lists_of(nights) == before
    ends_well(nights, calm[0])


def test_a_second_night_at_the_same_time_ends_at_once(
    tmp_path: Path, first: Path, server: Searched, calm: tuple[dict[str, bytes], float]
) -> None:
    nights = copy_of(first, tmp_path, server)
    told: Callable[[], Any] = lambda: subprocess.run([*COMMAND, nights.config], capture_output=True, text=True)  # noqa: E731
    with subprocess.Popen([*COMMAND, nights.config], stdout=-3, stderr=-3) as one:
        while len([*(nights.store / "runs").iterdir()]) < 2:
            time.sleep(0.01)
        second = told()
        assert one.wait() == 0
    assert second.returncode == 75
    assert f"process {one.pid} (since " in second.stderr
    assert len([*(nights.store / "runs").iterdir()]) == 2
    assert lists_of(nights) == calm[0]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB, where this may be made."""
    with small_disk_in(tmp_path, 24) as disk:
        yield disk


@pytest.mark.parametrize("free", [100_000, 1_000_000, 4_000_000])
def test_a_full_disk_fails_the_night_and_leaves_the_old_list(small_disk: Path, free: int) -> None:
    """Room that is too little for the outputs, or for what is kept for the next night, or for the snapshot."""
    nights = Nights(small_disk, lambda *_: None)
    nights.load(patient("a"), condition("c1"))
    subprocess.run([*COMMAND, nights.config], check=True, capture_output=True)
    old, first = lists_of(nights), newest_record(nights)["run_id"]
    filler = small_disk / "filler"
    filler.write_bytes(b"0" * (shutil.disk_usage(small_disk).free - free))
    done = subprocess.run([*COMMAND, nights.config], capture_output=True, text=True)
    assert done.returncode == 74, done.stderr + done.stdout
    assert (lists_of(nights), current_run(nights.store)) == (old, first)
    record = newest_record(nights)
    assert (record["state"], record["exit_status"]) == ("failed", 74)
    assert {one["name"] for one in record["steps"] if one["state"] == "failed"} <= {"screen PULLED", "publish"}
    notice = read_notice(nights.store)
    assert notice is not None
    assert "No space left on device" in notice.reason
    filler.unlink()
    ends_well(nights, old)
