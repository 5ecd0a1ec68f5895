"""The job `purge`: what lies in a store longer than it may goes: old lists, runs, quarantine, what was superseded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cohortfinder.disk import remove
from cohortfinder.errors import InputError
from cohortfinder.jobs.compact import merge
from cohortfinder.jobs.load import QUARANTINE
from cohortfinder.jobs.verify import DAMAGED
from cohortfinder.runs.lock import NIGHT, only_one
from cohortfinder.runs.record import run_folder, run_ids
from cohortfinder.runs.snapshots import current_run, snapshot_folder, snapshot_ids
from cohortfinder.warehouse.connection import WAREHOUSE

# runs and loads are named by when they began: 20261127T020000-001
_STAMP = "%Y%m%dT%H%M%S"
_STAMP_LENGTH = 15


@dataclass(frozen=True, slots=True)
class Purged:
    """How many of each kind went, and how many bytes that were."""

    before: str
    counts: dict[str, int] = field(default_factory=dict)
    bytes: int = 0


def purge(
    store: Path, older_than: timedelta, *, now: datetime | None = None, memory_limit: str | None = None,
    threads: int | None = None, log: Callable[[str], None] = lambda _: None,
) -> Purged:  # fmt: skip
    """Remove what began before a time. The list that holds and what the last run has made stay, whatever their age.

    Of landing files goes what was superseded or deleted since, as far as no list that is still kept needs it.
    Raises InputError where there is no store, LockedError while somebody is at work there, ReadWriteError when the disk
    refuses, StoreError when the store is damaged.
    """
    if not store.is_dir():
        raise InputError(f"{store}: there is no store here; name another one with --store")
    before = (now or datetime.now(UTC)) - older_than
    counts: dict[str, int] = {}
    freed = 0
    with only_one(store / NIGHT, "is running a night"):
        for kind, place in _too_old(store, before):
            freed += _size(place)
            remove(place)
            counts[kind] = counts.get(kind, 0) + 1
        if (store / WAREHOUSE).is_file():
            done = merge(store, before=before, memory_limit=memory_limit, threads=threads, log=log)
            if done is not None:
                freed += max(done.bytes_before - done.bytes, 0)
                counts["superseded"] = done.resources_before - done.resources
    return Purged(before.isoformat(timespec="seconds"), counts, freed)


def _too_old(store: Path, before: datetime) -> Iterator[tuple[str, Path]]:
    stamp = before.strftime(_STAMP)
    holds, runs = current_run(store), run_ids(store)
    for run_id in snapshot_ids(store):
        if run_id[:_STAMP_LENGTH] < stamp and run_id != holds:
            yield "lists", snapshot_folder(store, run_id)
    for run_id in runs[:-1]:
        if run_id[:_STAMP_LENGTH] < stamp and run_id != holds:
            yield "runs", run_folder(store, run_id)
    for file in sorted((store / QUARANTINE).glob("*.ndjson")):
        if file.name[:_STAMP_LENGTH] < stamp:
            yield "quarantine", file
    for aside in sorted(store.glob(f"{DAMAGED}*")):
        if datetime.fromtimestamp(aside.stat().st_mtime, UTC) < before:
            yield "damaged", aside


def _size(place: Path) -> int:
    files = place.rglob("*") if place.is_dir() else (place,)
    return sum(file.stat().st_size for file in files if file.is_file())
