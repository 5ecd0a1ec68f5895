"""My trials: where somebody begins."""

from starlette.responses import Response

from cohortfinder.review.asked import Asked
from cohortfinder.review.routing import SIGNED_IN, Page


def show(asked: Asked) -> Response:
    """Show the trials in which the person has a role."""
    snapshot = asked.snapshot
    rows = []
    for trial, role in sorted(asked.who.roles.items()):
        listed = snapshot.of(trial) if snapshot else None
        rows.append({"id": trial, "role": role, "listed": listed})
    return asked.page("trials.html.jinja", rows=rows)


PAGES = (Page("/", show, SIGNED_IN, "trials"),)
