"""Invented patients to FHIR files, one at a time: a Bundle for each, or one NDJSON file for each type of resource."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

import orjson

from cohortfinder.dummy.resources import META, Json

FOLDER = "fhir"
FORMATS = ("bundle", "ndjson")


class Writer(Protocol):
    """Takes patients one by one."""

    def add(self, patient: str, resources: Iterable[Json]) -> None:
        """Write the resources of one patient."""

    def file_of(self, patient: str) -> str:
        """Return where the patient stands, from the folder that holds all."""

    def close(self) -> None:
        """End the files."""


class BundleWriter:
    """A Bundle of type collection for each patient."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, patient: str, resources: Iterable[Json]) -> None:
        """Write one Bundle."""
        entries = [{"fullUrl": _url(resource), "resource": resource} for resource in resources]
        bundle = {"resourceType": "Bundle", "id": patient, "meta": META, "type": "collection", "entry": entries}
        (self._folder / f"{patient}.json").write_bytes(orjson.dumps(bundle, option=orjson.OPT_INDENT_2))

    def file_of(self, patient: str) -> str:
        """Return the file of the Bundle."""
        return f"{FOLDER}/{patient}.json"

    def close(self) -> None:
        """Nothing is left open."""


class NdjsonWriter:
    """One file a type, to which each patient adds lines."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}

    def add(self, patient: str, resources: Iterable[Json]) -> None:
        """Add the lines of one patient."""
        for resource in resources:
            self._file(resource["resourceType"]).write(orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE))

    def _file(self, kind: str) -> BinaryIO:
        if kind not in self._files:
            self._files[kind] = (self._folder / f"{kind}.ndjson").open("wb")
        return self._files[kind]

    def file_of(self, patient: str) -> str:
        """Return the folder: a patient is spread over its files."""
        return FOLDER

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


def _url(resource: Json) -> str:
    return f"https://example.org/fhir/{resource['resourceType']}/{resource['id']}"


@contextmanager
def writing(folder: Path, form: str) -> Iterator[Writer]:
    """Yield the writer of a format, and close its files at the end."""
    writer: Writer = BundleWriter(folder) if form == "bundle" else NdjsonWriter(folder)
    try:
        yield writer
    finally:
        writer.close()
