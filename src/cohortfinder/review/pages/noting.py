"""Writing a note on a patient, for the study team or for oneself, and taking it back."""

from starlette.exceptions import HTTPException
from starlette.responses import Response

from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.pages.candidate import patient_page
from cohortfinder.review.pages.sent import back_to_patient, number_sent, seen_run, text_sent
from cohortfinder.review.routing import Page
from cohortfinder.review.store.notes import add_note, withdraw_note


def note(asked: Asked) -> Response:
    """Keep a note."""
    patient, text = asked.patient_id, text_sent(asked, "text")
    if not text:
        return patient_page(asked, 422, mistake="note")
    private = asked.form.get("private") == "yes"
    with asked.application.database.writing() as connection:
        add_note(connection, asked.trial_id, patient, text, private=private, account_id=asked.who.id, at=asked.at)
    return back_to_patient(asked, "note", seen_run(asked, asked.form.get("run", "")), "notes")


def withdraw(asked: Asked) -> Response:
    """Take a note of one's own back."""
    patient, number = asked.patient_id, number_sent(asked, "note")
    with asked.application.database.writing() as connection:
        done = withdraw_note(connection, asked.trial_id, patient, number, account_id=asked.who.id, at=asked.at)
    if not done:
        raise HTTPException(404)
    return back_to_patient(asked, "withdrawn", seen_run(asked, asked.form.get("run", "")), "notes")


_NOTES = "/trials/{trial}/candidates/{candidate}/notes"
PAGES = (
    Page(_NOTES, note, Right.REVIEW, "note", sends=True),
    Page(f"{_NOTES}/withdraw", withdraw, Right.REVIEW, "withdraw note", sends=True),
)
