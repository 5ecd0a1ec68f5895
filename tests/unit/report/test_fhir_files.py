"""fhir/ as a FHIR server and recruIT's screening list take it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from cohortfinder.ranking.funnel import FunnelStep
from cohortfinder.report.fhir_files import funnel_report, screening_list
from cohortfinder.report.screening import Screening, read_screening
from unit.report.screened import AS_OF, LABELS, a_trial, screened


@pytest.fixture(scope="module")
def screening() -> Screening:
    return read_screening(screened(), a_trial(), AS_OF, labels=LABELS, warnings=("one pull is incomplete",))


def entries(content: bytes) -> list[dict[str, Any]]:
    """Return the entries of a transaction that FHIR R4 allows."""
    Bundle.model_validate_json(content)
    return json.loads(content)["entry"]


def of_type(content: bytes, name: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in entries(content) if entry["resource"]["resourceType"] == name]


def test_the_list_holds_the_ranked_in_their_order_each_once(screening: Screening) -> None:
    """p3 is ranked in arm B and excluded in arm A."""
    content = screening_list(screening)
    subjects = {entry["fullUrl"]: entry["resource"] for entry in entries(content)}
    (listed,) = of_type(content, "List")
    found = [subjects[entry["item"]["reference"]] for entry in listed["entry"]]
    assert [(one["individual"]["reference"], one["assignedArm"], one["status"]) for one in found] == [
        ("Patient/=p1", "A", "candidate"),
        ("Patient/p2", "A", "candidate"),
        ("Patient/p3", "B", "candidate"),
    ]
    assert {entry["date"] for entry in listed["entry"]} == {"2026-11-20"}
    assert [note["text"] for note in listed["note"]] == ["one pull is incomplete"]


def test_the_list_is_found_by_recruit_before_and_since_its_implementation_guide(screening: Screening) -> None:
    content = screening_list(screening)
    (listed,), (study,) = of_type(content, "List"), of_type(content, "ResearchStudy")
    (place,) = (entry["fullUrl"] for entry in entries(content) if entry["resource"] == study)
    assert (listed["status"], listed["mode"]) == ("current", "working")
    assert [(one["system"], one["code"]) for one in listed["code"]["coding"]] == [
        ("https://fhir.miracum.org/uc1/CodeSystem/screeningList", "screening-recommendations"),
        ("https://miracum.github.io/recruit/fhir/CodeSystem/screening-list-type", "screening-recommendations"),
    ]
    assert {one["url"]: one["valueReference"]["reference"] for one in listed["extension"]} == {
        "https://fhir.miracum.org/uc1/StructureDefinition/belongsToStudy": place,
        "https://miracum.github.io/recruit/fhir/StructureDefinition/screening-list-belongs-to-study": place,
    }


def test_what_people_wrote_on_the_server_stays_and_the_list_is_replaced(screening: Screening) -> None:
    """A subject on whom somebody decided is found by its identifier and not written again."""
    asked = {entry["resource"]["resourceType"]: entry["request"] for entry in entries(screening_list(screening))}
    assert {name: request["method"] for name, request in asked.items()} == {
        "ResearchStudy": "POST", "ResearchSubject": "POST", "Group": "PUT", "List": "PUT",
    }  # fmt: skip
    assert asked["ResearchStudy"]["ifNoneExist"] == "identifier=urn:cohortfinder:trial|T1"
    assert asked["List"]["url"] == "List?identifier=https://fhir.miracum.org/uc1/NamingSystem/screeningListId|T1"
    assert asked["Group"]["url"] == "Group?identifier=urn:cohortfinder:group|T1%2FB"


def test_an_arm_is_a_group_of_its_ranked_candidates(screening: Screening) -> None:
    groups = of_type(screening_list(screening), "Group")
    assert [(one["quantity"], [member["entity"]["reference"] for member in one["member"]]) for one in groups] == [
        (2, ["Patient/=p1", "Patient/p2"]),
        (1, ["Patient/p3"]),
    ]


def test_nobody_listed_is_an_empty_list_that_fhir_allows(screening: Screening) -> None:
    content = screening_list(replace(screening, candidates=(), warnings=()))
    (listed,) = of_type(content, "List")
    assert "entry" not in listed
    assert [one["quantity"] for one in of_type(content, "Group")] == [0, 0]
    assert entries(funnel_report(replace(screening, funnel=())))


def test_a_registered_trial_is_found_by_its_number(screening: Screening) -> None:
    registered = replace(screening, trial=replace(screening.trial, id="NCT06983964"))
    (study,) = of_type(screening_list(registered), "ResearchStudy")
    assert study["identifier"] == [{"system": "http://clinicaltrials.gov", "value": "NCT06983964"}]


def test_the_report_masks_what_is_withheld(screening: Screening) -> None:
    """Of 100 living 3 are listed: neither the 3 is told nor what follows from it."""
    funnel = tuple(
        FunnelStep("A", order, name, left, gone, 0, left, gone, None)
        for order, (name, left, gone) in enumerate((("I-DX", 40, 60), ("I-RENAL", 37, 3), ("I-WILL", 30, 7)), start=1)
    )
    (report,) = of_type(funnel_report(replace(screening, funnel=funnel)), "MeasureReport")
    (group,) = report["group"]
    assert [(one["code"]["text"], one.get("count")) for one in group["population"]] == [
        ("living patients", 100), ("I-DX", 40), ("I-RENAL", None), ("I-WILL", 30),
    ]  # fmt: skip
    masked = group["population"][2]["_count"]["extension"][0]
    assert masked == {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
    (measure,) = of_type(funnel_report(screening), "Measure")
    assert measure["url"] == report["measure"]


def test_no_patient_is_in_the_funnel(screening: Screening) -> None:
    assert "Patient/" not in funnel_report(screening).decode()
