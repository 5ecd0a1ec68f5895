"""When somebody had the list of a trial open, and who came on it since the visit before."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from cohortfinder.review.store.tables import APPEARANCE, VISIT

# so often at most, so that not every page writes
_NOTED_EVERY = timedelta(minutes=1)


def last_visit(connection: Connection, account_id: int, trial: str, session_hash: str) -> datetime | None:
    """Return when the visit before this one ended; a visit is a session. None when there was none."""
    asked = select(func.max(VISIT.c.last_at)).where(
        VISIT.c.account_id == account_id, VISIT.c.trial == trial, VISIT.c.session_hash != session_hash
    )
    ended: datetime | None = connection.execute(asked).scalar_one()
    return ended


def visit_is_noted(connection: Connection, account_id: int, trial: str, session_hash: str, at: datetime) -> bool:
    """Say whether it is written down already that somebody has the list open now."""
    noted = connection.execute(select(VISIT.c.last_at).where(*_same(account_id, trial, session_hash)))
    last: datetime | None = noted.scalar_one_or_none()
    return last is not None and at - last < _NOTED_EVERY


def note_visit(connection: Connection, account_id: int, trial: str, session_hash: str, at: datetime) -> None:
    """Write down that somebody has the list of a trial open."""
    done = connection.execute(update(VISIT).where(*_same(account_id, trial, session_hash)).values(last_at=at))
    if not done.rowcount:
        row = {"account_id": account_id, "trial": trial, "session_hash": session_hash}
        connection.execute(insert(VISIT).values(**row, first_at=at, last_at=at))


def appeared_since(connection: Connection, trial: str, since: datetime) -> frozenset[str]:
    """Return who came on the list of a trial after some moment."""
    asked = select(APPEARANCE.c.patient_id).where(APPEARANCE.c.trial == trial, APPEARANCE.c.at > since)
    return frozenset(connection.execute(asked).scalars())


def _same(account_id: int, trial: str, session_hash: str) -> tuple[ColumnElement[bool], ...]:
    return VISIT.c.account_id == account_id, VISIT.c.trial == trial, VISIT.c.session_hash == session_hash
