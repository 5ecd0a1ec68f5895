"""What a review store holds, in numbers."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, FromClause, func, select

from cohortfinder.review.store.tables import ACCOUNT, ANSWER, AUDIT, DECISION, NOTE


@dataclass(frozen=True, slots=True)
class ReviewState:
    """How much is kept of what people have said; `last_at` is when something was last written down of anybody."""

    accounts: int
    answers: int
    decisions: int
    notes: int
    audit_entries: int
    last_at: datetime | None


def review_state(connection: Connection) -> ReviewState:
    """Count what is kept; accounts are those that can sign in."""

    def count(rows: FromClause) -> int:
        return int(connection.execute(select(func.count()).select_from(rows)).scalar_one())

    return ReviewState(
        accounts=count(select(ACCOUNT.c.id).where(ACCOUNT.c.active).subquery()),
        answers=count(ANSWER),
        decisions=count(DECISION),
        notes=count(NOTE),
        audit_entries=count(AUDIT),
        last_at=connection.execute(select(AUDIT.c.at).order_by(AUDIT.c.id.desc()).limit(1)).scalar_one_or_none(),
    )
