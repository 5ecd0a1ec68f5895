"""Whenever loads are merged, the tables are those of a store in which they never are, also when they are made anew."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohortfinder.cli.main import status_of
from cohortfinder.jobs.compact import compact
from cohortfinder.jobs.load import load
from cohortfinder.jobs.replay import replay
from cohortfinder.jobs.verify import rebuild, verify
from cohortfinder.runs.snapshots import snapshot_ids
from cohortfinder.settings import read_settings
from functional.test_compact import content
from functional.test_nightly import Nights
from functional.test_pull import condition, observation, patient
from length import AT_LENGTH

HISTORIES = 40 if AT_LENGTH else 3
SERIES = 6 if AT_LENGTH else 1
Resource = dict[str, Any]
MAKERS: dict[str, Callable[..., Resource]] = {"Patient": patient, "Observation": observation, "Condition": condition}
# what two stores cannot have in common: the names and times of their loads
OF_LOADS = ("load", "loaded_type", "quarantine")


@dataclass(frozen=True)
class Step:
    """One load: versions of resources and what was deleted, and whether loads are merged after it."""

    resources: tuple[Resource, ...]
    deletions: tuple[Resource, ...]
    merged: bool


def instants() -> st.SearchStrategy[str]:
    """Some days of one month, and a time that nobody believes."""
    days = st.integers(1, 9).map(lambda day: f"2026-11-{day:02}T00:00:00Z")
    return st.one_of(days, days, days, st.just("2999-01-01T00:00:00Z"))


@st.composite
def versions(draw: st.DrawFn) -> Resource:
    """One of a few resources, as of a time, under a number, both or neither; now and then one that no table takes."""
    kind = draw(st.sampled_from([*MAKERS, "Observation", "Observation"]))
    made = MAKERS[kind](f"{kind[0].lower()}{draw(st.integers(0, 3))}")
    numbers = st.sampled_from(["1", "2", "3", "f00d"])
    meta = draw(st.fixed_dictionaries({}, optional={"versionId": numbers, "lastUpdated": instants()}))
    if kind == "Observation":
        made["valueQuantity"] = {**made["valueQuantity"], "value": draw(st.sampled_from([80, 90.5, 120]))}
        made |= draw(st.sampled_from([{}, {}, {}, {}, {"code": "a text where an object belongs"}]))
    else:
        made["language"] = draw(st.sampled_from(["en", "de"]))
    return {**made, **({"meta": meta} if meta else {})}


@st.composite
def deletions(draw: st.DrawFn) -> Resource:
    """A deletion that the server told, or that a sweep found out."""
    kind = draw(st.sampled_from([*MAKERS]))
    url = f"{kind}/{kind[0].lower()}{draw(st.integers(0, 3))}"
    response = {"status": draw(st.sampled_from(["204", "404"])), "lastModified": draw(instants())}
    return {"request": {"method": "DELETE", "url": url}, "response": response}


def steps() -> st.SearchStrategy[list[Step]]:
    some = st.lists(versions(), min_size=1, max_size=6).map(tuple)
    gone = st.one_of(st.just(()), st.lists(deletions(), max_size=2).map(tuple))
    return st.lists(st.builds(Step, some, gone, st.booleans()), min_size=3, max_size=5)


def files(folder: Path, step: Step) -> list[Path]:
    """Write what a load brings; a patient whom nothing touches is in each, so that none is refused as a whole."""
    resources = [*step.resources, patient("always")]
    (folder / "lines.ndjson").write_text("".join(json.dumps(one) + "\n" for one in resources), encoding="utf-8")
    bundle = {"resourceType": "Bundle", "type": "history", "entry": list(step.deletions)}
    (folder / "gone.json").write_text(json.dumps(bundle), encoding="utf-8")
    return [folder / "lines.ndjson", *([folder / "gone.json"] if step.deletions else [])]


def held(store: Path) -> dict[str, Any]:
    return {name: rows for name, rows in content(store).items() if name not in OF_LOADS}


@settings(max_examples=HISTORIES)
@given(history=steps())
def test_merging_at_any_time_changes_no_table(history: list[Step]) -> None:
    with TemporaryDirectory() as name:
        folder, plain, merged = Path(name), Path(name) / "plain", Path(name) / "merged"
        for step in history:
            for store in (plain, merged):
                load(files(folder, step), store)
            if step.merged:
                compact(merged)
        compact(merged)
        expected = held(plain)
        assert held(merged) == expected
        for store in (plain, merged):
            rebuild(store)
            assert held(store) == expected
        assert verify(merged) == ()


def days(chance: random.Random) -> Iterator[list[Resource]]:
    """What comes on each of some days: everybody, then corrections, new results and records of the wrong."""
    yield [patient("always"), *(patient(f"p{n}") for n in range(6)), *(condition(f"c{n}", f"p{n}") for n in range(6))]
    for day in range(2, 6):
        meta = {"versionId": str(day), "lastUpdated": f"2026-10-{day:02}T00:00:00Z"}
        for_whom = [chance.randrange(6) for _ in range(4)]
        results = [observation(f"o{n}", f"p{n}", value=chance.choice([70.0, 85.0, 130.0])) for n in for_whom]
        wrong = {**condition(f"c{chance.randrange(6)}", "p0"), "verificationStatus": {"text": "?"}}
        yield [{**one, "meta": meta} for one in (*results, wrong)]


@pytest.mark.parametrize("seed", range(SERIES))
def test_every_list_that_is_kept_is_made_again_byte_for_byte(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    nights = Nights(tmp_path, lambda *given: status_of([str(one) for one in given]))
    nights.configure(more="[nightly]\nkeep = 3\ncompact_percent = 100\nshrink_percent = 100\n")
    merged = 0
    for day, resources in enumerate(days(chance), 1):
        deleted = [f"Observation/o{chance.randrange(6)}"] if chance.random() < 0.5 and day > 2 else []
        at = f"2026-10-{day:02}T12:00:00Z"
        gone = tuple(
            {"request": {"method": "DELETE", "url": url}, "response": {"status": "204", "lastModified": at}}
            for url in deleted
        )
        load(files(tmp_path, Step(tuple(resources), gone, merged=False)), nights.store)
        assert nights.command("nightly", "--as-of", f"2026-11-{day:02}") in (0, 3)
        # three lists are kept: before the fourth night there is nothing to merge
        if day == 4 or chance.random() < 0.7:
            merged += compact(nights.store) is not None
    assert merged > 0
    kept = read_settings(nights.config)
    assert len(snapshot_ids(nights.store)) == 3
    for run_id in snapshot_ids(nights.store):
        assert replay(kept, run_id).differences == ()
