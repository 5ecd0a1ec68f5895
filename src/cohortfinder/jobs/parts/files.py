"""The files of a part: fetched to where a worker runs, and handed over to where the run finds them.

A folder on a disk that all machines see is read where it lies; what a URL names is copied.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cohortfinder.errors import InputError
from cohortfinder.warehouse.parts import Part


class PartFiles:
    """The files of one part, and a folder of the worker for what is copied and what is told."""

    def __init__(self, scratch: Path, results: str) -> None:
        self._copies, self.told, self._results = scratch / "copies", scratch / "told", results
        self.told.mkdir(mode=0o700, parents=True)

    def fetch(self, folder: str) -> list[Path]:
        """Return the Parquet files in a folder, none where it is not there."""
        if (here := on_disk(folder)) is not None:
            return sorted(here.glob("*.parquet"))
        from pyarrow.fs import FileSelector, FileType

        system, path = _system(folder)
        found = system.get_file_info(FileSelector(path, allow_not_found=True))
        names = sorted(one.path for one in found if one.type == FileType.File and one.path.endswith(".parquet"))
        return [_copied(system, name, self._copies / name.lstrip("/")) for name in names]

    def require(self, folder: str) -> None:
        """Raise InputError where this machine does not have a folder of tables: as if it had no rows, else."""
        if (here := on_disk(folder)) is not None:
            found = here.is_dir()
        else:
            from pyarrow.fs import FileType

            system, path = _system(folder)
            found = system.get_file_info(path).type == FileType.Directory
        if not found:
            raise InputError(
                f"{folder}: a worker of Spark does not see this part of the tables; name with --tables a folder that "
                "all machines share, or a URL"
            )

    def reaches(self, part: Part) -> Iterable[Path]:
        """Return the folders in which the files of a part lie."""
        return [self._copies, *(here for folder in part.folders.values() if (here := on_disk(folder)) is not None)]

    def target(self, table: str) -> Path:
        """Return where to write what is told of a table."""
        return self.told / f"{table}.parquet"

    def hand_over(self, number: int) -> None:
        """Put what was told where the run finds it, each file under its own name at once: a part may be told twice."""
        for file in sorted(self.told.glob("*.parquet")):
            place = f"{self._results.rstrip('/')}/{file.stem}"
            name = f"part-{number:05}.parquet"
            if (here := on_disk(place)) is not None:
                here.mkdir(mode=0o700, parents=True, exist_ok=True)
                begun = here / f".{name}.{self.told.parent.name}"
                shutil.copyfile(file, begun)
                begun.chmod(0o600)
                begun.replace(here / name)
            else:
                _sent(file, f"{place}/{name}")


def on_disk(place: str) -> Path | None:
    """Return a place as a path of this machine, None where it is the URL of something else."""
    parts = urlsplit(place)
    if parts.scheme in ("", "file"):
        return Path(parts.path if parts.scheme else place)
    return None


def _system(url: str) -> tuple[Any, str]:
    from pyarrow.fs import FileSystem

    system: tuple[Any, str] = FileSystem.from_uri(url)
    return system


def _copied(system: Any, name: str, target: Path) -> Path:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with system.open_input_stream(name) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy)
    return target


def _sent(file: Path, url: str) -> None:
    system, path = _system(url)
    system.create_dir(path.rpartition("/")[0], recursive=True)
    with file.open("rb") as source, system.open_output_stream(path) as target:
        shutil.copyfileobj(source, target)
