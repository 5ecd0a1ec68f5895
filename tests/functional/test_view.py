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
