"""The configuration: a TOML file and COHORTFINDER_* variables in, one frozen Settings out."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cohortfinder.errors import ConfigurationError

DEFAULT_FILE = Path("cohortfinder.toml")
DEFAULT_STORE = Path("cohortfinder-store")
_MEMORY = re.compile(r"^\d+(\.\d+)?\s?(MB|GB|MiB|GiB)$")
_KEYS = ("store", "time_zone", "memory_limit", "threads")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a site configures: the command line wins over the environment, the environment over the file."""

    store: Path = DEFAULT_STORE
    time_zone: str | None = None
    memory_limit: str | None = None
    threads: int | None = None
    parameters: dict[str, str] = field(default_factory=dict)


def read_settings(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration from `file` (else ./cohortfinder.toml when it is there) and the environment.

    Raises ConfigurationError naming every error with its line or its variable.
    """
    given = _from_file(file)
    for name in _KEYS:
        variable = f"COHORTFINDER_{name.upper()}"
        value = (os.environ if environment is None else environment).get(variable)
        if value is not None:
            given[name] = (value, variable)
    problems: list[str] = []
    settings = _checked(given, problems)
    if problems:
        raise ConfigurationError("\n".join(problems))
    return settings


def _from_file(file: Path | None) -> dict[str, tuple[object, str]]:
    """Return each key with its value and the place that an error names."""
    path = file or DEFAULT_FILE
    if file is None and not path.is_file():
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: the configuration cannot be read; check --config") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from error
    return {name: (value, f"{path}:{_line_of(name, text)}") for name, value in values.items()}


def _line_of(key: str, text: str) -> int:
    # tomllib keeps no positions; a key or table header stands at the start of its line.
    pattern = re.compile(rf'^\s*\[?\s*"?{re.escape(key)}"?\s*[\]=.]')
    return next((line for line, content in enumerate(text.splitlines(), 1) if pattern.match(content)), 1)


def _checked(given: Mapping[str, tuple[object, str]], problems: list[str]) -> Settings:
    for name, (_, place) in given.items():
        if name not in (*_KEYS, "parameters"):
            problems.append(f"{place}: unknown key {name!r}; known are {', '.join(_KEYS)}, parameters")
    store = _text(given, "store", problems)
    zone = _text(given, "time_zone", problems)
    memory = _text(given, "memory_limit", problems)
    if zone is not None and not _is_zone(zone):
        problems.append(f"{given['time_zone'][1]}: {zone!r} is no time zone; write one as Europe/Berlin")
    if memory is not None and not _MEMORY.match(memory):
        problems.append(f"{given['memory_limit'][1]}: {memory!r} is no memory limit; write one as 2GB")
    return Settings(
        store=Path(store) if store else DEFAULT_STORE,
        time_zone=zone,
        memory_limit=memory,
        threads=_threads(given, problems),
        parameters=_parameters(given, problems),
    )


def _text(given: Mapping[str, tuple[object, str]], name: str, problems: list[str]) -> str | None:
    value, place = given.get(name, (None, ""))
    if value is None or (isinstance(value, str) and value):
        return value
    problems.append(f"{place}: {name} must be a text that is not empty")
    return None


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _threads(given: Mapping[str, tuple[object, str]], problems: list[str]) -> int | None:
    value, place = given.get("threads", (None, ""))
    if value is None:
        return None
    count = int(value) if isinstance(value, str) and value.isdecimal() else value
    if isinstance(count, int) and not isinstance(count, bool) and count >= 1:
        return count
    problems.append(f"{place}: threads must be a whole number of at least 1")
    return None


def _parameters(given: Mapping[str, tuple[object, str]], problems: list[str]) -> dict[str, str]:
    value, place = given.get("parameters", ({}, ""))
    if not isinstance(value, dict):
        problems.append(f"{place}: parameters must be a table of names and values")
        return {}
    for name, item in value.items():
        if isinstance(item, bool) or not isinstance(item, str | int | float):
            problems.append(f"{place}: the parameter {name!r} must be a number or a text")
    return {name: str(item) for name, item in value.items()}
