"""Of which trials somebody is told by mail, and how often."""

from starlette.exceptions import HTTPException
from starlette.responses import Response

from cohortfinder.review.asked import Asked
from cohortfinder.review.routing import SIGNED_IN, Page
from cohortfinder.review.store.subscriptions import SCHEDULES, subscribe, subscriptions_of


def show(asked: Asked) -> Response:
    """Show the trials of the person with the schedule of each."""
    with asked.application.database.reading() as connection:
        chosen = subscriptions_of(connection, asked.who.id)
    return asked.page("subscriptions.html.jinja", trials=sorted(asked.who.roles), chosen=chosen)


def change(asked: Asked) -> Response:
    """Take another schedule for one trial."""
    trial, schedule = asked.form.get("trial", ""), asked.form.get("schedule", "")
    if asked.who.role_in(trial) is None or schedule not in ("", *SCHEDULES):
        raise HTTPException(404)
    with asked.application.database.writing() as connection:
        subscribe(connection, asked.who.id, trial, schedule or None)
    return asked.back("/subscriptions")


PAGES = (
    Page("/subscriptions", show, SIGNED_IN),
    Page("/subscriptions", change, SIGNED_IN, "subscription", sends=True),
)
