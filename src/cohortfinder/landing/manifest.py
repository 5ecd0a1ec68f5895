"""The manifest of one load: what was read from where, and which landing files it became."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from cohortfinder.disk import write_durably
from cohortfinder.errors import StoreError
from cohortfinder.landing.pulled import Pulled, read_pulled

MANIFEST = "manifest.json"
DELETIONS = "deletions.ndjson"
PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class Source:
    """One file that was given: its bytes as they lay there. `complete` is False when the file ended too early."""

    path: str
    bytes: int
    sha256: str
    format: str
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """One landing file. `origins` says where its rows come from: runs of (first row, source, line, entry).

    Rows and lines count from 1; `entry` is the number of the entry in a Bundle, 0 outside of one. The rows of a run
    stand in consecutive lines of the source.
    """

    file: str
    resources: int
    origins: tuple[tuple[int, int, int, int], ...]

    def origin(self, row: int) -> tuple[int, int, int]:
        """Return source, line and entry of a row."""
        first, source, line, entry = next(run for run in reversed(self.origins) if run[0] <= row)
        return source, line + (row - first), entry


@dataclass(frozen=True, slots=True)
class LandedType:
    """The resources of one type in a load, in files of bounded size; `complete` is False when a source was cut."""

    resource_type: str
    resources: int
    parts: tuple[Part, ...]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one load has put into landing. `complete` turns True when the last byte is written.

    `digits` counts the numbers in `digits.ndjson.gz`; `pulled` tells of the pull that brought the files.
    """

    load_id: str
    started_at: str
    sources: tuple[Source, ...] = ()
    types: tuple[LandedType, ...] = ()
    quarantined: int = 0
    deletions: int = 0
    digits: int = 0
    skipped: tuple[str, ...] = field(default_factory=tuple)
    complete: bool = False
    pulled: Pulled | None = None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json` so that a reader sees the old one or the new one, never half of it."""
    write_durably(folder / MANIFEST, orjson.dumps(asdict(manifest), option=orjson.OPT_APPEND_NEWLINE))


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a load. Raises StoreError when it is missing or damaged."""
    try:
        content: dict[str, Any] = orjson.loads((folder / MANIFEST).read_bytes())
        return Manifest(
            **{
                **content,
                "sources": tuple(Source(**source) for source in content["sources"]),
                "types": tuple(_landed_type(landed) for landed in content["types"]),
                "skipped": tuple(content["skipped"]),
                "pulled": read_pulled(content.get("pulled")),
            }
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{folder / MANIFEST}: this manifest cannot be read; restore the folder from a backup, or remove it"
            " and load its files again"
        ) from error


def _landed_type(content: dict[str, Any]) -> LandedType:
    parts = tuple(
        Part(
            part["file"],
            part["resources"],
            tuple((run[0], run[1], run[2], run[3]) for run in part["origins"]),
        )
        for part in content["parts"]
    )
    return LandedType(content["resource_type"], content["resources"], parts, content["complete"])


def landed(landing: Path) -> Iterator[tuple[Path, Manifest]]:
    """Yield the folder and manifest of every finished load, oldest first."""
    folders = (folder for folder in landing.iterdir() if folder.is_dir()) if landing.is_dir() else iter(())
    for folder in sorted(folders):
        if folder.suffix != PARTIAL and not folder.name.startswith("."):
            yield folder, read_manifest(folder)
