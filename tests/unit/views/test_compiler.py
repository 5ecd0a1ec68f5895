"""Views over files: keys, rows, dirty data in both readers, and errors that say where."""

import json
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from cohortfinder.resources import resource_dir
from cohortfinder.views import ViewError, compile_view
from unit.views.conftest import Run, view_of

_VIEWS = sorted((resource_dir("mappings") / "views").glob("*.json"))


@pytest.mark.parametrize(
    ("reference", "key"),
    [
        ("Patient/1", "1"),
        ("Patient/1/_history/2", "1"),
        ("https://x.org/fhir/Patient/a-1", "a-1"),
        ("https://x.org/fhir/Patient/a.1/_history/3", "a.1"),
        ("#p", None),
        ("Group/1", None),
        ("Patient/", None),
        ("urn:uuid:1", None),
        (None, None),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_reference_key(run: Run, reference: str | None, key: str | None, strict: bool) -> None:
    view = view_of("subject.getReferenceKey(Patient)", resource="Condition")
    resource = {"resourceType": "Condition", "subject": {"reference": reference}}
    assert run(view, resource, strict=strict) == [(key,)]


def test_a_union_inside_an_empty_for_each_or_null_gives_one_row(run: Run) -> None:
    union = [{"column": [{"name": "n", "path": "'A'"}]}, {"column": [{"name": "n", "path": "use"}]}]
    view = {"resource": "Patient", "select": [{"forEachOrNull": "name", "unionAll": union}]}
    with_name = {"resourceType": "Patient", "name": [{"use": "usual"}]}
    assert run(view, {"resourceType": "Patient"}) == [(None,)]
    assert sorted(run(view, with_name)) == [("A",), ("usual",)]


def test_other_types_in_the_file_are_left_out(run: Run) -> None:
    rows = run(view_of("id"), {"resourceType": "Patient", "id": "1"}, {"resourceType": "Group", "id": "2"})
    assert rows == [("1",)]


def test_two_values_in_a_single_column_are_an_error_of_the_query(run: Run) -> None:
    resource = {"resourceType": "Patient", "name": [{"family": "a"}, {"family": "b"}]}
    with pytest.raises(duckdb.Error, match="more than one value"):
        run(view_of("name.family"), resource)


@pytest.mark.parametrize("value", [b'">7.5"', b"1e30", b"[1]", b'{"a":1}', b"1e400"])
def test_a_wrong_number_fails_the_strict_reader_and_is_null_in_the_robust_one(run: Run, value: bytes) -> None:
    view = view_of("id", "value.ofType(Quantity).value", resource="Observation")
    bad = b'{"resourceType":"Observation","id":"1","valueQuantity":{"value":' + value + b"}}"
    good = {"resourceType": "Observation", "id": "2", "valueQuantity": {"value": 5.4}}
    with pytest.raises(duckdb.InvalidInputException):
        run(view, bad, good)
    assert run(view, bad, good, strict=False) == [("1", None), ("2", Decimal("5.4"))]


@pytest.mark.parametrize("name", [b'{"family":"a"}', b'"a"', b"1"])
def test_one_object_instead_of_an_array_keeps_the_row_in_the_robust_reader(run: Run, name: bytes) -> None:
    view = view_of("id", "name.family.first()")
    bad = b'{"resourceType":"Patient","id":"1","name":' + name + b"}"
    with pytest.raises(duckdb.InvalidInputException):
        run(view, bad)
    assert run(view, bad, strict=False) == [("1", None)]


@pytest.mark.parametrize("line", [b'{"resourceType":"Patient","id":"1"', b"garbage", b"\xff\xfe"])
def test_a_broken_line_is_left_out_by_the_robust_reader(run: Run, line: bytes) -> None:
    good = {"resourceType": "Patient", "id": "2"}
    with pytest.raises(duckdb.InvalidInputException):
        run(view_of("id"), line, good)
    assert run(view_of("id"), line, good, strict=False) == [("2",)]


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (view_of("nme.family"), ["'v'", "'c0'", "'nme.family'", "character 1", "'name'"]),
        (view_of("valueString", resource="Observation"), ["value.ofType(string)"]),
        (view_of("value", resource="Observation"), ["ofType"]),
        (view_of("value.ofType(Money)", resource="Observation"), ["Quantity"]),
        (view_of("name"), ["HumanName"]),
        (view_of("name.fist()"), ["fist()", "character 6"]),
        (view_of("%x"), ["%x"]),
        (view_of("birthDate = 1"), ["date", "integer"]),
        (view_of("id", resource="Patent"), ["'Patent'", "'Patient'"]),
        (view_of("value.ofType(Quantty)", resource="Observation"), ["character 7", "'Quantity'"]),
        (view_of("name.exist()"), ["'exists'"]),
        (view_of("id", forEachOrNul="name"), ["'forEachOrNul'", "'forEachOrNull'"]),
        (
            {"name": "v", "resource": "Patient", "select": [{"column": [{"name": "a", "pth": "id"}]}]},
            ["column 'a'", "'pth'", "'path'"],
        ),
        (
            {"name": "v", "resource": "Patient", "select": [{"column": [{"name": "a b", "path": "id"}]}]},
            ["column 'a b'", "underscores"],
        ),
        (view_of("id", forEach="name", forEachOrNull="name"), ["only one"]),
    ],
)
def test_an_error_says_where_and_what(view: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ViewError) as caught:
        compile_view(view)
    assert [word for word in words if word not in str(caught.value)] == []


