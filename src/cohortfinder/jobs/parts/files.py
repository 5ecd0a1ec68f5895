"""The files of a part: fetched to where a worker runs, and handed over to where the run finds them.

A folder on a disk that all machines see is read where it lies; what a URL names is copied.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from cohortfinder.disk import make_folders
from cohortfinder.errors import InputError
from cohortfinder.jobs.parts.elsewhere import copied, is_folder, send
from cohortfinder.warehouse.parts import Part


class Fetched:
    """Parquet files of folders that may lie elsewhere; what a URL names is copied into `copies`."""

    def __init__(self, copies: Path) -> None:
        self._copies = copies

    def fetch(self, folder: str) -> list[Path]:
        """Return the Parquet files in a folder, none where it is not there."""
        if (here := on_disk(folder)) is not None:
            return sorted(here.glob("*.parquet"))
        return copied(folder, self._copies)

    def reaches(self, part: Part) -> Iterable[Path]:
        """Return the folders of this machine in which the files of a part lie. Raises InputError where one is missing.

        A table that a worker does not see would be as if it had no rows.
        """
        for folder in part.folders.values():
            if not _is_folder(folder):
                raise InputError(
                    f"{folder}: a worker of Spark does not see this part of the tables; name with --tables a folder "
                    "that all machines share, or a URL"
                )
        return [self._copies, *(here for folder in part.folders.values() if (here := on_disk(folder)) is not None)]


def hand_over(told: Path, results: str, number: int) -> None:
    """Put the files that a part has told where the run finds them, each of them whole: a part may be told twice."""
    name = f"part-{number:05}.parquet"
    for file in sorted(told.glob("*.parquet")):
        place = f"{results}/{file.stem}"
        if (here := on_disk(place)) is None:
            send(file, f"{place}/{name}")
            continue
        make_folders(here)
        begun = here / f".{name}.{uuid4().hex}"
        shutil.copyfile(file, begun)
        begun.chmod(0o600)
        begun.replace(here / name)


def on_disk(place: str) -> Path | None:
    """Return a place as a path of this machine, None where it is the URL of something else."""
    parts = urlsplit(place)
    if parts.scheme in ("", "file"):
        return Path(unquote(parts.path) if parts.scheme else place)
    return None


def _is_folder(place: str) -> bool:
    if (here := on_disk(place)) is not None:
        return here.is_dir()
    return is_folder(place)
