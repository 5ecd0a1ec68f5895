"""A pull that ends early, whatever ends it: the next one goes on, and the store is as if nothing had happened."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.jobs.load import finish_earlier
from cohortfinder.warehouse.connection import open_warehouse
from functional.test_load_interrupted import state
from functional.test_pull import Site, condition, observation, order, patient
from length import AT_LENGTH
from searched_server import Searched, serving

SEED = int(os.environ.get("KILL_SEED", time.time_ns() % 10**6))
MOMENTS = 12 if AT_LENGTH else 3
COMMAND = [sys.executable, "-m", "cohortfinder", "pull", "--json", "--config"]


@pytest.fixture(scope="module")
def server() -> Iterator[Searched]:
    """A server with enough pages to be interrupted between them."""
    with serving(Searched()) as one:
        for number in range(6):
            own = f"p{number}"
            one.put(patient(own), condition(f"c{number}", own), order(f"r{number}", f"Medication/m{number}", own))
            one.put({"resourceType": "Medication", "id": f"m{number}"})
            one.put(*(observation(f"o{number}-{count:02}", own, value=100.0 + count) for count in range(12)))
        one.sleep(hours=1)
        yield one


@pytest.fixture
def site(tmp_path: Path, server: Searched, run: Callable[..., Any]) -> Iterator[Site]:
    yield Site(tmp_path, server, run, page_size=5)
    server.before_answer = lambda _: None


def pulled(store: Path) -> dict[str, Any]:
    """Everything that a pull leaves, without what no two have in common."""
    with open_warehouse(store, read_only=True) as connection:
        books = connection.execute(
            "SELECT resource_type, since, watermark, codes, resources, complete, swept FROM store.pulled_type ORDER BY ALL"
        ).fetchall()
    return state(store) | {"pulled": books, "spool": [path.name for path in (store / "pull").iterdir()]}


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, server: Searched) -> dict[str, Any]:
    """What a pull leaves that nobody interrupts, how long it takes and how often it asks."""
    site = Site(tmp_path_factory.mktemp("calm"), server, lambda *_: None, page_size=5)
    asked, began = len(server.asked), time.monotonic()
    subprocess.run([*COMMAND, site.folder / "site.toml"], check=True, capture_output=True)
    return {"seconds": time.monotonic() - began, "questions": len(server.asked) - asked, "left": pulled(site.store)}


def ended(site: Site, number: int, sent: signal.Signals) -> "subprocess.CompletedProcess[str]":
    """Pull in a process of its own, which gets a signal when it asks its n-th question."""
    first = len(site.server.asked)
    command = [*COMMAND, site.folder / "site.toml"]
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True, preexec_fn=_hears_ctrl_c) as process:

        def end(_: str) -> None:
            if len(site.server.asked) - first == number:
                process.send_signal(sent)

        site.server.before_answer = end
        out, err = process.communicate()
    site.server.before_answer = lambda _: None
    return subprocess.CompletedProcess([], process.returncode, out, err)


def _hears_ctrl_c() -> None:
    """What a shell runs in the background is deaf to SIGINT, and so are its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_after_a_kill_between_two_pages_the_store_is_as_if_nothing_had_been(
    site: Site, calm: dict[str, Any], moment: int
) -> None:
    chance = random.Random(f"{SEED} {moment}")
    numbers = [chance.randint(1, calm["questions"]) for _ in range(2)]
    print(f"KILL_SEED={SEED}: killed at questions {numbers}", file=sys.stderr)
    for number in numbers:
        ended(site, number, signal.SIGKILL)
    go_on(site)
    assert pulled(site.store) == calm["left"]


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_after_a_kill_at_any_time_the_store_is_as_if_nothing_had_been(
    site: Site, calm: dict[str, Any], moment: int
) -> None:
    share = random.Random(f"{SEED} {moment} time").uniform(0.3, 1.02)
    print(f"KILL_SEED={SEED}: killed after {share:.3f} of {calm['seconds']:.2f} s", file=sys.stderr)
    with subprocess.Popen([*COMMAND, site.folder / "site.toml"], stdout=-3, stderr=-3) as process:
        time.sleep(calm["seconds"] * share)
        process.kill()
    go_on(site)
    assert pulled(site.store) | {"spool": []} == calm["left"] | {"spool": []}


def go_on(site: Site) -> None:
    """Pull again, unless the pull that was killed had come to its end: the next one would be a second one."""
    finish_earlier(site.store)
    if site.rows("SELECT load_id FROM store.load") == []:
        site.pulled()


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_lets_the_page_come_to_its_end_and_the_next_pull_goes_on(
    site: Site, calm: dict[str, Any], sent: signal.Signals, status: int
) -> None:
    done = ended(site, 12, sent)
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (status, "", False)
    assert "plan.json" in site.spool()
    before = len(site.server.asked)
    assert site.pulled()["continued"] is True
    assert len(site.server.asked) - before < calm["questions"]
    assert pulled(site.store) == calm["left"]


def test_a_disk_that_refuses_ends_the_pull_and_the_next_one_goes_on(site: Site) -> None:
    site.pulled()
    noise = random.Random(1).randbytes(8 * 2**20).hex()
    site.server.put({**observation("large", "p0"), "note": [{"text": noise}]})
    site.server.sleep(hours=1)
    small = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (6 * 2**20, 6 * 2**20))  # noqa: E731
    done = subprocess.run([*COMMAND, site.folder / "site.toml"], preexec_fn=small, capture_output=True, text=True)
    assert (done.returncode, "free space and pull again: it goes on" in done.stderr) == (74, True)
    told = json.loads(site.pull().out)
    assert told["types"]["Observation"]["new"] == 1
    site.agrees()
    site.server.delete("Observation", "large")
