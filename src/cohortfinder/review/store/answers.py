"""What people answer to the criteria of a patient: added one after the other, the last one counts."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, RowMapping, select

from cohortfinder.review.store.overtaken import append
from cohortfinder.review.store.tables import ANSWER

YES: Final = "yes"
NO: Final = "no"
NOT_SURE: Final = "not_sure"
# it takes the last one back
CLEARED: Final = "cleared"
WORDS = (YES, NO, NOT_SURE, CLEARED)
ALL_ARMS = ""


@dataclass(frozen=True, slots=True)
class About:
    """A criterion of a patient; `arm` is '' unless the criterion has a rule of its own there."""

    trial: str
    patient_id: str
    arm: str
    criterion_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody said to a criterion as the protocol writes it: "yes" to an exclusion is a fail.

    `run_id` and `verdict` are the list and the verdict of ours that the person saw; `codes`, as system|code, are those
    of the records that it rested on.
    """

    id: int
    about: About
    word: str
    note: str
    account_id: int
    at: datetime
    run_id: str
    verdict: str
    previous_id: int
    codes: tuple[str, ...] = ()


def add_answer(
    connection: Connection, about: About, word: str, *, note: str = "", account_id: int, at: datetime, run_id: str,
    verdict: str, previous_id: int, codes: tuple[str, ...] = (),
) -> int:  # fmt: skip
    """Keep an answer and return its number. Raises Overtaken when `previous_id` (0 for none) is not the last one.

    ValueError is a mistake of ours: a word that is none.
    """
    if word not in WORDS:
        raise ValueError(f"{word!r} is no answer")
    row = {
        "trial": about.trial, "patient_id": about.patient_id, "arm": about.arm, "criterion_id": about.criterion_id,
        "word": word, "note": note.strip(), "account_id": account_id, "at": at, "run_id": run_id, "verdict": verdict,
        "previous_id": previous_id, "codes": orjson.dumps(codes).decode(),
    }  # fmt: skip
    same = (
        ANSWER.c.trial == about.trial, ANSWER.c.patient_id == about.patient_id, ANSWER.c.arm == about.arm,
        ANSWER.c.criterion_id == about.criterion_id,
    )  # fmt: skip
    return append(connection, ANSWER, same, row)


def answers_of(connection: Connection, trial: str, patient_id: str) -> tuple[Answer, ...]:
    """Return everything that was ever answered of a patient, oldest first."""
    asked = select(ANSWER).where(ANSWER.c.trial == trial, ANSWER.c.patient_id == patient_id)
    return tuple(_answer(row) for row in connection.execute(asked.order_by(ANSWER.c.id)).mappings())


def answers_in(connection: Connection, trial: str) -> tuple[Answer, ...]:
    """Return the answers that hold in a trial, of all patients, in the order in which they were given."""
    asked = select(ANSWER).where(ANSWER.c.trial == trial).order_by(ANSWER.c.id)
    last = latest(_answer(row) for row in connection.execute(asked).mappings())
    return tuple(sorted((one for one in last.values() if one.word != CLEARED), key=lambda one: one.id))


def all_answers_in(connection: Connection, trial: str) -> tuple[Answer, ...]:
    """Return everything that was ever answered in a trial, oldest first."""
    asked = select(ANSWER).where(ANSWER.c.trial == trial).order_by(ANSWER.c.id)
    return tuple(_answer(row) for row in connection.execute(asked).mappings())


def count_answers(connection: Connection, trial: str) -> Counter[str]:
    """Return how many answers hold of each patient of a trial."""
    columns = (ANSWER.c.patient_id, ANSWER.c.arm, ANSWER.c.criterion_id, ANSWER.c.word)
    asked = select(*columns).where(ANSWER.c.trial == trial).order_by(ANSWER.c.id)
    last = {(row.patient_id, row.arm, row.criterion_id): row.word for row in connection.execute(asked)}
    return Counter(patient for (patient, _, _), word in last.items() if word != CLEARED)


def latest(answers: Iterable[Answer]) -> dict[About, Answer]:
    """Return the last answer of each criterion and patient, also one that was cleared; they come oldest first."""
    return {one.about: one for one in answers}


def clear_answers_of(
    connection: Connection, trial: str, patient_id: str, account_id: int, *, at: datetime, run_id: str, seen_id: int
) -> int:
    """Take back what one person has answered of a patient, and return how many answers that were.

    An answer that somebody else gave stays, and so does one that is newer than `seen_id`, the last one that the person
    saw.
    """
    own = [
        one
        for one in latest(answers_of(connection, trial, patient_id)).values()
        if one.account_id == account_id and one.word != CLEARED and one.id <= seen_id
    ]
    for one in own:
        add_answer(
            connection, one.about, CLEARED, account_id=account_id, at=at, run_id=run_id, verdict=one.verdict,
            previous_id=one.id,
        )  # fmt: skip
    return len(own)


def _answer(row: RowMapping) -> Answer:
    given: dict[str, Any] = {str(name): value for name, value in row.items()}
    about = About(*(given.pop(name) for name in ("trial", "patient_id", "arm", "criterion_id")))
    return Answer(about=about, **{**given, "codes": tuple(orjson.loads(given["codes"]))})
