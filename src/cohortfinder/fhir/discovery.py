"""What a FHIR server tells of its authorization server: where tokens are given, and to whom."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cohortfinder.fhir.asking import Asker
from cohortfinder.fhir.transport import Request

WELL_KNOWN = ".well-known/smart-configuration"
_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"


@dataclass(frozen=True, slots=True)
class Discovered:
    """The token endpoint, None when it is not told, and what the server says it can."""

    token_url: str | None
    capabilities: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()


def discover(asker: Asker, base: str) -> Discovered:
    """Ask for the configuration of SMART, else for the CapabilityStatement of older servers.

    Raises ServerError when there is no answer.
    Source: https://hl7.org/fhir/smart-app-launch/conformance.html
    """
    told = _asked(asker, f"{base}/{WELL_KNOWN}", "application/json")
    endpoint = told.get("token_endpoint")
    if isinstance(endpoint, str) and endpoint:
        methods = _texts(told.get("token_endpoint_auth_methods_supported"))
        return Discovered(endpoint, _texts(told.get("capabilities")), methods)
    statement = _asked(asker, f"{base}/metadata", "application/fhir+json")
    return Discovered(next(_token_uris(statement), None))


def _asked(asker: Asker, url: str, accept: str) -> dict[str, Any]:
    answer = asker.ask(Request("GET", url, {"Accept": accept}))
    return answer.document if answer.status == 200 and isinstance(answer.document, dict) else {}


def _texts(value: object) -> frozenset[str]:
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()


def _token_uris(statement: Mapping[str, Any]) -> Iterator[str]:
    for rest in _objects(statement.get("rest")):
        security = rest.get("security")
        for outer in _objects(security.get("extension") if isinstance(security, dict) else None):
            if outer.get("url") == _OAUTH_URIS:
                for inner in _objects(outer.get("extension")):
                    if inner.get("url") == "token" and isinstance(inner.get("valueUri"), str):
                        yield inner["valueUri"]


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
