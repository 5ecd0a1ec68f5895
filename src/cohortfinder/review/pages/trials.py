"""My trials: where somebody begins, with how many are listed, new and not decided."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from starlette.responses import Response

from cohortfinder.review.access.roles import Role
from cohortfinder.review.asked import Asked
from cohortfinder.review.lists.published import TrialList
from cohortfinder.review.routing import SIGNED_IN, Page
from cohortfinder.review.store.decisions import decisions_in
from cohortfinder.review.store.visits import appeared_since, last_visit
from cohortfinder.wording import STATUSES


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A trial of mine; `listed` is None where the list that holds does not have it."""

    id: str
    role: Role
    listed: TrialList | None
    counts: dict[str, int]
    undecided: int
    new: int
    visited: datetime | None


def show(asked: Asked) -> Response:
    """Show the trials in which the person has a role."""
    with asked.application.database.reading() as connection:
        rows = [_row(asked, connection, trial, role) for trial, role in sorted(asked.who.roles.items())]
    return asked.page("trials.html.jinja", rows=rows)


def _row(asked: Asked, connection: Connection, trial: str, role: Role) -> TrialRow:
    listed = asked.snapshot.of(trial) if asked.snapshot else None
    visited = last_visit(connection, asked.who.id, trial, asked.session.id_hash if asked.session else "")
    listed_rows = listed.rows if listed else ()
    counted, decided = Counter(row.status for row in listed_rows), decisions_in(connection, trial)
    return TrialRow(
        trial, role, listed, {status: counted[status] for status in STATUSES},
        undecided=sum(row.patient_id not in decided for row in listed_rows),
        new=len(appeared_since(connection, trial, visited)) if visited else 0, visited=visited,
    )  # fmt: skip


PAGES = (Page("/", show, SIGNED_IN, "trials"),)
