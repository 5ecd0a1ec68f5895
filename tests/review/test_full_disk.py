"""The disk of the review store fills: nothing is half said, the page says so, and all is well when there is room."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cohortfinder.review.store.answers import answers_in
from cohortfinder.review.store.audit import faults
from cohortfinder.settings import Settings
from review.conftest import ON_POSTGRESQL
from review.running import TRIAL, forms_of, serving
from review.test_patient_page import answer
from small_disk import small_disk_in

pytestmark = pytest.mark.skipif(ON_POSTGRESQL, reason="PostgreSQL has its own disk")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk_in(tmp_path, 4) as place:
        yield place


def fill(disk: Path) -> Path:
    """Leave no room on a disk."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream, suppress(OSError):
        while stream.write(b"\0" * 4096):
            pass
    assert os.statvfs(disk).f_bavail == 0
    return filler


def test_an_answer_that_finds_no_room_is_not_half_kept_and_the_page_says_so(
    disk: Path, tmp_path: Path, people: Callable[[Path], str], published_settings: Settings
) -> None:
    with serving(published_settings, people(disk), tmp_path / "audit-head") as running:
        anna, page = running.browser_of("anna"), running.page_of("sle-belimumab-order-only")
        # the form is on the screen before the disk fills
        (form,) = [one for one in forms_of(anna.get(page).text) if one.fields.get("criterion") == "I-CONSENT"]
        filler = fill(disk)
        told = anna.session.post(
            running.url + form.action, data={**form.fields, "word": "yes", "note": "x" * 1900}, timeout=60
        )
        filler.unlink()
        assert told.status_code == 503
        assert "Nothing was saved" in told.text
        assert "disk is full" in told.text
        with running.database.reading() as connection:
            assert answers_in(connection, TRIAL) == ()
            assert [*faults(connection, running.application.keys, running.application.head)] == []
        assert answer(anna, page, "I-CONSENT", "yes").status_code == 200
        with running.database.reading() as connection:
            assert [one.word for one in answers_in(connection, TRIAL)] == ["yes"]
            assert [*faults(connection, running.application.keys, running.application.head)] == []
