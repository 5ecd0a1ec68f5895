"""Messages to the study team of a trial."""

from starlette.responses import Response

from cohortfinder.review.access.accounts import names_of
from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.routing import Page, write_audit
from cohortfinder.review.store.messages import add_message, messages_of

_MOST, _LETTERS = 200, 4000


def show(asked: Asked) -> Response:
    """Show the messages, the newest first, and the form for one to all."""
    return _all(asked)


def _all(asked: Asked, problem: str = "") -> Response:
    with asked.application.database.reading() as connection:
        messages, people = messages_of(connection, asked.trial_id, _MOST), names_of(connection)
    keys = asked.application.keys
    patients = {one.patient_id for one in messages if one.patient_id}
    return asked.page(
        "messages.html.jinja", status=422 if problem else 200, messages=messages, people=people, problem=problem,
        most=_MOST, letters=_LETTERS,
        names={one: (keys.candidate(asked.trial_id, one), keys.pseudonym(asked.trial_id, one)) for one in patients},
    )  # fmt: skip


def send(asked: Asked) -> Response:
    """Tell the team something."""
    return _sent(asked, None)


def send_about(asked: Asked) -> Response:
    """Tell the team something of a patient."""
    return _sent(asked, asked.patient_id)


def _sent(asked: Asked, patient: str | None) -> Response:
    text = asked.form.get("text", "").strip()
    if not text or len(text) > _LETTERS or "\x00" in text:
        return _all(asked, "text")
    with asked.application.database.writing() as connection:
        add_message(connection, asked.trial_id, patient, text, account_id=asked.who.id, at=asked.at)
    write_audit(asked, "message")
    return asked.back(f"/trials/{asked.trial_id}/messages")


PAGES = (
    Page("/trials/{trial}/messages", show, Right.REVIEW, "messages"),
    Page("/trials/{trial}/messages", send, Right.REVIEW, sends=True),
    Page("/trials/{trial}/candidates/{candidate}/messages", send_about, Right.REVIEW, sends=True),
)
