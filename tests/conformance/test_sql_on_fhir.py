"""The official SQL on FHIR cases, each compiled and run over its own resources."""

import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohortfinder.errors import InputError
from cohortfinder.jobs.view import view_rows
from cohortfinder.views import ViewError, compile_view

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "tests" / "sql-on-fhir"
_FOLDER = Path(os.environ.get("COHORTFINDER_SQL_ON_FHIR_TESTS", _BESIDE))
_MISSING = (
    f"no official cases in {_FOLDER}: copy the folder tests/ of FHIR/sql-on-fhir-v2 there, "
    "or set COHORTFINDER_SQL_ON_FHIR_TESTS"
)


def _cases() -> list[Any]:
    found = []
    for file in sorted(_FOLDER.glob("*.json")):
        content = json.loads(file.read_text())
        for case in content["tests"]:
            found.append(pytest.param(file.name, content["resources"], case, id=f"{file.stem}: {case['title']}"))
    return found


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal | int) and not isinstance(value, bool) else value


def _bag(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps({k: _plain(v) for k, v in row.items()}, sort_keys=True) for row in rows)


def _run(resources: list[Any], view: Any) -> tuple[list[str], list[dict[str, Any]]]:
    query = compile_view(view).select_from_json_column("landing", "resource")
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE landing (resource JSON)")
        connection.executemany("INSERT INTO landing VALUES (?)", [[json.dumps(r)] for r in resources])
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description]
        return names, [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


official = pytest.mark.skipif(not list(_FOLDER.glob("*.json")), reason=_MISSING)


@official
@pytest.mark.parametrize(("file", "resources", "case"), _cases())
def test_official_case(
    file: str, resources: list[Any], case: dict[str, Any], record_property: Callable[[str, str], None]
) -> None:
    """The rows are those of the case, as a bag; or the view is refused."""
    record_property("suite", file)
    record_property("case", case["title"])
    if case.get("expectError"):
        with pytest.raises((ViewError, duckdb.Error)):
            _run(resources, case["view"])
        return
    names, rows = _run(resources, case["view"])
    _compare(case, names, rows)


@official
@pytest.mark.parametrize(("file", "resources", "case"), _cases())
def test_official_case_over_a_file(file: str, resources: list[Any], case: dict[str, Any], tmp_path: Path) -> None:
    """The same by what `cohortfinder view` runs: read strictly, from a file, nothing put aside."""
    definition, data = tmp_path / "view.json", tmp_path / "data.ndjson"
    definition.write_text(json.dumps(case["view"]))
    data.write_text("".join(f"{json.dumps(resource)}\n" for resource in resources))
    if case.get("expectError"):
        with pytest.raises(InputError), view_rows(definition, [data]):
            pass
        return
    with view_rows(definition, [data]) as result:
        assert result.rejected == ()
        rows = [dict(zip(result.columns, row, strict=True)) for row in result]
    _compare(case, list(result.columns), rows)


def _compare(case: dict[str, Any], names: list[str], rows: list[dict[str, Any]]) -> None:
    if "expectCount" in case:
        assert len(rows) == case["expectCount"]
    else:
        assert _bag(rows) == _bag(case["expect"])
    assert names == case.get("expectColumns", names)
