"""The nights of a store for `status`: which list holds, how old it is and why, the last runs, and their room."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cohortfinder.errors import StoreError
from cohortfinder.runs.lock import NIGHT, holder_of
from cohortfinder.runs.notice import Notice, read_notice
from cohortfinder.runs.record import INTERRUPTED, RUNNING, RunRecord, read_record, run_ids
from cohortfinder.runs.snapshots import current_run, read_manifest, snapshot_folder

LAST = 14


@dataclass(frozen=True, slots=True)
class HeldList:
    """The list that holds; `hours` is how long ago it was made."""

    run_id: str
    index_date: str
    made_at: str
    hours: float
    trials: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run: how it ended, how long its steps took, and whom each trial lists."""

    run_id: str
    state: str
    exit_status: int | None
    index_date: str
    started_at: str
    seconds: float
    steps: dict[str, float]
    candidates: dict[str, int]
    new: int
    message: str | None


@dataclass(frozen=True, slots=True)
class Nights:
    """What `status` tells of the nights. `running`: the process that runs one now; `disk`: bytes by folder."""

    published: HeldList | None = None
    notice: str | None = None
    running: str | None = None
    runs: tuple[RunRow, ...] = ()
    disk: dict[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def nights(store: Path, *, last: int = LAST) -> Nights:
    """Return the nights of a store; what cannot be read is told among the problems."""
    running, problems = holder_of(store / NIGHT), []
    published, notice, rows = None, None, []
    try:
        published = _held(store)
        notice = read_notice(store)
    except StoreError as error:
        problems.append(str(error))
    for run_id in reversed(run_ids(store)[-last:]):
        try:
            rows.append(_row(read_record(store, run_id), running))
        except StoreError as error:
            problems.append(str(error))
    told = _told(notice, rows, published)
    return Nights(published, told, running, tuple(rows), dict(_disk(store)), tuple(problems))


def _held(store: Path) -> HeldList | None:
    run_id = current_run(store)
    if run_id is None:
        return None
    manifest = read_manifest(snapshot_folder(store, run_id))
    age = datetime.now(UTC) - datetime.fromisoformat(manifest.made_at)
    hours = round(age.total_seconds() / 3600, 1)
    return HeldList(
        run_id, manifest.index_date, manifest.made_at, hours, manifest.trials, manifest.tables["candidates"]
    )


def _told(notice: Notice | None, rows: list[RunRow], published: HeldList | None) -> str | None:
    """Return why the list is old. A night that was killed leaves no notice; its record tells."""
    if notice is not None:
        return notice.sentence
    if rows and rows[0].state == INTERRUPTED and (published is None or rows[0].run_id > published.run_id):
        held = f"This list is as of {published.index_date}" if published else "No list was published yet"
        return f"{held}: the night of {rows[0].started_at} was interrupted; the next one goes on."
    return None


def _row(record: RunRecord, running: str | None) -> RunRow:
    steps = {one.name: one.seconds for one in record.steps if one.seconds is not None}
    # the record of a night that was killed still says that it runs
    killed = record.state == RUNNING and running is None
    return RunRow(
        run_id=record.run_id,
        state=INTERRUPTED if killed else record.state,
        exit_status=record.exit_status,
        index_date=record.index_date,
        started_at=record.started_at,
        seconds=round(sum(steps.values()), 1),
        steps=steps,
        candidates={trial: told["candidates"] for trial, told in record.trials.items()},
        new=sum(told.get("new", 0) for told in record.trials.values()),
        message=record.message,
    )


def _disk(store: Path) -> Iterator[tuple[str, int]]:
    """Yield the bytes of each folder of the store; a file with two names, as of a run and its snapshot, counts once."""
    seen: set[tuple[int, int]] = set()
    for place in sorted(store.iterdir(), key=lambda one: (one.name != "snapshots", one.name)):
        size = 0
        for file in _files(place):
            try:
                found = file.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if (key := (found.st_dev, found.st_ino)) not in seen:
                seen.add(key)
                size += found.st_size
        yield place.name, size


def _files(place: Path) -> Iterator[Path]:
    if not place.is_dir():
        yield place
        return
    for folder, _, names in os.walk(place):
        yield from (Path(folder) / name for name in names)
