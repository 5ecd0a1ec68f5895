"""The job `view`: one SQL on FHIR ViewDefinition run over FHIR files."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from cohortfinder.errors import InputError, ReadWriteError
from cohortfinder.landing.land import land
from cohortfinder.landing.manifest import Manifest
from cohortfinder.landing.quarantine import Quarantine
from cohortfinder.landing.sources import find_sources
from cohortfinder.views import compile_view


@dataclass(frozen=True, slots=True)
class ViewRows:
    """The rows of a view; `rejected` lines of the files could not be read."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    rejected: int


def run_view(definition: Path, paths: Iterable[Path], *, parquet: Path | None = None) -> ViewRows:
    """Run a ViewDefinition over FHIR files and return its rows; with `parquet` they go into that file instead.

    Raises InputError when the definition or a path is wrong, ReadWriteError when the file cannot be written.
    """
    try:
        text = definition.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{definition}: this ViewDefinition cannot be read ({error.strerror}); check the path"
        ) from error
    view = compile_view(text)
    found = find_sources(paths)
    with tempfile.TemporaryDirectory(prefix="cohortfinder-") as scratch, duckdb.connect() as connection:
        folder = Path(scratch)
        quarantine = Quarantine(folder / "rejected.ndjson")
        manifest = replace(Manifest("view", datetime.now(UTC).isoformat()), skipped=found.skipped)
        (folder / "landing").mkdir()
        landed = land(found.files, folder / "landing", manifest, quarantine, log=lambda _: None)
        quarantine.close()
        files = [
            str(folder / "landing" / part.file)
            for kind in landed.types if kind.resource_type == view.resource for part in kind.parts
        ]  # fmt: skip
        query = view.select_from_ndjson(strict=False)
        if parquet is None:
            rows = _rows(connection, query, files)
        else:
            rows = []
            _write_parquet(connection, query, files, parquet)
    return ViewRows(tuple(column.name for column in view.columns), rows, quarantine.count)


def _rows(connection: duckdb.DuckDBPyConnection, query: str, files: list[str]) -> list[tuple[Any, ...]]:
    if not files:
        return []
    try:
        return connection.execute(query, {"files": files}).fetchall()
    except duckdb.InvalidInputException as error:
        raise InputError(f"the view cannot be applied: {str(error).splitlines()[0]}; correct the definition") from error


def _write_parquet(connection: duckdb.DuckDBPyConnection, query: str, files: list[str], target: Path) -> None:
    try:
        connection.execute(f"COPY ({query}) TO $target (FORMAT parquet)", {"files": files, "target": str(target)})
    except duckdb.IOException as error:
        raise ReadWriteError(f"{target}: cannot be written; check the folder and its permissions") from error
