"""Views of the kind that a cohort needs, over real shapes of resources, against an independent evaluation."""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohortfinder.views import compile_view
from conformance.by_resource import rows_of
from conformance.field_views import VIEWS

ROOT = Path(__file__).parents[2]


@cache
def _resources() -> tuple[dict[str, Any], ...]:
    """Return the cut of the synthetic patients and all invented sample patients."""
    lines = (Path(__file__).parent / "field" / "resources.ndjson").read_text(encoding="utf-8").splitlines()
    bundles = (
        json.loads(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "sample_bundles").glob("*.json"))
    )
    inside = (entry["resource"] for bundle in bundles for entry in bundle.get("entry", ()) if "resource" in entry)
    return tuple([json.loads(line) for line in lines] + [one for one in inside if "id" in one])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write one file a type, and one with all of them, whose fields of one name are of different kinds."""
    folder = tmp_path_factory.mktemp("field")
    lines: dict[str, list[str]] = {"all": []}
    for one in _resources():
        for name in ("all", one["resourceType"]):
            lines.setdefault(name, []).append(json.dumps(one) + "\n")
    for name, found in lines.items():
        (folder / f"{name}.ndjson").write_text("".join(found), encoding="utf-8")
    return folder


def _bag(rows: list[Mapping[str, Any]]) -> list[str]:
    return sorted(json.dumps(dict(row), sort_keys=True, default=_number) for row in rows)


def _number(value: Any) -> str:
    assert isinstance(value, Decimal)
    return f"{value.normalize():f}"


def _plain(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("view", VIEWS, ids=[view["name"] for view in VIEWS])
@pytest.mark.parametrize("strict", [True, False], ids=["strict", "robust"])
def test_a_view_gives_what_each_resource_says(view: dict[str, Any], strict: bool, folder: Path) -> None:
    """Each row once, with the same values; and the view is not empty, else it tests nothing."""
    expected = [{key: _plain(value) for key, value in row.items()} for row in rows_of(view, list(_resources()))]
    file = folder / (f"{view['resource']}.ndjson" if strict else "all.ndjson")
    with duckdb.connect() as connection:
        cursor = connection.execute(compile_view(view).select_from_ndjson(strict=strict), {"files": [str(file)]})
        names = [one[0] for one in cursor.description]
        rows = [dict(zip(names, (_plain(cell) for cell in row), strict=True)) for row in cursor.fetchall()]
    assert _bag(rows) == _bag(expected)
    assert expected


def test_there_are_views_enough() -> None:
    """And every kind of select is among them."""
    assert len(VIEWS) >= 25
    text = json.dumps(VIEWS)
    assert all(word in text for word in ("forEachOrNull", "unionAll", "%rowIndex", "getReferenceKey", "extension("))
