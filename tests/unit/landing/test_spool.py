"""The spool: what the journal does not tell of was never there."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from cohortfinder.landing.spool import JOURNAL, PAGES, START, Plan, Slice, SliceSpool, Spool, spooled_lines

PART = Slice(1, "search", ("Observation",), (("combo-code", "718-7"),), "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z")


def two_pages(folder: Path) -> SliceSpool:
    spool = SliceSpool(folder)
    mark = spool.add(b'{"page": 1}', replace(spool.resume(), pages=1, next="2"))
    spool.add(b'{"page": 2}', replace(mark, pages=2, next="3"))
    return spool


def test_pages_are_lines_of_one_compressed_file(tmp_path: Path) -> None:
    spool = two_pages(tmp_path / "1")
    assert gzip.decompress((tmp_path / "1" / PAGES).read_bytes()) == b'{"page": 1}\n{"page": 2}\n'
    assert [*spooled_lines(spool.files())] == [b'{"page": 1}', b'{"page": 2}']
    assert (spool.mark.pages, spool.mark.next) == (2, "3")


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_mark_that_was_cut_takes_its_page_with_it(tmp_path: Path, cut: int) -> None:
    spool = two_pages(tmp_path / "1")
    journal = tmp_path / "1" / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-cut])
    assert spool.resume().pages == 1
    assert [*spooled_lines(spool.files())] == [b'{"page": 1}']
    spool.add(b'{"page": "again"}', replace(spool.mark, pages=2))
    assert [*spooled_lines(spool.files())] == [b'{"page": 1}', b'{"page": "again"}']
    assert [mark.pages for mark in spool.marks()] == [1, 2]


def test_a_page_without_its_mark_is_cut_off(tmp_path: Path) -> None:
    spool = two_pages(tmp_path / "1")
    with (tmp_path / "1" / PAGES).open("ab") as pages:
        pages.write(b"\x1f\x8b half of a member")
    assert spool.resume().pages == 2
    assert len([*spooled_lines(spool.files())]) == 2


def test_a_restart_forgets_everything(tmp_path: Path) -> None:
    spool = two_pages(tmp_path / "1")
    assert spool.restart() == START
    assert (spool.files(), spool.marks()) == ((), ())


def test_a_plan_is_read_as_it_was_written_and_what_it_does_not_name_goes(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in (1, 2):
        own = spool.of(replace(PART, number=number))
        own.add(b"{}", replace(own.resume(), pages=1))
    plan = Plan("https://fhir.example", "", (PART,), "token", (1,))
    spool.write(plan)
    assert spool.read() == plan
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0001", "plan.json"]
    spool.write(Plan("https://fhir.example", "", ()))
    assert (spool.read(), [*tmp_path.iterdir()]) == (None, [])


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"server": 1}'])
def test_a_plan_that_is_damaged_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "plan.json").write_bytes(content)
    assert Spool(tmp_path).read() is None
