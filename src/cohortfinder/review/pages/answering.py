"""Answering a criterion of a patient, and taking answers back; the later of two people is shown the other one first."""

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.lists.dossier import arm_of_answer
from cohortfinder.review.pages.conflict import answer_conflict
from cohortfinder.review.pages.sent import back_to_patient, number_sent, seen_run, text_sent, word_sent
from cohortfinder.review.routing import Page
from cohortfinder.review.store.answers import WORDS, About, add_answer, clear_answers_of
from cohortfinder.review.store.overtaken import Overtaken


def answer(asked: Asked) -> Response:
    """Keep an answer to the criterion as the protocol writes it."""
    about, arm = _about(asked)
    word, note = word_sent(asked, "word", WORDS), text_sent(asked, "note")
    previous, run_id = number_sent(asked, "previous"), seen_run(asked, asked.form.get("run", ""))
    verdict, codes = _verdict(asked, about, arm, run_id)
    try:
        with asked.application.database.writing() as connection:
            add_answer(
                connection, about, word, note=note, account_id=asked.who.id, at=asked.at, run_id=run_id,
                verdict=verdict, previous_id=previous, codes=codes,
            )  # fmt: skip
    except Overtaken:
        return answer_conflict(asked, about, arm, word, note)
    return back_to_patient(asked, "answer", run_id, f"c-{about.criterion_id}")


def clear(asked: Asked) -> Response:
    """Take back everything that whoever asks has answered of this patient."""
    patient, run_id = asked.patient_id, seen_run(asked, asked.form.get("run", ""))
    seen = number_sent(asked, "seen")
    with asked.application.database.writing() as connection:
        clear_answers_of(
            connection, asked.trial_id, patient, asked.who.id, at=asked.at, run_id=run_id, seen_id=seen
        )  # fmt: skip
    return back_to_patient(asked, "cleared", run_id, "criteria")


def _about(asked: Asked) -> tuple[About, str]:
    """Return what the answer is about, and the arm in which it was given. Raises 400 for what the trial has not."""
    patient, criterion = asked.patient_id, asked.listed.criteria.get(asked.form.get("criterion", ""))
    arm = asked.form.get("arm", "")
    if criterion is None or arm not in criterion.arms:
        raise HTTPException(400)
    return About(asked.trial_id, patient, arm_of_answer(criterion, arm), criterion.id), arm


def _verdict(asked: Asked, about: About, arm: str, run_id: str) -> tuple[str, tuple[str, ...]]:
    """Return the verdict that the person saw, '' for a patient who was not on that list, and what codes it rests on."""
    if not run_id:
        return "", ()
    lists = asked.application.published.of(run_id).lists
    for one in lists.verdicts(about.trial, about.patient_id):
        if (one.arm, one.criterion_id) == (arm, about.criterion_id):
            records = {str(record["resource"]) for record in orjson.loads(one.evidence) if record.get("resource")}
            return one.verdict, lists.codes(about.patient_id, records)
    return "", ()


_CANDIDATE = "/trials/{trial}/candidates/{candidate}"
PAGES = (
    Page(f"{_CANDIDATE}/answers", answer, Right.REVIEW, "answer", sends=True),
    Page(f"{_CANDIDATE}/clear", clear, Right.REVIEW, "clear answers", sends=True),
)
