"""One file of a bulk export: fetched, counted, and freed of what was not asked for."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from cohortfinder.fhir.by_id import bundle_line
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.export_log import Fetched
from cohortfinder.fhir.export_manifest import OUTPUT, ExportFile
from cohortfinder.fhir.export_question import CodeFilter, ExportQuestion
from cohortfinder.landing.blocks import BlockReader, DamagedError
from cohortfinder.landing.exported import ERROR, says_error
from cohortfinder.landing.labels import LABELLED, Labels, withheld

FHIR_NDJSON = "application/fhir+ndjson"
_OUTCOME = "OperationOutcome"
_BEGIN = re.compile(rb'\{\s*"resourceType"\s*:\s*"([A-Za-z]+)"')
_WORD = re.compile(rb"[A-Z][A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the files is kept: what was asked for, but for what must not be stored. `at` is when it is asked."""

    question: ExportQuestion
    labels: Labels
    at: datetime


def fetch(client: FhirClient, file: ExportFile, folder: Path, asked: Asked, *, authorized: bool) -> Fetched:
    """Download a file into the folder of an export and return what it holds.

    One that is not whole is asked for a second time. Raises like the client.
    """
    path = folder / file.name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    for _ in range(2):
        downloaded = client.download(file.url, path, authorized=authorized, accept=FHIR_NDJSON)
        sieve = _sifted(path, file, asked)
        if not sieve.short:
            break
    size, sha256 = downloaded.bytes, downloaded.sha256
    if sieve.left_out or sieve.dropped:
        _keep_asked(path, file, asked)
        size, sha256 = _measured(path)
    _to_disk(path)
    return Fetched(
        file.name, file.part, file.resource_type, dict(sieve.resources), size, sha256, file.mark, sieve.left_out,
        sieve.dropped, sieve.problems,
    )  # fmt: skip


def is_whole(folder: Path, fetched: Fetched) -> bool:
    """Tell whether a file is as it was when it was fetched."""
    path = folder / fetched.name
    return path.is_file() and _measured(path) == (fetched.bytes, fetched.sha256)


class _Sieve:
    """Takes the lines of a file and tells those that were asked for."""

    def __init__(self, file: ExportFile, asked: Asked) -> None:
        self._file, self._labels, self._types = file, asked.labels, frozenset(asked.question.types)
        self._at = asked.at
        self._codes = {kind: _codes(chosen) for kind, chosen in asked.question.filters.items()}
        self.resources: Counter[str] = Counter()
        self.problems: dict[str, str] = {}
        self.left_out = self.dropped = self._lines = 0

    @property
    def short(self) -> bool:
        """Whether it holds another number of resources than the server said."""
        return self._file.part == OUTPUT and self._file.count not in (None, self._lines)

    def kept(self, block: bytes) -> Iterator[bytes]:
        """Yield what of a block was asked for, and in the place of what must not be stored that it is not held."""
        kind = self._file.resource_type
        plain = kind in self._types and kind not in self._codes and LABELLED not in block
        if plain and (lines := _lines_of(block, kind)):
            self._lines += lines
            self.resources[kind] += lines
            yield block
            return
        for line in block.splitlines(keepends=True):
            if told := self._kept_of(line) if line.strip() else line:
                yield told

    def finish(self) -> None:
        """Note what can be said at the end of the file only."""
        if self.short:
            told = f"a file should hold {self._file.count} resources and holds {self._lines}"
            self.problems[self._file.resource_type] = told

    def damaged(self, reason: str) -> None:
        """Note that the file cannot be read to its end."""
        self.problems[self._file.resource_type] = f"a file is damaged: {reason}"

    def _kept_of(self, line: bytes) -> bytes:
        """Return what is kept of a line: all of it, nothing, or that the resource is not held."""
        self._lines += 1
        resource = _resource(line)
        if resource is None:  # landing puts it aside, with its place
            return line
        kind = str(resource.get("resourceType"))
        if kind == _OUTCOME:
            self._outcome(resource, line)
            return line
        if self._file.part != OUTPUT:
            return line
        if kind != self._file.resource_type:
            self.problems[self._file.resource_type] = f"a file holds {kind} as well"
        if kind in self._types and self._labels.exclude(resource):
            self.dropped += 1
            return bundle_line("history", [withheld(resource, self._at)]) + b"\n"
        if kind not in self._types or not self._has_code(kind, resource):
            self.left_out += 1
            return b""
        self.resources[kind] += 1
        return line

    def _has_code(self, kind: str, resource: dict[str, Any]) -> bool:
        asked = self._codes.get(kind)
        return asked is None or not asked.isdisjoint(_codes_of(resource))

    def _outcome(self, outcome: dict[str, Any], line: bytes) -> None:
        """Note which types an error is about: those that it names, all when it names none."""
        if says_error(outcome):
            told = "the server reports an error in its export" + ("" if self._file.part == ERROR else " itself")
            named = {found.decode() for found in _WORD.findall(line)} & self._types
            self.problems |= dict.fromkeys(named or self._types, told)


def _lines_of(block: bytes, kind: str) -> int:
    """Return how many lines a block has when all begin as a resource of one type, else 0; landing looks closer."""
    begin = _BEGIN.match(block)
    if not begin or begin[1].decode() != kind:
        return 0
    lines = block.count(b"\n")
    return lines if block.count(b"\n" + begin[0]) + 1 == lines else 0


def _sifted(path: Path, file: ExportFile, asked: Asked) -> _Sieve:
    sieve = _Sieve(file, asked)
    for _ in _asked_lines(path, sieve):
        pass
    sieve.finish()
    return sieve


def _asked_lines(path: Path, sieve: _Sieve) -> Iterator[bytes]:
    try:
        for block in BlockReader(path).blocks():
            yield from sieve.kept(block)
    except DamagedError as error:
        sieve.damaged(str(error))


def _keep_asked(path: Path, file: ExportFile, asked: Asked) -> None:
    """Write a file anew with the lines alone that are kept."""
    scratch = path.with_suffix(".asked")
    with scratch.open("wb") as target:
        target.writelines(_asked_lines(path, _Sieve(file, asked)))
    scratch.replace(path)


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _measured(path: Path) -> tuple[int, str]:
    """Return the length and hash of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
        return file.tell(), digest.hexdigest()


def _resource(line: bytes) -> dict[str, Any] | None:
    try:
        resource = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return resource if isinstance(resource, dict) else None


def _codes(asked: CodeFilter) -> frozenset[str]:
    return frozenset(code.casefold() for code in asked.codes)


def _codes_of(resource: Mapping[str, Any]) -> Iterator[str]:
    """Yield the codes of a resource and of its components."""
    for holder in (resource, *_objects(resource.get("component"))):
        code = holder.get("code")
        for coding in _objects(code.get("coding")) if isinstance(code, dict) else ():
            yield str(coding.get("code")).casefold()


def _objects(value: Any) -> Iterable[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else ()
