"""The candidate list of a trial."""

from starlette.responses import Response

from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.routing import Page


def show(asked: Asked) -> Response:
    """Show who is listed."""
    return asked.page("candidates.html.jinja", listed=asked.listed, rows=asked.listed.rows[:50])


PAGES = (Page("/trials/{trial}", show, Right.LIST, "list"),)
