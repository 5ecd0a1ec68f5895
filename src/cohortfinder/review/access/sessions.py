"""Sessions, kept by the server: a random id in a cookie, its hash in the store, and an end that no browser decides."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import compare_digest, token_urlsafe

from sqlalchemy import Connection, delete, insert, select, update

from cohortfinder.review.store.tables import SESSION

_BYTES = 32
# a look is noted so often at most, so that not every page writes
_NOTED_EVERY = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in; `csrf` must come back with everything that is sent."""

    id_hash: str
    account_id: int
    csrf: str
    way: str
    created_at: datetime
    seen_at: datetime

    def accepts(self, token: str) -> bool:
        """Say whether what came with a form is the token of this session."""
        return compare_digest(self.csrf.encode(), token.encode())


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts without a look, and at most."""

    idle: timedelta
    whole: timedelta


def begin_session(connection: Connection, account_id: int, way: str, at: datetime) -> str:
    """Begin a session and return its id, which only the browser keeps."""
    session_id = token_urlsafe(_BYTES)
    connection.execute(
        insert(SESSION).values(
            id_hash=_hashed(session_id), account_id=account_id, csrf=token_urlsafe(_BYTES), way=way, created_at=at,
            seen_at=at,
        )
    )  # fmt: skip
    return session_id


def session_of(connection: Connection, session_id: str, at: datetime, limits: Limits) -> Session | None:
    """Return the session of an id, None when there is none or its time is over."""
    row = connection.execute(select(SESSION).where(SESSION.c.id_hash == _hashed(session_id))).one_or_none()
    if row is None:
        return None
    session = Session(**row._mapping)
    over = at - session.seen_at > limits.idle or at - session.created_at > limits.whole
    return None if over else session


def needs_note(session: Session, at: datetime) -> bool:
    """Say whether the last look is to be written down again."""
    return at - session.seen_at > _NOTED_EVERY


def note_look(connection: Connection, session: Session, at: datetime) -> None:
    """Let the time without a look begin anew."""
    connection.execute(update(SESSION).where(SESSION.c.id_hash == session.id_hash).values(seen_at=at))


def end_session(connection: Connection, session: Session) -> None:
    """End one session."""
    connection.execute(delete(SESSION).where(SESSION.c.id_hash == session.id_hash))


def end_sessions_of(connection: Connection, account_id: int) -> None:
    """End every session of somebody."""
    connection.execute(delete(SESSION).where(SESSION.c.account_id == account_id))


def sessions_of(connection: Connection, account_id: int) -> list[Session]:
    """Return the sessions of somebody, the newest first."""
    asked = select(SESSION).where(SESSION.c.account_id == account_id).order_by(SESSION.c.created_at.desc())
    return [Session(**row._mapping) for row in connection.execute(asked)]


def forget_old_sessions(connection: Connection, at: datetime, limits: Limits) -> None:
    """Remove what nobody can use any more."""
    connection.execute(
        delete(SESSION).where((SESSION.c.created_at < at - limits.whole) | (SESSION.c.seen_at < at - limits.idle))
    )


def _hashed(session_id: str) -> str:
    return sha256(session_id.encode()).hexdigest()
