"""What a CapabilityStatement says, whatever it leaves out or has of a wrong kind."""

from typing import Any

import pytest

from cohortfinder.fhir.capability import Capability, TypeSupport, read_capability

TOKEN = "https://auth.hospital.example/token"
WHOLE = {
    "resourceType": "CapabilityStatement",
    "publisher": "A hospital",
    "software": {"name": "HAPI FHIR\nServer", "version": "8.8.0"},
    "fhirVersion": "4.0.1",
    "format": ["application/fhir+json", "xml"],
    "rest": [
        {"mode": "client"},
        {
            "mode": "server",
            "security": {
                "service": [{"coding": [{"code": "SMART-on-FHIR"}]}, {"text": "Basic"}],
                "extension": [
                    {
                        "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                        "extension": [
                            {"url": "authorize", "valueUri": "https://x"},
                            {"url": "token", "valueUri": TOKEN},
                        ],
                    }
                ],
            },
            "resource": [
                {
                    "type": "Patient",
                    "interaction": [{"code": "read"}, {"code": "search-type"}, {"code": "history-type"}],
                    "searchParam": [{"name": "_id"}, {"name": "_lastUpdated"}],
                    "operation": [{"name": "$export", "definition": "http://hl7.org/x/patient-export|2.0"}],
                },
                {"type": "Group", "interaction": [{"code": "read"}]},
            ],
            "interaction": [{"code": "history-system"}],
            "operation": [{"name": "export", "definition": "http://hl7.org/x/export"}],
        },
    ],
}


def test_a_whole_statement_is_read() -> None:
    found = read_capability(WHOLE)
    assert (found.name, found.fhir_version, found.is_r4) == ("HAPI FHIR Server 8.8.0", "4.0.1", True)
    assert found.formats == ("application/fhir+json", "xml")
    assert (found.security, found.token_url) == (("SMART-on-FHIR", "Basic"), TOKEN)
    assert found.types["Patient"].searched
    assert not found.types["Group"].searched
    assert found.types["Patient"].parameters == {"_id", "_lastUpdated"}
    assert "history-type" in found.types["Patient"].interactions
    assert found.interactions == {"history-system"}
    assert found.exports == ("", "Patient")


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([], ()),
        ([{"name": "export"}], ("",)),
        ([{"definition": "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export"}], ("Group",)),
        ([{"name": "export"}, {"name": "patient-export"}, {"name": "group-export"}], ("", "Patient", "Group")),
        ([{"name": 7}, "export", None], ()),
    ],
)  # fmt: skip
def test_the_levels_of_an_export_are_found_by_name_or_definition(operations: Any, expected: tuple[str, ...]) -> None:
    statement = {"rest": [{"mode": "server", "operation": operations}]}
    assert read_capability(statement).exports == expected


@pytest.mark.parametrize(
    "statement",
    [
        {},
        {"software": "HAPI", "fhirVersion": 4, "format": "json", "rest": "none"},
        {"rest": [None, {"mode": "server", "resource": [{"type": 3}, "Patient"], "security": []}]},
        {"rest": [{"security": {"extension": [{"url": None}], "service": [7]}, "interaction": {}, "operation": None}]},
    ],
)
def test_what_is_missing_or_of_a_wrong_kind_is_not_there(statement: dict[str, Any]) -> None:
    assert read_capability(statement) == Capability()


def test_a_type_without_anything_is_a_type() -> None:
    found = read_capability({"rest": [{"resource": [{"type": "Patient", "searchParam": {}, "interaction": "read"}]}]})
    assert found.types == {"Patient": TypeSupport()}


@pytest.mark.parametrize(("version", "is_r4"), [("4.0.1", True), ("4.0", True), ("4.3.0", False), ("5.0.0", False)])
def test_only_r4_is_r4(version: str, is_r4: bool) -> None:
    assert read_capability({"fhirVersion": version}).is_r4 is is_r4
