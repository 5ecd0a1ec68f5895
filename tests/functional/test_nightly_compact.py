"""A night merges old loads by itself: the same lists come of it, past ones too, and the disk stays bounded."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cohortfinder.jobs.load import load
from cohortfinder.jobs.purge import purge
from cohortfinder.jobs.remade import remade
from cohortfinder.jobs.verify import rebuild, verify
from cohortfinder.runs.snapshots import current_run, snapshot_folder, snapshot_ids
from functional.test_compact import deletions
from functional.test_nightly import Nights
from functional.test_pull import condition, observation, patient
from length import AT_LENGTH

COMPARED = ("candidates.csv", "verdicts.csv", "funnel.csv", "outlook.csv", "next_steps.csv")
PATIENTS, RESULTS = 60, 3000
NIGHTS = 30 if AT_LENGTH else 14
Resource = dict[str, Any]


def nights_of(folder: Path, run: Callable[..., Any], *, keep: int, percent: int) -> Nights:
    folder.mkdir()
    made = Nights(folder, run)
    made.configure(more=f"[nightly]\nkeep = {keep}\ncompact_percent = {percent}\n")
    return made


def dated(resource: Resource, day: int) -> Resource:
    """Return a resource in the version of a day."""
    return {**resource, "meta": {"versionId": str(day), "lastUpdated": f"2026-10-{day:02}T10:00:00Z"}}


def result(number: int, day: int, value: float) -> Resource:
    return dated(observation(f"o{number}", f"p{number % PATIENTS}", value=value), day)


def everybody() -> list[Resource]:
    own = [dated(patient(f"p{number}"), 1) for number in range(PATIENTS)]
    diagnoses = [dated(condition(f"c{number}", f"p{number}"), 1) for number in range(PATIENTS)]
    return own + diagnoses + [result(number, 1, 100.0 + number % 60) for number in range(RESULTS)]


def came(folder: Path, day: int) -> list[Path]:
    """Return what comes before the night of a day: everything, then changes of 1 % and a deletion now and then."""
    file, chance = folder / f"{day}.ndjson", random.Random(day)
    changed = [
        result(one, day, round(chance.uniform(60, 180), 1)) for one in chance.sample(range(RESULTS), RESULTS // 100)
    ]
    given = everybody() if day == 1 else changed
    file.write_text("".join(json.dumps(one) + "\n" for one in given), encoding="utf-8")
    if day % 3 or day == 1:
        return [file]
    at = f"2026-10-{day:02}T12:00:00Z"
    return [file, deletions(folder / f"{day}.json", f"Observation/o{day}", f"Condition/c{day}", at=at)]


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def lists(nights: Nights) -> dict[str, bytes]:
    folder = snapshot_folder(nights.store, current_run(nights.store) or "") / "PULLED"
    return {name: (folder / name).read_bytes() for name in COMPARED}


def steps(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one["counts"] for one in record["steps"]}


def test_nights_that_merge_publish_what_nights_that_do_not_publish(tmp_path: Path, run: Callable[..., Any]) -> None:
    """The same lists, the same patients asked again, before and after the tables are made anew; past lists too."""
    never = nights_of(tmp_path / "never", run, keep=1, percent=100)
    often = nights_of(tmp_path / "often", run, keep=1, percent=1)
    merged = 0
    for day in range(1, 6):
        told = []
        for nights in (never, often):
            load(came(tmp_path, day), nights.store)
            told.append(nights.night(day=f"2026-11-{day:02}"))
        assert lists(never) == lists(often), day
        first, second = ({**one["screen PULLED"]} for one in map(steps, told))
        assert first == second
        assert "asked_again" in first or day == 1
        merged += "compact" in steps(told[1])
        assert "compact" not in steps(told[0])
        if day == 3:
            rebuild(often.store)
    assert merged >= 2
    assert verify(often.store) == ()
    assert len([*(often.store / "landing").iterdir()]) < len([*(never.store / "landing").iterdir()])
    for run_id in snapshot_ids(often.store):
        done = often.command("replay", run_id)
        assert (done.status, json.loads(done.out)["differences"]) == (0, []), done.err


def test_nights_with_one_per_cent_of_changes_stay_bounded(tmp_path: Path, run: Callable[..., Any]) -> None:
    """Landing <= (what holds + the loads of the kept lists) / (1 - compact_percent); without merging it is more."""
    nights = nights_of(tmp_path / "site", run, keep=3, percent=20)
    loads, landed = list[int](), 0
    for day in range(1, NIGHTS + 1):
        done = load(came(tmp_path, day), nights.store)
        loads.append(size_of(nights.store / "landing" / done.load_id))
        assert nights.night(day=f"2026-10-{day:02}")["state"] == "published"
        landed = size_of(nights.store / "landing")
        held = max([loads[0], *map(size_of, (nights.store / "landing").glob("*.merged-*"))])
        # how much merging would free is an estimate
        assert landed <= 1.1 * (held + sum(loads[-4:])) / (1 - 0.2), day
    assert landed < (0.8 if AT_LENGTH else 0.95) * sum(loads)
    state = json.loads(nights.command("status").out)["landing"]
    assert (state["bytes"], state["freed"] > 0, state["could_free"] <= 0.2 * landed) == (landed, True, True)
    words = nights._run("status", "--config", nights.config).out
    assert "`cohortfinder compact` could free about" in words
    assert "; merging freed " in words


def test_a_compaction_that_fails_or_waits_leaves_the_list(tmp_path: Path, run: Callable[..., Any]) -> None:
    nights = nights_of(tmp_path / "site", run, keep=1, percent=1)
    for day in (1, 2):
        load(came(tmp_path, day), nights.store)
    with remade(nights.store):
        first = nights.night(day="2026-11-01")
    (step,) = [one for one in first["steps"] if one["name"] == "compact"]
    assert (first["state"], step["state"]) == ("published", "skipped")
    assert "is replaying a run, or merging" in step["message"]
    part = next((nights.store / "landing").rglob("Observation.000.ndjson.gz"))
    whole = part.read_bytes()
    part.write_bytes(whole[:-9])
    second = nights.night(day="2026-11-02", status=3)
    (step,) = [one for one in second["steps"] if one["name"] == "compact"]
    assert (second["state"], step["state"]) == ("published", "failed")
    assert "Old loads could not be merged, so that landing grows: " in second["warnings"][0]
    part.write_bytes(whole)
    third = nights.night(day="2026-11-03")
    assert steps(third)["compact"]["superseded"] == RESULTS // 100
    assert verify(nights.store) == ()


def test_purge_takes_what_was_superseded_where_it_is_old_enough(tmp_path: Path, run: Callable[..., Any]) -> None:
    nights = nights_of(tmp_path / "site", run, keep=3, percent=100)
    for day in (1, 2, 3):
        load(came(tmp_path, day), nights.store)
    nights.night(day="2026-11-03")
    before, year = lists(nights), timedelta(days=365)
    assert purge(nights.store, year).counts == {}
    purged = purge(nights.store, year, now=datetime.now(UTC) + 2 * year)
    # the old versions of what changed, and a result and a diagnosis that were deleted
    assert purged.counts == {"superseded": 2 * (RESULTS // 100) + 2}
    assert purged.bytes >= 0
    (held,) = (nights.store / "landing").iterdir()
    assert ".merged-" in held.name
    assert (verify(nights.store), lists(nights)) == ((), before)
    done = nights.command("replay", current_run(nights.store))
    assert (done.status, json.loads(done.out)["differences"]) == (0, [])
    assert purge(nights.store, year, now=datetime.now(UTC) + 2 * year).counts == {}
