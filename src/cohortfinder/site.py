"""The table [site] of the configuration: a site's own mappings, value sets, local codes, and their places."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cohortfinder.given import Given, text_of

WAYS = ("add", "replace", "suggest")
TEXT_TERMS = ("off", "possible", "definite")
KEYS = ("mappings", "local_codes", "expansions", "terminology_server", "text_terms", *WAYS)


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A file or folder of a site; `place` is where the configuration names it."""

    path: Path
    place: str


@dataclass(frozen=True, slots=True)
class ConceptFile:
    """A file of codes for one concept: added to ours, instead of them, or added as codes that leave it open."""

    concept: str
    way: str
    file: SiteFile


@dataclass(frozen=True, slots=True)
class Site:
    """What a site knows beside what ships."""

    mappings: SiteFile | None = None
    concepts: tuple[ConceptFile, ...] = ()
    local_codes: tuple[SiteFile, ...] = ()
    expansions: SiteFile | None = None
    terminology_server: str | None = None
    text_terms: str = "possible"


NO_SITE = Site()


def read_site(given: Given, folder: Path, problems: list[str]) -> Site:
    """Read [site]; a path is meant from `folder`, that of the configuration."""
    own = {key[1:]: value for key, value in given.items() if key[0] == "site" and len(key) > 1}
    problems += [
        f"{place}: unknown key {'.'.join(key)!r} under [site]; known are {', '.join(KEYS)}"
        for key, (_, place) in own.items()
        if key[0] not in KEYS or (len(key) > 1 and key[0] not in WAYS)
    ]
    if (given_alone := given.get(("site",), ({}, "")))[0] != {}:
        problems.append(f"{given_alone[1]}: site must be a table")
    words = text_of(own, "text_terms", problems) or "possible"
    if words not in TEXT_TERMS:
        problems.append(f"{own[('text_terms',)][1]}: text_terms {words!r} must be one of: {', '.join(TEXT_TERMS)}")
    return Site(
        mappings=_file(own, "mappings", folder, problems),
        concepts=tuple(_concept_files(own, folder, problems)),
        local_codes=tuple(_files(own, ("local_codes",), folder, problems)),
        expansions=_file(own, "expansions", folder, problems),
        terminology_server=text_of(own, "terminology_server", problems),
        text_terms=words,
    )


def _concept_files(own: Given, folder: Path, problems: list[str]) -> Iterator[ConceptFile]:
    for key, (value, place) in own.items():
        if key[0] not in WAYS or value == {}:
            continue
        if len(key) != 2:
            problems.append(f"{place}: write [site.{key[0]}] as a table of concepts and their files")
            continue
        for file in _files(own, key, folder, problems):
            yield ConceptFile(key[1], key[0], file)


def _files(own: Given, key: tuple[str, ...], folder: Path, problems: list[str]) -> Iterator[SiteFile]:
    """Yield the file, or the files of a list."""
    value, place = own.get(key, ([], ""))
    names = value if isinstance(value, list) else [value]
    for name in names:
        if isinstance(name, str) and name:
            yield SiteFile(folder / name, place)
        else:
            problems.append(f"{place}: {key[-1]} must name a file, or a list of files")


def _file(own: Given, name: str, folder: Path, problems: list[str]) -> SiteFile | None:
    text = text_of(own, name, problems)
    return None if text is None else SiteFile(folder / text, own[(name,)][1])
