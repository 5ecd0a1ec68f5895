"""The configuration: a TOML file and COHORTFINDER_* variables in, one frozen Settings out."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cohortfinder import connection_settings, gates, nightly_settings, review_settings, site
from cohortfinder.connection import Connection
from cohortfinder.connection_settings import read_connection
from cohortfinder.errors import ConfigurationError
from cohortfinder.gates import GateSettings, read_gate_settings
from cohortfinder.given import text_of
from cohortfinder.model import Override, Overrides
from cohortfinder.nightly_settings import NightlySettings, read_nightly_settings
from cohortfinder.review_settings import ReviewSettings, read_review_settings
from cohortfinder.site import Site, read_site

DEFAULT_FILE = Path("cohortfinder.toml")
DEFAULT_STORE = Path("cohortfinder-store")
_MEMORY = re.compile(r"^\d+(\.\d+)?\s?(MB|GB|MiB|GiB)$")
KEYS = ("store", "time_zone", "memory_limit", "threads", "trials", "log_format")
LOG_FORMATS = ("text", "json")
TABLES = ("parameters", "site", "gates", "fhir", "nightly", "review")
# what each table may hold, where the names are ours
_KEYS_OF_TABLES = {
    "fhir": connection_settings.KEYS, "site": site.KEYS, "gates": gates.KEYS, "nightly": nightly_settings.KEYS,
    "review": review_settings.KEYS,
}  # fmt: skip
_WORD = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_WORD}(?:\s*\.\s*{_WORD})*"
_HEADER = re.compile(rf"^\s*\[\s*({_DOTTED})\s*\]")
_ENTRY = re.compile(rf"^\s*({_DOTTED})\s*=")

# the names that lead to a value through the tables, to the value and the place that an error names
Key = tuple[str, ...]
Given = dict[Key, tuple[object, str]]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a site configures: the command line wins over the environment, the environment over the file."""

    store: Path = DEFAULT_STORE
    time_zone: str | None = None
    memory_limit: str | None = None
    threads: int | None = None
    trials: tuple[str, ...] = ()
    log_format: str = LOG_FORMATS[0]
    parameters: Overrides = field(default_factory=Overrides)
    site: Site = field(default_factory=Site)
    gates: GateSettings = field(default_factory=GateSettings)
    fhir: Connection | None = None
    nightly: NightlySettings = field(default_factory=NightlySettings)
    review: ReviewSettings = field(default_factory=ReviewSettings)


