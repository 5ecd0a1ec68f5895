"""candidates.xlsx as a spreadsheet program reads it."""

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest

from cohortfinder.report.screening import Screening, read_screening
from cohortfinder.report.workbook import Column, clean, new_workbook
from cohortfinder.report.worklist import write_worklist
from unit.report.screened import AS_OF, LABELS, a_trial, screened

HOSTILE = '=HYPERLINK("http://evil.example";"x")'


@pytest.fixture(scope="module")
def screening() -> Screening:
    return read_screening(screened(), a_trial(), AS_OF, labels=LABELS, warnings=("one pull is incomplete",))


def opened(screening: Screening, folder: Path) -> Any:
    write_worklist(folder / "candidates.xlsx", screening, scratch=folder)
    return openpyxl.load_workbook(folder / "candidates.xlsx")


def values(sheet: Any) -> list[tuple[object, ...]]:
    return [*sheet.iter_rows(values_only=True)]


def a_sheet(folder: Path, names: tuple[str, ...], rows: list[str]) -> Any:
    """Return a workbook with sheets of these names, each of one column."""
    with new_workbook(folder / "a.xlsx", scratch=folder, title="t", made_on=AS_OF) as book:
        for name in names:
            book.sheet(name, (Column("Text", 10, lambda row: row),), rows)
    return openpyxl.load_workbook(folder / "a.xlsx")


def test_each_arm_is_a_worklist_in_the_order_of_the_list(screening: Screening, tmp_path: Path) -> None:
    book = opened(screening, tmp_path)
    assert book.sheetnames == ["A", "B", "Evidence", "About"]
    header, *rows = values(book["A"])
    assert header[-4:] == ("Decision", "By", "On", "Note")
    assert [row[:7] for row in rows] == [
        (1, "=p1", "? Possible", 1, None, None, None),
        (2, "p2", "? Possible", 0.5, None, "I-RENAL 50 %", "I-RENAL"),
        (None, "p3", "✗ Excluded", 0, "I-RENAL", "I-DX 75 %", "I-DX"),
    ]
    assert {row[-4:] for row in rows} == {(None, None, None, None)}
    assert [row[header.index("Next test")] for row in rows] == [
        None, "Blood <i>chemistry</i>: settles I-RENAL; 50 % to end the question; 15 min", None,
    ]  # fmt: skip


def test_the_header_stays_in_view_with_filters_and_is_printed_on_every_page(
    screening: Screening, tmp_path: Path
) -> None:
    sheet = opened(screening, tmp_path)["A"]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == "A1:P4"
    assert sheet.print_title_rows == "$1:$1"


def test_a_decision_is_chosen_from_a_list(screening: Screening, tmp_path: Path) -> None:
    book = opened(screening, tmp_path)
    for sheet, place in ((book["A"], "M2:M4"), (book["Evidence"], "I2:I17")):
        offered = [(str(one.sqref), one.formula1) for one in sheet.data_validations.dataValidation]
        assert offered == [(place, '"yes,no,not sure"')]


def test_a_status_is_told_by_sign_and_word_beside_its_colour(screening: Screening, tmp_path: Path) -> None:
    sheet = opened(screening, tmp_path)["A"]
    looks = {sheet.cell(row, 3).value: sheet.cell(row, 3).fill.fgColor.rgb for row in (2, 3, 4)}
    assert looks == {"? Possible": "FFFBEFD5", "✗ Excluded": "FFF9E0E3"}


def test_the_evidence_has_what_fails_and_is_missing_first(screening: Screening, tmp_path: Path) -> None:
    header, *rows = values(opened(screening, tmp_path)["Evidence"])
    assert [name for name in header if name in ("patient_id", "arm", "criterion_id", "answer", "by", "at", "note")] == [
        "patient_id", "arm", "criterion_id", "answer", "by", "at", "note",
    ]  # fmt: skip
    assert len(rows) == len(screening.verdicts)
    assert [(row[2], row[3]) for row in rows if row[:2] == ("p3", "A")] == [
        ("I-RENAL", "✗ Fails"), ("I-DX", "? Unknown"), ("I-WILL", "? Unknown"), ("E-OTHER", "? Unknown"),
    ]  # fmt: skip
    assert ("p2", "2026-11-03 90 Observation/o") in [(row[0], row[5]) for row in rows]


