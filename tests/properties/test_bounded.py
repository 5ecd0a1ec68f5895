"""With the same patients and as many changes each night, a store ends up at a size and stays there."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from cohortfinder.cli.main import status_of
from cohortfinder.jobs import load as loading
from cohortfinder.jobs import nightly
from cohortfinder.jobs.load import load
from cohortfinder.runs.record import read_record, run_ids
from cohortfinder.warehouse.connection import open_warehouse
from functional.test_nightly import Nights
from functional.test_nightly_compact import came, size_of
from length import AT_LENGTH

NIGHTS = 28 if AT_LENGTH else 8
KEPT, RECORDS, LOADS = 2, 3, 3
BLOCK = 256 * 1024


@dataclass(frozen=True)
class Size:
    """A store after a night: bytes of the warehouse and of what runs have kept, records, and rows of changes."""

    warehouse: int
    runs: int
    records: int
    changes: int


def size(store: Path) -> Size:
    with open_warehouse(store, read_only=True) as connection:
        (changes,) = connection.execute(
            "SELECT count(*) FROM store.changed_patient WHERE patient_id IS NOT NULL"
        ).fetchone() or (0,)
    return Size((store / "warehouse.duckdb").stat().st_size, size_of(store / "runs"), len(run_ids(store)), changes)


def shorter(patch: pytest.MonkeyPatch, module: object, name: str, **most: int) -> None:
    """Let a store keep a few nights of what else it keeps of 400."""
    act: Callable[..., object] = getattr(module, name)
    patch.setattr(module, name, partial(act, **most))


def test_a_store_stays_at_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shorter(monkeypatch, nightly, "prune", records=RECORDS)
    shorter(monkeypatch, loading, "forget_old_changes", newest=LOADS)
    nights = Nights(tmp_path, lambda *given: status_of([str(one) for one in given]))
    nights.configure(more=f"[nightly]\nkeep = {KEPT}\n")
    sizes = []
    for day in range(1, NIGHTS + 1):
        load(came(tmp_path, day), nights.store)
        assert nights.command("nightly", "--as-of", f"2026-10-{day:02}") == 0
        sizes.append(size(nights.store))
    settled, later = sizes[1:5], sizes[5:]
    assert max(one.warehouse for one in later) <= max(one.warehouse for one in settled) + 2 * BLOCK
    assert max(one.runs for one in later) <= 1.05 * max(one.runs for one in settled)
    assert {one.records for one in later} == {RECORDS}
    assert max(one.changes for one in later) <= LOADS * 2 * 60


def test_an_evaluation_that_was_away_for_long_asks_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lists are those of a store that remembers."""
    told = {}
    for name, newest in (("short", 1), ("long", 400)):
        folder = tmp_path / name
        folder.mkdir()
        with monkeypatch.context() as patch:
            shorter(patch, loading, "forget_old_changes", newest=newest)
            nights = Nights(folder, lambda *given: status_of([str(one) for one in given]))
            load(came(tmp_path, 1), nights.store)
            assert nights.command("nightly", "--as-of", "2026-10-01") == 0
            for day in (2, 4):
                load(came(tmp_path, day), nights.store)
            assert nights.command("nightly", "--as-of", "2026-10-04") == 0
        last = read_record(nights.store, run_ids(nights.store)[-1])
        told[name] = next(step.counts for step in last.steps if step.name == "screen PULLED")
    assert ("asked_again" in told["short"], "asked_again" in told["long"]) == (False, True)
    assert {**told["long"], "asked_again": 0} == {**told["short"], "asked_again": 0}
