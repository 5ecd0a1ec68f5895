"""The software of a server to what is known of its ways, from mappings/server_quirks.csv."""

from collections.abc import Iterator

from cohortfinder.fhir.capability import Capability
from cohortfinder.fhir.findings import Finding, note
from cohortfinder.resources import resource_dir
from cohortfinder.terminology.csv_files import read_rows

FILE = "server_quirks.csv"
COLUMNS = ("software", "quirk", "what_we_do", "source")


def quirk_findings(capability: Capability) -> Iterator[Finding]:
    """Yield what is known of the software that the server says it is, each with its source."""
    named = f"{capability.software} {capability.publisher}".lower().split()
    for row in read_rows(resource_dir("mappings") / FILE, COLUMNS):
        if row["software"] in named:
            yield note("known of it", f"{row['quirk']}: {row['what_we_do']} (source: {row['source']})")