def test_the_page_about_it_tells_warnings(screening: Screening, tmp_path: Path) -> None:
    assert ("Read this first", "one pull is incomplete") in values(opened(screening, tmp_path)["About"])


@pytest.mark.parametrize("text", [HOSTILE, "+1", "-1", "@x", "\t=1", "{=1}", "http://evil.example", "0042", "1E5"])
def test_a_text_stays_a_text(text: str, tmp_path: Path) -> None:
    """Neither a formula nor a link nor a number, and also not after somebody has opened the cell."""
    book = a_sheet(tmp_path, ("S",), [text])
    cell = book["S"]["A2"]
    assert (cell.value, cell.data_type, cell.hyperlink, cell.quotePrefix) == (text, "s", None, True)
    with ZipFile(tmp_path / "a.xlsx") as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")


def test_a_text_that_looks_like_the_inside_of_a_workbook_stays_a_text(tmp_path: Path) -> None:
    """XlsxWriter takes a text between <r> and </r> for XML and would write it as it is."""
    for text in ("<r>&</r>", "<r><t>x</t></r>"):
        assert a_sheet(tmp_path, ("S",), [text])["S"]["A2"].value == f"\u200b{text}"


def test_where_something_is_filled_in_has_a_ground_without_cells(screening: Screening, tmp_path: Path) -> None:
    sheet = opened(screening, tmp_path)["A"]
    grounds = {str(one.sqref): [rule.formula for rule in one.rules] for one in sheet.conditional_formatting}
    choices = [['"yes"'], ['"no"'], ['"not sure"']]
    assert grounds == {"M2:M4": [*choices, ["TRUE"]], **{f"{column}2:{column}4": [["TRUE"]] for column in "NOP"}}
    with ZipFile(tmp_path / "candidates.xlsx") as parts:
        assert b'r="N2"' not in parts.read("xl/worksheets/sheet1.xml")


def test_what_no_workbook_can_hold_is_replaced(tmp_path: Path) -> None:
    text = "a\x00b\x1b\ud800c\uffff"
    assert a_sheet(tmp_path, ("S",), [text])["S"]["A2"].value == clean(text) == "a\ufffdb\ufffd\ufffdc\ufffd"
    long = a_sheet(tmp_path, ("S",), ["x" * 40_000])["S"]["A2"].value
    assert len(long) == 32_767


def test_any_name_of_an_arm_makes_a_sheet(tmp_path: Path) -> None:
    names = ("a/b:c*?[d]", "A_B_C___D_", "x" * 40, "x" * 41, "History", "'q'", "سرطان")
    assert a_sheet(tmp_path, names, ["1"]).sheetnames == [
        "a_b_c___d_", "A_B_C___D_ 2", "x" * 31, "x" * 29 + " 2", "History_", "_q_", "سرطان",
    ]  # fmt: skip


def test_nobody_listed_makes_an_empty_worklist(screening: Screening, tmp_path: Path) -> None:
    book = opened(replace(screening, candidates=(), verdicts=()), tmp_path)
    assert [len(values(book[name])) for name in ("A", "B", "Evidence")] == [1, 1, 1]


def test_a_day_is_a_date(tmp_path: Path) -> None:
    with new_workbook(tmp_path / "a.xlsx", scratch=tmp_path, title="t", made_on=AS_OF) as book:
        book.sheet("S", (Column("On", 10, lambda row: row, "date"),), [date(2026, 11, 20)])
    cell = openpyxl.load_workbook(tmp_path / "a.xlsx")["S"]["A2"]
    assert (cell.value.date(), cell.number_format) == (date(2026, 11, 20), "yyyy-mm-dd")


# each sheet is smaller than the largest file that the process may write, the workbook is larger
TOO_LARGE = """
import resource, sys
from datetime import date
from pathlib import Path
from random import Random
from cohortfinder.report.workbook import Column, new_workbook
folder, random = Path(sys.argv[1]), Random(1)
rows = [random.randbytes(100).hex() for _ in range(500)]
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    with new_workbook(folder / "a.xlsx", scratch=folder, title="t", made_on=date(2026, 11, 20)) as book:
        for number in range(10):
            book.sheet(f"Sheet {number}", (Column("Text", 10, lambda row: row),), rows)
except OSError as error:
    print(error.strerror)
"""


def test_where_a_workbook_cannot_be_written_whole_the_error_is_all_that_is_said(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", TOO_LARGE, tmp_path], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("File too large\n", "")
