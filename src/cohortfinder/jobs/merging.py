"""Several loads of a store to one folder of landing: of each resource what the tables made of them hold, and no more.

landing folders ──► tables of their own ──► lines that hold, what was deleted, books ──► tables of their own: the same?
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import orjson
from duckdb import DuckDBPyConnection

from cohortfinder.disk import link_or_copy, refused, sync_tree, write_durably
from cohortfinder.errors import StoreError
from cohortfinder.jobs.load import LANDING, QUARANTINE, finish_earlier
from cohortfinder.jobs.remade import take_over
from cohortfinder.landing.digits import DIGITS
from cohortfinder.landing.manifest import LandedType, Manifest, Merged, Part, Source, write_manifest
from cohortfinder.landing.merged import BOOKS, GONE, Gone, book_file, patients_named, read_gone, write_rows
from cohortfinder.landing.parts import TypeWriter, compressed
from cohortfinder.landing.quarantine import Rejected, rejected_lines
from cohortfinder.warehouse.connection import SPILL, make_private, open_warehouse
from cohortfinder.warehouse.landed_lines import LandedLines
from cohortfinder.warehouse.merged import (
    book_rows,
    gone_of,
    held_numbers,
    kept_lines,
    lines_of,
    table_sums,
    versions_of_types,
)

Load = tuple[Path, Manifest]
_FORMAT = "merged"
_ENTRY = re.compile(r"entry (\d+): ")


class Merging:
    """The making of one folder out of several, in `scratch`. Nothing of the store is changed.

    `connection` is the warehouse of the store, whose books tell of the loads.
    """

    def __init__(
        self, store: Path, loads: Sequence[Load], name: str, scratch: Path, connection: DuckDBPyConnection, *,
        memory_limit: str | None = None, threads: int | None = None,
    ) -> None:  # fmt: skip
        self._store, self._loads, self._name, self._books = store, loads, name, connection
        self._before, self._after, self.folder = scratch / "before", scratch / "after", scratch / name
        self._memory_limit, self._threads = memory_limit, threads
        self._sources: list[Source] = []
        self._gone: list[Gone] = []

    def run(self, *, bytes_before: int) -> Manifest:
        """Make the folder, on the disk for good, and prove that the same tables come of it.

        Raises StoreError when they are not the same, ReadWriteError when the disk refuses.
        """
        take_over((folder for folder, _ in self._loads), self._store, self._before)
        self._fill(self._before)
        with self._opened(self._before) as connection:
            manifest = self._write(connection, bytes_before)
            expected = self._told(connection)
        self._prove(expected)
        return manifest

    def _fill(self, store: Path) -> None:
        finish_earlier(store, memory_limit=self._memory_limit, threads=self._threads)

    def _opened(self, store: Path) -> AbstractContextManager[DuckDBPyConnection]:
        return open_warehouse(store, read_only=True, memory_limit=self._memory_limit, threads=self._threads)

    def _write(self, connection: DuckDBPyConnection, bytes_before: int) -> Manifest:
        newest = self._loads[-1][1]
        load_ids = tuple(load_id for _, one in self._loads for load_id in one.load_ids)
        try:
            self.folder.mkdir(mode=0o700)
            types = tuple(self._types(connection))
            numbers = [*held_numbers(connection)]
            if numbers:
                lines = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in numbers)
                write_durably(self.folder / DIGITS, compressed(lines))
            write_rows(self.folder / GONE, self._gone)
            for book in BOOKS:
                write_rows(self.folder / book_file(book), book_rows(self._books, book, load_ids))
            manifest = Manifest(
                load_id=self._name,
                started_at=newest.started_at,
                sources=tuple(self._sources),
                types=types,
                digits=len(numbers),
                complete=True,
                merged=Merged(load_ids, datetime.now(UTC).isoformat(timespec="seconds"), bytes_before),
            )
            write_manifest(self.folder, manifest)
            sync_tree(self.folder)
        except OSError as error:
            raise refused(self.folder, error) from error
        return manifest

    def _types(self, connection: DuckDBPyConnection) -> Iterator[LandedType]:
        before = {(one.resource_type, one.id): one.patients for folder, one in self._gone_before()}
        with ThreadPoolExecutor(max_workers=2) as pool:
            for kind in sorted(versions_of_types(connection)):
                files = self._files(kind)
                if files:
                    landed = self._type(connection, kind, files, TypeWriter(self.folder, kind, pool))
                    if landed.resources:
                        yield landed
                gone = [*gone_of(connection, kind, some_kept=bool(files))]
                named = {one.id: {*before.get((kind, one.id), ())} for one in gone}
                if files and named:
                    for own_id, line in lines_of(connection, files, named):
                        named[own_id] |= patients_named(line)
                self._gone += [replace(one, patients=tuple(sorted(named[one.id]))) for one in gone]

    def _type(self, connection: DuckDBPyConnection, kind: str, files: list[str], writer: TypeWriter) -> LandedType:
        """Write the lines of a type that hold. Where they came from is not known any more: they come from here."""
        hashed, size, rows = sha256(), 0, 0
        for lines in kept_lines(connection, kind, files):
            block = b"".join(lines)
            writer.add(block, len(lines), len(self._sources), rows + 1)
            hashed.update(block)
            size, rows = size + len(block), rows + len(lines)
        path = f"{LANDING}/{self._name}/{kind}"
        self._sources.append(Source(path, size, hashed.hexdigest(), _FORMAT))
        return writer.finish()

    def _files(self, kind: str) -> list[str]:
        """Return all files of a type, without the lines that the tables have refused."""
        files: list[str] = []
        for folder, manifest in self._loads:
            bad = [*rejected_lines(self._before / QUARANTINE / f"{manifest.load_id}.tables.ndjson")]
            for landed in (one for one in manifest.types if one.resource_type == kind):
                scratch = self._before / SPILL
                lines = LandedLines(self._before / LANDING / folder.name, manifest, landed, scratch)
                for part in lines.parts if bad else ():
                    if rows := _rows_of(bad, manifest, part.part):
                        part.blame(rows)
                files += lines.files
        return files

    def _gone_before(self) -> Iterator[tuple[Path, Gone]]:
        for folder, manifest in self._loads:
            if manifest.merged:
                yield from ((folder, one) for one in read_gone(folder))

    def _told(self, connection: DuckDBPyConnection) -> dict[str, object]:
        numbers = sorted(map(str, held_numbers(connection)))
        return {**table_sums(connection), "exact_number": numbers}

    def _prove(self, expected: dict[str, object]) -> None:
        """Make tables of the new folder alone. Raises StoreError when they are not those of the old ones."""
        for place in (self._after, self._after / LANDING):
            make_private(place)
        try:
            (self._after / LANDING / self._name).mkdir(mode=0o700)
            for file in self.folder.iterdir():
                link_or_copy(file, self._after / LANDING / self._name / file.name)
        except OSError as error:
            raise refused(self._after, error) from error
        self._fill(self._after)
        with self._opened(self._after) as connection:
            found = self._told(connection)
        if wrong := sorted(name for name in expected if found.get(name) != expected[name]):
            raise StoreError(
                f"{self._store / LANDING}: merging {len(self._loads)} loads would change {', '.join(wrong)}, so they"
                " stay as they are; tell the makers of the program"
            )


def _rows_of(bad: Iterable[Rejected], manifest: Manifest, part: Part) -> dict[int, str]:
    """Return the rows of a landing file that are among the lines that were refused, each with its reason."""
    reasons = {(one.file, one.line, _entry(one.reason)): one.reason for one in bad}
    return {
        row: reason
        for row, (source, line, entry) in _origins(part)
        if (reason := reasons.get((manifest.sources[source].path, line, entry)))
    }


def _entry(reason: str) -> int:
    found = _ENTRY.match(reason)
    return int(found[1]) if found else 0


def _origins(part: Part) -> Iterator[tuple[int, tuple[int, int, int]]]:
    """Yield every row of a landing file with source, line and entry."""
    ends = [run[0] for run in part.origins[1:]] + [part.resources + 1]
    for (first, source, line, entry), end in zip(part.origins, ends, strict=True):
        yield from ((row, (source, line + row - first, entry)) for row in range(first, end))
