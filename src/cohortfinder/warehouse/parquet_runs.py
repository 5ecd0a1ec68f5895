"""The runs of a node in a folder of tables: where a new one goes, and what of the old ones stays.

Whoever writes tables, on this machine or by Spark, goes by this.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cohortfinder.disk import make_folders
from cohortfinder.errors import InputError, ReadWriteError
from cohortfinder.warehouse.parquet import (
    MANIFESTS,
    Disk,
    Files,
    NodeManifest,
    checked_node,
    manifest_file,
    manifest_text,
    newest,
    read_manifests,
)

BUCKETS = 16
_MOST_BUCKETS = 65_536
# beside the tables: bad lines that a Spark job has put aside, and what it keeps between its steps
REJECTED, STAGING = "rejected", "staging"
# what has a meaning in the path of files that Spark is to read
_NOT_IN_A_PATH = frozenset("*?[]{}\\")


@dataclass(frozen=True, slots=True)
class Target:
    """Where tables are to be written, a folder or a URL: `buckets` None for as many as the folder has already."""

    folder: str | Path
    node: str = "main"
    buckets: int | None = None

    @property
    def place(self) -> str:
        """The folder as the beginning of the paths in it."""
        return str(self.folder).rstrip("/")


def checked_name(target: Target) -> None:
    """Raise InputError where a node, a number of buckets or the name of a folder cannot be."""
    checked_node(target.node)
    if target.buckets is not None and not 1 <= target.buckets <= _MOST_BUCKETS:
        raise InputError(f"{target.buckets} buckets are not possible; give a number from 1 to {_MOST_BUCKETS}")
    if found := sorted(_NOT_IN_A_PATH & {*target.place}):
        raise InputError(f"{target.place}: Spark reads no folder with {found[0]} in its name; name another one")


def checked_target(target: Target, store: Path, mark: str = "") -> None:
    """Raise InputError where tables cannot be written on this machine: before the work, not after it.

    `mark` is that of the key, where they are to be written under pseudonyms.
    """
    checked_name(target)
    folder = Path(target.folder)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InputError(f"{folder}: this is no folder, or a link to one; name a folder of its own for the tables")
    if folder.resolve() == store.resolve() or store.resolve() in folder.resolve().parents:
        raise InputError(f"{folder}: this is in the store, which has files of its own; name a folder outside of it")
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    if names and MANIFESTS not in names:
        raise InputError(f"{folder}: there are other files in this folder; name a new one, or one with such tables")
    if MANIFESTS in names:
        known = read_manifests(target.place, Disk(), any_layout=True)
        buckets_of(target, known)
        require_same_names(target, known, mark)


def buckets_of(target: Target, known: Iterable[NodeManifest]) -> int:
    """Return how many buckets the tables are to have: those of other nodes have as many. Raises InputError."""
    last = newest(known)
    for other in (one for one in last if one.node != target.node):
        if target.buckets not in (None, other.buckets):
            raise InputError(
                f"{target.place}: node {other.node} has {other.buckets} buckets here, and all nodes have as many; "
                f"leave out --buckets, or name another folder"
            )
        return other.buckets
    return target.buckets or (last[0].buckets if last else BUCKETS)


def require_same_names(target: Target, known: Iterable[NodeManifest], mark: str) -> None:
    """Raise InputError where a node has written its patients under other pseudonyms than those of the key of `mark`.

    Without them, what was to stay in the hospital would leave it; by another key everybody would be somebody else.
    """
    last = [one for one in newest(known) if one.node == target.node]
    if last and last[0].pseudonyms and last[0].pseudonyms != mark:
        asked = "name that one" if mark else "name the key"
        raise InputError(
            f"{target.place}: node {target.node} writes its patients under the pseudonyms of a key; {asked} with "
            "--key, or another node with --node"
        )


def next_run(folder: str, node: str, files: Files) -> str:
    """Return the name of a run, which comes after all that have left something, whatever the clock says."""
    stamp, number = datetime.now(UTC).strftime("%Y%m%dT%H%M%S"), 1
    before = max((run for run, _ in _left(folder, node, files)), default="")
    if before[: len(stamp)] >= stamp:
        stamp, _, last = before.partition("-")
        number = int(last) + 1
    return f"{stamp}-{number:03}"


def publish(folder: str, manifest: NodeManifest, known: Sequence[NodeManifest], files: Files) -> None:
    """Let a run count, and remove those of the node before the last one, and what never counted.

    When people were erased since the last one, or it was not yet under pseudonyms, it goes as well. What cannot be
    removed now goes the next time.
    """
    files.publish(f"{folder}/{manifest_file(manifest)}", manifest_text(manifest))
    last = newest(one for one in known if one.node == manifest.node)
    as_public = (manifest.erased, manifest.pseudonyms)
    kept = {one.run for one in last if (one.erased, one.pseudonyms) == as_public}
    clear(folder, manifest.node, {manifest.run, *kept}, files)


def clear(folder: str, node: str, kept: set[str], files: Files) -> None:
    """Remove what a node has written, but for some runs; manifests first."""
    for run, place in _left(folder, node, files):
        if run not in kept:
            with suppress(OSError, ReadWriteError):
                files.remove(place)


def discard(folder: str, node: str, run: str, files: Files) -> None:
    """Remove what a run has written that does not count."""
    for found, place in _left(folder, node, files):
        if found == run:
            with suppress(OSError, ReadWriteError):
                files.remove(place)


def _left(folder: str, node: str, files: Files) -> Iterator[tuple[str, str]]:
    """Yield the run and the place of everything that a node has left, whichever release it was; manifests first."""
    for name in _names(f"{folder}/{MANIFESTS}", files):
        if name.startswith(f"{node}.") and name.endswith(".json"):
            yield name.split(".")[1], f"{folder}/{MANIFESTS}/{name}"
    for table in _names(folder, files):
        for name in _names(f"{folder}/{table}/node={node}", files):
            if name.startswith("run="):
                yield name.removeprefix("run="), f"{folder}/{table}/node={node}/{name}"


def _names(folder: str, files: Files) -> list[str]:
    try:
        return sorted(files.names(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def make_place(place: Path) -> None:
    """Make folders for their owner alone. Raises InputError where one of them is a link."""
    for one in (place, *place.parents[:3]):
        if one.is_symlink():
            raise InputError(f"{one}: this is a link and not a folder; remove it, or name another folder")
    make_folders(place)
