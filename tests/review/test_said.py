"""What people say of patients: answers, decisions and notes, each after what its writer saw."""

from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest

from cohortfinder.review.store.answers import (
    CLEARED,
    NO,
    NOT_SURE,
    YES,
    About,
    add_answer,
    answers_in,
    answers_of,
    clear_answers_of,
    latest,
)
from cohortfinder.review.store.decisions import add_decision, decisions_in, decisions_of
from cohortfinder.review.store.notes import add_note, notes_of, withdraw_note
from cohortfinder.review.store.overtaken import Overtaken
from study_team import Team

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
I1 = About("T", "p1", "", "I1")
E2 = About("T", "p1", "B", "E2")


def answer(team: Team, about: About, word: str, previous: int = 0, *, by: int | None = None, note: str = "") -> int:
    with team.database.writing() as connection:
        return add_answer(
            connection, about, word, note=note, account_id=by or team.anna, at=AT, run_id="run", verdict="unknown",
            previous_id=previous,
        )  # fmt: skip


def decide(team: Team, state: str, previous: int = 0, *, patient: str = "p1", by: int | None = None) -> int:
    with team.database.writing() as connection:
        return add_decision(
            connection, "T", patient, state, reason=" seen ", account_id=by or team.anna, at=AT, run_id="run",
            previous_id=previous,
        )  # fmt: skip


def test_an_answer_is_kept_with_who_and_when_and_what_was_seen(team: Team) -> None:
    number = answer(team, E2, YES, note="  in the letter of May ")
    with team.database.reading() as connection:
        (kept,) = answers_of(connection, "T", "p1")
    assert (kept.id, kept.about, kept.word, kept.note) == (number, E2, YES, "in the letter of May")
    assert (kept.account_id, kept.at, kept.run_id, kept.verdict) == (team.anna, AT, "run", "unknown")


def test_the_last_answer_holds_and_a_cleared_one_does_not(team: Team) -> None:
    first = answer(team, I1, YES)
    second = answer(team, I1, NO, first)
    cleared = answer(team, E2, CLEARED, answer(team, E2, YES))
    with team.database.reading() as connection:
        history = answers_of(connection, "T", "p1")
        holding = answers_in(connection, "T")
    assert [one.word for one in history] == [YES, NO, YES, CLEARED]
    assert [(one.id, one.word) for one in holding] == [(second, NO)]
    assert latest(history)[E2].id == cleared


def test_who_has_not_seen_the_last_answer_is_told_and_nothing_is_kept(team: Team) -> None:
    first = answer(team, I1, YES)
    with pytest.raises(Overtaken):
        answer(team, I1, NO, by=team.ben)
    answer(team, I1, NO, first, by=team.ben)
    with pytest.raises(Overtaken):
        answer(team, I1, NOT_SURE, first)
    with team.database.reading() as connection:
        assert [one.word for one in answers_of(connection, "T", "p1")] == [YES, NO]


def test_of_two_who_answer_at_the_same_moment_one_is_told(team: Team) -> None:
    together, told = Barrier(2), []

    def say(word: str, by: int) -> None:
        together.wait()
        try:
            answer(team, I1, word, by=by)
        except Overtaken:
            told.append(word)

    people = [Thread(target=say, args=one) for one in ((YES, team.anna), (NO, team.ben))]
    for one in people:
        one.start()
    for one in people:
        one.join()
    with team.database.reading() as connection:
        kept = [one.word for one in answers_of(connection, "T", "p1")]
    assert len(kept) == 1
    assert sorted([*kept, *told]) == [NO, YES]


def test_clearing_takes_back_ones_own_answers_and_no_others(team: Team) -> None:
    answer(team, I1, YES)
    answer(team, E2, NO, by=team.ben)
    late = answer(team, About("T", "p1", "", "I3"), YES)
    answer(team, About("T", "p2", "", "I1"), YES)
    with team.database.writing() as connection:
        done = clear_answers_of(connection, "T", "p1", team.anna, at=AT, run_id="run", seen_id=late - 1)
    with team.database.reading() as connection:
        left = {(one.about.patient_id, one.about.criterion_id) for one in answers_in(connection, "T")}
    assert done == 1
    assert left == {("p1", "E2"), ("p1", "I3"), ("p2", "I1")}


def test_a_word_that_is_no_answer_is_not_kept(team: Team) -> None:
    with pytest.raises(ValueError, match="'maybe' is no answer"):
        answer(team, I1, "maybe")
    with pytest.raises(ValueError, match="'maybe' is no state"):
        decide(team, "maybe")


def test_the_last_decision_holds_and_who_did_not_see_it_is_told(team: Team) -> None:
    first = decide(team, "screening")
    decide(team, "candidate", patient="p2")
    with pytest.raises(Overtaken):
        decide(team, "declined", by=team.ben)
    decide(team, "eligible", first, by=team.ben)
    with team.database.reading() as connection:
        history, holding = decisions_of(connection, "T", "p1"), decisions_in(connection, "T")
    assert [(one.state, one.account_id, one.reason) for one in history] == [
        ("screening", team.anna, "seen"),
        ("eligible", team.ben, "seen"),
    ]
    assert {patient: one.state for patient, one in holding.items()} == {"p1": "eligible", "p2": "candidate"}


def test_a_private_note_is_read_by_nobody_else(team: Team) -> None:
    with team.database.writing() as connection:
        add_note(connection, "T", "p1", "for all", private=False, account_id=team.anna, at=AT)
        add_note(connection, "T", "p1", "for me", private=True, account_id=team.anna, at=AT)
        add_note(connection, "T", "p2", "of another", private=False, account_id=team.anna, at=AT)
    with team.database.reading() as connection:
        read = {who: [one.text for one in notes_of(connection, "T", "p1", who)] for who in (team.anna, team.ben)}
    assert read == {team.anna: ["for all", "for me"], team.ben: ["for all"]}


def test_a_note_is_taken_back_by_who_wrote_it_alone(team: Team) -> None:
    with team.database.writing() as connection:
        number = add_note(connection, "T", "p1", "wrong chart", private=False, account_id=team.anna, at=AT)
        done = [
            withdraw_note(connection, "T", patient, number, account_id=who, at=AT)
            for patient, who in (("p1", team.ben), ("p2", team.anna), ("p1", team.anna), ("p1", team.anna))
        ]
        (note,) = notes_of(connection, "T", "p1", team.ben)
    assert done == [False, False, True, False]
    assert (note.text, note.withdrawn_at) == ("wrong chart", AT)