def read_settings(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration from `file` (else ./cohortfinder.toml when it is there) and the environment.

    Raises ConfigurationError naming every error with its line or its variable.
    """
    variables = os.environ if environment is None else environment
    given = _from_file(file)
    for name in KEYS:
        variable = f"COHORTFINDER_{name.upper()}"
        value = variables.get(variable)
        if value is not None:
            given[(name,)] = (value, variable)
    problems: list[str] = []
    folder = (file or DEFAULT_FILE).parent
    settings = _checked(given, folder, problems)
    settings = replace(settings, fhir=read_connection(given, folder, problems, variables))
    if problems:
        raise ConfigurationError("\n".join(problems))
    return settings


def _from_file(file: Path | None) -> Given:
    path = file or DEFAULT_FILE
    if file is None and not path.is_file():
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        # 0.50 stays 0.50, so that run.json records what was written
        values = tomllib.loads(text, parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: the configuration cannot be read; check --config") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from error
    lines = _lines_of(text)
    return {key: (value, f"{path}:{_line_of(key, lines)}") for key, value in _flat(values)}


def _flat(value: object, key: Key = ()) -> Iterator[tuple[Key, object]]:
    """Yield what is no table, or an empty one, with the names that lead to it."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _flat(item, (*key, name))
    elif key:
        yield key, value


def _lines_of(text: str) -> dict[Key, int]:
    """Return the line of each table and key; tomllib keeps no positions."""
    lines: dict[Key, int] = {}
    table: Key = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _names(header[1])
            lines.setdefault(table, number)
        elif entry := _ENTRY.match(line):
            lines.setdefault((*table, *_names(entry[1])), number)
    return lines


def _names(dotted: str) -> Key:
    return tuple(word.strip("\"'") for word in re.findall(_WORD, dotted))


def _line_of(key: Key, lines: Mapping[Key, int]) -> int:
    """Return the line of the longest part of a key that has one: an inline table is all in its own line."""
    parts = (key[:length] for length in range(len(key), 0, -1))
    return next((lines[part] for part in parts if part in lines), 1)


def _checked(given: Given, folder: Path, problems: list[str]) -> Settings:
    for key, (_, place) in given.items():
        if key[0] not in (*KEYS, *TABLES):
            problems.append(f"{place}: unknown key {key[0]!r}; {_home_of(key[0])}")
        elif key[0] in KEYS and len(key) > 1:
            problems.append(f"{place}: {key[0]} is one value and no table")
    store = text_of(given, "store", problems)
    zone = text_of(given, "time_zone", problems)
    memory = text_of(given, "memory_limit", problems)
    if zone is not None and not _is_zone(zone):
        problems.append(f"{given[('time_zone',)][1]}: {zone!r} is no time zone; write one as Europe/Berlin")
    if memory is not None and not _MEMORY.match(memory):
        problems.append(f"{given[('memory_limit',)][1]}: {memory!r} is no memory limit; write one as 2GB")
    log_format = text_of(given, "log_format", problems) or LOG_FORMATS[0]
    if log_format not in LOG_FORMATS:
        problems.append(f"{given[('log_format',)][1]}: log_format must be one of: {', '.join(LOG_FORMATS)}")
    return Settings(
        store=Path(store) if store else DEFAULT_STORE,
        time_zone=zone,
        memory_limit=memory,
        threads=_threads(given, problems),
        trials=tuple(_trials(given, folder, problems)),
        log_format=log_format,
        parameters=_parameters(given, problems),
        site=read_site(given, folder, problems),
        gates=read_gate_settings(given, folder, problems),
        nightly=read_nightly_settings(given, folder, problems),
        review=read_review_settings(given, folder, problems),
    )


def _home_of(name: str) -> str:
    """Say where a key belongs that stands under no table, or which there are."""
    table = next((table for table, keys in _KEYS_OF_TABLES.items() if name in keys), None)
    if table:
        return f"it belongs under [{table}], whose line must stand above it"
    return f"known are {', '.join((*KEYS, *TABLES))}"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _threads(given: Given, problems: list[str]) -> int | None:
    value, place = given.get(("threads",), (None, ""))
    if value is None:
        return None
    count = int(value) if isinstance(value, str) and value.isdecimal() else value
    if isinstance(count, int) and not isinstance(count, bool) and count >= 1:
        return count
    problems.append(f"{place}: threads must be a whole number of at least 1")
    return None


def _trials(given: Given, folder: Path, problems: list[str]) -> Iterator[str]:
    """Yield the ids and files of the configured trials; a file is meant from the folder of the configuration."""
    value, place = given.get(("trials",), ([], ""))
    names = [name.strip() for name in value.split(",")] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        problems.append(f'{place}: trials must be a list of ids and files, as ["NCT06983964", "trials/ours.yaml"]')
        return
    for name in names:
        yield str(folder / name) if (folder / name).is_file() else name


def _parameters(given: Given, problems: list[str]) -> Overrides:
    """Read [parameters] and [parameters.TRIAL]."""
    common: dict[str, Override] = {}
    by_trial: dict[str, dict[str, Override]] = {}
    for key, (value, place) in given.items():
        if key[0] != "parameters" or value == {}:
            continue
        if len(key) == 1:
            problems.append(f"{place}: parameters must be a table of names and values")
        elif len(key) > 3 or isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            problems.append(f"{place}: the parameter {key[-1]!r} must be a number or a text")
        else:
            values = common if len(key) == 2 else by_trial.setdefault(key[1], {})
            values[key[-1]] = Override(str(value), place)
    return Overrides(common, by_trial)
