"""The job `rollback`: an earlier published list holds again, from one moment to the next."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cohortfinder.errors import InputError, StoreError
from cohortfinder.jobs.front_page import renew_front_page
from cohortfinder.runs.lock import NIGHT, only_one
from cohortfinder.runs.notice import Notice, put_notice, take_away_notice
from cohortfinder.runs.record import moment
from cohortfinder.runs.snapshots import (
    current_run,
    differences,
    make_current,
    read_manifest,
    snapshot_folder,
    snapshot_ids,
)

BY_HAND = "rollback"


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A list that is kept: its run, index date and trials, and whether it is the one that holds."""

    run_id: str
    index_date: str
    made_at: str
    trials: tuple[str, ...]
    rows: int
    holds: bool


def published_lists(store: Path) -> tuple[PublishedList, ...]:
    """Return the lists that are kept, the newest first. Raises StoreError when a manifest is damaged."""
    try:
        holds = current_run(store)
    except StoreError:
        # to return to a list that is there is how this is put right
        holds = None
    manifests = [read_manifest(snapshot_folder(store, run_id)) for run_id in reversed(snapshot_ids(store))]
    return tuple(
        PublishedList(
            one.run_id, one.index_date, one.made_at, one.trials, one.tables["candidates"], one.run_id == holds
        )
        for one in manifests
    )


def rollback(store: Path, run_id: str) -> PublishedList:
    """Let the list of a run hold again, after every file of it was compared with its manifest.

    A notice says so until a night publishes; there is none when it is the newest list. Raises InputError when there is
    no such list, StoreError when it is not whole, LockedError while a night runs.
    """
    ids = snapshot_ids(store)
    if run_id not in ids:
        told = ", ".join(ids) or "there is none yet"
        raise InputError(f"{run_id}: no list of this run is kept; kept are: {told}")
    with only_one(store / NIGHT, "is running a night"):
        folder = snapshot_folder(store, run_id)
        manifest = read_manifest(folder)
        if wrong := differences(folder, manifest):
            raise StoreError(
                f"{folder}: this list is not as it was published ({', '.join(wrong[:3])}); take another one"
            )
        make_current(store, run_id)
        if run_id == ids[-1]:
            take_away_notice(store)
        else:
            put_notice(store, _notice(run_id, manifest.index_date))
        renew_front_page(store)
    return next(one for one in published_lists(store) if one.run_id == run_id)


def _notice(run_id: str, index_date: str) -> Notice:
    return Notice(
        since=moment(datetime.now(UTC)),
        reason="Somebody returned to it; the next night that publishes ends that.",
        run_id=run_id,
        exit_status=0,
        codes=(BY_HAND,),
        nights=0,
        list_of=run_id,
        index_date=index_date,
    )
