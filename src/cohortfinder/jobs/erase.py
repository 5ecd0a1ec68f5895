"""The job `erase`: one person out of everything in the store, for good.

    her ids ──► the list of erased people ──► runs, snapshots ──► what people have said ──► spool, quarantine
            ──► landing ──► tables made anew

The list comes first, so that no pull brings her back; the tables come last, since they tell which records are hers.
Whatever ends it half-way, the same command goes on; doing it twice changes nothing.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from cohortfinder.disk import remove, write_durably
from cohortfinder.jobs.front_page import renew_front_page
from cohortfinder.jobs.load import LANDING, QUARANTINE, rebuild_tables
from cohortfinder.jobs.published import forget_people
from cohortfinder.jobs.pulling.errand import SPOOL
from cohortfinder.jobs.quiet import quiet
from cohortfinder.jobs.verify import DAMAGED
from cohortfinder.landing.manifest import Manifest, landed, superseded, write_manifest
from cohortfinder.landing.merged import forget_in_merged
from cohortfinder.landing.people import People, read_erased, write_erased
from cohortfinder.landing.rewrite import Record, Rewriting
from cohortfinder.landing.spool import Spool
from cohortfinder.review.store.database import has_database, open_database
from cohortfinder.review.store.erasure import forget
from cohortfinder.review_settings import ReviewSettings
from cohortfinder.warehouse.connection import SPILL, WAREHOUSE, open_warehouse
from cohortfinder.warehouse.held import patient_links, records_of
from cohortfinder.warehouse.seal import SEAL

_BY_DEFAULT = ReviewSettings()
_NAMED_AFTER = "(a file named after a person who was erased)"
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ErasedSummary:
    """What an erasure removed: records of the person by resource type, lines of quarantine, files of runs and lists.

    `said` counts what was said of her in the review application.
    """

    records: int
    resources: dict[str, int]
    quarantined: int
    published: int
    said: int = 0


def erase(
    store: Path, patient: str, *, memory_limit: str | None = None, threads: int | None = None,
    review: ReviewSettings = _BY_DEFAULT, log: Log = lambda _: None,
) -> ErasedSummary:  # fmt: skip
    """Remove a patient, with every record that replaces hers or is replaced by it, and let no load bring her back.

    Raises InputError when there is no store, LockedError when another process uses it.
    """
    with quiet(store):
        erased = read_erased(store)
        with open_warehouse(store, sealed=False, memory_limit=memory_limit, threads=threads) as connection:
            ids = _ids_of(patient, patient_links(connection))
            people = People(ids, records_of(connection, ids))
        write_erased(store, replace(erased, people=erased.people | {*map(erased.hash_of, ids)}, begun=True))
        log(f"erasing {len(ids)} records of a patient")
        published = forget_people(store, people)
        if published:
            renew_front_page(store)
        said = _forget_said(store, review, people)
        Spool(store / SPOOL).clear()
        put_aside = sum(_clean_quarantine(file, people) for file in (store / QUARANTINE).glob("*.ndjson"))
        for merged in superseded(store / LANDING):
            remove(merged)
        resources: dict[str, int] = {}
        gone = {("Patient", one) for one in ids}
        for folder, manifest in landed(store / LANDING):
            for kind, count in _clean_load(folder, manifest, people, gone).items():
                resources[kind] = resources.get(kind, 0) + count
        if resources or put_aside or erased.begun or _left_behind(store):
            log("making the tables anew")
            _make_anew(store, memory_limit, threads, log)
        write_erased(store, replace(read_erased(store), begun=False))
    return ErasedSummary(len(ids), resources, put_aside, published, said)


def _ids_of(patient: str, links: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return a patient id with all that lead to it, or to which it leads."""
    known, waiting = {patient}, [patient]
    while waiting:
        one = waiting.pop()
        found = {other for pair in links if one in pair for other in pair} - known
        known |= found
        waiting += found
    return frozenset(known)


def _forget_said(store: Path, review: ReviewSettings, people: People) -> int:
    """Remove what study teams have said of the people, where anybody has ever opened the review application."""
    if not has_database(store, review):
        return 0
    with closing(open_database(store, review)) as database:
        return forget(database, people)


def _clean_quarantine(file: Path, people: People) -> int:
    """Remove the lines that name the people; return how many these were."""
    lines = file.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if not people.written_in(orjson.loads(line)["raw"].encode() + line)]
    if len(kept) < len(lines):
        write_durably(file, b"".join(kept))
        if not kept:
            file.unlink()
    return len(lines) - len(kept)


def _clean_load(folder: Path, manifest: Manifest, people: People, gone: set[tuple[str, str]]) -> dict[str, int]:
    """Remove the resources of the people from a load, and what is told of them: `gone`, by type and id."""

    def keeps(kind: str, line: bytes) -> bool:
        if not people.named_by(kind, line):
            return True
        with suppress(ValueError, AttributeError):
            gone.add((kind, str(orjson.loads(line).get("id"))))
        return False

    def keeps_digits(row: Record) -> bool:
        return ("Observation", str(row["id"])) not in gone

    def keeps_deletion(row: Record) -> bool:
        return (row["resource_type"], row["id"]) not in gone

    rewriting = Rewriting(folder, manifest, keeps=keeps, keeps_digits=keeps_digits, keeps_deletion=keeps_deletion)
    done = rewriting.run()
    sources = tuple(
        replace(one, path=_NAMED_AFTER) if people.written_in(one.path.encode()) else one for one in done.sources
    )
    removed = Counter(rewriting.removed)
    if manifest.merged:
        removed += forget_in_merged(folder, people, gone, _NAMED_AFTER)
    if sources != done.sources:
        write_manifest(folder, replace(done, sources=sources))
    return removed


def _left_behind(store: Path) -> bool:
    return any(store.glob(f"{DAMAGED}*"))


def _make_anew(store: Path, memory_limit: str | None, threads: int | None, log: Log) -> None:
    """Remove everything that is made of landing, and make it again: no block of the old file stays."""
    for file in (*store.glob(f"{WAREHOUSE}*"), store / SEAL):
        file.unlink(missing_ok=True)
    for left in (store / SPILL).glob("*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    rebuild_tables(store, memory_limit=memory_limit, threads=threads, log=log)
