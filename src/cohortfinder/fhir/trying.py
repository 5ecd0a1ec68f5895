"""One question to a server of which a refusal is an answer too: what came back, as far as it is FHIR."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cohortfinder.errors import BusyError, ProtocolError, ServerError
from cohortfinder.fhir.answers import Answer
from cohortfinder.fhir.client import FhirClient

UNANSWERED = 0
# each of them tells something
_REFUSALS = frozenset(range(400, 600))


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a question; `status` is 0 where there was no answer, `reason` then says why.

    `resource` is None where it was refused, and where the answer is no FHIR; then `answer` tells what it is.
    """

    status: int
    answer: Answer | None = None
    resource: Mapping[str, Any] | None = None
    reason: str = ""

    @property
    def is_bundle(self) -> bool:
        """Whether a Bundle came back, as from a search or a history."""
        return self.resource is not None and self.resource["resourceType"] == "Bundle"

    @property
    def refused(self) -> bool:
        """Whether the one who asks may not know."""
        return self.status in (401, 403)

    def found(self, resource_type: str) -> list[Mapping[str, Any]]:
        """Return the resources of a type that a search has found, without what was included or told beside."""
        return [one for one in self._resources() if one.get("resourceType") == resource_type]

    def link(self, relation: str) -> str | None:
        """Return a link of the Bundle, None where it has none."""
        links = (self.resource or {}).get("link")
        for one in links if isinstance(links, list) else []:
            if isinstance(one, dict) and one.get("relation") == relation and isinstance(one.get("url"), str):
                return str(one["url"])
        return None

    def _resources(self) -> Iterator[Mapping[str, Any]]:
        entries = (self.resource or {}).get("entry")
        for entry in entries if isinstance(entries, list) else []:
            resource = entry.get("resource") if isinstance(entry, dict) else None
            search = entry.get("search") if isinstance(entry, dict) else None
            mode = search.get("mode") if isinstance(search, dict) else None
            if isinstance(resource, dict) and mode not in ("include", "outcome"):
                yield resource


def tried(client: FhirClient, path: str, *, authorized: bool = True) -> Tried:
    """Ask a server, once. Raises ConfigurationError where what belongs to the way in cannot be read."""
    try:
        answer = client.ask("GET", path, authorized=authorized, tolerate=_REFUSALS)
    except (ServerError, BusyError, ProtocolError) as error:
        return Tried(UNANSWERED, reason=str(error))
    if answer.status >= 400:
        return Tried(answer.status, answer)
    try:
        return Tried(answer.status, answer, answer.resource())
    except ProtocolError:
        return Tried(answer.status, answer)
