"""Accounts, for administrators: who there is, what each is in which trial, who is signed in."""

import re

from starlette.exceptions import HTTPException
from starlette.responses import Response

from cohortfinder.errors import InputError
from cohortfinder.review.access.accounts import (
    Account,
    account_by_id,
    add_account,
    every_account,
    give_role,
    password_hash_of,
    set_active,
    set_administrator,
    set_password,
)
from cohortfinder.review.access.passwords import LEAST, MOST
from cohortfinder.review.access.roles import Right, Role
from cohortfinder.review.access.sessions import end_sessions_of, sessions_of
from cohortfinder.review.asked import Asked
from cohortfinder.review.routing import Page, write_audit

_TRIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")
_ONE = "/admin/accounts/{number}"


def show_all(asked: Asked) -> Response:
    """Show who has an account, and the form for a new one."""
    return _all(asked)


def _all(asked: Asked, problem: str = "") -> Response:
    with asked.application.database.reading() as connection:
        accounts = every_account(connection)
    return asked.page(
        "accounts.html.jinja",
        status=422 if problem else 200,
        accounts=accounts,
        problem=problem,
        least=LEAST,
        most=MOST,
    )


def add(asked: Asked) -> Response:
    """Add a local account, whose password must be changed at once."""
    form = asked.form
    login, name, email = (form.get(key, "").strip() for key in ("login", "name", "email"))
    if not login or not name or max(len(login), len(name)) > 200 or not (login + name).isprintable():
        return _all(asked, "name")
    if email and not (_MAIL.fullmatch(email) and len(email) <= 320):
        return _all(asked, "email")
    if not LEAST <= len(form.get("password", "")) <= MOST:
        return _all(asked, "length")
    try:
        with asked.application.database.writing() as connection:
            number = add_account(
                connection, login, name, at=asked.at, password=form["password"], email=email or None, must_change=True,
                administrator=form.get("administrator") == "yes",
            )  # fmt: skip
    except InputError:
        return _all(asked, "taken")
    write_audit(asked, "account added", detail=f"account {number}")
    return asked.back(f"/admin/accounts/{number}")


def show(asked: Asked) -> Response:
    """Show one account."""
    return _one(asked)


def _one(asked: Asked, problem: str = "") -> Response:
    account = _account(asked)
    with asked.application.database.reading() as connection:
        is_local = password_hash_of(connection, account.id) is not None
        sessions = sessions_of(connection, account.id)
    published = asked.snapshot.manifest.trials if asked.snapshot else ()
    trials = sorted({*published, *account.roles})
    return asked.page(
        "account.html.jinja", status=422 if problem else 200, account=account, is_local=is_local, sessions=sessions,
        trials=trials, roles=[role.value for role in Role], problem=problem, least=LEAST, most=MOST,
    )  # fmt: skip


def change_role(asked: Asked) -> Response:
    """Give somebody a role in a trial, or take it away."""
    account, trial, role = _account(asked), asked.form.get("trial", ""), asked.form.get("role", "")
    if not _TRIAL.fullmatch(trial) or role not in ("", *Role):
        return _one(asked, "role")
    with asked.application.database.writing() as connection:
        give_role(connection, account.id, trial, Role(role) if role else None)
    write_audit(asked, "role given" if role else "role taken", detail=f"account {account.id}: {role} in {trial}")
    return _back(asked, account)


def change_active(asked: Asked) -> Response:
    """Let somebody sign in, or not any more: then all sessions end. Nobody can lock out oneself."""
    account, active = _account(asked), asked.form.get("active") == "yes"
    if account.id == asked.who.id:
        return _one(asked, "self")
    with asked.application.database.writing() as connection:
        set_active(connection, account.id, active)
        end_sessions_of(connection, account.id)
    write_audit(asked, "account activated" if active else "account deactivated", detail=f"account {account.id}")
    return _back(asked, account)


def change_administrator(asked: Asked) -> Response:
    """Let somebody administer, or not any more."""
    account, administrator = _account(asked), asked.form.get("administrator") == "yes"
    if account.id == asked.who.id:
        return _one(asked, "self")
    with asked.application.database.writing() as connection:
        set_administrator(connection, account.id, administrator)
    action = "administrator made" if administrator else "administrator unmade"
    write_audit(asked, action, detail=f"account {account.id}")
    return _back(asked, account)


def end_sessions(asked: Asked) -> Response:
    """End all sessions of somebody."""
    account = _account(asked)
    with asked.application.database.writing() as connection:
        end_sessions_of(connection, account.id)
    write_audit(asked, "sessions ended", detail=f"account {account.id}")
    return _back(asked, account)


def reset_password(asked: Asked) -> Response:
    """Give somebody another password, which must be changed at once."""
    account, password = _account(asked), asked.form.get("password", "")
    if not LEAST <= len(password) <= MOST:
        return _one(asked, "length")
    with asked.application.database.writing() as connection:
        if password_hash_of(connection, account.id) is None:
            raise HTTPException(403)
        set_password(connection, account.id, password, at=asked.at, must_change=True)
        end_sessions_of(connection, account.id)
    write_audit(asked, "password reset", detail=f"account {account.id}")
    return _back(asked, account)


def _account(asked: Asked) -> Account:
    """Return the account of the address. Raises 404."""
    number = str(asked.request.path_params["number"])
    with asked.application.database.reading() as connection:
        found = (
            account_by_id(connection, int(number))
            if number.isascii() and number.isdigit() and len(number) < 10
            else None
        )
    if found is None:
        raise HTTPException(404)
    return found


def _back(asked: Asked, account: Account) -> Response:
    return asked.back(f"/admin/accounts/{account.id}")


PAGES = (
    Page("/admin/accounts", show_all, Right.ADMINISTER, "accounts"),
    Page("/admin/accounts", add, Right.ADMINISTER, sends=True),
    Page(_ONE, show, Right.ADMINISTER, "account"),
    Page(f"{_ONE}/role", change_role, Right.ADMINISTER, sends=True),
    Page(f"{_ONE}/active", change_active, Right.ADMINISTER, sends=True),
    Page(f"{_ONE}/administrator", change_administrator, Right.ADMINISTER, sends=True),
    Page(f"{_ONE}/sessions", end_sessions, Right.ADMINISTER, sends=True),
    Page(f"{_ONE}/password", reset_password, Right.ADMINISTER, sends=True),
)