def test_text_of_a_view_stays_text(run: Run) -> None:
    """A quote in a constant or a path never ends the SQL literal."""
    path = "name.where(family = '\\'; DROP TABLE x; --').exists()"
    resource = {"resourceType": "Patient", "name": [{"family": "'; DROP TABLE x; --"}]}
    assert run(view_of(path), resource) == [(True,)]


@pytest.mark.parametrize("path", _VIEWS, ids=lambda path: path.stem)
def test_views_of_the_product_compile_and_run_in_both_readers(run: Run, path: Any) -> None:
    content = json.loads(path.read_text())
    view = compile_view(content)
    assert view.name == path.stem
    assert [column.name for column in view.columns][:3] == ["id", "last_updated", "version_id"]
    resource = {"resourceType": content["resource"], "id": "1", "meta": {"versionId": "7"}}
    for strict in (True, False):
        rows = run(content, resource, strict=strict)
        assert [row[:3] for row in rows] in ([("1", None, "7")], [])


def test_the_observation_view_has_root_and_component_rows(run: Run) -> None:
    content = json.loads((resource_dir("mappings") / "views" / "observation.json").read_text())
    names = [column.name for column in compile_view(content).columns]
    part = {"code": {"coding": [{"code": "8480-6"}]}, "valueQuantity": {"value": 120, "unit": "mmHg"}}
    resource = {
        "resourceType": "Observation",
        "id": "bp",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"code": "85354-9"}, {"code": "local"}]},
        "component": [part, {"code": {"text": "diastolic"}, "valueRange": {"low": {"unit": "mmHg"}}}],
    }
    rows = [dict(zip(names, row, strict=True)) for row in run(content, resource)]
    kept = ("patient_id", "component", "code", "code_text", "value", "range_low_unit")
    assert [tuple(row[name] for name in kept) for row in rows] == [
        ("p", None, "85354-9", None, None, None),
        ("p", None, "local", None, None, None),
        ("p", 0, "8480-6", None, Decimal(120), None),
        ("p", 1, None, "diastolic", None, "mmHg"),
    ]


def test_whether_there_is_a_choice_of_any_type(run: Run) -> None:
    """At the resource itself as well as inside an element."""
    view = view_of("deceased.exists()", "deceased.exists().not()", "deceased.empty()")
    alive, dead = (
        {"resourceType": "Patient", "id": "a"},
        {"resourceType": "Patient", "id": "b", "deceasedBoolean": False},
    )
    assert run(view, alive, dead) == [(False, True, True), (True, False, False)]


def test_a_condition_on_a_choice_needs_its_type() -> None:
    with pytest.raises(ViewError, match=r"is a choice; write value.ofType"):
        compile_view(view_of("value.where(true).exists()", resource="Observation"))
