"""How often somebody may try to sign in: whoever guesses is stopped, for logins that exist and for those that do not.

A try is counted before the password is compared, so that many at once count as many.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from cohortfinder.review.store.tables import SIGN_IN

WINDOW = timedelta(minutes=15)
# of one login since it was last signed in; of one address, behind which a whole ward may sit
OF_A_LOGIN, OF_AN_ADDRESS = 10, 60
_KEPT = timedelta(days=1)
# as the table keeps them
_LOGIN_LETTERS, _ADDRESS_LETTERS = 200, 64


@dataclass(frozen=True, slots=True)
class Try:
    """A try to sign in. `number` is its row, None where it is one too many; `last` says that no other one is left."""

    number: int | None
    last: bool = False


def count_try(connection: Connection, login: str, address: str, at: datetime) -> Try:
    """Write down that somebody tries, unless too many have failed in the last quarter of an hour."""
    login, address = login[:_LOGIN_LETTERS], address[:_ADDRESS_LETTERS]
    connection.execute(delete(SIGN_IN).where(SIGN_IN.c.at < at - _KEPT))
    since = at - WINDOW
    signed_in = select(func.max(SIGN_IN.c.at)).where(SIGN_IN.c.login == login, SIGN_IN.c.succeeded)
    last = connection.execute(signed_in).scalar_one_or_none()
    of_login = _failed(connection, SIGN_IN.c.login == login, max(since, last) if last else since)
    if of_login >= OF_A_LOGIN or _failed(connection, SIGN_IN.c.address == address, since) >= OF_AN_ADDRESS:
        return Try(None)
    done = connection.execute(insert(SIGN_IN).values(login=login, address=address, at=at, succeeded=False))
    return Try(int((done.inserted_primary_key or (0,))[0]), last=of_login + 1 == OF_A_LOGIN)


def succeeded(connection: Connection, tried: Try) -> None:
    """Write down that the password was right, so that the tries before are forgiven."""
    connection.execute(update(SIGN_IN).where(SIGN_IN.c.id == tried.number).values(succeeded=True))


def _failed(connection: Connection, whose: ColumnElement[bool], since: datetime) -> int:
    asked = select(func.count()).select_from(SIGN_IN).where(whose, SIGN_IN.c.at > since, SIGN_IN.c.succeeded.is_(False))
    return int(connection.execute(asked).scalar_one())
