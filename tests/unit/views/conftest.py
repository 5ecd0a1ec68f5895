"""Compile a view and run it over lines of a file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohortfinder.views import compile_view

Run = Callable[..., list[tuple[Any, ...]]]


def view_of(*columns: str, resource: str = "Patient", **select: Any) -> dict[str, Any]:
    """Return a view with one select; the columns are paths, named c0, c1 and so on."""
    made = [{"name": f"c{at}", "path": path} for at, path in enumerate(columns)]
    return {"name": "v", "resource": resource, "select": [{"column": made, **select}]}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a view over resources (objects) or raw lines (bytes), all in one file."""

    def run(view: Any, *lines: Any, strict: bool = True) -> list[tuple[Any, ...]]:
        path = tmp_path / "it's.ndjson"
        raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        path.write_bytes(b"\n".join(raw) + b"\n")
        with duckdb.connect() as connection:
            query = compile_view(view).select_from_ndjson(strict=strict)
            return connection.execute(query, {"files": [str(path)]}).fetchall()

    return run
