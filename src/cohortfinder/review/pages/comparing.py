"""A patient on the list that holds, beside the list before it: what turned, and why."""

from starlette.responses import Response

from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.lists.changes import changes, moved
from cohortfinder.review.pages.candidate import list_before, run_moment
from cohortfinder.review.pages.known import called, candidate_path
from cohortfinder.review.routing import Page


def show(asked: Asked) -> Response:
    """Show what is other than on the list before; there may be none."""
    trial, patient, before_run = asked.trial_id, asked.patient_id, list_before(asked)
    before = asked.application.published.of(before_run) if before_run else None
    then = before.of(trial) if before else None
    old = asked.verdicts(before, patient) if before and then else ()
    now = asked.verdicts(asked.snapshot, patient) if asked.snapshot else ()
    return asked.page(
        "compare.html.jinja", listed=asked.listed, name=called(asked, patient), then=then, before=before,
        run_moment=run_moment, path=candidate_path(asked, patient, asked.request.query_params.get("in", "")),
        changes=changes(asked.listed.criteria, old, now) if then else (),
        moved=moved(then.rows_of.get(patient, ()) if then else (), asked.listed.rows_of.get(patient, ())),
    )  # fmt: skip


PAGES = (Page("/trials/{trial}/candidates/{candidate}/compare", show, Right.PATIENT, "compare"),)
