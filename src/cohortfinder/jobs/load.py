"""The job `load`: FHIR files to landing, then to the typed tables, in one step that either happens or does not."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import orjson

from cohortfinder.errors import InputError, ReadWriteError
from cohortfinder.landing.land import land
from cohortfinder.landing.manifest import PARTIAL, Manifest, landed
from cohortfinder.landing.quarantine import Quarantine
from cohortfinder.landing.sources import find_sources
from cohortfinder.sql.environment import render
from cohortfinder.warehouse.connection import WAREHOUSE, make_private, open_warehouse
from cohortfinder.warehouse.fill import Filled, fill

Log = Callable[[str], None]
LANDING, QUARANTINE, SPILL = "landing", "quarantine", "spill"


@dataclass(frozen=True, slots=True)
class LoadSummary:
    """What a load did, by resource type: read = loaded + superseded (older or same version) + quarantined."""

    load_id: str
    types: dict[str, Filled]
    quarantined: int
    reasons: dict[str, int]
    skipped: tuple[str, ...]
    complete: bool

    @property
    def loaded(self) -> int:
        """How many resources are new or newer in the store."""
        return sum(filled.loaded for filled in self.types.values())

    @property
    def exit_status(self) -> int:
        """0, or 3 when something was put aside or cut short."""
        return 3 if self.quarantined or not self.complete else 0


def load(
    paths: Iterable[Path], store: Path, *, memory_limit: str | None = None, threads: int | None = None,
    log: Log = lambda _: None,
) -> LoadSummary:  # fmt: skip
    """Load FHIR files and folders into a store, which is made when it is not there.

    Raises InputError when a path does not exist or nothing in it can be loaded, LockedError when another process uses
    the store, ReadWriteError when the disk refuses; the store is then as it was.
    """
    found = find_sources(paths)
    try:
        with open_warehouse(store, memory_limit=memory_limit, threads=threads) as connection:
            for name in (LANDING, QUARANTINE, SPILL):
                make_private(store / name)
            _finish_earlier(connection, store, log)
            manifest = _new_manifest(store, found.skipped)
            folder = store / LANDING / (manifest.load_id + PARTIAL)
            folder.mkdir(mode=0o700)
            quarantine = Quarantine(_quarantine_file(store, manifest.load_id))
            try:
                manifest = land(found.files, folder, manifest, quarantine, log=log)
                _refuse_nothing(manifest, quarantine)
            except BaseException:
                _undo(folder, quarantine, store, manifest.load_id)
                raise
            # from here on the load is in landing; should the rest be interrupted, the next load takes it up
            folder = folder.rename(folder.with_suffix(""))
            return _commit(connection, store, folder, manifest, quarantine, log)
    except OSError as error:
        raise ReadWriteError(
            f"{store}: the disk refused ({error.strerror}); free space or choose another store"
        ) from error


def rebuild_tables(store: Path, *, log: Log = lambda _: None) -> None:
    """Make every table anew from the landing files, for example after a view has changed."""
    (store / WAREHOUSE).unlink(missing_ok=True)
    with open_warehouse(store) as connection:
        _finish_earlier(connection, store, log)


def _commit(
    connection: duckdb.DuckDBPyConnection,
    store: Path,
    folder: Path,
    manifest: Manifest,
    quarantine: Quarantine,
    log: Log,
) -> LoadSummary:
    log(f"filling tables from {sum(kind.resources for kind in manifest.types)} resources")
    with tempfile.TemporaryDirectory(dir=store / SPILL) as scratch:
        filled = fill(connection, folder, manifest, quarantine, Path(scratch))
    quarantine.close()
    _note(connection, store, manifest, filled, quarantine)
    connection.execute("CHECKPOINT")
    complete = all(source.complete for source in manifest.sources)
    reasons = dict(quarantine.reasons.most_common())
    return LoadSummary(manifest.load_id, filled, quarantine.count, reasons, manifest.skipped, complete)


def _note(
    connection: duckdb.DuckDBPyConnection,
    store: Path,
    manifest: Manifest,
    filled: dict[str, Filled],
    quarantine: Quarantine,
) -> None:
    notes = [
        render(
            "warehouse/note_load.sql.jinja", load_id=manifest.load_id, started_at=manifest.started_at,
            complete=all(source.complete for source in manifest.sources),
            resources=sum(one.loaded for one in filled.values()), quarantined=quarantine.count,
            sources=orjson.dumps([source.path for source in manifest.sources]).decode(),
        )
    ]  # fmt: skip
    if quarantine.count:
        file = str(_quarantine_file(store, manifest.load_id))
        notes.append(render("warehouse/note_quarantine.sql.jinja", load_id=manifest.load_id, file=file))
    for note in notes:
        connection.execute(note.text, note.parameters)


def _finish_earlier(connection: duckdb.DuckDBPyConnection, store: Path, log: Log) -> None:
    """Take up loads that reached landing and not the tables, and clear what an interrupted one has left."""
    for left in (store / LANDING).glob(f"*{PARTIAL}"):
        shutil.rmtree(left)
    known = {row[0] for row in connection.execute(render("warehouse/load_ids.sql.jinja").text).fetchall()}
    for folder, manifest in landed(store / LANDING):
        if manifest.load_id not in known:
            quarantine = Quarantine(_quarantine_file(store, manifest.load_id, again=True))
            _commit(connection, store, folder, manifest, quarantine, log)


def _new_manifest(store: Path, skipped: tuple[str, ...]) -> Manifest:
    started = datetime.now(UTC)
    stem = started.strftime("%Y%m%dT%H%M%S")
    taken = Counter(path.name[: len(stem)] for path in (store / LANDING).iterdir())
    load_id = f"{stem}-{taken[stem] + 1:03}"
    return replace(Manifest(load_id, started.replace(tzinfo=None).isoformat(timespec="seconds")), skipped=skipped)


def _quarantine_file(store: Path, load_id: str, *, again: bool = False) -> Path:
    path = store / QUARANTINE / f"{load_id}.ndjson"
    if again and path.exists():
        # What landing itself put aside is kept; what the tables refuse is found again.
        path.rename(path.with_suffix(".landing.ndjson"))
    return path


def _refuse_nothing(manifest: Manifest, quarantine: Quarantine) -> None:
    """Raise InputError when no file held a single resource that can be loaded."""
    if any(kind.resources for kind in manifest.types) or manifest.deletions:
        return
    names = ", ".join(source.path for source in manifest.sources[:3])
    reason = quarantine.reasons.most_common(1)
    why = reason[0][0] if reason else "there is no resource in it"
    raise InputError(f"{names}: nothing here can be loaded ({why}); give FHIR R4 resources as JSON or NDJSON")


def _undo(folder: Path, quarantine: Quarantine, store: Path, load_id: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if not quarantine.closed:
        quarantine.close()
    _quarantine_file(store, load_id).unlink(missing_ok=True)
