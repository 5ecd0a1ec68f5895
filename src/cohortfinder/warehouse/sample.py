"""A few FHIR files to typed tables in memory, as a load would fill them; they are gone with the connection."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from cohortfinder.landing.land import land
from cohortfinder.landing.manifest import Manifest
from cohortfinder.landing.quarantine import Quarantine
from cohortfinder.warehouse.confined import confined
from cohortfinder.warehouse.connection import create_layout
from cohortfinder.warehouse.fill import Filled, fill

_BEGAN = "1970-01-01T00:00:00"


@dataclass(frozen=True, slots=True)
class Sampled:
    """Typed tables, what became of the resources of each type, and why some were put aside."""

    connection: duckdb.DuckDBPyConnection
    types: Mapping[str, Filled]
    reasons: Mapping[str, int]


@contextmanager
def sampled(contents: Iterable[bytes]) -> Iterator[Sampled]:
    """Read resources or Bundles, each as the bytes of a JSON document. Nothing is left on the disk."""
    with TemporaryDirectory(prefix="cohortfinder-") as name, duckdb.connect() as connection:
        scratch = Path(name)
        confined(connection, (scratch,))
        (folder := scratch / "landing").mkdir()
        files = list(_written(contents, scratch))
        create_layout(connection)
        with closing(Quarantine(scratch / "quarantine.ndjson")) as quarantine:
            manifest = land(files, folder, Manifest("sample", _BEGAN), quarantine, log=lambda _: None)
            types = fill(connection, folder, manifest, quarantine, scratch)
        yield Sampled(connection, types, dict(quarantine.reasons))


def _written(contents: Iterable[bytes], folder: Path) -> Iterator[Path]:
    for number, content in enumerate(contents):
        file = folder / f"{number:03}.json"
        file.write_bytes(content)
        yield file
