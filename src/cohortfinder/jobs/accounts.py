"""Accounts of the review application, from the command line: the first administrator is made here."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

from cohortfinder.errors import InputError
from cohortfinder.review.access.accounts import account_of, add_account, give_role, set_password
from cohortfinder.review.access.roles import Role
from cohortfinder.review.store.database import open_database
from cohortfinder.settings import Settings


def add(
    settings: Settings, login: str, name: str, password: str, *, administrator: bool = False, must_change: bool = True
) -> None:
    """Add a local account without any role. Raises InputError when the login is taken or the password too short."""
    with closing(open_database(settings.store, settings.review)) as database, database.writing() as connection:
        add_account(
            connection, login, name, at=datetime.now(UTC), password=password, administrator=administrator,
            must_change=must_change,
        )  # fmt: skip


def grant(settings: Settings, login: str, trial: str, role: Role | None) -> None:
    """Let somebody be something in a trial, None for nothing any more. Raises InputError for an unknown login."""
    with closing(open_database(settings.store, settings.review)) as database, database.writing() as connection:
        account = account_of(connection, login)
        if account is None:
            raise InputError(f"there is no account {login!r}; add it: cohortfinder accounts add {login}")
        give_role(connection, account.id, trial, role)


def reset(settings: Settings, login: str, ask: Callable[[], str]) -> None:
    """Give somebody another password, which is to be changed at once. Raises InputError for an unknown login."""
    with closing(open_database(settings.store, settings.review)) as database:
        with database.reading() as connection:
            account = account_of(connection, login)
        if account is None:
            raise InputError(f"there is no account {login!r}; add it: cohortfinder accounts add {login}")
        password = ask()
        with database.writing() as connection:
            set_password(connection, account.id, password, at=datetime.now(UTC), must_change=True)
