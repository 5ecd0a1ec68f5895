"""What a killed night leaves, finished or cleared by the next one, while it holds the lock."""

from datetime import datetime
from pathlib import Path

from cohortfinder.disk import NEW, remove
from cohortfinder.runs.lock import REPLAY, holder_of
from cohortfinder.runs.notice import take_away_notice
from cohortfinder.runs.record import (
    INTERRUPTED,
    PUBLISHED,
    RECORD,
    RUNNING,
    RUNS,
    RunRecord,
    moment,
    read_record,
    run_folder,
    run_ids,
    write_record,
)
from cohortfinder.runs.snapshots import PARTIAL, SNAPSHOTS, current_run, snapshot_folder, snapshot_ids

STATE = "state.duckdb"
# a year of nights and some more: older records go
RECORDS = 400
# where a replay makes a store of its own
REPLAYED = "replay"


def tidy(store: Path, now: datetime) -> tuple[str, ...]:
    """Clear what earlier nights left, and return the runs that were interrupted.

    A run whose record says that it runs, though nobody holds the lock, was killed: it has published when CURRENT names
    it, and else its snapshot goes. Raises StoreError when a record is damaged, ReadWriteError when the disk refuses.
    """
    for left in (store / SNAPSHOTS).glob(f"*{PARTIAL}"):
        remove(left)
    for left in (*store.glob(f"*{NEW}"), *(store / SNAPSHOTS).glob(f"*{NEW}"), *(store / RUNS).glob(f"*/*{NEW}")):
        if left.is_file() and not left.name.startswith("warehouse"):
            remove(left)
    if holder_of(store / REPLAY) is None:
        remove(store / REPLAYED)
    # a run that died before its first record
    for folder in (store / RUNS).glob("*"):
        if folder.is_dir() and not (folder / RECORD).exists():
            remove(folder)
    running = [one for one in (read_record(store, run_id) for run_id in run_ids(store)) if one.state == RUNNING]
    return tuple(one.run_id for one in running if _settle(store, one, now) == INTERRUPTED)


def _settle(store: Path, record: RunRecord, now: datetime) -> str:
    """Say in the record of a killed run what became of it."""
    published = current_run(store) == record.run_id
    record.state, record.ended_at = PUBLISHED if published else INTERRUPTED, moment(now)
    record.exit_status = 137
    record.message = "It was killed after it had published." if published else "It was killed before it published."
    for step in record.steps:
        if step.state == RUNNING:
            step.state = INTERRUPTED
    if published:
        take_away_notice(store)
    else:
        remove(snapshot_folder(store, record.run_id))
    write_record(store, record)
    return record.state


def prune(store: Path, keep: int, *, records: int = RECORDS) -> tuple[str, ...]:
    """Keep the last `keep` snapshots and the one that holds, and return those that went.

    Of a run without a snapshot no more than the record stays, of so many runs, and of the last run also what it made:
    somebody may want to see why it was refused.
    """
    ids, holds = snapshot_ids(store), current_run(store)
    gone = tuple(run_id for run_id in ids[:-keep] if run_id != holds)
    for run_id in gone:
        remove(snapshot_folder(store, run_id))
    runs, kept = run_ids(store), {*ids} - {*gone}
    for run_id in runs[:-1]:
        if run_id not in kept:
            _leave_record(store, run_id)
    for run_id in runs[:-records]:
        if run_id not in kept:
            remove(run_folder(store, run_id))
    states = sorted((store / RUNS).glob(f"*/trials/*/{STATE}"))
    newest = {state.parent.name: state for state in states}
    for state in states:
        if state != newest[state.parent.name]:
            remove(state)
    return gone


def _leave_record(store: Path, run_id: str) -> None:
    """Remove what a run has made, and from its record the loads, which no replay asks for: each night has one more."""
    for made in run_folder(store, run_id).iterdir():
        if made.name != RECORD:
            remove(made)
    record = read_record(store, run_id)
    if record.load_ids:
        record.load_ids = []
        write_record(store, record)


def last_state(store: Path, trial: str) -> Path | None:
    """Return what the last run that evaluated a trial has kept for the next one, None when there is nothing."""
    return max((store / RUNS).glob(f"*/trials/{trial}/{STATE}"), default=None)
