"""One patient: every criterion with the words of the protocol, our verdict and its evidence."""

import orjson
from starlette.responses import Response

from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.routing import Page


def show(asked: Asked) -> Response:
    """Show one patient."""
    patient = asked.patient_id
    verdicts = asked.snapshot.lists.verdicts(asked.trial_id, patient) if asked.snapshot else ()
    return asked.page(
        "candidate.html.jinja",
        listed=asked.listed,
        patient=patient,
        verdicts=[(one, orjson.loads(one.evidence)) for one in verdicts],
        pseudonym=asked.application.keys.pseudonym(asked.trial_id, patient),
    )


PAGES = (Page("/trials/{trial}/candidates/{candidate}", show, Right.PATIENT, "view"),)
