"""Whether a server has any result under some codes, by asking for one and looking at nothing of it."""

from collections.abc import Collection, Iterator

from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.search_probes import Heeded, heeds_code
from cohortfinder.fhir.trying import tried

# so that an address stays short enough for every server and proxy
_CODES = 50


def code_parameter(client: FhirClient) -> str | None:
    """Return the search parameter that finds observations by code, None where there is none."""
    return next((name for name in ("combo-code", "code") if heeds_code(client, name) is Heeded.YES), None)


def has_results(client: FhirClient, parameter: str, codes: Collection[str]) -> bool | None:
    """Say whether there is an observation under one of the codes, of whatever code system; None without an answer."""
    answered = False
    for some in _chunks(sorted(codes)):
        page = tried(client, f"Observation?{parameter}={','.join(some)}&_count=1")
        if page.found("Observation"):
            return True
        answered = answered or page.is_bundle
    return False if answered else None


def _chunks(codes: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(codes), _CODES):
        yield codes[first : first + _CODES]
