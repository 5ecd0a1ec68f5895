"""Who the listed people are lies beside their lists, in a file of its own."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.review.store.notes import add_note
from cohortfinder.runs.snapshots import snapshot_folder
from cohortfinder.warehouse.identities import IDENTITIES, read_identities
from cohortfinder.warehouse.record_codes import RECORD_CODES
from functional.test_night_review import AT, Reviewed
from functional.test_pull import patient


@pytest.fixture
def nights(tmp_path: Path, run: Callable[..., Any]) -> Iterator[Reviewed]:
    made = Reviewed(tmp_path, run)
    yield made
    made.database.close()


def test_who_is_listed_is_named_in_a_file_apart_that_only_the_owner_reads(nights: Reviewed) -> None:
    """The newest version that was loaded counts; whoever is not listed and of whom nothing was said is not in it."""
    nights.load(
        patient(
            "p1", meta={"lastUpdated": "2026-11-02T00:00:00Z", "versionId": "10"}, name=[{"family": "Quill", "given": ["Ada", "M."]}],
            identifier=[{"type": {"coding": [{"code": "MR"}]}, "value": "MRN-1"}], telecom=[{"system": "phone", "value": "+1 555"}],
        ),
        patient("unlisted", name=[{"family": "Elsewhere"}]), patient("said-of", name=[{"text": "Said Of"}]),
    )  # fmt: skip
    nights.load(
        patient("p1", meta={"lastUpdated": "2026-11-02T00:00:00Z", "versionId": "9"}, name=[{"family": "Older"}])
    )
    with nights.database.writing() as connection:
        add_note(connection, "PULLED", "said-of", "was here once", private=False, account_id=nights.anna, at=AT)
        add_note(connection, "PULLED", "never-loaded", "x", private=False, account_id=nights.anna, at=AT)
    told = nights.night()
    folder = snapshot_folder(nights.store, told["run_id"])
    found = read_identities(folder / IDENTITIES)
    assert {*found} == {*(f"p{number}" for number in range(10)), "said-of"}
    assert found["p1"] == ("p1", "Quill, Ada M.", "1980-01-01", "female", "MRN-1", "+1 555", "", "")
    assert found["said-of"].name == "Said Of"
    assert stat.S_IMODE(os.stat(folder / IDENTITIES).st_mode) == 0o400
    assert IDENTITIES in json.loads((folder / "manifest.json").read_bytes())["files"]
    assert RECORD_CODES in json.loads((folder / "manifest.json").read_bytes())["files"]
    others = [file for file in folder.rglob("*") if file.is_file() and file.name != IDENTITIES]
    assert [file for file in others if b"Quill" in file.read_bytes() or b"MRN-1" in file.read_bytes()] == []
