"""The step `publish`: the outputs of all trials to one verified, read-only snapshot, which then holds at once."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import orjson

from cohortfinder.disk import link_or_copy, refused, remove, rename_durably, sync_tree
from cohortfinder.errors import CohortFinderError, StoreError
from cohortfinder.jobs.load import LANDING
from cohortfinder.jobs.night.said import note_new
from cohortfinder.jobs.night.screening import INPUTS, TRIAL_FILE, outputs_of
from cohortfinder.jobs.night.under_way import Night, NotPublished
from cohortfinder.runs.record import moment
from cohortfinder.runs.snapshots import (
    LISTS,
    PARTIAL,
    SNAPSHOTS,
    SnapshotManifest,
    differences,
    list_files,
    make_current,
    read_manifest,
    snapshot_folder,
    write_manifest,
)
from cohortfinder.runs.tidy import STATE
from cohortfinder.warehouse.connection import make_private, open_warehouse
from cohortfinder.warehouse.identities import IDENTITIES, find_identities, write_identities
from cohortfinder.warehouse.lists import TABLES, count_lists, listed_patients, make_lists
from cohortfinder.warehouse.record_codes import RECORD_CODES, write_record_codes

# what of a run is for the next run and for replays alone
_KEPT_BACK = frozenset({INPUTS, STATE, f"{STATE}.wal"})


def publish(night: Night) -> None:
    """Publish what was screened, unless a guard stands against it.

    Raises NotPublished when one does, StoreError when what was written is not what was screened, ReadWriteError when
    the disk refuses; the list that holds is then the old one.
    """
    with night.step("publish") as step:
        if night.record.refusals or not night.record.trials:
            raise NotPublished
        store, run_id = night.settings.store, night.record.run_id
        make_private(store / SNAPSHOTS)
        partial = snapshot_folder(store, run_id + PARTIAL)
        try:
            manifest = _build(night, partial)
            _verify(night, partial)
            rename_durably(partial, snapshot_folder(store, run_id))
        except CohortFinderError:
            # on a full disk it would take the room that the record of this failure needs
            remove(partial)
            raise
        make_current(store, run_id)
        note_new(night)
        step.counts = {"files": len(manifest.files), "bytes": sum(one.bytes for one in manifest.files.values())}


def _build(night: Night, partial: Path) -> SnapshotManifest:
    """Bring everything that belongs to the snapshot into a folder that nobody reads yet."""
    remove(partial)
    outputs = {trial: outputs_of(night, trial) for trial in sorted(night.record.trials)}
    try:
        partial.mkdir(mode=0o700)
        for trial, folder in outputs.items():
            _take_over(folder, partial / trial)
    except OSError as error:
        raise refused(partial, error) from error
    memory_limit = night.settings.memory_limit
    make_lists(partial / LISTS, {trial: partial / trial for trial in outputs}, memory_limit=memory_limit)
    rows = count_lists(partial / LISTS, tuple(outputs), memory_limit=memory_limit)
    _write_from_tables(night, partial)
    manifest = SnapshotManifest(
        run_id=night.record.run_id,
        index_date=night.record.index_date,
        made_at=moment(datetime.now(UTC)),
        trials=tuple(outputs),
        files=list_files(partial),
        tables={table: sum(counts.values()) for table, counts in rows.items()},
    )
    try:
        for file in partial.rglob("*"):
            file.chmod(0o700 if file.is_dir() else 0o400)
        write_manifest(partial, manifest)
        (partial / "manifest.json").chmod(0o400)
        sync_tree(partial)
    except OSError as error:
        raise refused(partial, error) from error
    return manifest


def _write_from_tables(night: Night, partial: Path) -> None:
    """Write who those are who are listed, or of whom somebody has said something, and the codes of their records."""
    settings = night.settings
    people = {*listed_patients(partial / LISTS, memory_limit=settings.memory_limit)}
    people.update(*(said.patients for said in night.said.values()))
    with open_warehouse(settings.store, read_only=True, memory_limit=settings.memory_limit) as connection:
        identities = find_identities(connection, settings.store / LANDING, people)
        proofs = [partial / trial / "proof" / "records.parquet" for trial in sorted(night.record.trials)]
        write_record_codes(connection, proofs, partial / RECORD_CODES)
    write_identities(partial / IDENTITIES, identities, memory_limit=settings.memory_limit)


def _take_over(folder: Path, target: Path) -> None:
    """Link the outputs of a trial, which cost no room then, or copy them where the disk has no links.

    The trial file is of them: who reads the list reads what the protocol says.
    """

    def kept_back(_: str, names: list[str]) -> set[str]:
        return {*_KEPT_BACK.intersection(names)}

    shutil.copytree(folder, target, copy_function=link_or_copy, ignore=kept_back)
    link_or_copy(folder / INPUTS / TRIAL_FILE, target / TRIAL_FILE)


def _verify(night: Night, partial: Path) -> None:
    """Make sure that what is on the disk is what was screened. Raises StoreError."""
    manifest = read_manifest(partial)
    wrong = differences(partial, manifest)
    trials = tuple(night.record.trials)
    rows = count_lists(partial / LISTS, trials, memory_limit=night.settings.memory_limit)
    for trial in trials:
        said: Mapping[str, int] = orjson.loads((partial / trial / "run.json").read_bytes())["rows"]
        wrong += tuple(f"{table} of {trial}" for table in TABLES if table in said and rows[table][trial] != said[table])
    if wrong:
        raise StoreError(
            f"{partial}: what was written is not what was screened ({', '.join(wrong[:3])}), so the old list stays; "
            "check the disk, then run again"
        )
