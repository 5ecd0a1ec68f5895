"""Files that are there after a power failure: whole, under their name, for their owner alone."""

import os
import shutil
from pathlib import Path

from cohortfinder.errors import ReadWriteError

NEW = ".new"


def write_durably(file: Path, content: bytes) -> None:
    """Write a whole file, which a reader sees as it was or as it is now. Raises ReadWriteError."""
    scratch = file.with_name(file.name + NEW)
    try:
        make_folders(file.parent)
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        scratch.replace(file)
        sync_folder(file.parent)
    except OSError as error:
        raise refused(file, error) from error


def make_folders(folder: Path) -> None:
    """Make a folder and those above it, where they are not there, for their owner alone."""
    if not folder.is_dir():
        make_folders(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def rename_durably(old: Path, new: Path) -> None:
    """Give a folder another name, which holds after a power failure. Raises ReadWriteError."""
    try:
        old.rename(new)
        sync_folder(new.parent)
    except OSError as error:
        raise refused(new, error) from error


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """Give a file another name, which costs no room, or copy it where the disk has no links. Raises OSError."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Bring every file and folder below a folder to the disk."""
    for place, _, files in os.walk(folder, topdown=False):
        for name in files:
            with (Path(place) / name).open("rb") as written:
                os.fsync(written.fileno())
        sync_folder(Path(place))


def remove(place: Path) -> None:
    """Remove a file or folder with all that is in it, where it is there. Raises ReadWriteError."""
    try:
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
    except OSError as error:
        raise refused(place, error) from error


def refused(place: Path, error: OSError) -> ReadWriteError:
    """Say that the disk refused, where and why."""
    return ReadWriteError(
        f"{place}: the disk refused ({error.strerror}); free space or check permissions, then run again"
    )
