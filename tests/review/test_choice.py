"""Which rows of a list are shown, in which order, and who comes before and after a patient."""

from datetime import UTC, date, datetime

import pytest

from cohortfinder.review.lists import choice
from cohortfinder.review.lists.choice import Choice, Known, choice_of, chosen, neighbours
from cohortfinder.review.store.decisions import Decision
from cohortfinder.review.words import MARKS, SORTS, STATES
from cohortfinder.warehouse.published import ListedRow


def row(rank: int | None, patient: str, arm: str = "A", status: str = "possible", **more: object) -> ListedRow:
    given = {
        "score": 0.5, "passed": 1, "failed": 0, "unknown": 1, "judgement": 0, "eligible_from": None, "next_step": None,
        "last_contact": None, "near_miss": False,
    }  # fmt: skip
    return ListedRow(patient, arm, rank, status, **{**given, **more})  # type: ignore[arg-type]


def decided(patient: str, state: str, number: int = 1) -> Decision:
    return Decision(number, "T", patient, "", state, "", 1, datetime(2026, 11, 20, tzinfo=UTC), "run", 0)


ROWS = (
    row(1, "p1", status="eligible", last_contact=date(2026, 11, 1)),
    row(2, "p2", unknown=3, eligible_from=date(2026, 12, 1)),
    row(3, "p3", arm="B", last_contact=date(2026, 11, 9)),
    row(4, "p1", arm="B"),
    row(None, "p4", status="excluded", failed=1, near_miss=True, eligible_from=date(2026, 11, 25)),
)
KNOWN = Known(
    decisions={"p1": decided("p1", "screening"), "p4": decided("p4", "ineligible", 2)},
    new=frozenset({"p3"}),
    others={"p2": ("U",)},
    answered={"p1": 2},
    missing={("p2", "A"): ("I-HB", "I-PLT"), ("p3", "B"): ("I-HB",)},
)


def shown(**asked: str) -> list[str]:
    rows = chosen(ROWS, choice_of(asked), KNOWN, lambda patient: f"name of {patient}")
    return [f"{one.patient_id}{one.arm}" for one in rows]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["p1A", "p2A", "p3B", "p1B", "p4A"]),
        ({"arm": "B"}, ["p3B", "p1B"]),
        ({"arm": "none of the trial"}, []),
        ({"status": "eligible"}, ["p1A"]),
        ({"decision": "none"}, ["p2A", "p3B"]),
        ({"decision": "screening"}, ["p1A", "p1B"]),
        ({"missing": "I-HB"}, ["p2A", "p3B"]),
        ({"mark": "new"}, ["p3B"]),
        ({"mark": "near_miss"}, ["p4A"]),
        ({"mark": "other_trial"}, ["p2A"]),
        ({"mark": "answered", "arm": "B"}, ["p1B"]),
        ({"text": " NAME of P3 "}, ["p3B"]),
        ({"text": "nobody"}, []),
        ({"sort": "contact"}, ["p3B", "p1A", "p2A", "p1B", "p4A"]),
        ({"sort": "soonest"}, ["p4A", "p2A", "p1A", "p3B", "p1B"]),
        ({"sort": "fewest"}, ["p1A", "p3B", "p1B", "p2A", "p4A"]),
        ({"sort": "new"}, ["p3B", "p1A", "p2A", "p1B", "p4A"]),
        ({"sort": "decision"}, ["p2A", "p3B", "p1A", "p1B", "p4A"]),
        ({"sort": "decided"}, ["p4A", "p1A", "p1B", "p2A", "p3B"]),
        ({"sort": "arm"}, ["p1A", "p2A", "p4A", "p3B", "p1B"]),
    ],
)
def test_a_choice_shows_the_rows_that_fit_in_its_order(asked: dict[str, str], expected: list[str]) -> None:
    assert shown(**asked) == expected


def test_words_that_are_none_are_not_asked() -> None:
    asked = {"status": "'; DROP TABLE", "decision": "x", "mark": "y", "sort": "z", "colour": "red", "arm": "A\0"}
    assert choice_of(asked) == Choice(arm="A")


def test_what_was_searched_for_stands_in_no_address() -> None:
    assert choice_of({"text": "Mustermann", "status": "possible"}).query == {"status": "possible"}


def around(choice: Choice, patient: str, arm: str = "A") -> tuple[str | None, str | None, int | None, int]:
    found = neighbours(ROWS, choice, KNOWN, lambda patient: patient, (patient, arm))
    before, after = (one and one.patient_id + one.arm for one in (found.before, found.after))
    return before, after, found.place, found.count


def test_a_patient_has_a_place_among_those_that_fit() -> None:
    assert around(Choice(), "p2") == ("p1A", "p3B", 2, 5)
    assert around(Choice(), "p1") == (None, "p2A", 1, 5)
    assert around(Choice(), "p4") == ("p1B", None, 5, 5)


def test_who_was_just_decided_keeps_the_place_and_the_next_one_comes_next() -> None:
    assert around(Choice(decision="none"), "p1") == (None, "p2A", None, 2)
    assert around(Choice(decision="none"), "p4") == ("p3B", None, None, 2)


def test_who_is_not_listed_has_nobody_around() -> None:
    assert around(Choice(), "p9") == (None, None, None, 5)


def test_every_choice_has_words() -> None:
    assert set(SORTS) == set(choice.SORTS)
    assert set(STATES) == set(choice.DECISIONS)
    assert set(MARKS) >= set(choice.MARKS)
