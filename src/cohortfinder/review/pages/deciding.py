"""Deciding of a patient, with a reason where one is asked; the later of two people sees the other's decision first."""

from starlette.exceptions import HTTPException
from starlette.responses import Response

from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.pages.candidate import patient_page
from cohortfinder.review.pages.conflict import decision_conflict
from cohortfinder.review.pages.sent import back_to_patient, number_sent, seen_run, text_sent, word_sent
from cohortfinder.review.routing import Page
from cohortfinder.review.store.decisions import NEEDS_REASON, STATES, add_decision
from cohortfinder.review.store.overtaken import Overtaken


def decide(asked: Asked) -> Response:
    """Keep a decision."""
    patient, state, reason = asked.patient_id, word_sent(asked, "state", STATES), text_sent(asked, "reason")
    arm, previous = _arm(asked), number_sent(asked, "previous")
    run_id = seen_run(asked, asked.form.get("run", ""))
    if state in NEEDS_REASON and not reason:
        return patient_page(asked, 422, mistake="reason", written={"state": state, "arm": arm})
    try:
        with asked.application.database.writing() as connection:
            add_decision(
                connection, asked.trial_id, patient, state, arm=arm, reason=reason, account_id=asked.who.id,
                at=asked.at, run_id=run_id, previous_id=previous,
            )  # fmt: skip
    except Overtaken:
        return decision_conflict(asked, state, reason, arm)
    return back_to_patient(asked, "decision", run_id, "decision")


def _arm(asked: Asked) -> str:
    """Return the arm that the decision is about, '' for the trial as a whole. Raises 400 for an unknown one."""
    arm = asked.form.get("arm", "")
    if arm and arm not in {one.id for one in asked.listed.trial.arms}:
        raise HTTPException(400)
    return arm


PAGES = (Page("/trials/{trial}/candidates/{candidate}/decision", decide, Right.REVIEW, "decide", sends=True),)
