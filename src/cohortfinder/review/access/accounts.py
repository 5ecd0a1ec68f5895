"""Accounts, and what each is in which trial."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, delete, insert, select, update

from cohortfinder.errors import InputError
from cohortfinder.review.access.passwords import hashed
from cohortfinder.review.access.roles import Role
from cohortfinder.review.store.tables import ACCOUNT, TRIAL_ROLE


@dataclass(frozen=True, slots=True)
class Account:
    """A person who can sign in, with the role in each trial; without a role there is nothing to see."""

    id: int
    login: str
    name: str
    email: str | None
    administrator: bool
    active: bool
    must_change: bool
    language: str | None
    roles: Mapping[str, Role]

    def role_in(self, trial: str) -> Role | None:
        """Return the role in a trial, None for none."""
        return self.roles.get(trial)


def login_of(text: str) -> str:
    """Return a login as it is kept: how it is written makes no difference."""
    return text.strip().casefold()


def add_account(
    connection: Connection, login: str, name: str, *, at: datetime, password: str | None = None,
    subject: str | None = None, email: str | None = None, administrator: bool = False, must_change: bool = False,
) -> int:  # fmt: skip
    """Add somebody without any role, and return the number. Raises InputError when the login is taken or empty."""
    if not login_of(login) or not name.strip():
        raise InputError("an account needs a login and the name of the person")
    if account_of(connection, login) is not None:
        raise InputError(f"the login {login_of(login)!r} is taken; choose another one")
    done = connection.execute(
        insert(ACCOUNT).values(
            login=login_of(login), name=name.strip(), email=email, subject=subject, administrator=administrator,
            active=True, must_change=must_change, created_at=at, password_at=at if password else None,
            password_hash=hashed(password) if password else None,
        )
    )  # fmt: skip
    return int((done.inserted_primary_key or (0,))[0])


def give_role(connection: Connection, account_id: int, trial: str, role: Role | None) -> None:
    """Let somebody be something in a trial, or nothing any more."""
    connection.execute(delete(TRIAL_ROLE).where(TRIAL_ROLE.c.account_id == account_id, TRIAL_ROLE.c.trial == trial))
    if role is not None:
        connection.execute(insert(TRIAL_ROLE).values(account_id=account_id, trial=trial, role=role.value))


def set_password(connection: Connection, account_id: int, password: str, *, at: datetime, must_change: bool) -> None:
    """Give an account another password. Raises InputError when it is too short or too long."""
    connection.execute(
        update(ACCOUNT)
        .where(ACCOUNT.c.id == account_id)
        .values(password_hash=hashed(password), password_at=at, must_change=must_change)
    )


def account_of(connection: Connection, login: str) -> Account | None:
    """Return the account of a login, None when there is none."""
    row = connection.execute(select(ACCOUNT).where(ACCOUNT.c.login == login_of(login))).one_or_none()
    return _account(connection, row)


def account_by_id(connection: Connection, account_id: int) -> Account | None:
    """Return an account by its number, None when there is none."""
    return _account(connection, connection.execute(select(ACCOUNT).where(ACCOUNT.c.id == account_id)).one_or_none())


def password_hash_of(connection: Connection, account_id: int) -> str | None:
    """Return the hash of the password of a local account, None where somebody signs in elsewhere."""
    return connection.execute(select(ACCOUNT.c.password_hash).where(ACCOUNT.c.id == account_id)).scalar_one_or_none()


def every_account(connection: Connection) -> list[Account]:
    """Return everybody who has, or had, an account, by the login."""
    rows = connection.execute(select(ACCOUNT).order_by(ACCOUNT.c.login)).all()
    return [account for row in rows if (account := _account(connection, row)) is not None]


def set_active(connection: Connection, account_id: int, active: bool) -> None:
    """Let somebody sign in, or not any more; what the person has said stays."""
    connection.execute(update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(active=active))


def set_administrator(connection: Connection, account_id: int, administrator: bool) -> None:
    """Let somebody administer accounts and read the audit log, or not any more."""
    connection.execute(update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(administrator=administrator))


def names_of(connection: Connection) -> dict[int, str]:
    """Return how everybody is called who ever had an account, by the number."""
    return {row.id: row.name for row in connection.execute(select(ACCOUNT.c.id, ACCOUNT.c.name))}


def _account(connection: Connection, row: Row[tuple[object, ...]] | None) -> Account | None:
    if row is None:
        return None
    given = row._mapping
    roles = connection.execute(
        select(TRIAL_ROLE.c.trial, TRIAL_ROLE.c.role).where(TRIAL_ROLE.c.account_id == given["id"])
    )
    return Account(
        id=given["id"], login=given["login"], name=given["name"], email=given["email"],
        administrator=given["administrator"], active=given["active"], must_change=given["must_change"],
        language=given["language"], roles={trial: Role(role) for trial, role in roles},
    )  # fmt: skip
