"""`cohortfinder purge`: what is older than it may be goes; the list that holds and the last run stay."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.jobs.purge import purge
from cohortfinder.runs.record import run_folder, run_ids
from cohortfinder.runs.snapshots import current_run, snapshot_ids
from functional.test_nightly import Nights
from functional.test_pull import condition, patient


@pytest.fixture
def nights(tmp_path: Path, run: Callable[..., Any]) -> Nights:
    """Three nights, one file of quarantine and a damaged warehouse that was put aside."""
    made = Nights(tmp_path, run)
    made.load(patient("p1"), condition("c1", "p1"))
    for day in ("2026-11-23", "2026-11-24", "2026-11-25"):
        made.night(day=day)
    (made.store / "quarantine" / "20200101T000000-001.ndjson").write_text("{}\n", encoding="utf-8")
    return made


def test_what_is_old_goes_but_for_the_list_that_holds_and_the_last_run(nights: Nights) -> None:
    first, second, third = snapshot_ids(nights.store)
    later = datetime.now(UTC) + timedelta(days=100)
    assert nights.command("rollback", first).status == 0
    purged = purge(nights.store, timedelta(days=90), now=later)
    assert purged.counts == {"lists": 2, "runs": 1, "quarantine": 1}
    assert purged.bytes > 0
    assert current_run(nights.store) == first
    assert snapshot_ids(nights.store) == (first,)
    kept = [(run_folder(nights.store, one) / "trials").is_dir() for one in (first, second, third)]
    assert kept == [True, False, True]
    assert run_ids(nights.store) == (first, third)
    assert json.loads(nights.command("status").out)["nights"]["problems"] == []
    assert purge(nights.store, timedelta(days=90), now=later).counts == {}


def test_what_is_young_stays_and_the_next_night_publishes(nights: Nights) -> None:
    done = nights.command("purge", "--older-than", "90d")
    assert done.status == 0
    assert json.loads(done.out)["counts"] == {"quarantine": 1}
    assert len(snapshot_ids(nights.store)) == 3
    assert nights.night(day="2026-11-26")["state"] == "published"
    assert nights.command("verify").status == 0


@pytest.mark.parametrize("age", ["", "0d", "-1", "soon", "1.5d", "3 months"])
def test_an_age_that_is_none_is_refused(nights: Nights, age: str) -> None:
    done = nights.command("purge", "--older-than", age)
    assert done.status == 2
    assert "write it as 90d" in done.err
    assert len(snapshot_ids(nights.store)) == 3


def test_without_a_store_it_is_said(tmp_path: Path, run: Callable[..., Any]) -> None:
    done = run("purge", "--older-than", "90d", "--store", tmp_path / "none")
    assert (done.status, "there is no store here" in done.err) == (64, True)
