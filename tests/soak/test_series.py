"""Nights one after the other, disturbed at random moments: each publishes what the undisturbed series publishes.

`make soak` tries it at length. The seed of a run is told; SOAK_SEED repeats it.
"""

import os
import time
from pathlib import Path

from length import AT_LENGTH
from soak.days import Day, days_of
from soak.disturbed import DONE, Disturber, Lists, Store, small_disk

SEED = int(os.environ.get("SOAK_SEED", time.time_ns() % 10**6))
NIGHTS = 14 if AT_LENGTH else 2
# of each kind, on each command of a night
EVENTS = 1
KILLS = 8 if AT_LENGTH else 1


def test_disturbed_nights_publish_what_undisturbed_ones_do(tmp_path: Path) -> None:
    days = days_of(tmp_path, NIGHTS, SEED)
    calm = Store(_made(tmp_path / "calm"))
    expected = [_night(calm, day) for day in days]
    assert len({lists["candidates.csv"] for lists in expected}) == NIGHTS
    with small_disk(tmp_path / "disturbed", 600) as mounted:
        if not mounted:
            print("no small disk may be mounted here: nights on a full disk are not tried")
        store = Store(tmp_path / "disturbed", seconds=dict(calm.seconds))
        disturber = Disturber(store, str(SEED), can_fill=mounted)
        before: Lists = {}
        for day, lists in zip(days, expected, strict=True):
            _disturbed(disturber, day, [before, lists])
            assert store.lists() == lists, f"SOAK_SEED={SEED}: the list of {day.as_of} differs"
            before = lists
        lost = store.lost()
    print(f"\nSOAK_SEED={SEED}: {NIGHTS} nights")
    for event, count in sorted(disturber.tried.items()):
        print(f"  {event}: {count}")
    print(f"events tried: {disturber.tried.total()}, differences: 0, acknowledged data lost: {len(lost)}")
    assert lost == []


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _night(store: Store, day: Day) -> Lists:
    """Load what has come, and publish. Fails with what was told when it cannot."""
    for name in ("load", "nightly"):
        done = store.run(name, day)
        assert done.returncode in DONE, done.stdout + done.stderr
    return store.lists()


def _disturbed(disturber: Disturber, day: Day, whole: list[Lists]) -> None:
    """Disturb a load and a night, again and again; the list that holds is always that of before or of after."""
    store = disturber.store
    for name in ("load", "nightly"):
        kinds = [kind for kind in disturber.kinds for _ in range(KILLS if kind == "kill -9" else EVENTS)]
        disturber.chance.shuffle(kinds)
        for kind in kinds:
            if name == "load" and kind == "a second night" and not store.lists():
                continue
            disturber.disturb(name, day, kind)
            assert store.lists() in whole, f"SOAK_SEED={SEED}: after {kind} of {name} on {day.as_of}"
            assert store.lost() == [] if store.acknowledged else True
        done = store.run(name, day)
        assert done.returncode in DONE, f"SOAK_SEED={SEED}: {done.stdout}{done.stderr}"
