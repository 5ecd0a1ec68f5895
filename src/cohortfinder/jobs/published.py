"""What runs and snapshots say of people, made anew without some of them.

Tables (CSV, Parquet, DuckDB) lose their rows. What cannot be made anew without an evaluation (a page, a workbook, a
calendar) is removed where it names them; the next night writes it again. So is what the next evaluation goes on from.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import orjson

from cohortfinder.disk import sync_folder
from cohortfinder.landing.people import People
from cohortfinder.report.files import replacing
from cohortfinder.runs.record import RUNS
from cohortfinder.runs.snapshots import LISTS, MANIFEST, SNAPSHOTS
from cohortfinder.runs.tidy import STATE
from cohortfinder.warehouse.without_people import PATIENT, database_without, parquet_without

# what stands between the items of a list in a cell; queries/warehouse/copy_without.sql.jinja has the same
_BETWEEN = "; "


def forget_people(store: Path, people: People) -> int:
    """Make what was published and kept of runs anew without some people; return how many files that were."""
    return sum(_forget_in(folder, people) for folder in _folders(store))


def _folders(store: Path) -> Iterator[Path]:
    for name in (RUNS, SNAPSHOTS):
        if (store / name).is_dir():
            yield from sorted(folder for folder in (store / name).iterdir() if folder.is_dir())


def _forget_in(folder: Path, people: People) -> int:
    counted: dict[str, dict[str, int]] = {}
    changed = 0
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        if _is_left(file):
            file.unlink(missing_ok=True)
            changed += 1
        elif file.suffix == ".duckdb":
            counted[file.name] = _database(file, people)
            changed += 1
        elif _names(file, people):
            _without(file, people)
            changed += 1
    manifest = folder / MANIFEST
    if changed and manifest.is_file():
        _write_manifest(manifest, counted)
    return changed


def _is_left(file: Path) -> bool:
    """Say whether a file goes in any case: a kept evaluation, whole or not, or what a killed command was writing."""
    return file.name.startswith(STATE) or ".part" in file.suffixes


def _names(file: Path, people: People) -> bool:
    """Say whether a file names one of the people; a Parquet file and a workbook are packed."""
    if file.suffix == ".parquet":
        return True
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            return any(people.told_in(packed.read(name)) for name in packed.namelist())
    return people.told_in(file.read_bytes())


def _without(file: Path, people: People) -> None:
    mode = file.stat().st_mode
    if file.suffix == ".csv" and (content := _csv_without(file, people)) is not None:
        with replacing(file) as temporary:
            temporary.write_bytes(content)
    elif file.suffix == ".parquet":
        with replacing(file) as temporary:
            if not parquet_without(file, people.ids, temporary):
                temporary.write_bytes(file.read_bytes())
    elif file.name not in ("run.json", MANIFEST):
        file.unlink()
    if file.exists():
        file.chmod(mode)
    sync_folder(file.parent)


def _csv_without(file: Path, people: People) -> bytes | None:
    """Return a CSV file without the rows of some people; one about many without the words in its cells that name them.

    None where that is not enough.
    """
    rows = list(csv.reader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))
    place = rows[0].index(PATIENT) if rows and PATIENT in rows[0] else None
    if place is None:
        kept = [[_cell_without(cell, people) for cell in row] for row in rows]
    else:
        kept = [row for row in rows if len(row) <= place or row[place].removeprefix("'") not in people.ids]
    out = io.StringIO(newline="")
    csv.writer(out).writerows(kept)
    content = out.getvalue().encode()
    return None if people.told_in(content) else content


def _cell_without(cell: str, people: People) -> str:
    """Return a cell, an example or a list with `; ` between, without the people."""
    words = cell.split(_BETWEEN)
    return _BETWEEN.join(word for word in words if word not in people.ids and word not in people.records)


def _database(file: Path, people: People) -> dict[str, int]:
    target = file.with_name(f".{file.name}.part")
    target.unlink(missing_ok=True)
    counted = database_without(file, people.ids, people.records, target)
    target.chmod(file.stat().st_mode)
    target.replace(file)
    return counted


def _write_manifest(manifest: Path, counted: dict[str, dict[str, int]]) -> None:
    """Tell the files and rows as they are now."""
    content = orjson.loads(manifest.read_bytes())
    content["files"] = {
        name: {"sha256": sha256(file.read_bytes()).hexdigest(), "bytes": file.stat().st_size}
        for name in content.get("files", {}) if (file := manifest.parent / name).is_file()
    }  # fmt: skip
    if LISTS in counted and "tables" in content:
        content["tables"] = counted[LISTS]
    with replacing(manifest) as temporary:
        temporary.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
