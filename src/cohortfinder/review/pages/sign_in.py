"""Signing in with a password, and out."""

from starlette.responses import Response

from cohortfinder.review.access.accounts import Account, account_of, login_of, password_hash_of
from cohortfinder.review.access.passwords import fits
from cohortfinder.review.access.sessions import begin_session, end_session, end_sessions_of, forget_old_sessions
from cohortfinder.review.access.throttle import count_try, succeeded
from cohortfinder.review.asked import Asked
from cohortfinder.review.routing import ANYBODY, SIGNED_IN, Page, cookie_name, set_session, write_audit


def show(asked: Asked) -> Response:
    """Show the form."""
    return asked.page("sign_in.html.jinja", problem="")


def sign_in(asked: Asked) -> Response:
    """Begin a session where login and password fit, unless too many tries have failed."""
    login, password = login_of(asked.form.get("login", "")), asked.form.get("password", "")
    with asked.application.database.writing() as connection:
        tried = count_try(connection, login, asked.address, asked.at)
    account = known(asked, login, password)
    if tried.number is None:
        # right or wrong is not told, so that guessing goes on for nothing
        return asked.page("sign_in.html.jinja", status=429, problem="locked")
    if account is None:
        write_audit(asked, "sign-in refused", detail="the last try for a quarter of an hour" if tried.last else "")
        return asked.page("sign_in.html.jinja", status=401, problem="wrong")
    with asked.application.database.writing() as connection:
        succeeded(connection, tried)
    return begin(asked, account, "password")


def known(asked: Asked, login: str, password: str) -> Account | None:
    """Return who has a login and a password, None where they do not fit; it takes as long for a login of nobody."""
    with asked.application.database.reading() as connection:
        account = account_of(connection, login)
        known_hash = password_hash_of(connection, account.id) if account and account.active else None
    return account if fits(known_hash, password) else None


def begin(asked: Asked, account: Account, way: str) -> Response:
    """Begin a session of somebody who has proved who that is; one that this browser had ends."""
    with asked.application.database.writing() as connection:
        if asked.session is not None:
            end_session(connection, asked.session)
        session_id = begin_session(connection, account.id, way, asked.at)
        forget_old_sessions(connection, asked.at, asked.application.limits)
    write_audit(asked.signed_in(account, None), "sign-in", detail=way)
    return set_session(asked, asked.back("/"), session_id)


def sign_out(asked: Asked) -> Response:
    """End the session."""
    if asked.session is not None:
        with asked.application.database.writing() as connection:
            end_session(connection, asked.session)
    return _out(asked)


def sign_out_everywhere(asked: Asked) -> Response:
    """End every session of the person, as after a laptop was lost."""
    with asked.application.database.writing() as connection:
        end_sessions_of(connection, asked.who.id)
    return _out(asked)


def _out(asked: Asked) -> Response:
    response = asked.back("/sign-in")
    response.delete_cookie(
        cookie_name(asked.application), path="/", httponly=True, samesite="strict", secure=asked.application.is_secure
    )
    return response


PAGES = (
    Page("/sign-in", show, ANYBODY),
    Page("/sign-in", sign_in, ANYBODY, sends=True),
    Page("/sign-out", sign_out, SIGNED_IN, "sign-out", sends=True, before_change=True),
    Page("/sign-out/everywhere", sign_out_everywhere, SIGNED_IN, "sign-out everywhere", sends=True, before_change=True),
)
