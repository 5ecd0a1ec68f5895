"""The paths that a user gives, turned into the list of files to read."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cohortfinder.errors import InputError, ReadWriteError
from cohortfinder.landing.exported import LOG

_SUFFIXES = (".json", ".ndjson", ".jsonl")


@dataclass(frozen=True, slots=True)
class Found:
    """The files to read, sorted within each folder, and what was passed over, each with its reason."""

    files: tuple[Path, ...]
    skipped: tuple[str, ...]


def find_sources(paths: Iterable[Path]) -> Found:
    """List the FHIR files under the given files and folders.

    Hidden files are ignored; other kinds of files, links to folders and links out of the folder are skipped and named.
    Raises InputError when a path does not exist or holds nothing that could be FHIR.
    """
    files: dict[Path, None] = {}
    skipped: list[str] = []
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder; check the path")
        found = _walk(path, skipped) if path.is_dir() else [path]
        if not found:
            raise InputError(f"{path}: no FHIR file in this folder (.json, .ndjson, .jsonl, each also .gz)")
        files.update(dict.fromkeys(found))
    if not files:
        raise InputError("no path was given; name FHIR files or folders to load")
    return Found(tuple(files), tuple(skipped))


def _walk(folder: Path, skipped: list[str]) -> list[Path]:
    root = folder.resolve()
    files: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=_refused):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [path for name in folders if (path := Path(parent) / name).is_symlink()]
        skipped.extend(f"{path}: a link to a folder is not followed" for path in links)
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(parent) / name
            reason = _reason_to_skip(path, root)
            if reason:
                skipped.append(f"{path}: {reason}")
            else:
                files.append(path)
    return files


def _reason_to_skip(path: Path, root: Path) -> str | None:
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        return "a link that leads out of the folder"
    if not path.is_file():
        return "not a regular file"
    if path.name == LOG:
        return "the log of an export"
    name = path.name.lower().removesuffix(".gz")
    return None if name.endswith(_SUFFIXES) else "not a kind of file that holds FHIR"


def _refused(error: OSError) -> None:
    raise ReadWriteError(f"{error.filename}: this folder cannot be read; check its permissions") from error
