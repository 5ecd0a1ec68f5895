"""The published lists of a store: a folder each, with a manifest, and CURRENT, which names the one that holds."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

import orjson

from cohortfinder.disk import write_durably
from cohortfinder.errors import StoreError

SNAPSHOTS, CURRENT, MANIFEST, PARTIAL = "snapshots", "CURRENT", "manifest.json", ".partial"
# the rows of all trials in one database that is never written again
LISTS = "lists.duckdb"


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of a snapshot, by what it must be."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class SnapshotManifest:
    """What a snapshot is: its run, the files by their paths in it, and the rows of each table of lists.duckdb."""

    run_id: str
    index_date: str
    made_at: str
    trials: tuple[str, ...]
    files: Mapping[str, Listed]
    tables: Mapping[str, int]


def snapshot_folder(store: Path, run_id: str) -> Path:
    """Return where the list of a run is published."""
    return store / SNAPSHOTS / run_id


def current_run(store: Path) -> str | None:
    """Return the run whose list holds, None when none was published yet. Raises StoreError when it is not there."""
    try:
        run_id = (store / CURRENT).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    if not run_id or "/" in run_id or not snapshot_folder(store, run_id).is_dir():
        raise StoreError(
            f"{store / CURRENT}: the list that it names is not in {store / SNAPSHOTS}; return to one that is there: "
            "cohortfinder rollback"
        )
    return run_id


def make_current(store: Path, run_id: str) -> None:
    """Let another list hold, from one moment to the next. Raises ReadWriteError."""
    write_durably(store / CURRENT, f"{run_id}\n".encode())


def snapshot_ids(store: Path) -> tuple[str, ...]:
    """Return the runs with a finished snapshot, oldest first."""
    found = (file.parent.name for file in (store / SNAPSHOTS).glob(f"*/{MANIFEST}"))
    return tuple(sorted(name for name in found if not name.endswith(PARTIAL)))


def list_files(folder: Path) -> dict[str, Listed]:
    """Return what every file below a folder is, but for the manifest itself."""
    return {str(file.relative_to(folder)): _listed(file) for file in _files(folder)}


def write_manifest(folder: Path, manifest: SnapshotManifest) -> None:
    """Write the manifest of a snapshot. Raises ReadWriteError."""
    write_durably(folder / MANIFEST, orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))


def read_manifest(folder: Path) -> SnapshotManifest:
    """Read the manifest of a snapshot. Raises StoreError when it is missing or damaged."""
    try:
        content: Mapping[str, Any] = orjson.loads((folder / MANIFEST).read_bytes())
        files = {name: Listed(**one) for name, one in content["files"].items()}
        return SnapshotManifest(**{**content, "trials": tuple(content["trials"]), "files": files})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{folder}: its manifest cannot be read; this list is not whole, take another one") from error


def differences(folder: Path, manifest: SnapshotManifest) -> tuple[str, ...]:
    """Return the files of a snapshot that are not what its manifest says: missing, changed or added."""
    found = list_files(folder)
    return tuple(sorted(name for name in {*found, *manifest.files} if found.get(name) != manifest.files.get(name)))


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.name != MANIFEST:
            yield file


def _listed(file: Path) -> Listed:
    with file.open("rb") as content:
        return Listed(file_digest(content, "sha256").hexdigest(), file.stat().st_size)
