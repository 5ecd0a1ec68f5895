"""What the page says of outcomes: nothing without them, little of few, and how chances are corrected."""

import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from cohortfinder.model import Ranking, Recalibration
from cohortfinder.ranking.calibration import calibration_of
from cohortfinder.report.calibration_page import calibration_page, calibration_record
from cohortfinder.report.csv_files import CANDIDATES, candidate_cells
from cohortfinder.report.html import report_html
from cohortfinder.report.screening import read_screening
from cohortfinder.report.worklist import write_worklist
from unit.report.screened import AS_OF, LABELS, a_trial, screened

SCREENING = read_screening(screened(), a_trial(), AS_OF, labels=LABELS)
DECLARED = Ranking(declared=True, recalibration=Recalibration(weight=20, at_least=40))
Row = tuple[bool | None, float | None]
# the chances are too sure: of those with 80 % a half pass, of those with 20 % a quarter
MANY: list[Row] = [(place % 2 == 0, 0.8) for place in range(40)] + [(place % 4 == 0, 0.2) for place in range(40)]


def told(rows: list[Row], ranking: Ranking = DECLARED) -> list[str]:
    page = calibration_page(replace(SCREENING, calibration=calibration_of(rows, ranking)))
    assert page is not None
    return [*page.told, *page.left_out]


def test_without_outcomes_there_is_no_section_and_no_number() -> None:
    page = report_html(SCREENING).decode()
    assert "calibration" not in re.sub("<style>.*?</style>", "", page, flags=re.DOTALL)
    assert calibration_page(SCREENING) is None
    assert calibration_record(None) is None


def test_few_outcomes_are_too_few_and_the_intervals_are_drawn() -> None:
    rows: list[Row] = [(place < 3, 0.5) for place in range(12)]
    assert told(rows)[:2] == [
        "12 screenings of candidates ended: 3 passed, 6.0 were expected.",
        "12 outcomes: too few to judge. The spans in the drawing say how little they tell.",
    ]
    page = report_html(replace(SCREENING, calibration=calibration_of(rows, DECLARED))).decode()
    section = page[page.index('<section id="calibration"') :]
    assert "of 12 with a chance of 50 % on average 25 % passed" in section
    assert section.count('class="span"') == 1
    assert "From 40 of these outcomes on the chances are corrected" in section
    assert 'href="#calibration"' in page


@pytest.mark.parametrize("rows", [[], [(True, 0.0)], [(None, 0.4)], [(True, None)]])
def test_outcomes_of_nobody_who_was_a_candidate_judge_nothing(rows: list[Row]) -> None:
    assert told(rows)[0].startswith("No outcome is about a patient who was a candidate")
    assert report_html(replace(SCREENING, calibration=calibration_of(rows, DECLARED)))


def test_all_passed_is_said_as_it_is() -> None:
    """Who says in hindsight that all pass is without fault, which is no fault of the score."""
    sentences = told([(True, 0.7)] * 40)
    assert sentences[0] == "40 screenings of candidates ended: 40 passed, 28.0 were expected."
    assert "To say of everybody that 100 % pass would have 0.000. All ended alike" in sentences[1]


def test_chances_that_were_too_sure_are_corrected_and_the_order_stays(tmp_path: Path) -> None:
    sentences = told(MANY)
    assert "where 0 is best. To say of everybody that 38 % pass would have 0.234." in sentences[1]
    line = calibration_of(MANY, DECLARED).map
    assert line is not None
    assert line.slope < 1
    assert f"their logit times {line.slope:.2f} minus {-line.shift:.2f}, held back by 20 invented" in sentences[2]
    corrected = replace(SCREENING, calibration=calibration_of(MANY, DECLARED))
    score, calibrated = CANDIDATES.index("score"), CANDIDATES.index("calibrated")
    cells = [(row[score], row[calibrated]) for row in candidate_cells(corrected)]
    assert [one for _, one in cells] == sorted((one for _, one in cells), reverse=True)
    assert {0 < chance < score for score, chance in cells if score} == {True}
    assert [chance for score, chance in cells if not score] == [0]
    page = report_html(corrected).decode()
    assert re.search(r"Chance \d+ % \(corrected by outcomes: \d+ %\)", page)
    assert ">corrected</text>" in page
    assert len(re.findall(r"<small>corrected \d+ %</small>", page)) == 3
    write_worklist(tmp_path / "list.xlsx", corrected, scratch=tmp_path)
    header, first, *_ = openpyxl.load_workbook(tmp_path / "list.xlsx")["A"].iter_rows(values_only=True)
    assert (header[-1], first[-1]) == ("Chance corrected by outcomes", pytest.approx(cells[0][1]))


def test_a_trial_that_declares_nothing_is_corrected_by_nothing() -> None:
    undeclared = replace(SCREENING, calibration=calibration_of(MANY, Ranking()))
    assert "The trial file declares no calibration" in told(MANY, Ranking())[2]
    assert {row[CANDIDATES.index("calibrated")] for row in candidate_cells(undeclared)} == {None}
    record = calibration_record(undeclared.calibration)
    assert record is not None
    assert (record["outcomes"], record["passed"], record["recalibrated"]) == (80, 30, None)


def test_who_is_left_out_is_counted() -> None:
    rows: list[Row] = [(True, 0.5), (True, 0.0), (False, 0.0), (False, None), (None, None), (None, 0.3)]
    assert told(rows)[-3:] == [
        "2 outcomes of patients with a failing criterion before; 1 passed all the same.",
        "1 outcome of patients who are not listed today, or were not by the data alone.",
        "2 outcomes with nothing about the criteria (declined, not sure).",
    ]
