"""Signing in with a password, and out."""

from sqlalchemy import insert
from starlette.responses import Response

from cohortfinder.review.access.accounts import account_of, login_of, password_hash_of
from cohortfinder.review.access.passwords import fits
from cohortfinder.review.access.sessions import begin_session, end_session, forget_old_sessions
from cohortfinder.review.asked import Asked
from cohortfinder.review.routing import ANYBODY, SIGNED_IN, Page, cookie_name, set_session, write_audit
from cohortfinder.review.store.tables import SIGN_IN


def show(asked: Asked) -> Response:
    """Show the form."""
    return asked.page("sign_in.html.jinja", wrong=False)


def sign_in(asked: Asked) -> Response:
    """Begin a session where login and password fit."""
    login, password = login_of(asked.form.get("login", "")), asked.form.get("password", "")
    database = asked.application.database
    with database.reading() as connection:
        account = account_of(connection, login)
        known_hash = password_hash_of(connection, account.id) if account and account.active else None
    right = fits(known_hash, password)
    address = asked.request.client.host if asked.request.client else ""
    with database.writing() as connection:
        connection.execute(insert(SIGN_IN).values(login=login[:200], address=address, at=asked.at, succeeded=right))
        session_id = begin_session(connection, account.id, "password", asked.at) if account and right else None
        forget_old_sessions(connection, asked.at, asked.application.limits)
    if account is None or session_id is None:
        write_audit(asked, "sign-in refused")
        return asked.page("sign_in.html.jinja", status=401, wrong=True)
    write_audit(asked.signed_in(account, None), "sign-in")
    return set_session(asked, asked.back("/"), session_id)


def sign_out(asked: Asked) -> Response:
    """End the session."""
    if asked.session is not None:
        with asked.application.database.writing() as connection:
            end_session(connection, asked.session)
    response = asked.back("/sign-in")
    response.delete_cookie(cookie_name(asked.application), path="/")
    return response


PAGES = (
    Page("/sign-in", show, ANYBODY),
    Page("/sign-in", sign_in, ANYBODY, sends=True),
    Page("/sign-out", sign_out, SIGNED_IN, "sign-out", sends=True),
)
