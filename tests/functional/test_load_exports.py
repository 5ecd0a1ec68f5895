"""Folders of Bulk Data exports, as other tools leave them: every name is known, and deletions and errors are heard."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.jobs.load import load
from cohortfinder.warehouse.connection import open_warehouse
from functional.test_load import observation, write

AT = "2026-11-20T10:00:00Z"


def ids(store: Path, table: str = "observation") -> list[str]:
    with open_warehouse(store, read_only=True) as connection:
        return [row[0] for row in connection.execute(f"SELECT id FROM {table} ORDER BY id").fetchall()]


def patient(own_id: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": own_id, "meta": {"lastUpdated": "2026-11-01T10:00:00Z"}}


def deletion(*urls: str) -> dict[str, Any]:
    entries = [{"request": {"method": "DELETE", "url": url}} for url in urls]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def outcome(severity: str) -> dict[str, Any]:
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": "processing", "diagnostics": "x"}],
    }


def event(name: str, **detail: Any) -> dict[str, Any]:
    return {"exportId": "e", "timestamp": AT, "eventId": name, "eventDetail": detail}


def export(folder: Path, *, log: bool = True) -> Path:
    """A folder with the parts that an export has."""
    for name in ("deleted", "error"):
        (folder / name).mkdir(parents=True)
    if log:
        write(folder / "log.ndjson", event("kickoff", exportUrl="x"), event("status_complete", transactionTime=AT))
    return folder


@pytest.mark.parametrize("name", ["Patient.ndjson", "Patient.000.ndjson", "1.Patient.ndjson", "patients.jsonl"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_way_to_name_a_file_is_known(tmp_path: Path, name: str, packed: bool) -> None:
    folder = export(tmp_path / "export")
    content = write(folder / name, patient("a"), patient("b")).read_bytes()
    if packed:
        (folder / name).unlink()
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    summary = load([folder], tmp_path / "store")
    assert (summary.exit_status, ids(tmp_path / "store", "patient")) == (0, ["a", "b"])
    assert summary.skipped == (f"{folder / 'log.ndjson'}: the log of an export",)


def test_what_an_export_names_as_deleted_goes(tmp_path: Path) -> None:
    load([write(tmp_path / "first.ndjson", *(observation(own_id, 1, 10) for own_id in "abc"))], tmp_path / "store")
    folder = export(tmp_path / "export")
    write(folder / "Observation.000.ndjson", observation("d", 2, 20))
    write(folder / "deleted" / "Bundle.000.ndjson", deletion("Observation/a", "Observation/b"), deletion("Patient/x"))
    assert load([folder], tmp_path / "store").exit_status == 0
    assert ids(tmp_path / "store") == ["c", "d"]


def test_what_an_export_contains_is_not_deleted_by_it(tmp_path: Path) -> None:
    """Made again after it was deleted; an id that only occurs inside another resource proves nothing."""
    load([write(tmp_path / "first.ndjson", *(observation(own_id, 1, 10) for own_id in "ab"))], tmp_path / "store")
    folder = export(tmp_path / "export")
    other = observation("c", 2, 20) | {"extension": [{"id": "b", "url": "http://site.example"}]}
    write(folder / "Observation.000.ndjson", observation("a", 2, 20), other)
    write(folder / "deleted" / "Bundle.000.ndjson", deletion("Observation/a", "Observation/b"))
    load([folder], tmp_path / "store")
    assert ids(tmp_path / "store") == ["a", "c"]


def test_a_later_export_deletes_what_an_earlier_one_contains(tmp_path: Path) -> None:
    for name, at in (("1", AT), ("2", "2026-11-21T10:00:00Z")):
        export(tmp_path / name, log=False)
        write(tmp_path / name / "log.ndjson", event("manifest_complete", transactionTime=at))
    write(tmp_path / "1" / "Observation.000.ndjson", observation("a", 1, 10), observation("b", 1, 10))
    write(tmp_path / "2" / "deleted" / "Bundle.000.ndjson", deletion("Observation/a"))
    load([tmp_path / "1", tmp_path / "2"], tmp_path / "store")
    assert ids(tmp_path / "store") == ["b"]


@pytest.mark.parametrize("log", ["", "no json\n", '["a"]\n', '{"eventDetail": {"transactionTime": 1}}\n'])
def test_a_deletion_of_unknown_time_is_put_aside(tmp_path: Path, log: str) -> None:
    folder = export(tmp_path / "export", log=False)
    if log:
        (folder / "log.ndjson").write_text(log)
    write(folder / "Observation.ndjson", observation("a", 1, 10))
    write(folder / "deleted" / "Bundle.000.ndjson", deletion("Observation/a"))
    summary = load([folder], tmp_path / "store")
    assert (summary.exit_status, ids(tmp_path / "store")) == (3, ["a"])
    assert summary.reasons == {"entry 1: a deletion without its time (response.lastModified) is not applied": 1}


@pytest.mark.parametrize(
    ("severity", "status"), [("information", 0), ("warning", 0), ("error", 3), ("fatal", 3)]
)  # fmt: skip
def test_an_error_that_the_exporting_server_reports_is_told(tmp_path: Path, severity: str, status: int) -> None:
    folder = export(tmp_path / "export")
    write(folder / "Observation.ndjson", observation("a", 1, 10))
    write(folder / "error" / "OperationOutcome.000.ndjson", outcome("information"), outcome(severity))
    summary = load([folder], tmp_path / "store")
    assert summary.exit_status == status
    assert summary.reasons == ({"the exporting server reports an error": 1} if status else {})


def test_a_zip_bomb_is_refused(tmp_path: Path, run: Callable[..., Any]) -> None:
    """300 MB of one line in a few hundred kilobytes; what is beside it is loaded."""
    packed = gzip.compress(b'{"resourceType":"Patient","id":"a"' + b" " * 10**6 + b"}\n") * 300
    (tmp_path / "Patient.ndjson.gz").write_bytes(packed)
    write(tmp_path / "Observation.ndjson", observation("a", 1, 10))
    ran = run("load", tmp_path, "--store", tmp_path / "store")
    assert ran.status == 3
    assert "put aside: 1 x the compressed file unpacks to more than 200 times its size" in ran.out


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = export(tmp_path / "export")
    write(folder / "Observation.ndjson", observation("a", 1, 10))
    (folder / "Patient.ndjson").symlink_to(write(tmp_path / "elsewhere.ndjson", patient("x")))
    (folder / "more").symlink_to(tmp_path)
    summary = load([folder], tmp_path / "store")
    assert summary.skipped[:2] == (
        f"{folder / 'more'}: a link to a folder is not followed",
        f"{folder / 'Patient.ndjson'}: a link that leads out of the folder",
    )
    assert ids(tmp_path / "store", "patient") == []
