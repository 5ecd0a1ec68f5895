"""Accounts of the review application, from the command line: the first administrator is made here."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection

from cohortfinder.errors import InputError
from cohortfinder.jobs.audit import recorded
from cohortfinder.review.access.accounts import (
    Account,
    account_of,
    add_account,
    every_account,
    give_role,
    set_active,
    set_password,
)
from cohortfinder.review.access.roles import Role
from cohortfinder.review.access.sessions import end_sessions_of
from cohortfinder.review.store.database import open_database
from cohortfinder.runs.snapshots import current_run, read_manifest, snapshot_folder
from cohortfinder.settings import Settings


def add(
    settings: Settings, login: str, name: str, password: str, *, administrator: bool = False, must_change: bool = True
) -> None:
    """Add a local account without any role. Raises InputError when the login is taken or the password too short."""
    with recorded(settings) as (connection, write_down):
        number = add_account(
            connection, login, name, at=datetime.now(UTC), password=password, administrator=administrator,
            must_change=must_change,
        )  # fmt: skip
        write_down("account added", f"account {number}")


def everybody(settings: Settings) -> list[Account]:
    """Return everybody who has an account, by the login."""
    with closing(open_database(settings.store, settings.review)) as database, database.reading() as connection:
        return every_account(connection)


def is_published(settings: Settings, trial: str) -> bool:
    """Say whether the list that holds has a trial; a role in another one shows nothing. Raises StoreError."""
    run_id = current_run(settings.store)
    return run_id is not None and trial in read_manifest(snapshot_folder(settings.store, run_id)).trials


def grant(settings: Settings, login: str, trial: str, role: Role | None) -> None:
    """Let somebody be something in a trial, None for nothing any more. Raises InputError for an unknown login."""
    with _changing(settings, login) as (connection, account, write_down):
        give_role(connection, account.id, trial, role)
        action, said = ("role given", role.value) if role else ("role taken", "")
        write_down(action, f"account {account.id}: {said} in {trial}")


def reset(settings: Settings, login: str, ask: Callable[[], str]) -> None:
    """Give somebody another password, which is to be changed at once. Raises InputError for an unknown login."""
    with _changing(settings, login):
        # is there such a login? before anybody types a password
        pass
    password = ask()
    with _changing(settings, login) as (connection, account, write_down):
        set_password(connection, account.id, password, at=datetime.now(UTC), must_change=True)
        end_sessions_of(connection, account.id)
        write_down("password reset", f"account {account.id}")


def activate(settings: Settings, login: str, active: bool) -> None:
    """Let somebody sign in, or not any more: then all sessions end. Raises InputError for an unknown login."""
    with _changing(settings, login) as (connection, account, write_down):
        set_active(connection, account.id, active)
        end_sessions_of(connection, account.id)
        action = "account activated" if active else "account deactivated"
        write_down(action, f"account {account.id}")


@contextmanager
def _changing(settings: Settings, login: str) -> Iterator[tuple[Connection, Account, Callable[[str, str], None]]]:
    with recorded(settings) as (connection, write_down):
        account = account_of(connection, login)
        if account is None:
            raise InputError(f"there is no account {login!r}; add it: cohortfinder accounts add {login}")
        yield connection, account, write_down
