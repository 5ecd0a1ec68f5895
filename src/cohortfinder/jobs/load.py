"""The job `load`: FHIR files to landing, then to the typed tables, in one step that either happens or does not."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import duckdb
import orjson

from cohortfinder.disk import remove
from cohortfinder.errors import InputError, ReadWriteError
from cohortfinder.landing.digits import DIGITS
from cohortfinder.landing.land import land
from cohortfinder.landing.manifest import PARTIAL, Manifest, landed, superseded
from cohortfinder.landing.people import read_erased
from cohortfinder.landing.pulled import Pulled
from cohortfinder.landing.quarantine import UNFINISHED, Quarantine
from cohortfinder.landing.sources import Found, find_sources
from cohortfinder.landing.withheld import Held, all_of_them
from cohortfinder.sql.environment import render
from cohortfinder.warehouse.changes import forget_old_changes
from cohortfinder.warehouse.connection import (
    LAYOUT,
    SPILL,
    WAREHOUSE,
    checkpoint,
    make_private,
    open_warehouse,
    transaction,
)
from cohortfinder.warehouse.fill import Filled, delete, fill, finished_types
from cohortfinder.warehouse.held import known_ids
from cohortfinder.warehouse.merged import note_merged
from cohortfinder.warehouse.seal import loads_of, read_seal, write_seal
from cohortfinder.warehouse.state import note_pulled
from cohortfinder.warehouse.tables import create_tables, drop_tables

Log = Callable[[str], None]
LANDING, QUARANTINE = "landing", "quarantine"


@dataclass(frozen=True, slots=True)
class LoadSummary:
    """What a load did, by resource type: read = loaded + superseded (older or same version) + quarantined.

    `deleted` counts the resources that went, by type.
    """

    load_id: str
    types: dict[str, Filled]
    quarantined: int
    reasons: dict[str, int]
    skipped: tuple[str, ...]
    complete: bool
    deleted: dict[str, int] = field(default_factory=dict)

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
    the store, ReadWriteError when the disk refuses; the store is then as it was, but for the record in `quarantine/`
    of what was refused.
    """
    found = find_sources(paths)
    with _opened(store, memory_limit, threads, log) as connection:
        folder, manifest = _land(found, store, log)
        summary = _commit(connection, store, folder, manifest, log)
    _refuse_all_rejected(summary, manifest, store)
    return summary


def load_pulled(
    files: Iterable[Path], pulled: Pulled, store: Path, *, memory_limit: str | None = None,
    threads: int | None = None, log: Log = lambda _: None,
) -> LoadSummary:  # fmt: skip
    """Load what a pull has brought, and note with it what was asked and up to when; nothing new is no error.

    Raises LockedError and ReadWriteError like `load`.
    """
    with _opened(store, memory_limit, threads, log) as connection:
        held = partial(known_ids, connection)
        folder, manifest = _land(Found(tuple(files), ()), store, log, pulled, held)
        return _commit(connection, store, folder, manifest, log)


def finish_earlier(store: Path, *, memory_limit: str | None = None, threads: int | None = None) -> None:
    """Bring an interrupted load into the tables, and make the store where there is none. Raises like `load`."""
    with _opened(store, memory_limit, threads, lambda _: None):
        pass


