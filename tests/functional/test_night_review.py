"""What people say in the review application is a fact of the next night."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cohortfinder.review.access.accounts import add_account
from cohortfinder.review.store.answers import CLEARED, NO, NOT_SURE, YES, About, add_answer
from cohortfinder.review.store.database import Database, open_database
from cohortfinder.review.store.decisions import add_decision
from cohortfinder.review.store.tables import APPEARANCE
from cohortfinder.review_settings import ReviewSettings
from cohortfinder.runs.snapshots import snapshot_folder
from functional.test_nightly import Nights
from functional.test_pull import condition, observation, patient

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
HEADER = "patient_id,arm,criterion_id,answer,by,at,note\n"


class Reviewed(Nights):
    """Nights of ten patients, and a review store with one person in it."""

    def __init__(self, folder: Path, run: Callable[..., Any]) -> None:
        super().__init__(folder, run)
        self.load(
            *(patient(f"p{number}") for number in range(10)),
            *(condition(f"c{number}", f"p{number}") for number in range(10)),
        )
        self.database: Database = open_database(self.store, ReviewSettings())
        with self.database.writing() as connection:
            self.anna = add_account(connection, "anna", "Anna Example", at=AT)

    def answer(
        self, patient_id: str, criterion: str, word: str, previous: int = 0, *, arm: str = "", note: str = ""
    ) -> int:
        with self.database.writing() as connection:
            return add_answer(
                connection, About("PULLED", patient_id, arm, criterion), word, note=note, account_id=self.anna, at=AT,
                run_id="run", verdict="unknown", previous_id=previous,
            )  # fmt: skip

    def decide(self, patient_id: str, state: str, previous: int = 0) -> int:
        with self.database.writing() as connection:
            return add_decision(
                connection, "PULLED", patient_id, state, reason="as she said", account_id=self.anna, at=AT,
                run_id="run", previous_id=previous,
            )  # fmt: skip

    def verdict(self, told: dict[str, Any], patient_id: str, criterion: str) -> dict[str, str]:
        file = snapshot_folder(self.store, told["run_id"]) / "PULLED" / "verdicts.csv"
        with file.open(encoding="utf-8", newline="") as stream:
            return next(
                row
                for row in csv.DictReader(stream)
                if (row["patient_id"], row["criterion_id"]) == (patient_id, criterion)
            )

    def kept(self, told: dict[str, Any]) -> Path:
        return self.store / "runs" / told["run_id"] / "trials" / "PULLED" / "inputs" / "answers.csv"

    def counts(self, told: dict[str, Any]) -> dict[str, int]:
        return next(step["counts"] for step in told["steps"] if step["name"] == "screen PULLED")


@pytest.fixture
def nights(tmp_path: Path, run: Callable[..., Any]) -> Iterator[Reviewed]:
    made = Reviewed(tmp_path, run)
    yield made
    made.database.close()


def test_an_answer_decides_the_next_list_with_who_and_when_as_evidence(nights: Reviewed) -> None:
    first = nights.night()
    assert nights.verdict(first, "p1", "I-HB")["verdict"] == "unknown"
    nights.answer("p1", "I-HB", NO, note='"low" in the letter,\nas she says')
    nights.answer("p2", "E-BELI", YES)
    nights.answer("p3", "I-HB", NOT_SURE)
    second = nights.night(day="2026-11-26")
    said = nights.verdict(second, "p1", "I-HB")
    assert said["verdict"] == "fail"
    assert said["reason"] == 'Anna Example answered no on 2026-11-20: "low" in the letter,\nas she says.'
    note, at = '"low" in the letter,\nas she says', "2026-11-20T09:30:00+00:00"
    assert json.loads(said["evidence"]) == [{"answer": "no", "by": "Anna Example", "at": at, "note": note}]
    assert nights.verdict(second, "p2", "E-BELI")["verdict"] == "fail"
    unsure = nights.verdict(second, "p3", "I-HB")
    assert (unsure["verdict"], unsure["flags"]) == ("unknown", "not_sure")
    assert second["trials"]["PULLED"]["excluded"] == 2
    assert (nights.counts(second)["answers"], nights.counts(second)["outcomes"]) == (3, 0)
    assert nights.counts(second)["asked_again"] >= 3
    assert nights.command("replay", second["run_id"]).status == 0


def test_the_last_answer_counts_and_one_that_was_cleared_does_not(nights: Reviewed) -> None:
    nights.answer("p1", "I-HB", YES, nights.answer("p1", "I-HB", NO))
    cleared = nights.answer("p2", "I-HB", NO)
    first = nights.night()
    nights.answer("p2", "I-HB", CLEARED, cleared)
    second = nights.night(day="2026-11-26")
    assert [nights.verdict(one, "p1", "I-HB")["verdict"] for one in (first, second)] == ["pass", "pass"]
    assert [nights.verdict(one, "p2", "I-HB")["verdict"] for one in (first, second)] == ["fail", "unknown"]


def test_newer_data_that_contradict_are_shown_and_overrule_nobody(nights: Reviewed) -> None:
    """The result is of 1 November; an answer of the day before stands beside it, one of the 20th is newer than it."""
    with nights.database.writing() as connection:
        add_answer(
            connection, About("PULLED", "p1", "", "I-HB"), NO, account_id=nights.anna,
            at=datetime(2026, 10, 31, 12, tzinfo=UTC), run_id="run", verdict="unknown", previous_id=0,
        )  # fmt: skip
    nights.answer("p2", "I-HB", NO)
    first = nights.night()
    assert nights.verdict(first, "p1", "I-HB")["flags"] == ""
    nights.load(observation("hb1", "p1"), observation("hb2", "p2"))
    second = nights.night(day="2026-11-26")
    for told, flags, evidence in (("p1", "contradicted", 2), ("p2", "", 1)):
        row = nights.verdict(second, told, "I-HB")
        assert (row["verdict"], row["flags"], len(json.loads(row["evidence"]))) == ("fail", flags, evidence)


def test_answers_of_a_file_and_of_the_application_count_together(nights: Reviewed) -> None:
    """The columns of the file stand in another order, and it has none for notes; the later answer counts."""
    (nights.folder / "answers.csv").write_text(
        "at,by,answer,criterion_id,arm,patient_id\n2026-11-19,Dr. Li,no,I-HB,A,p1\n2026-11-21,Dr. Li,no,I-HB,A,p2\n"
        "2026-11-19,Dr. Li,no,I-HB,A,p3\n"
    )
    nights.configure(more='[nightly]\nanswers = "answers.csv"\n')
    nights.answer("p1", "I-HB", YES)
    nights.answer("p2", "I-HB", YES)
    told = nights.night()
    assert [nights.verdict(told, one, "I-HB")["verdict"] for one in ("p1", "p2", "p3")] == ["pass", "fail", "fail"]
    assert nights.kept(told).read_text() == (
        HEADER + "p1,A,I-HB,no,Dr. Li,2026-11-19,\np2,A,I-HB,no,Dr. Li,2026-11-21,\np3,A,I-HB,no,Dr. Li,2026-11-19,\n"
        "p1,,I-HB,yes,Anna Example,2026-11-20T09:30:00+00:00,\np2,,I-HB,yes,Anna Example,2026-11-20T09:30:00+00:00,\n"
    )
    assert nights.command("replay", told["run_id"]).status == 0


def test_decisions_are_the_outcomes_of_screenings(nights: Reviewed) -> None:
    states = ("candidate", "screening", "eligible", "ineligible", "on_study", "withdrawn", "declined")
    for number, state in enumerate(states):
        nights.decide(f"p{number}", state)
    told = nights.night()
    with nights.kept(told).open(encoding="utf-8", newline="") as stream:
        rows = [*csv.DictReader(stream)]
    assert [row["answer"] for row in rows] == [
        "not sure", "not sure", "eligible", "ineligible", "enrolled", "enrolled", "declined",
    ]  # fmt: skip
    assert {(row["criterion_id"], row["note"]) for row in rows} == {("outcome", "")}
    assert nights.counts(told)["outcomes"] == 7
    report = snapshot_folder(nights.store, told["run_id"]) / "PULLED" / "report.html"
    assert "How right the chances were" in report.read_text(encoding="utf-8")


def test_an_answer_to_a_criterion_that_was_amended_away_is_told_and_keeps_no_night_from_publishing(
    nights: Reviewed,
) -> None:
    nights.answer("p1", "I-OLD", NO)
    nights.answer("p1", "I-HB", NO, arm="B")
    nights.answer("p2", "I-HB", NO)
    told = nights.night(status=3)
    assert told["state"] == "published"
    assert told["warnings"] == [
        "2 answers of the review application change nothing any more: PULLED has no criterion or arm of that name "
        "(I-HB in arm B, I-OLD)."
    ]
    assert nights.verdict(told, "p2", "I-HB")["verdict"] == "fail"


def test_a_list_without_what_people_have_answered_is_not_published_unless_accepted(nights: Reviewed) -> None:
    nights.answer("p1", "I-HB", NO)
    nights.night()
    nights.database.close()
    file = nights.store / "review" / "review.sqlite"
    whole = file.read_bytes()
    file.write_bytes(b"this is no database, whatever its name says" * 100)
    told = nights.refused("review-store", status=74, day="2026-11-26")
    assert "What people have answered and decided cannot be read" in told["message"]
    accepted = nights.night("--accept", "review-store", status=3, day="2026-11-26")
    assert accepted["trials"]["PULLED"]["excluded"] == 0
    file.write_bytes(whole)
    assert nights.night(day="2026-11-26")["trials"]["PULLED"]["excluded"] == 1


def test_a_store_that_nobody_has_reviewed_has_no_review_store_after_a_night(
    tmp_path: Path, run: Callable[..., Any]
) -> None:
    plain = Nights(tmp_path, run)
    plain.load(patient("p1"), condition("c1", "p1"))
    plain.night()
    assert not (plain.store / "review").exists()


def test_who_is_listed_for_the_first_time_is_noted_once(nights: Reviewed) -> None:
    first = nights.night()
    nights.load(patient("late"), condition("c-late", "late"))
    second = nights.night(day="2026-11-26")
    with nights.database.reading() as connection:
        noted = {row.patient_id: row.run_id for row in connection.execute(select(APPEARANCE))}
    assert noted == {**dict.fromkeys((f"p{number}" for number in range(10)), first["run_id"]), "late": second["run_id"]}
