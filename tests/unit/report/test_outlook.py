"""The coming weeks in words, in the calendar of the page, and in one without names."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from icalendar import Calendar

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.model import Leaf
from cohortfinder.ranking.outlook import Outlook, Turn, TurnedLeaf
from cohortfinder.report.calendar_page import weeks
from cohortfinder.report.causes import cause
from cohortfinder.report.outlook_files import outlook_csv, outlook_ics
from cohortfinder.report.reasons import leaf_words
from cohortfinder.report.screening import Screening, read_screening
from cohortfinder.wording import Evidence, Language
from unit.report.screened import AS_OF, LABELS, a_trial, screened

DAY = date(2026, 12, 3)
LANGUAGE = Language({"rx_belimumab": "Belimumab", "lvef": "LVEF", "creatinine_serum": "Creatinine"}, DAY)


def told(words: dict[str, object], was: bool | None, truth: bool | None, code: str, **found: str) -> str:
    kind = next(iter(words))
    leaf = Leaf("X.1", kind, LEAF_KINDS[kind].model_validate(words), True, 1)
    evidence = json.dumps([Evidence("X.1", "R/1", **found)])
    return cause(leaf, leaf_words(leaf, LANGUAGE), TurnedLeaf("X.1", was, truth, "met", code, evidence, evidence), DAY)


def test_a_wash_out_ends() -> None:
    assert told({"medication": "rx_belimumab", "within": "3 weeks"}, True, False, "outside_window", date="2026-11-11") == (
        "the wash-out ends: belimumab (dated 2026-11-11) is more than 3 weeks ago"
    )  # fmt: skip


def test_an_echo_grows_too_old() -> None:
    words = {"observation": "lvef", "at_least": "50 %", "within": "6 months"}
    assert told(words, True, None, "out_of_window", date="2026-06-02", value="60 %") == (
        "LVEF 60 % on 2026-06-02 grows too old (it counts for 6 months)"
    )


@pytest.mark.parametrize(
    ("was", "truth", "said"),
    [
        (True, False, "66th birthday"),
        (False, True, "18th birthday"),
        (True, None, "the 66th birthday may have come, as the birth date is incomplete"),
        (None, False, "the 66th birthday has certainly come"),
        (None, True, "the 18th birthday has certainly come"),
    ],
)
def test_a_birthday_is_named(was: bool | None, truth: bool | None, said: str) -> None:
    assert told({"age": {"at_least": "18", "at_most": "65"}}, was, truth, "met", date="1960-12-03") == said


def test_a_result_of_that_day_counts_from_then_on() -> None:
    words = {"observation": "lvef", "at_least": "50 %"}
    assert told(words, False, True, "met", date="2026-12-03", value="60 %").endswith("counts from then on")


def test_silence_proves_nothing_any_more() -> None:
    assert told({"medication": "rx_belimumab", "ever": "yes"}, False, None, "not_observed").startswith("nothing new")


def turn(patient: str, day: date, verdict_from: str, verdict_to: str, status_from: str, status_to: str) -> Turn:
    evidence = json.dumps([Evidence("I-RENAL.1", "Observation/o", "2026-11-03", "90 umol/L")])
    leaf = TurnedLeaf("I-RENAL.1", True, None, "met", "out_of_window", evidence, evidence)
    return Turn(patient, "A", day, "I-RENAL", verdict_from, verdict_to, status_from, status_to, (leaf,))


@pytest.fixture(scope="module")
def screening() -> Screening:
    stops, later = AS_OF + timedelta(days=5), AS_OF + timedelta(weeks=13)
    turns = (
        turn("=p1", stops, "pass", "fail", "possible", "excluded"),
        turn("p2", stops, "pass", "unknown", "possible", "possible"),
        turn("p2", later, "pass", "fail", "possible", "excluded"),
    )
    read = read_screening(screened(), a_trial(), AS_OF, labels=LABELS)
    return replace(read, outlook=Outlook(turns, {("=p1", "A"): stops, ("p2", "A"): later}))


def test_every_change_of_the_coming_weeks_is_a_row(screening: Screening) -> None:
    """Also one that leaves the status as it is; not one of the thirteenth week. No text becomes a formula."""
    reason = "Creatinine 90 umol/L on 2026-11-03 grows too old."
    assert outlook_csv(screening).decode().split("\r\n") == [
        "patient_id,arm,date,criterion_id,from,to,reason,status_from,status_to",
        f"'=p1,A,2026-11-25,I-RENAL,pass,fail,{reason},possible,excluded",
        f"p2,A,2026-11-25,I-RENAL,pass,unknown,{reason},possible,possible",
        "",
    ]


def test_a_week_holds_whose_status_changes_and_counts_what_grows_unknown(screening: Screening) -> None:
    """The index date is a Friday: the first week of the calendar is the weekend."""
    found = weeks(screening)
    assert [(week.first.isoformat(), week.last.isoformat()) for week in found[:2]] == [
        ("2026-11-21", "2026-11-22"),
        ("2026-11-23", "2026-11-29"),
    ]
    assert found[-1].last == AS_OF + timedelta(weeks=12)
    assert [(one.number, one.patient_id, one.opens) for one in found[1].changes] == [(1, "=p1", False)]
    assert found[1].fading == (("I-RENAL", 1),)
    assert [week.changes for week in found if week is not found[1]] == [()] * (len(found) - 1)


def test_a_calendar_that_may_leave_names_nobody_and_no_disease(screening: Screening) -> None:
    """No patient, trial, arm, criterion, drug or disease: the place in the list of that day."""
    text = outlook_ics(screening)
    assert outlook_ics(screening) == text
    events = Calendar.from_ical(text).walk("VEVENT")
    assert [(event.decoded("dtstart"), str(event["summary"])) for event in events] == [
        (AS_OF + timedelta(days=5), "Recruitment list: 1 end")
    ]
    assert "no. 1" in str(events[0]["description"])
    for word in ("p1", "T1", "our own", "I-RENAL", "reatinine", "lupus", "First arm"):
        assert word not in text.decode()