@contextmanager
def _opened(
    store: Path, memory_limit: str | None, threads: int | None, log: Log
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for a load, after what an earlier one has left was taken up."""
    try:
        with open_warehouse(store, memory_limit=memory_limit, threads=threads) as connection:
            _finish_earlier(connection, store, log)
            yield connection
    except OSError as error:
        raise ReadWriteError(
            f"{store}: the disk refused ({error.strerror}); free space or choose another store"
        ) from error


def rebuild_tables(
    store: Path, *, memory_limit: str | None = None, threads: int | None = None, log: Log = lambda _: None
) -> None:
    """Make every table anew from the landing files, for example after a view has changed.

    Should it be interrupted, the next load goes on with it. Raises LockedError when another process uses the store.
    """
    with open_warehouse(store, sealed=False, memory_limit=memory_limit, threads=threads) as connection:
        with transaction(connection):
            for name in ("load", "loaded_type", "pulled_type", "quarantine", "resource", "changed_patient"):
                connection.execute(render("warehouse/empty_book.sql.jinja", table=name).text)
            drop_tables(connection)
            create_tables(connection)
        _finish_earlier(connection, store, log)


def _land(
    found: Found, store: Path, log: Log, pulled: Pulled | None = None, held: Held = all_of_them
) -> tuple[Path, Manifest]:
    """Bring the files into landing, all or none; from then on an interrupted load is taken up by the next one."""
    manifest = replace(_new_manifest(store, found.skipped), pulled=pulled)
    folder = store / LANDING / (manifest.load_id + PARTIAL)
    folder.mkdir(mode=0o700)
    refused = _quarantine_files(store, manifest.load_id)[0]
    quarantine = Quarantine(refused)
    try:
        manifest = land(found.files, folder, manifest, quarantine, log=log, erased=read_erased(store), held=held)
        quarantine.close()
    except BaseException:
        if not quarantine.closed:
            quarantine.close()
        _clear(folder, store)
        raise
    skipped = len(manifest.skipped) > len(found.skipped)
    if not any(kind.resources for kind in manifest.types) and not manifest.deletions and pulled is None and not skipped:
        shutil.rmtree(folder)
        raise InputError(_nothing_to_load(manifest, quarantine, refused))
    return folder.rename(folder.with_suffix("")), manifest


def _commit(
    connection: duckdb.DuckDBPyConnection, store: Path, folder: Path, manifest: Manifest, log: Log
) -> LoadSummary:
    log(f"filling tables from {sum(kind.resources for kind in manifest.types)} resources")
    finished = finished_types(connection, manifest.load_id)
    quarantine = Quarantine(_quarantine_files(store, manifest.load_id)[1], finished=finished)
    with closing(quarantine), tempfile.TemporaryDirectory(dir=store / SPILL) as scratch:
        filled = fill(connection, folder, manifest, quarantine, Path(scratch))
        deleted = delete(connection, folder, manifest)
    with transaction(connection):
        if manifest.digits:
            kept = render("warehouse/keep_exact_numbers.sql.jinja", file=str(folder / DIGITS))
            connection.execute(kept.text, kept.parameters)
        _note_quarantine(connection, store, manifest)
        if manifest.merged:
            note_merged(connection, folder, manifest)
        else:
            _note(connection, manifest)
        forget_old_changes(connection)
    _seal(connection, store)
    asked = render("warehouse/quarantine_reasons.sql.jinja", load_id=manifest.load_id)
    reasons = dict(connection.execute(asked.text, asked.parameters).fetchall())
    complete = all(source.complete for source in manifest.sources)
    return LoadSummary(manifest.load_id, filled, sum(reasons.values()), reasons, manifest.skipped, complete, deleted)


def _seal(connection: duckdb.DuckDBPyConnection, store: Path) -> None:
    """Bring all commits out of the WAL into the file, then write down what the tables hold."""
    checkpoint(connection)
    write_seal(store, connection, store / WAREHOUSE, layout=LAYOUT)


def _note_quarantine(connection: duckdb.DuckDBPyConnection, store: Path, manifest: Manifest) -> None:
    for load_id in dict.fromkeys((manifest.load_id, *manifest.load_ids)):
        for file in _quarantine_files(store, load_id):
            if file.exists():
                note = render("warehouse/note_quarantine.sql.jinja", load_id=load_id, file=str(file))
                connection.execute(note.text, note.parameters)


def _note(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> None:
    note = render(
        "warehouse/note_load.sql.jinja",
        load_id=manifest.load_id,
        started_at=manifest.started_at,
        complete=all(source.complete for source in manifest.sources),
        sources=orjson.dumps([source.path for source in manifest.sources]).decode(),
    )
    connection.execute(note.text, note.parameters)
    if manifest.pulled:
        note_pulled(connection, manifest.load_id, manifest.pulled)


def _finish_earlier(connection: duckdb.DuckDBPyConnection, store: Path, log: Log) -> None:
    """Take up loads that reached landing and not the tables, and clear what an interrupted one has left."""
    for name in (LANDING, QUARANTINE, SPILL):
        make_private(store / name)
    for left in (store / LANDING).glob(f"*{PARTIAL}"):
        _clear(left, store)
    for begun in (store / QUARANTINE).glob(f"*{UNFINISHED}"):
        begun.unlink()
    for spilled in (store / SPILL).iterdir():
        shutil.rmtree(spilled) if spilled.is_dir() else spilled.unlink(missing_ok=True)
    for merged in superseded(store / LANDING):
        remove(merged)
    known = loads_of(connection)
    for folder, manifest in landed(store / LANDING):
        if not {*manifest.load_ids}.issubset(known):
            _commit(connection, store, folder, manifest, log)
    sealed = read_seal(store)
    if known and (sealed is None or sealed.loads != loads_of(connection)):
        # the process died after it had committed
        _seal(connection, store)


def _new_manifest(store: Path, skipped: tuple[str, ...]) -> Manifest:
    started = datetime.now(UTC)
    stem = started.strftime("%Y%m%dT%H%M%S")
    taken = {path.name.split(".")[0] for name in (LANDING, QUARANTINE) for path in (store / name).iterdir()}
    load_id = next(free for number in count(1) if (free := f"{stem}-{number:03}") not in taken)
    return replace(Manifest(load_id, started.replace(tzinfo=None).isoformat(timespec="seconds")), skipped=skipped)


def _quarantine_files(store: Path, load_id: str) -> tuple[Path, Path]:
    """Return where the lines are put that landing refuses, and those that the tables refuse."""
    folder = store / QUARANTINE
    return folder / f"{load_id}.ndjson", folder / f"{load_id}.tables.ndjson"


def _nothing_to_load(manifest: Manifest, quarantine: Quarantine, refused: Path) -> str:
    """Say why no file held a single resource that can be loaded, and where what was refused is kept."""
    names = ", ".join(source.path for source in manifest.sources[:3])
    reason = quarantine.reasons.most_common(1)
    why = f"{reason[0][0]}, see {refused}" if reason else "there is no resource in it"
    return f"{names}: nothing here can be loaded ({why}); give FHIR R4 resources as JSON or NDJSON"


def _refuse_all_rejected(summary: LoadSummary, manifest: Manifest, store: Path) -> None:
    """Raise InputError when no table could take a single one of the resources that were landed."""
    taken = any(kind.quarantined < kind.read for kind in summary.types.values())
    if manifest.deletions or taken or not summary.reasons:
        return
    names = ", ".join(source.path for source in manifest.sources[:3])
    put = _quarantine_files(store, manifest.load_id)[1]
    reason = next(iter(summary.reasons))
    raise InputError(f"{names}: nothing here can be loaded ({reason}); the lines are in {put}, correct their export")


def _clear(folder: Path, store: Path) -> None:
    """Remove a load that did not reach landing, with its quarantine."""
    for file in _quarantine_files(store, folder.name.removesuffix(PARTIAL)):
        file.unlink(missing_ok=True)
    shutil.rmtree(folder)
