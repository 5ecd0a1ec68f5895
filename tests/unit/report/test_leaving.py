"""What leaves the site names nobody, and tells no date or text of a patient."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from cohortfinder.report.export import Export, counts_html, funnel, write_export
from cohortfinder.report.pseudonyms import Pseudonyms, write_identification
from cohortfinder.report.screening import Screening, read_screening
from unit.report.screened import AS_OF, LABELS, a_trial, screened

PSEUDONYMS = Pseudonyms(bytes(32), "T1")


@pytest.fixture(scope="module")
def screening() -> Screening:
    """The small screening, with ids that would be seen if they were anywhere."""
    found = read_screening(screened(), a_trial(), AS_OF, labels=LABELS)
    candidates = tuple(replace(one, patient_id=f"someone-{one.patient_id}") for one in found.candidates)
    opened = {(f"someone-{patient}", arm): own for (patient, arm), own in found.open_criteria.items()}
    return replace(found, candidates=candidates, open_criteria=opened)


@pytest.fixture(scope="module")
def out(screening: Screening, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    write_export(folder, Export(screening, PSEUDONYMS))
    return folder


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_nobody_is_named_and_no_day_but_that_of_the_screening_is_told(out: Path, screening: Screening) -> None:
    for file in (path for path in out.rglob("*") if path.is_file() and path.suffix != ".xlsx"):
        text = file.read_text("utf-8")
        assert "someone" not in text, file
        assert set(re.findall(r"\d{4}-\d\d-\d\d", text)) <= {"2026-11-20"}, file
    assert any(one.last_contact for one in screening.candidates)


def test_the_rows_are_in_the_order_of_their_pseudonyms(out: Path) -> None:
    found = rows(out / "pseudonymised/candidates.csv")
    assert [row["pseudonym"] for row in found] == sorted(row["pseudonym"] for row in found)
    p3 = PSEUDONYMS.of("someone-p3")
    assert [(row["arm"], row["status"], row["fails"], row["missing"]) for row in found if row["pseudonym"] == p3] == [
        ("A", "excluded", "I-RENAL", "I-DX"),
        ("B", "possible", "", "I-RENAL"),
    ]


def test_the_screening_log_says_who_is_not_eligible_and_why(out: Path) -> None:
    found = rows(out / "pseudonymised/screening_log.csv")
    assert len(found) == 4
    mine = [row for row in found if row["screening_number"] == PSEUDONYMS.of("someone-p3")]
    assert [list(row.values())[1:] for row in mine] == [
        ["2026-11-20", "T1", "A", "no", "I-RENAL: creatinine at most 1.5 x ULN", "I-DX"],
        ["2026-11-20", "T1", "B", "not yet known", "", "I-RENAL"],
    ]


def test_the_screening_log_is_also_a_sheet_to_sign(out: Path) -> None:
    sheet = openpyxl.load_workbook(out / "pseudonymised/screening_log.xlsx")["Screening log"]
    header, *lines = sheet.iter_rows(values_only=True)
    assert header[-3:] == ("Enrolled", "Checked by", "On")
    assert [line[0] for line in lines] == [
        row["screening_number"] for row in rows(out / "pseudonymised/screening_log.csv")
    ]


def test_counts_are_withheld_as_they_were_asked_for(screening: Screening) -> None:
    """Four live, three are listed: all of it is small, unless nothing is to be withheld."""
    told = funnel(Export(screening, PSEUDONYMS)).decode().split("\r\n")
    assert told[1:4] == ["A,0,,,,", "A,1,I-DX,,,", "A,2,I-RENAL,,,"]
    told = funnel(Export(screening, PSEUDONYMS, below=1)).decode().split("\r\n")
    assert told[1:4] == ["A,0,,4,,", "A,1,I-DX,3,1,1", "A,2,I-RENAL,2,1,1"]


def test_the_page_of_counts_says_what_is_withheld(screening: Screening) -> None:
    page = counts_html(Export(screening, PSEUDONYMS)).decode()
    assert "Numbers from 1 to 4" in page
    assert "withheld" not in counts_html(Export(screening, PSEUDONYMS, below=1)).decode()
    assert "A trial &lt;b&gt;of our own" in page


def test_the_export_says_what_ran(out: Path) -> None:
    told = json.loads((out / "export.json").read_bytes())
    assert (told["trial"], told["as_of"], told["withheld_below"], told["complete"]) == ("T1", "2026-11-20", 5, True)


def test_the_site_alone_knows_who_is_who(screening: Screening, tmp_path: Path) -> None:
    listed = [one.patient_id for one in screening.candidates]
    write_identification(tmp_path / "who.csv", PSEUDONYMS.of, {*listed})
    assert (tmp_path / "who.csv").stat().st_mode & 0o777 == 0o600
    known = {row["patient_id"]: row["pseudonym"] for row in rows(tmp_path / "who.csv")}
    assert known == {patient: PSEUDONYMS.of(patient) for patient in ("someone-=p1", "someone-p2", "someone-p3")}
