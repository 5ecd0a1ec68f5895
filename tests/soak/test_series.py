"""Nights one after the other, disturbed at random moments: each publishes what the undisturbed series publishes.

`make soak` tries it at length, and over the Synthea patients as well where BENCH_DATA names their folder. The seed of a
run is told; SOAK_SEED repeats it, SOAK_NIGHTS says how many nights.
"""

import os
import random
import shutil
import time
from pathlib import Path

import pytest

from cohortfinder.jobs.verify import verify
from soak.days import Day, days_of
from soak.disturbed import DONE, Disturber, Lists, Store, Tables, small_disk
from soak.hospital import hospital
from soak.plans import NIGHTS, PLANS, Plan

SEED = int(os.environ.get("SOAK_SEED", time.time_ns() % 10**6))


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_disturbed_nights_publish_what_undisturbed_ones_do(tmp_path: Path, plan: Plan) -> None:
    days = _days(tmp_path, plan)
    calm = Store(_made(tmp_path / "calm"), plan.trials)
    expected = [_night(calm, day) for day in days]
    assert len({lists[f"{plan.trials[0]}/candidates.csv"] for lists, _ in expected}) == NIGHTS
    print(f"\nSOAK_SEED={SEED}: {NIGHTS} nights; undisturbed they took {sum(calm.seconds.values()):.0f} s")
    with small_disk(tmp_path / "disturbed", plan.disk) as mounted:
        if not mounted:
            print("no small disk may be mounted here: nights on a full disk are not tried")
        store = Store(tmp_path / "disturbed", plan.trials, seconds=dict(calm.seconds))
        disturber = Disturber(store, str(SEED), plan.room if mounted else ())
        before: Lists = {}
        for day, (lists, tables) in zip(days, expected, strict=True):
            _disturbed(disturber, day, plan.kills, [before, lists])
            assert store.lists() == lists, f"SOAK_SEED={SEED}: the list of {day.as_of} differs"
            assert store.tables() == tables, f"SOAK_SEED={SEED}: the tables of {day.as_of} differ"
            before = lists
            print(f"{day.as_of}: {disturber.tried.total()} events, {_megabytes(store.folder)} MB", flush=True)
        lost, damaged = store.lost(), verify(store.store)
    for event, count in sorted(disturber.tried.items()):
        print(f"  {event}: {count}")
    print(f"events tried: {disturber.tried.total()}, differences: 0, acknowledged data lost: {len(lost)}")
    assert (lost, damaged) == ([], ())
    for made in (calm.folder, *(day.files for day in days)):
        shutil.rmtree(made)


def _days(folder: Path, plan: Plan) -> list[Day]:
    chance = random.Random(SEED)
    people = hospital(plan.patients(folder), folder / "day-00", plan.pace.coming * (NIGHTS - 1), chance)
    return days_of(folder, people, plan.pace, NIGHTS, chance)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _megabytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) // 10**6


def _night(store: Store, day: Day) -> tuple[Lists, Tables]:
    """Load what has come, all of it, and publish. Fails with what was told when it cannot."""
    for name, well in (("load", (0,)), ("nightly", DONE)):
        done = store.run(name, day)
        assert done.returncode in well, done.stdout + done.stderr
    return store.lists(), store.tables()


def _disturbed(disturber: Disturber, day: Day, kills: int, whole: list[Lists]) -> None:
    """Disturb a load and a night, again and again; the list that holds is always that of before or of after."""
    store = disturber.store
    for name in ("load", "nightly"):
        kinds = [kind for kind in disturber.kinds for _ in range(kills if kind == "kill -9" else 1)]
        disturber.chance.shuffle(kinds)
        for kind in kinds:
            if name == "load" and kind == "a second night" and not store.lists():
                continue
            disturber.disturb(name, day, kind)
            assert store.lists() in whole, f"SOAK_SEED={SEED}: after {kind} of {name} on {day.as_of}"
            assert store.lost() == [] if store.acknowledged else True
        done = store.run(name, day)
        assert done.returncode in DONE, f"SOAK_SEED={SEED}: {done.stdout}{done.stderr}"
