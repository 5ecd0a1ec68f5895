"""What the data team is told of a small hospital: what patients have, what was unusable, what would settle most."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest

from cohortfinder.ranking.candidates import rank
from cohortfinder.ranking.quality import assess, read_coverage, read_unknowns
from properties.engine import screened
from properties.trials import trial_of

AS_OF = date(2026, 11, 20)
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
HB = {"observation": "hemoglobin", "at_least": "60 g/L", "within": "90 days"}
WBC = {"observation": "alt", "at_most": "40 U/L"}
INR = {"observation": "inr", "below": "1.6"}
RULES: list[dict[str, Any]] = [
    {"condition": "dx_sle", "ever": "yes"},
    HB,
    # either will do: what speaks for it settles it, what speaks against it does not
    {"any": [{"observation": "hemoglobin", "at_least": "100 g/L"}, WBC]},
    {"not": {"all": [INR, {"not": INR}]}},
    {"judgement": "the chart"},
]


def _lupus(patient: str) -> list[dict[str, Any]]:
    return [
        {"resourceType": "Patient", "id": patient, "gender": "female", "birthDate": "1980-01-01"},
        {"resourceType": "Condition", "id": f"sle-{patient}", "subject": {"reference": f"Patient/{patient}"},
         "code": {"coding": [{"system": SNOMED, "code": "55464009"}]}, "recordedDate": "2026-01-05"},
    ]  # fmt: skip


def _result(name: str, patient: str, code: str, day: str, value: str, unit: str | None, **more: Any) -> dict[str, Any]:
    quantity = {"value": float(value)} | ({"unit": unit, "code": unit} if unit else {})
    return {
        "resourceType": "Observation", "id": name, "status": "final", "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": day, "valueQuantity": quantity,
        "code": {"coding": [{"system": more.get("system", LOINC), "code": code}], "text": more.get("text", "")},
    }  # fmt: skip


RESOURCES = [
    *_lupus("new"), _result("o1", "new", "718-7", "2026-11-10", "120", "g/L"),
    *_lupus("old"), _result("o2", "old", "718-7", "2026-05-04", "12", "g/dL"), _result("o3", "old", "718-7", "2026-11-19", "12", None),
    *_lupus("local"), _result("o4", "local", "HB", "2026-11-01", "130", "g/L", system="urn:lab", text="Hemoglobin in blood, venous"),
    *_lupus("none"),
]  # fmt: skip


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    trial = trial_of(RULES, ["inclusion"] * len(RULES))
    with duckdb.connect() as made:
        screened(made, trial, RESOURCES, tmp_path_factory.mktemp("landed"), AS_OF, everyone=False)
        made.execute(
            "CREATE TABLE quarantine (load_id VARCHAR, file VARCHAR, line BIGINT, resource_type VARCHAR, reason VARCHAR)"
        )
        rank(made, trial, AS_OF)
        assess(made, trial, AS_OF)
        yield made


def test_coverage_tells_who_has_it_how_old_the_newest_is_and_in_which_units(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Of four patients two have haemoglobin, one of them in time; a value without unit is no record to use."""
    rows = {row.concept: row for row in read_coverage(connection, trial_of(RULES, ["inclusion"] * len(RULES)))}
    assert set(rows) == {"dx_sle", "hemoglobin", "alt", "inr"}
    hemoglobin, sle, inr = rows["hemoglobin"], rows["dx_sle"], rows["inr"]
    assert (hemoglobin.listed, hemoglobin.patients, hemoglobin.usable, hemoglobin.in_time) == (4, 2, 2, 1)
    assert (hemoglobin.within, hemoglobin.units) == ("90 days", "g/L 1; g/dL 1; no unit 1")
    assert (hemoglobin.newest_q1, hemoglobin.newest_median, hemoglobin.newest_oldest) == (10, 10, 200)
    assert (hemoglobin.unusable, hemoglobin.reasons) == (1, "unit_missing 1")
    assert (sle.kind, sle.patients, sle.in_time, sle.within, sle.newest_median, sle.units) == (
        "condition",
        4,
        4,
        None,
        319,
        None,
    )
    assert (inr.patients, inr.in_time, inr.newest_median, inr.units, inr.reasons) == (0, 0, None, None, None)


def test_a_concept_settles_what_is_unknown_for_want_of_it_alone(connection: duckdb.DuckDBPyConnection) -> None:
    """C2 hangs on haemoglobin for three patients. C3 holds with one good value of either; two low ones are needed against it."""
    rows = {row.concept: row for row in read_unknowns(connection) if row.kind == "concept"}
    assert (rows["hemoglobin"].settles, rows["hemoglobin"].may_settle, rows["hemoglobin"].unknown) == (3, 6, 6)
    assert rows["hemoglobin"].criteria == "C2 3; C3 3"
    assert (rows["alt"].settles, rows["alt"].may_settle, rows["alt"].criteria) == (0, 3, "C3 3")
    assert rows["alt"].reasons == "no_data 3"


def test_leaves_that_contradict_each_other_settle_nothing_against_the_rule(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Each leaf is asked for itself: one answer of both makes C4 true, another makes it false."""
    inr = next(row for row in read_unknowns(connection) if row.concept == "inr")
    assert (inr.settles, inr.may_settle, inr.patients, inr.in_play) == (4, 4, 4, 4)


def test_an_unmapped_code_that_says_a_concept_settles_what_it_would_of_its_patients(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """A code of the laboratory's own, by its text; nobody but `local` has it."""
    codes = [row for row in read_unknowns(connection) if row.kind != "concept"]
    assert [(row.kind, row.concept, row.system, row.code, row.text) for row in codes] == [
        ("observation", "hemoglobin", "urn:lab", "HB", "Hemoglobin in blood, venous")
    ]
    assert (codes[0].settles, codes[0].may_settle, codes[0].patients, codes[0].criteria) == (1, 2, 1, "C2 1; C3 1")


def test_what_only_a_person_can_tell_hangs_on_no_data(connection: duckdb.DuckDBPyConnection) -> None:
    assert "C5" not in " ".join(row.criteria or "" for row in read_unknowns(connection))
