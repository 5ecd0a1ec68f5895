"""`cohortfinder view`: any ViewDefinition over FHIR files, with what could not be read named line by line."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

Run = Callable[..., Any]
VALUE = "value.ofType(Quantity).value"


@pytest.fixture
def view(tmp_path: Path) -> Callable[..., Path]:
    """Write a view of Observations with the columns that are given as name and path."""

    def written(**columns: str) -> Path:
        select = [{"column": [{"name": name, "path": path} for name, path in columns.items()]}]
        content = {"resourceType": "ViewDefinition", "name": "v", "resource": "Observation", "select": select}
        file = tmp_path / "view.json"
        file.write_text(json.dumps(content))
        return file

    return written


@pytest.fixture
def results(tmp_path: Path) -> Callable[..., Path]:
    """Write Observations with the values that are given as JSON text, their ids 0, 1, ..."""

    def written(*values: str) -> Path:
        file = tmp_path / "results.ndjson"
        file.write_text(
            "".join(
                f'{{"resourceType":"Observation","id":"{number}","valueQuantity":{{"value":{value}}}}}\n'
                for number, value in enumerate(values)
            )
        )
        return file

    return written


def test_numbers_are_written_as_numbers_in_every_format(
    run: Run, view: Callable[..., Path], results: Callable[..., Path], tmp_path: Path
) -> None:
    files = (view(id="id", value=VALUE), results("5.4", "1e3", "0.010", "-0.0", "12345.678"))
    numbers = ["5.4", "1000", "0.01", "0", "12345.678"]
    assert [row["value"] for row in csv.DictReader(run("view", *files).out.splitlines())] == numbers
    lines = run("view", *files, "--format", "ndjson").out.splitlines()
    assert lines == [f'{{"id":"{row}","value":{number}}}' for row, number in enumerate(numbers)]
    assert json.loads(run("view", *files, "--format", "json").out)[1] == {"id": "1", "value": 1000}
    target = tmp_path / "rows.parquet"
    assert run("view", *files, "--format", "parquet", "--out", target).status == 0
    assert duckdb.sql(f"SELECT id FROM '{target}' ORDER BY value").fetchall() == [
        ("3",),
        ("2",),
        ("0",),
        ("1",),
        ("4",),
    ]


def test_a_line_that_cannot_be_read_is_named_and_the_others_are_there(
    run: Run, view: Callable[..., Path], results: Callable[..., Path]
) -> None:
    done = run("view", view(id="id", value=VALUE), results("1", '{"a":1}', "3", "[4]"))
    assert done.status == 3
    assert [row["id"] for row in csv.DictReader(done.out.splitlines())] == ["0", "2"]
    assert "results.ndjson, line 2: valueQuantity.value" in done.err
    assert "results.ndjson, line 4: valueQuantity.value" in done.err
    assert "2 lines or entries could not be read" in done.err


def test_no_rows_are_an_empty_array(run: Run, view: Callable[..., Path], results: Callable[..., Path]) -> None:
    done = run("view", view(id="id"), results(), "--format", "json")
    assert (done.status, json.loads(done.out)) == (0, [])


def test_a_view_needs_no_id(run: Run, view: Callable[..., Path], tmp_path: Path) -> None:
    file = tmp_path / "nameless.ndjson"
    file.write_text('{"resourceType":"Observation","status":"final"}\n')
    assert run("view", view(status="status"), file).out.split() == ["status", "final"]


def test_several_values_in_one_column_name_the_column_and_the_remedy(
    run: Run, view: Callable[..., Path], tmp_path: Path
) -> None:
    file = tmp_path / "twice.ndjson"
    file.write_text('{"resourceType":"Observation","id":"1","code":{"coding":[{"code":"a"},{"code":"b"}]}}\n')
    done = run("view", view(code="code.coding.code"), file)
    assert done.status == 64
    assert "column 'code' gives more than one value" in done.err
    assert "collection: true" in done.err


def test_the_target_of_parquet_cannot_be_written(
    run: Run, view: Callable[..., Path], results: Callable[..., Path], tmp_path: Path
) -> None:
    done = run("view", view(id="id"), results("1"), "--format", "parquet", "--out", tmp_path / "no folder" / "rows")
    assert done.status not in (0, 3)
    assert "cannot be written" in done.err
    assert "Traceback" not in done.err


def test_names_are_the_views_own(run: Run, view: Callable[..., Path], results: Callable[..., Path]) -> None:
    """In capitals, as words of SQL, and with another one that differs in nothing but that."""
    done = run("view", view(patientId="id", id="id", ID="status", rows="id"), results("1"))
    assert done.out.splitlines() == ["patientId,id,ID,rows", "0,0,,0"]


def test_a_list_is_written_as_json(run: Run, tmp_path: Path) -> None:
    column = {"name": "values", "path": "component.value.ofType(Quantity).value", "collection": True}
    definition, file = tmp_path / "view.json", tmp_path / "panel.ndjson"
    definition.write_text(json.dumps({"name": "v", "resource": "Observation", "select": [{"column": [column]}]}))
    parts = ",".join(f'{{"valueQuantity":{{"value":{value}}}}}' for value in ("2.50", "120"))
    file.write_text(f'{{"resourceType":"Observation","id":"1","component":[{parts}]}}\n')
    assert run("view", definition, file).out.splitlines() == ["values", '"[2.5,120]"']
    assert run("view", definition, file, "--format", "ndjson").out == '{"values":[2.5,120]}\n'


def test_a_view_of_the_text_takes_the_good_lines_and_names_the_bad(run: Run, tmp_path: Path) -> None:
    """A repeat, and the digits of a decimal, are read from the text of each resource."""
    definition, file = tmp_path / "view.json", tmp_path / "forms.ndjson"
    select = [
        {"column": [{"name": "id", "path": "id"}]},
        {"repeat": ["item"], "column": [{"name": "linkId", "path": "linkId"}]},
    ]
    definition.write_text(json.dumps({"name": "v", "resource": "QuestionnaireResponse", "select": select}))
    good = {"resourceType": "QuestionnaireResponse", "id": "1", "item": [{"linkId": "a", "item": [{"linkId": "b"}]}]}
    file.write_text(f'{json.dumps(good)}\n{{"resourceType":"QuestionnaireResponse","id":{{}}}}\n{{"resourceType":\n')
    done = run("view", definition, file)
    assert done.out.splitlines() == ["id,linkId", "1,a", "1,b"]
    assert "forms.ndjson, line 2: id is not a string" in done.err
    assert "forms.ndjson, line 3: not valid JSON" in done.err
    assert done.status == 3


@pytest.mark.parametrize("name", ["one.json", "one.ndjson", "bundle.json", "mixed.ndjson"])
def test_a_resource_without_an_id_is_taken_from_every_kind_of_file(
    run: Run, view: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    one = {"resourceType": "Observation", "status": "final", "contained": [{"resourceType": "Medication", "id": "m"}]}
    told = {
        "one.json": json.dumps(one),
        "one.ndjson": f"{json.dumps(one)}\n",
        "bundle.json": json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one}]}),
        "mixed.ndjson": f'{{"resourceType":"Patient","id":"p"}}\n{json.dumps(one)}\n',
    }[name]
    (tmp_path / name).write_text(told)
    done = run("view", view(status="status"), tmp_path / name)
    assert (done.status, done.out.split()) == (0, ["status", "final"])


def test_an_error_names_the_file_of_the_view(run: Run, view: Callable[..., Path], results: Callable[..., Path]) -> None:
    done = run("view", view(code="code.codng.code"), results("1"))
    assert done.status == 64
    assert "view.json: view 'v', column 'code', path 'code.codng.code' at character 6" in done.err
