"""Types of which an export brought nothing: does the server really have none?

Servers have exported nothing without an error: after a restart, the second time, or because they read a part of the
question only. The server's own search is asked to count.
"""

from collections.abc import Iterable
from urllib.parse import quote, urlencode

from cohortfinder.errors import CohortFinderError
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.export_job import Log
from cohortfinder.fhir.export_question import LONGEST_ADDRESS, PATIENT, SYSTEM, ExportQuestion, filter_texts


def missing(
    client: FhirClient, question: ExportQuestion, brought: Iterable[str], until: str, log: Log
) -> dict[str, str]:
    """Return of which types nothing came although the server had some until then, with what to say of it.

    What a group should hold, no search can tell.
    """
    if question.level not in (SYSTEM, PATIENT):
        return {}
    found = {}
    for kind in sorted({*question.types} - {*brought}):
        if held := _held(client, question, kind, until, log):
            found[kind] = f"the export holds none, and the server counts {held}"
    return found


def _held(client: FhirClient, question: ExportQuestion, kind: str, until: str, log: Log) -> int:
    asked = question.filters.get(kind)
    since = (("_lastUpdated", f"ge{question.since}"),) if question.since else ()
    more = urlencode([*since, ("_lastUpdated", f"lt{until}"), ("_summary", "count")], quote_via=quote, safe="")
    for search in filter_texts(kind, asked) if asked else (f"{kind}?",):
        address = f"{search}&{more}".replace("?&", "?")
        if len(address) <= LONGEST_ADDRESS and (total := _counted(client, address, kind, log)):
            return total
    return 0


def _counted(client: FhirClient, address: str, kind: str, log: Log) -> int:
    try:
        total = client.get(address).get("total")
    except CohortFinderError as error:
        log(f"whether there is {kind} at all could not be asked: {error}")
        return 0
    return total if isinstance(total, int) else 0
