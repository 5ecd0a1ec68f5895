"""What is known of servers: told by the name that a server gives itself, each with a source that is there."""

from pathlib import Path

from cohortfinder.fhir.capability import Capability
from cohortfinder.fhir.quirks import COLUMNS, FILE, quirk_findings
from cohortfinder.resources import resource_dir
from cohortfinder.terminology.csv_files import read_rows

ROOT = Path(__file__).parents[3]
ROWS = [row.cells for row in read_rows(resource_dir("mappings") / FILE, COLUMNS)]


def test_a_server_is_known_by_a_word_of_its_name() -> None:
    told = [*quirk_findings(Capability(software="Helios FHIR Server"))][-1]
    assert (told.check, told.severity) == ("known of it", "note")
    assert told.what.startswith("an unknown search parameter is answered with everything unless strict handling")
    assert [*quirk_findings(Capability(software="Epicenter"))] == []


def test_the_table_is_sorted_in_lower_case_and_without_gaps() -> None:
    keys = [(row["software"], row["quirk"]) for row in ROWS]
    assert keys == sorted(set(keys))
    assert all(software == software.lower() and len(software.split()) == 1 for software, _ in keys)
    assert all(all(row.values()) for row in ROWS)


def test_a_source_is_an_address_or_a_place_here() -> None:
    sources = {row["source"] for row in ROWS}
    assert [one for one in sources if not one.startswith("https://") and not (ROOT / one).is_dir()] == []
