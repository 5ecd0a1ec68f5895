"""FHIR files, as they were given, turned into landing files: compressed NDJSON by type, and a manifest."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import orjson

from cohortfinder.landing.blocks import BlockReader, DamagedError
from cohortfinder.landing.bundles import Entry, bundle_entries, full_urls, identified, with_references
from cohortfinder.landing.contained import MARKER as CONTAINED
from cohortfinder.landing.contained import hoisted
from cohortfinder.landing.digits import DigitsWriter
from cohortfinder.landing.exported import ERROR, ExportedDeletions, deleted_first, of_folder, says_error
from cohortfinder.landing.labels import WITHHELD
from cohortfinder.landing.lines import NO_RECORDS, examine, reason_against, uniform_type
from cohortfinder.landing.manifest import DELETIONS, Manifest, Source, write_manifest
from cohortfinder.landing.parts import TypeWriter
from cohortfinder.landing.people import Erased, may_name_erased, names_erased
from cohortfinder.landing.quarantine import Quarantine
from cohortfinder.landing.raw_json import one_line
from cohortfinder.landing.withheld import Held, WithheldIds, all_of_them


class Lander:
    """Takes files one by one into the folder of a load."""

    def __init__(
        self, folder: Path, quarantine: Quarantine, pool: Executor, *, needs_id: bool = True,
        erased: Erased | None = None, held: Held = all_of_them,
    ) -> None:  # fmt: skip
        self._folder, self._quarantine, self._pool, self._needs_id = folder, quarantine, pool, needs_id
        self._erased = erased if erased and erased.people else None
        self.left_out = 0
        self._writers: dict[str, TypeWriter] = {}
        self._digits = DigitsWriter(folder)
        self._deletions: list[bytes] = []
        self._exported = ExportedDeletions()
        self._withheld = WithheldIds(held)
        self.sources: list[Source] = []

    def take(self, path: Path) -> None:
        """Take one file: NDJSON, a Bundle or a single resource, each plain or compressed."""
        reader = BlockReader(path)
        line, form, complete = 1, "empty", True
        held: list[bytes] = []
        touched: set[str] = set()
        try:
            for block in reader.blocks():
                if line == 1 and not held:
                    form = "ndjson" if _starts_ndjson(block, path) else "json"
                if form == "json":
                    held.append(block)
                else:
                    touched |= self._block(block, path, line)
                    line += block.count(b"\n")
        except DamagedError as error:
            complete = False
            self._reject(path, line, None, str(error), b"")
            self._cut(touched)
        if form == "json" and complete:
            form = self._document(b"".join(held), path)
        self.sources.append(Source(str(path), reader.size, reader.sha256, form, complete))

    def finish(self, manifest: Manifest) -> Manifest:
        """Write what is left and the manifest."""
        types = tuple(self._writers[name].finish() for name in sorted(self._writers))
        for record in (*self._exported.records(), *self._withheld.records(self._folder, types)):
            self._deletions.append(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        if self._deletions:
            (self._folder / DELETIONS).write_bytes(b"".join(self._deletions))
        self._digits.flush()
        done = replace(
            manifest, sources=tuple(self.sources), types=types, quarantined=self._quarantine.count,
            deletions=len(self._deletions), digits=self._digits.count, complete=True,
        )  # fmt: skip
        write_manifest(self._folder, done)
        return done

    def _writer(self, resource_type: str) -> TypeWriter:
        if resource_type not in self._writers:
            self._writers[resource_type] = TypeWriter(self._folder, resource_type, self._pool)
        return self._writers[resource_type]

    def _cut(self, touched: set[str]) -> None:
        for resource_type in touched:
            self._writer(resource_type).complete = False

    def _reject(self, path: Path, line: int, resource_type: str | None, reason: str, raw: bytes) -> None:
        if self._erased and (may_name_erased(self._erased, None, raw) or names_erased(self._erased, raw)):
            raw = b""
        self._quarantine.add(file=str(path), line=line, resource_type=resource_type, reason=reason, raw=raw)

    def _block(self, block: bytes, path: Path, line: int) -> set[str]:
        resource_type = uniform_type(block)
        if resource_type:
            self._add(resource_type, block, block.count(b"\n"), path, line)
            return {resource_type}
        lines = block.split(b"\n")[:-1]
        return {name for number, raw in enumerate(lines, line) if (name := self._line(raw, path, number))}

    def _line(self, raw: bytes, path: Path, number: int) -> str | None:
        raw = raw.strip()
        if not raw:
            return None
        examined = examine(raw, needs_id=self._needs_id)
        if examined.reason:
            self._reject(path, number, examined.resource_type, examined.reason, raw)
            return None
        if examined.resource_type == "Bundle":
            self._bundle(raw.decode(), path, number)
        elif of_folder(path, ERROR) and says_error(examined.resource):
            self._reject(path, number, examined.resource_type, "the exporting server reports an error", raw)
        else:
            self._resource(raw.decode(), examined.resource, path, number, 0)
        return None if examined.resource_type in NO_RECORDS else examined.resource_type

    def _resource(self, text: str, resource: dict[str, object], path: Path, line: int, entry: int) -> None:
        if resource["resourceType"] in NO_RECORDS:
            return
        medications: tuple[str, ...] = ()
        if "contained" in resource and "id" in resource and CONTAINED.decode() in text:
            text, medications = hoisted(text, resource)
        for kind, line_text in (
            (resource["resourceType"], text),
            *(("Medication", one) for one in medications),
        ):
            self._add(str(kind), line_text.encode() + b"\n", 1, path, line, entry)

    def _add(self, resource_type: str, lines: bytes, rows: int, path: Path, line: int, entry: int = 0) -> None:
        if self._erased and may_name_erased(self._erased, resource_type, lines):
            if rows > 1:
                for number, one in enumerate(lines.split(b"\n")[:-1], line):
                    self._add(resource_type, one + b"\n", 1, path, number, entry)
                return
            if names_erased(self._erased, lines):
                self.left_out += 1
                return
        self._writer(resource_type).add(lines, rows, len(self.sources), line, entry)
        self._exported.contained(path, resource_type, lines)
        if resource_type == "Observation":
            self._digits.add(lines)

    def _document(self, raw: bytes, path: Path) -> str:
        examined = examine(raw, needs_id=self._needs_id)
        if examined.reason:
            self._reject(path, 1, examined.resource_type, examined.reason, raw)
        elif examined.resource_type == "Bundle":
            self._bundle(raw.decode(), path, 1)
            return "bundle"
        else:
            self._resource(one_line(raw.decode().strip()), examined.resource, path, 1, 0)
        return "resource"

    def _bundle(self, text: str, path: Path, line: int) -> None:
        try:
            entries = tuple(identified(entry) for entry in bundle_entries(text.strip()))
        except ValueError:
            self._reject(path, line, "Bundle", "not a valid Bundle", text.encode())
            return
        targets = full_urls(entries)
        for entry in entries:
            self._entry(entry, targets, path, line + entry.line - 1)

    def _entry(self, entry: Entry, targets: dict[str, str], path: Path, line: int) -> None:
        if entry.mode == "outcome":
            return
        reason = self._reason_against(entry, path)
        if reason:
            resource_type = entry.resource.get("resourceType")
            named = resource_type if isinstance(resource_type, str) else None
            self._reject(path, line, named, f"entry {entry.number}: {reason}", entry.text.encode())
        elif entry.method == "DELETE":
            self._deletion(entry, path)
        else:
            self._resource(with_references(entry.text, targets), entry.resource, path, line, entry.number)

    def _deletion(self, entry: Entry, path: Path) -> None:
        resource_type, own_id = entry.url.split("/")[:2]
        if resource_type == "Patient" and self._erased and self._erased.holds(own_id):
            return  # she is not held, and her id must not come back
        if entry.modified and entry.status == WITHHELD:
            self._withheld.add(resource_type, own_id, entry.modified)
        elif entry.modified:
            # what the server does not know (404) may come back as it was, what was deleted only as a newer version
            unknown = entry.status.startswith("404")
            record = {"resource_type": resource_type, "id": own_id, "deleted_at": entry.modified, "unknown": unknown}
            self._deletions.append(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        elif exported_at := self._exported.time_of(path):
            self._exported.add(path, resource_type, own_id, exported_at)

    def _reason_against(self, entry: Entry, path: Path) -> str | None:
        if entry.method == "DELETE":
            if (entry.modified or self._exported.time_of(path)) and entry.url.count("/") in (1, 3):
                return None
            return "a deletion without its time (response.lastModified) is not applied"
        if entry.method == "PATCH":
            return "a PATCH holds no whole resource"
        if not entry.text:
            return "no resource in this entry"
        return reason_against(entry.resource, entry.text.encode(), needs_id=self._needs_id)


def _starts_ndjson(block: bytes, path: Path) -> bool:
    """Tell NDJSON from one JSON document: by the name, else by whether its first line is a value of its own."""
    if path.name.lower().removesuffix(".gz").endswith((".ndjson", ".jsonl")):
        return True
    lines = [line for line in block.split(b"\n", 64) if line.strip()]
    if len(lines) < 2:
        return False
    try:
        return isinstance(orjson.loads(lines[0]), dict)
    except orjson.JSONDecodeError:
        return False


def land(
    files: Iterable[Path],
    folder: Path,
    manifest: Manifest,
    quarantine: Quarantine,
    *,
    log: Callable[[str], None],
    needs_id: bool = True,
    erased: Erased | None = None,
    held: Held = all_of_them,
) -> Manifest:
    """Take files into `folder`, which becomes complete with the manifest that is returned.

    Without `needs_id` a resource that has none is taken as well, as where no store keeps it. What names people who were
    `erased` is left out and counted among what was skipped. `held` says which ids of a type are in the store.
    Raises ReadWriteError when a file cannot be read.
    """
    write_manifest(folder, manifest)
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        lander = Lander(folder, quarantine, pool, needs_id=needs_id, erased=erased, held=held)
        waiting = deleted_first(tuple(files))
        log(f"reading {len(waiting)} files")
        for path in waiting:
            lander.take(path)
        if lander.left_out:
            told = f"{lander.left_out} resources of people who were erased were left out"
            log(told)
            manifest = replace(manifest, skipped=(*manifest.skipped, told))
        return lander.finish(manifest)
