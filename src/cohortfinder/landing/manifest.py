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
_MERGED = ".merged-"


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
class Merged:
    """Which loads became one, oldest first, when, and how many bytes they had."""

    loads: tuple[str, ...]
    made_at: str
    bytes_before: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one load has put into landing. `complete` turns True when the last byte is written.

    `digits` counts the numbers in `digits.ndjson.gz`; `pulled` tells of the pull that brought the files; `merged` is
    None but for several loads that became one.
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
    merged: Merged | None = None

    @property
    def load_ids(self) -> tuple[str, ...]:
        """The loads of which it holds the files: itself, or those that were merged."""
        return self.merged.loads if self.merged else (self.load_id,)


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
                "merged": _merged(content.get("merged")),
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


def _merged(content: dict[str, Any] | None) -> Merged | None:
    return Merged(**{**content, "loads": tuple(content["loads"])}) if content else None


def landed(landing: Path) -> Iterator[tuple[Path, Manifest]]:
    """Yield the folder and manifest of every finished load: those that were merged, as one, then the oldest first."""
    newest, folders = _newest_merged(landing), _finished(landing)
    if newest is None:
        yield from ((folder, read_manifest(folder)) for folder in folders)
        return
    yield newest
    gone = {newest[0], *superseded(landing)}
    yield from ((folder, read_manifest(folder)) for folder in folders if folder not in gone)


def superseded(landing: Path) -> tuple[Path, ...]:
    """Return the folders whose loads were merged into another one, and that are still there."""
    newest = _newest_merged(landing)
    if newest is None:
        return ()
    folder, manifest = newest
    return tuple(
        one
        for one in _finished(landing)
        if one != folder and (_generation(one.name) is not None or one.name in manifest.load_ids)
    )


def merged_name(newest_load: str, landing: Path) -> str:
    """Return the name of the folder of merged loads that comes after all that are there."""
    last = max((number for one in _finished(landing) if (number := _generation(one.name)) is not None), default=0)
    return f"{newest_load}{_MERGED}{last + 1}"


def _newest_merged(landing: Path) -> tuple[Path, Manifest] | None:
    found = [(number, one) for one in _finished(landing) if (number := _generation(one.name)) is not None]
    return (max(found)[1], read_manifest(max(found)[1])) if found else None


def _generation(name: str) -> int | None:
    """Return how often loads were merged up to a folder, None for the folder of a single load."""
    _, mark, number = name.partition(_MERGED)
    return int(number) if mark and number.isdigit() else None


def _finished(landing: Path) -> list[Path]:
    folders = (folder for folder in landing.iterdir() if folder.is_dir()) if landing.is_dir() else iter(())
    return sorted(one for one in folders if one.suffix != PARTIAL and not one.name.startswith("."))
