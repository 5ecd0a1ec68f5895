"""A server's CapabilityStatement to what a pull wants to know of it; what is missing or of a wrong kind is not there.

Source: https://hl7.org/fhir/R4/capabilitystatement.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# Source: https://hl7.org/fhir/smart-app-launch/1.0.0/conformance/#smart-on-fhir-oauth-authorization-endpoints-and-capabilities
_OAUTH = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
# the operations of Bulk Data by their names, and by what their definitions end in
_EXPORT_NAMES = frozenset({"export", "patient-export", "group-export"})
_SYSTEM = ""


@dataclass(frozen=True, slots=True)
class TypeSupport:
    """What can be done with one type of resources."""

    interactions: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    operations: frozenset[str] = frozenset()

    @property
    def searched(self) -> bool:
        """Whether it can be searched."""
        return "search-type" in self.interactions


@dataclass(frozen=True, slots=True)
class Capability:
    """What a server says of itself; `token_url` is where tokens are to be had, empty when it does not say."""

    software: str = ""
    version: str = ""
    publisher: str = ""
    fhir_version: str = ""
    formats: tuple[str, ...] = ()
    types: Mapping[str, TypeSupport] = field(default_factory=dict)
    interactions: frozenset[str] = frozenset()
    operations: frozenset[str] = frozenset()
    security: tuple[str, ...] = ()
    token_url: str = ""

    @property
    def name(self) -> str:
        """Software and version, as they are shown."""
        return " ".join(word for word in (self.software or self.publisher, self.version) if word)

    @property
    def is_r4(self) -> bool:
        """Whether the statement is of FHIR R4; 4.3 is R4B, whose resources differ."""
        return self.fhir_version in ("4.0", "4.0.0", "4.0.1")

    @property
    def exports(self) -> tuple[str, ...]:
        """The levels at which a bulk export is offered: "" (the whole system), "Patient", "Group"."""
        named = {_SYSTEM: self.operations} | {kind: one.operations for kind, one in self.types.items()}
        return tuple(level for level in (_SYSTEM, "Patient", "Group") if _export(level, named))


def read_capability(resource: Mapping[str, Any]) -> Capability:
    """Read a CapabilityStatement."""
    software, rest = _object(resource.get("software")), _server(resource)
    security = _object(rest.get("security"))
    return Capability(
        software=_text(software.get("name")),
        version=_text(software.get("version")),
        publisher=_text(resource.get("publisher")),
        fhir_version=_text(resource.get("fhirVersion")),
        formats=tuple(_text(one) for one in _list(resource.get("format"))),
        types={_text(one.get("type")): _type(one) for one in _objects(rest.get("resource")) if _text(one.get("type"))},
        interactions=frozenset(_codes(rest.get("interaction"))),
        operations=frozenset(_operations(rest)),
        security=tuple(_services(security)),
        token_url=next(_token_urls(security), ""),
    )


def _server(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is said of the server; a statement may tell what a client does as well."""
    sides = list(_objects(resource.get("rest")))
    return next((one for one in sides if one.get("mode") == "server"), sides[0] if sides else {})


def _type(one: Mapping[str, Any]) -> TypeSupport:
    return TypeSupport(
        frozenset(_codes(one.get("interaction"))),
        frozenset(_text(parameter.get("name")) for parameter in _objects(one.get("searchParam"))),
        frozenset(_operations(one)),
    )


def _codes(interactions: object) -> Iterator[str]:
    return (_text(one.get("code")) for one in _objects(interactions))


def _operations(place: Mapping[str, Any]) -> Iterator[str]:
    """Yield names and definitions: some servers name an operation with its $, or by its definition alone."""
    for one in _objects(place.get("operation")):
        yield _text(one.get("name")).removeprefix("$")
        yield _text(one.get("definition")).rpartition("/")[2].partition("|")[0]


def _export(level: str, operations: Mapping[str, frozenset[str]]) -> bool:
    """Say whether an export is offered at a level; some servers tell those of Patient and Group for the system."""
    if level == _SYSTEM:
        return bool({"export"} & operations[_SYSTEM])
    here = _EXPORT_NAMES & operations.get(level, frozenset())
    return bool(here) or f"{level.lower()}-export" in operations[_SYSTEM]


def _services(security: Mapping[str, Any]) -> Iterator[str]:
    for service in _objects(security.get("service")):
        codes = [_text(one.get("code")) for one in _objects(service.get("coding"))]
        yield next((code for code in codes if code), _text(service.get("text")))


def _token_urls(security: Mapping[str, Any]) -> Iterator[str]:
    for extension in _objects(security.get("extension")):
        if extension.get("url") == _OAUTH:
            inner = _objects(extension.get("extension"))
            yield from (_text(one.get("valueUri")) for one in inner if one.get("url") == "token")


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    return (one for one in _list(value) if isinstance(one, dict))


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
