"""The screening log of a trial, to be looked at and to be taken along as a table."""

from starlette.responses import Response

from cohortfinder.report.cells import table
from cohortfinder.review.access.accounts import names_of
from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.lists.log import COLUMNS, LogLine, log_lines
from cohortfinder.review.routing import Page
from cohortfinder.review.store.decisions import decisions_in


def show(asked: Asked) -> Response:
    """Show the log."""
    lines = _lines(asked)
    counts = {state: sum(one.state == state for one in lines) for state in dict.fromkeys(one.state for one in lines)}
    return asked.page("log.html.jinja", listed=asked.listed, lines=lines, counts=counts)


def export(asked: Asked) -> Response:
    """Return the log as CSV, as monitors take it along."""
    return Response(
        table(COLUMNS, (line.cells for line in _lines(asked))),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="screening_log.csv"'},
    )


def _lines(asked: Asked) -> list[LogLine]:
    with asked.application.database.reading() as connection:
        decisions, people = decisions_in(connection, asked.trial_id).values(), names_of(connection)
    keys = asked.application.keys
    return log_lines(decisions, asked.listed.rows_of, people, lambda patient: keys.pseudonym(asked.trial_id, patient))


PAGES = (
    Page("/trials/{trial}/log", show, Right.LIST, "screening log"),
    Page("/trials/{trial}/log.csv", export, Right.LIST, "export screening log"),
)
