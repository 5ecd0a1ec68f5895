"""What a folder of merged loads holds beside the resources: what was told of each load, and what was deleted.

Of a deleted resource no more is kept than its version and when it was deleted, so that no older version of it comes
back; and which patients it named, so that it goes with a patient who is erased.
"""

import gzip
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from cohortfinder.disk import write_durably
from cohortfinder.errors import StoreError
from cohortfinder.landing.manifest import Manifest
from cohortfinder.landing.people import People

# not *.ndjson.gz: these are no resources
GONE = "gone.jsonl.gz"
# one file for each book of the warehouse that tells of loads
BOOKS = ("load", "loaded_type", "pulled_type")
_PATIENT = re.compile(rb"Patient\\?/([A-Za-z0-9.\-]+)")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gone:
    """A resource that was deleted: the version that holds against older ones, and the patients whom it named."""

    resource_type: str
    id: str
    updated: str | None
    version: int | None
    # a number of 64 bits, as text
    content: str | None
    patients: tuple[str, ...] = ()


def book_file(book: str) -> str:
    """Return the name of the file with what a book of the warehouse said of the merged loads."""
    return f"{book}.jsonl.gz"


def write_rows(file: Path, rows: Iterable[Any]) -> None:
    """Write one JSON object a line, compressed. Raises ReadWriteError."""
    lines = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE, default=str) for row in rows)
    write_durably(file, gzip.compress(lines, mtime=0))


def read_rows(file: Path) -> Iterator[dict[str, Any]]:
    """Yield what `write_rows` has written. Raises StoreError when it is missing or damaged."""
    try:
        yield from map(orjson.loads, gzip.decompress(file.read_bytes()).splitlines())
    except (OSError, EOFError, ValueError) as error:
        raise StoreError(f"{file}: this file of landing is damaged; restore it from a backup") from error


def read_gone(folder: Path) -> Iterator[Gone]:
    """Yield what was deleted. Raises StoreError like `read_rows`."""
    for row in read_rows(folder / GONE):
        yield Gone(**{**row, "patients": tuple(row["patients"])})


def patients_named(line: bytes) -> set[str]:
    """Return the patients to whom a resource refers."""
    return {found.decode() for found in _PATIENT.findall(line)}


def merged_problems(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Yield what cannot be read of it, or is missing."""
    if manifest.merged is None:
        return
    for name in (GONE, *map(book_file, BOOKS)):
        try:
            rows = list(read_rows(folder / name))
        except StoreError as error:
            yield str(error)
            continue
        if name == book_file("load") and {row["load_id"] for row in rows} != {*manifest.load_ids}:
            yield f"{folder / name}: this file does not tell of all loads that were merged; restore it from a backup"


def forget_in_merged(folder: Path, people: People, gone: set[tuple[str, str]], named: str) -> Counter[str]:
    """Remove what is told of some people, and count the deleted records of theirs by type.

    `gone` are records of theirs, `named` stands for a file that names them.
    """
    told = [*read_gone(folder)]
    hers = {one for one in told if people.ids.intersection(one.patients) or (one.resource_type, one.id) in gone}
    kept = [one for one in told if one not in hers]
    if kept != told:
        write_rows(folder / GONE, kept)
    loads = [*read_rows(folder / book_file("load"))]
    changed = [{**row, "sources": _without(row["sources"], people, named)} for row in loads]
    if changed != loads:
        write_rows(folder / book_file("load"), changed)
    return Counter(one.resource_type for one in hers)


def _without(sources: str, people: People, named: str) -> str:
    paths: list[str] = orjson.loads(sources)
    return orjson.dumps([named if people.written_in(path.encode()) else path for path in paths]).decode()
