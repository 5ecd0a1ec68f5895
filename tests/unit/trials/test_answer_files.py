"""A file of answers to values, or every problem in it with its line."""

from datetime import date
from pathlib import Path

import pytest

from cohortfinder.errors import InputError, TrialError
from cohortfinder.model import Trial
from cohortfinder.trials.answers import parse_answers, read_answers
from cohortfinder.trials.parser import parse_trial

HEADER = "patient_id,arm,criterion_id,answer,by,at,note"
TRIAL = """\
trial: T-1
title: A small trial
time_zone: Asia/Shanghai
arms:
  A: {name: First, entry: I-1}
  B: {name: Second, entry: I-1}
inclusion:
  - {id: I-1, text: adults, age: {at_least: 18}}
  - {id: I-CONSENT, arms: [A], text: consent, certainty: judgement, judgement: the form}
"""
GOOD = "p1,A,I-1,yes,Dr. Li,2026-11-02,"


def trial() -> Trial:
    return parse_trial(TRIAL, source="t.yaml")


def problems(*lines: str, header: str = HEADER) -> list[str]:
    with pytest.raises(TrialError) as caught:
        parse_answers("\n".join([header, *lines]).encode(), source="a.csv", trial=trial())
    return str(caught.value).splitlines()


def test_answers_are_in_the_order_of_their_time_in_the_zone_of_the_trial() -> None:
    """A time of another zone is turned; 23:30 in London is the next day in Shanghai. A day alone is its first moment."""
    lines = ["p1,A,I-1,no,Dr. Li,2026-11-02T23:30:00+00:00,", "p1,A,I-1,yes,Dr. Mo,2026-11-03,note"]
    read = parse_answers("\r\n".join([HEADER, *lines]).encode("utf-8-sig"), source="a.csv", trial=trial())
    assert [(one.truth, one.by, one.at.date(), one.note, one.line) for one in read.answers] == [
        (True, "Dr. Mo", date(2026, 11, 3), "note", 3),
        (False, "Dr. Li", date(2026, 11, 3), "", 2),
    ]


def test_without_an_arm_it_is_said_of_all_arms_in_which_the_criterion_holds() -> None:
    lines = [
        "p1,,I-1,yes,Dr. Li,2026-11-02,",
        "p1,,I-CONSENT,yes,Dr. Li,2026-11-02,",
        "p1,,outcome,eligible,Dr. Li,2026-11-09,",
    ]
    read = parse_answers("\n".join([HEADER, *lines]).encode(), source="a.csv", trial=trial())
    assert [(one.criterion_id, one.arm) for one in read.answers] == [("I-1", "A"), ("I-1", "B"), ("I-CONSENT", "A")]
    assert [(one.arm, one.passed) for one in read.outcomes] == [("A", True), ("B", True)]


@pytest.mark.parametrize(
    ("word", "passed"), [("eligible", True), ("enrolled", True), ("ineligible", False), ("declined", None)]
)
def test_how_a_screening_ended_is_an_outcome(word: str, passed: bool | None) -> None:
    read = parse_answers(f"{HEADER}\np1,A,outcome,{word},Dr. Li,2026-11-02,".encode(), source="a.csv", trial=trial())
    assert ([one.passed for one in read.outcomes], read.answers) == ([passed], ())


def test_ids_may_stand_as_our_own_tables_and_fhir_write_them() -> None:
    lines = [GOOD.replace("p1", "'=p1"), GOOD.replace("p1", "Patient/p1"), GOOD.replace("p1", "'p1")]
    read = parse_answers("\n".join([HEADER, *lines]).encode(), source="a.csv", trial=trial())
    assert [one.patient_id for one in read.answers] == ["=p1", "p1", "'p1"]


def test_columns_may_stand_in_another_order_and_a_blank_line_says_nothing() -> None:
    content = b"by,at,answer,criterion_id,arm,patient_id\n\nDr. Li,2026-11-02,yes,I-1,A,p1\n"
    assert [one.line for one in parse_answers(content, source="a.csv", trial=trial()).answers] == [3]


def test_a_parameter_of_a_patient_is_kept_for_later_and_said_to_change_nothing() -> None:
    read = parse_answers(
        f"{HEADER}\np1,A,parameter:planned,2026-12-01,Dr. Li,2026-11-02,".encode(), source="a.csv", trial=trial()
    )
    assert read.answers == ()
    assert "line 2" in read.warnings[0]


def test_an_empty_file_of_answers_is_no_table_and_one_with_a_header_alone_says_nothing() -> None:
    assert problems(header="") == ["a.csv:1: the column 'patient_id' is missing; the columns are patient_id, arm, criterion_id, answer, by, at, note"]  # fmt: skip
    assert parse_answers(HEADER.encode(), source="a.csv", trial=trial()).answers == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("p1", "", "this answer is about nobody; write the patient_id of candidates.csv"),
        ("I-1", "I-CONSNT", "T-1 has no criterion 'I-CONSNT'. Did you mean 'I-CONSENT'?"),
        ("I-1", "", "T-1 has no criterion ''. See the ids in the trial file."),
        (",A,", ",C,", "T-1 has no arm 'C'. It has A, B."),
        (",A,I-1", ",B,I-CONSENT", "'I-CONSENT' does not hold in arm 'B', but in A"),
        ("yes", "yess", "'yess' is no answer; write one of yes, no, not sure. Did you mean 'yes'?"),
        ("yes", "", "'' is no answer; write one of yes, no, not sure."),
        ("I-1,yes", "outcome,yes", "'yes' is no answer; write one of eligible, enrolled, ineligible, declined, not sure."),
        ("Dr. Li", "", "an answer needs 'by', the name of the person who gave it"),
        ("2026-11-02", "2/11/2026", "'2/11/2026' is no time; write when it was answered as 2026-11-20 or 2026-11-20T14:30"),
        (GOOD, "p1,A", "2 cells where 7 belong; quote a text that holds a comma"),
        (GOOD, 'p1,A,I-1,yes,"Dr. Li,2026', "this cannot be read as CSV (unexpected end of data); check the quotes"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_line_and_remedy(old: str, new: str, message: str) -> None:
    (problem,) = problems(GOOD.replace(old, new, 1))
    assert problem == f"a.csv:2: {message}"


def test_every_problem_is_told_at_once() -> None:
    assert len(problems(",A,I-1,perhaps,,soon,", "p1,A,I-9,yes,Dr. Li,2026-11-02,")) == 5


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER.replace(",", ";"), "with commas; 'patient_id;arm;criterion_id;answer;by;at;note' is none."),
        (HEADER.replace("answer", "anser"), "'anser' is none. Did you mean 'answer'?"),
        (HEADER + ",by", "a column stands twice"),
    ],
)
def test_a_wrong_table_is_refused(header: str, message: str) -> None:
    assert message in problems(GOOD, header=header)[0]


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(HEADER.encode() + b"\np1,A,I-1,yes,Dr. L\xfc,2026-11-02,\n")
    with pytest.raises(TrialError, match=r"a\.csv:2: this is not UTF-8"):
        read_answers(tmp_path / "a.csv", trial())
    with pytest.raises(InputError, match="there is no such file of answers"):
        read_answers(tmp_path / "b.csv", trial())
