"""The slow second look at landing files: which lines cannot be read, and why; the good ones go on."""

import gzip
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from cohortfinder.landing.lines import examine
from cohortfinder.landing.manifest import LandedType, Manifest, Part
from cohortfinder.landing.quarantine import Quarantine
from cohortfinder.landing.raw_json import has_duplicate_key
from cohortfinder.warehouse.tables import TypedTable


def audited_files(
    connection: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest, landed: LandedType,
    tables: Sequence[TypedTable], quarantine: Quarantine, scratch: Path,
) -> list[str]:  # fmt: skip
    """Return files with the readable lines of one landed type; a part without a bad line is its own file."""
    files = []
    for part in landed.parts:
        path = folder / part.file
        reasons = dict(_bad_lines(connection, path, tables, scratch))
        if not reasons:
            files.append(str(path))
            continue
        _put_aside(part, path, manifest, landed.resource_type, reasons, quarantine)
        clean = scratch / f"{manifest.load_id}-{part.file}"
        _copy_without(path, clean, reasons)
        files.append(str(clean))
    return files


def _bad_lines(
    connection: duckdb.DuckDBPyConnection, path: Path, tables: Sequence[TypedTable], scratch: Path
) -> Iterator[tuple[int, str]]:
    """Yield the row, from 1, and the reason of each line that is no resource or does not fit the views."""
    rows: list[tuple[int, bytes]] = []
    for row, line in enumerate(_lines(path), start=1):
        reason = examine(line).reason
        if reason:
            yield row, reason
        else:
            rows.append((row, line))
    if rows and not _reads(connection, [line for _, line in rows], tables, scratch):
        yield from _narrow(connection, rows, tables, scratch)


def _narrow(
    connection: duckdb.DuckDBPyConnection,
    rows: Sequence[tuple[int, bytes]],
    tables: Sequence[TypedTable],
    scratch: Path,
) -> Iterator[tuple[int, str]]:
    """Halve a set of lines that cannot be read until the lines that are to blame stand alone."""
    if len(rows) == 1:
        row, line = rows[0]
        blamed = next((table for table in tables if not _reads(connection, [line], (table,), scratch)), tables[0])
        wrong = f"a field has a value of the wrong kind for the table {blamed.name}"
        yield row, "duplicate key in an object" if has_duplicate_key(line.decode()) else wrong
        return
    middle = len(rows) // 2
    for half in (rows[:middle], rows[middle:]):
        if not _reads(connection, [line for _, line in half], tables, scratch):
            yield from _narrow(connection, half, tables, scratch)


def _reads(
    connection: duckdb.DuckDBPyConnection, lines: Sequence[bytes], tables: Sequence[TypedTable], scratch: Path
) -> bool:
    with tempfile.NamedTemporaryFile(dir=scratch, suffix=".ndjson") as file:
        file.write(b"\n".join(lines) + b"\n")
        file.flush()
        for table in tables:
            try:
                query = table.view.select_from_ndjson(strict=True)
                connection.cursor().execute(f"CREATE OR REPLACE TEMP TABLE tried AS {query}", {"files": [file.name]})
            except duckdb.InvalidInputException:
                return False
    return True


def _lines(path: Path) -> Iterator[bytes]:
    with gzip.open(path, "rb") as file:
        for line in file:
            yield line.rstrip(b"\r\n")


def _put_aside(
    part: Part, path: Path, manifest: Manifest, resource_type: str, reasons: dict[int, str], quarantine: Quarantine
) -> None:
    for row, line in enumerate(_lines(path), start=1):
        if row in reasons:
            source, number, entry = part.origin(row)
            reason = f"entry {entry}: {reasons[row]}" if entry else reasons[row]
            quarantine.add(
                file=manifest.sources[source].path, line=number, resource_type=resource_type, reason=reason, raw=line
            )


def _copy_without(path: Path, target: Path, reasons: dict[int, str]) -> None:
    with gzip.open(target, "wb", compresslevel=1) as out:
        for row, line in enumerate(_lines(path), start=1):
            if row not in reasons:
                out.write(line + b"\n")
