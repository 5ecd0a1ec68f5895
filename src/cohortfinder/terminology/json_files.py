"""A FHIR resource in a JSON file, and the paths by which its elements are named."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cohortfinder.errors import ConfigurationError

Element = Mapping[str, Any]


def read_resource(path: Path, resource_type: str, place: str) -> dict[str, Any]:
    """Return the resource in a file. Raises ConfigurationError when the file holds no resource of that type."""
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"{place}: {path} cannot be read ({error.strerror}); correct the path") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: this is not UTF-8; save it as UTF-8") from error
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{path}:{error.lineno}: no JSON: {error.msg}") from error
    except RecursionError as error:
        raise ConfigurationError(f"{path}: nested too deeply to be a {resource_type}") from error
    found = content.get("resourceType") if isinstance(content, dict) else None
    if found != resource_type:
        raise ConfigurationError(f"{path}: this is {found or 'no FHIR resource'}, a {resource_type} belongs here")
    return dict(content)


def elements(parent: Element, name: str, path: str) -> Iterator[tuple[Element, str]]:
    """Yield the elements of a list with their paths: ("...", "compose.include[0]")."""
    given = parent.get(name)
    for number, item in enumerate(given if isinstance(given, list) else []):
        yield (item if isinstance(item, dict) else {}), f"{path}{'.' if path else ''}{name}[{number}]"


def text(parent: Element, name: str) -> str:
    """Return a text element, "" when there is none."""
    value = parent.get(name)
    return value if isinstance(value, str) else ""
