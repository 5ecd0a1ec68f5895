"""The paths and URLs that a user gives, turned into the files that Spark reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cohortfinder.errors import InputError, ReadWriteError
from cohortfinder.landing.exported import LOG
from cohortfinder.landing.sources import find_sources
from cohortfinder.spark.chunk import plain
from cohortfinder.spark.hadoop import HadoopFiles, is_url

_LINES = (".ndjson", ".jsonl")
_KINDS = (*_LINES, ".json")
# what Spark would read as a pattern of names
_PATTERN = "\\*?[]{}"


@dataclass(frozen=True, slots=True)
class Inputs:
    """Files by how they are read: line by line, or as a whole; and what was passed over, each with its reason."""

    lines: tuple[str, ...]
    wholes: tuple[str, ...]
    skipped: tuple[str, ...]


def find_inputs(places: Iterable[str], files: HadoopFiles) -> Inputs:
    """List the FHIR files under the given paths and URLs, as names that Spark takes for nothing but themselves.

    Raises InputError when one does not exist or holds nothing that could be FHIR, ReadWriteError where that fails.
    """
    found: dict[str, None] = {}
    skipped: list[str] = []
    for place in places:
        own = _at_url(place, files, skipped) if is_url(place) else _here(place, skipped)
        for one in own:
            if one.rpartition("/")[2].startswith("_"):
                skipped.append(f"{one}: Spark passes over files whose name begins with _")
            else:
                found[_escaped(one)] = None
    if not found:
        raise InputError(f"{', '.join(places)}: there is no file here that Spark reads (.json, .ndjson, .jsonl)")
    lines = tuple(one for one in found if _kind(one).endswith(_LINES))
    return Inputs(lines, tuple(one for one in found if not _kind(one).endswith(_LINES)), tuple(skipped))


def _here(place: str, skipped: list[str]) -> list[str]:
    found = find_sources([Path(place)])
    skipped.extend(found.skipped)
    return [f"file://{path.absolute()}" for path in found.files]


def _at_url(place: str, files: HadoopFiles, skipped: list[str]) -> list[str]:
    try:
        found = sorted(file for file, _ in files.walk(place))
    except FileNotFoundError as error:
        raise InputError(f"{place}: there is no such file or folder; check the URL") from error
    except OSError as error:
        raise ReadWriteError(
            f"{place}: this cannot be read ({error.strerror}); check the URL and the rights"
        ) from error
    kept = []
    for file in found:
        name = file.rpartition("/")[2]
        if name == LOG:
            skipped.append(f"{file}: the log of an export")
        elif not _kind(file).endswith(_KINDS):
            skipped.append(f"{file}: not a kind of file that holds FHIR")
        elif not name.startswith("."):
            kept.append(file)
    if not kept:
        raise InputError(f"{place}: no FHIR file in this folder (.json, .ndjson, .jsonl, each also .gz)")
    return kept


def _kind(file: str) -> str:
    return file.lower().removesuffix(".gz")


def _escaped(url: str) -> str:
    return "".join(f"\\{letter}" if letter in _PATTERN else letter for letter in url)


def named(url: str) -> str:
    """Return a file of `Inputs` as people name it."""
    return plain(url.replace("\\", ""))
