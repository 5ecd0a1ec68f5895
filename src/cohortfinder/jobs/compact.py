"""The job `compact`: landing without what was superseded, as far as no list that is kept needs it.

The loads that every kept list was made of are one folder from then on: replays of these lists make the same of it.

    which loads? ──► replay/<merged> ──► proved ──► renamed into landing/ ──► the old folders go
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from duckdb import DuckDBPyConnection

from cohortfinder.disk import refused, remove, rename_durably
from cohortfinder.errors import InputError, StoreError
from cohortfinder.jobs.load import LANDING
from cohortfinder.jobs.merging import Load, Merging
from cohortfinder.jobs.remade import remade
from cohortfinder.jobs.verify import load_problems
from cohortfinder.landing.digits import DIGITS
from cohortfinder.landing.manifest import Manifest, landed, merged_name, superseded
from cohortfinder.runs.lock import NIGHT, only_one
from cohortfinder.runs.record import read_record, run_ids
from cohortfinder.runs.snapshots import snapshot_ids
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.held import counts_held
from cohortfinder.warehouse.merged import versions_of_types
from cohortfinder.warehouse.seal import loads_of

Log = Callable[[str], None]
_STAMP = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did: how many loads became one, their resources, and their bytes, before and after."""

    loads: int
    resources_before: int
    resources: int
    bytes_before: int
    bytes: int


@dataclass(frozen=True, slots=True)
class LandingState:
    """The landing files: bytes, folders, how many bytes merging could free, about, and what it freed last, and when."""

    bytes: int
    folders: int
    could_free: int
    freed: int | None = None
    freed_at: str | None = None


def compact(
    store: Path, *, memory_limit: str | None = None, threads: int | None = None, before: datetime | None = None,
    log: Log = lambda _: None,
) -> Compacted | None:  # fmt: skip
    """Merge what can be merged, of the loads that began `before` a time; return None where there is nothing to merge.

    Raises InputError when there is no store, LockedError when a night, a replay or a load is at work, StoreError when
    the store is damaged, ReadWriteError when the disk refuses: landing is then as it was.
    """
    if not (store / LANDING).is_dir():
        raise InputError(f"{store}: there is no store here; name another one with --store")
    with only_one(store / NIGHT, "is running a night"):
        return merge(store, memory_limit=memory_limit, threads=threads, before=before, log=log)


def merge(
    store: Path, *, memory_limit: str | None = None, threads: int | None = None, before: datetime | None = None,
    log: Log = lambda _: None,
) -> Compacted | None:  # fmt: skip
    """Do the same for one who has the lock of the nights.

    As long as it lasts nobody loads: the warehouse is open to be read. Whatever ends it, landing is the old one or the
    new one; the next load, night or compaction removes what is left.
    """
    try:
        with (
            remade(store) as scratch,
            open_warehouse(store, read_only=True, memory_limit=memory_limit, threads=threads) as connection,
        ):
            for left in superseded(store / LANDING):
                remove(left)
            loads = _needed_by_all(store, loads_of(connection), before)
            if len(loads) < 2:
                return None
            # DuckDB reads a file that was cut without a word
            if problems := [one for folder, manifest in loads for one in load_problems(folder, manifest)]:
                raise StoreError("; ".join(problems))
            log(f"merging {len(loads)} folders of landing")
            name = merged_name(max(loads[-1][1].load_ids), store / LANDING)
            merging = Merging(
                store, loads, name, scratch, connection, memory_limit=memory_limit, threads=threads
            )  # fmt: skip
            return _merged(store, loads, merging)
    except OSError as error:
        raise refused(store / LANDING, error) from error


def _merged(store: Path, loads: list[Load], merging: Merging) -> Compacted:
    size = sum(_bytes(folder) for folder, _ in loads)
    manifest = merging.run(bytes_before=size)
    place = store / LANDING / merging.folder.name
    # from here on the new folder counts
    rename_durably(merging.folder, place)
    for left in superseded(store / LANDING):
        remove(left)
    return Compacted(
        loads=len(manifest.load_ids),
        resources_before=sum(_resources(one) for _, one in loads),
        resources=_resources(manifest),
        bytes_before=size,
        bytes=_bytes(place),
    )


def pays(state: LandingState, percent: int) -> bool:
    """Say whether merging frees so many per cent of landing."""
    return state.could_free > 0 and state.could_free * 100 >= percent * state.bytes


def landing_state(store: Path, connection: DuckDBPyConnection) -> LandingState:
    """Return how large landing is, and what merging could free of it as it stands."""
    everything = [*landed(store / LANDING)]
    loads = _needed_by_all(store, loads_of(connection), None)
    held = {**versions_of_types(connection), **counts_held(connection)}
    size = sum(_bytes(folder) for folder, _ in everything)
    could_free = _superseded_bytes(loads, held) if len(loads) > 1 else 0
    freed, freed_at = None, None
    for folder, manifest in everything:
        if manifest.merged:
            freed, freed_at = manifest.merged.bytes_before - _bytes(folder), manifest.merged.made_at
    return LandingState(size, len(everything), could_free, freed, freed_at)


def _needed_by_all(store: Path, known: Iterable[str], before: datetime | None) -> list[Load]:
    """Return the first loads, in the order in which tables are made of them, as far as all kept lists are made of them.

    A list without the record of its run cannot be made again, so that it needs none.
    """
    common = {*known}
    for run_id in {*snapshot_ids(store)} & {*run_ids(store)}:
        common &= {*read_record(store, run_id).load_ids}
    if before is not None:
        common = {one for one in common if one[:15] < before.strftime(_STAMP)}
    loads: list[Load] = []
    for folder, manifest in landed(store / LANDING):
        if not common.issuperset(manifest.load_ids):
            break
        loads.append((folder, manifest))
    return loads


def _superseded_bytes(loads: Sequence[Load], held: Mapping[str, int]) -> int:
    """Estimate how much less the loads are as one, by how many resources are held, packed as in the largest load."""
    rows, new_rows = Counter[str](), Counter[str]()
    largest: dict[str, tuple[int, int]] = {}
    deletions = told = 0
    for folder, manifest in loads:
        deletions += manifest.deletions
        files = 0
        for kind in manifest.types:
            name, size = kind.resource_type, sum(_size(folder / part.file) for part in kind.parts)
            size += _size(folder / DIGITS) if name == "Observation" else 0
            rows[name] += kind.resources
            new_rows[name] += 0 if manifest.merged else kind.resources
            largest[name] = max(largest.get(name, (0, 0)), (kind.resources, size))
            files += size
        told += _bytes(folder) - files if manifest.merged else 0
    # of what was merged already no more is superseded than what came later can supersede
    kept = {name: max(min(held.get(name, 0), rows[name]), rows[name] - new_rows[name] - deletions) for name in rows}
    after = sum(size * kept[name] // count for name, (count, size) in largest.items() if count)
    return max(sum(_bytes(folder) for folder, _ in loads) - after - told, 0)


def _resources(manifest: Manifest) -> int:
    return sum(kind.resources for kind in manifest.types)


def _bytes(folder: Path) -> int:
    return sum(_size(file) for file in folder.iterdir())


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
