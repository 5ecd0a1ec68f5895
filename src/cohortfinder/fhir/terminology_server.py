"""The operation $expand of a terminology server: what lies below a code, and what a ValueSet holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cohortfinder.errors import ProtocolError, QuestionError
from cohortfinder.fhir.client import FhirClient

PAGE = 1000
_MOST_PAGES = 1000
_VERSIONS = frozenset({"version", "used-codesystem"})


@dataclass(frozen=True, slots=True)
class Expansion:
    """The codes that a server gave, with the versions of the code systems that it used."""

    codes: tuple[tuple[str, str], ...]
    versions: frozenset[str]


class TerminologyServer:
    """A FHIR server that expands ValueSets."""

    def __init__(self, client: FhirClient) -> None:
        self._client = client

    def software(self) -> dict[str, str]:
        """Return what the server says it is. Raises like the client."""
        told = self._client.get("metadata")
        software = told.get("software")
        named = software if isinstance(software, dict) else {}
        return {
            "url": self._client.name,
            "software": " ".join(str(named.get(key, "")) for key in ("name", "version")).strip(),
            "fhir": str(told.get("fhirVersion", "")),
        }

    def below(self, system: str, code: str) -> Expansion:
        """Return what lies below a code, with the code itself.

        Source: https://hl7.org/fhir/R4/valueset-filter-operator.html (is-a)
        """
        asked = {"system": system, "filter": [{"property": "concept", "op": "is-a", "value": code}]}
        return self.expand({"resourceType": "ValueSet", "status": "active", "compose": {"include": [asked]}})

    def expand(self, value_set: dict[str, Any]) -> Expansion:
        """Return all codes of a ValueSet, page by page, inactive ones too: they occur in old records.

        Raises QuestionError when the server cannot, ProtocolError when a page is missing.
        Source: https://hl7.org/fhir/R4/valueset-operation-expand.html
        """
        codes: dict[tuple[str, str], None] = {}
        versions: set[str] = set()
        for _ in range(_MOST_PAGES):
            page = self._page(value_set, len(codes))
            found = list(_contained(page))
            codes |= dict.fromkeys((one["system"], one["code"]) for one in found)
            versions |= {_version(one) for one in found if one.get("version")} | _used(page)
            total = page.get("total")
            if not found or not isinstance(total, int) or len(codes) >= total:
                break
        if isinstance(total, int) and len(codes) < total:
            message = f"gave {len(codes)} of {total} codes of an expansion; ask who runs it"
            raise ProtocolError(f"{self._client.name} {message}")
        if not codes:
            raise QuestionError(f"{self._client.name} gave an expansion without any code")
        return Expansion(tuple(codes), frozenset(versions))

    def _page(self, value_set: dict[str, Any], offset: int) -> dict[str, Any]:
        parameters = [
            {"name": "valueSet", "resource": value_set},
            {"name": "count", "valueInteger": PAGE},
            {"name": "offset", "valueInteger": offset},
            {"name": "activeOnly", "valueBoolean": False},
        ]
        answer = self._client.post("ValueSet/$expand", {"resourceType": "Parameters", "parameter": parameters})
        expansion = answer.get("expansion")
        if not isinstance(expansion, dict):
            raise ProtocolError(f"{self._client.name} answered $expand without an expansion; check that it is R4")
        return expansion


def _contained(parent: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the codes of an expansion, those inside others too; headings that cannot be chosen are none."""
    for item in parent.get("contains") or []:
        if isinstance(item, dict):
            if item.get("system") and item.get("code") and not item.get("abstract"):
                yield item
            yield from _contained(item)


def _version(code: dict[str, Any]) -> str:
    return f"{code['system']}|{code['version']}"


def _used(page: dict[str, Any]) -> set[str]:
    named = [one for one in page.get("parameter") or [] if isinstance(one, dict)]
    return {str(one["valueUri"]) for one in named if one.get("name") in _VERSIONS and one.get("valueUri")}
