"""Who looked at a patient, and who did what: for the study team of the trial."""

from starlette.responses import Response

from cohortfinder.review.access.accounts import names_of
from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.routing import Page
from cohortfinder.review.store.audit import Wanted, entries

_MOST = 500


def show(asked: Asked) -> Response:
    """Show what the audit log has of one patient of the trial, the newest first."""
    patient = asked.patient_id
    name = asked.application.keys.candidate(asked.trial_id, patient)
    with asked.application.database.reading() as connection:
        rows = [*entries(connection, Wanted(trial=asked.trial_id, candidate=name), _MOST)]
        people = names_of(connection)
    return asked.page(
        "looks.html.jinja", rows=rows, people=people, most=_MOST, name=name,
        pseudonym=asked.application.keys.pseudonym(asked.trial_id, patient),
    )  # fmt: skip


PAGES = (Page("/trials/{trial}/candidates/{candidate}/looks", show, Right.REVIEW, "looks"),)
