"""Another password for oneself: asked of whoever signs in with one that somebody else has set."""

from starlette.responses import Response

from cohortfinder.review.access.accounts import password_hash_of, set_password
from cohortfinder.review.access.passwords import LEAST, MOST, is_guessed
from cohortfinder.review.access.sessions import begin_session, end_sessions_of
from cohortfinder.review.access.throttle import count_try, succeeded
from cohortfinder.review.asked import Asked
from cohortfinder.review.pages.sign_in import known
from cohortfinder.review.routing import SIGNED_IN, Page, set_session, write_audit


def show(asked: Asked) -> Response:
    """Show the form."""
    return _page(asked)


def change(asked: Asked) -> Response:
    """Take the new password, and end every session that was begun with the old one."""
    old, new, again = (asked.form.get(name, "") for name in ("old", "new", "again"))
    problem = _of_old(asked, old) or _problem(asked, old, new, again)
    if problem:
        return _page(asked, problem)
    with asked.application.database.writing() as connection:
        set_password(connection, asked.who.id, new, at=asked.at, must_change=False)
        end_sessions_of(connection, asked.who.id)
        session_id = begin_session(connection, asked.who.id, "password", asked.at)
    write_audit(asked, "password")
    return set_session(asked, asked.back("/", password="changed"), session_id)


def _of_old(asked: Asked, old: str) -> str:
    """Compare the present password, as often as somebody may try to sign in: a laptop may be left open."""
    with asked.application.database.writing() as connection:
        tried = count_try(connection, asked.who.login, asked.address, asked.at)
    if tried.number is None:
        return "locked"
    if known(asked, asked.who.login, old) is None:
        write_audit(asked, "password refused")
        return "old"
    with asked.application.database.writing() as connection:
        succeeded(connection, tried)
    return ""


def _problem(asked: Asked, old: str, new: str, again: str) -> str:
    if not LEAST <= len(new) <= MOST:
        return "length"
    if new != again:
        return "again"
    if new == old:
        return "same"
    return "guessed" if is_guessed(new, asked.who.login, asked.who.name) else ""


def _page(asked: Asked, problem: str = "") -> Response:
    with asked.application.database.reading() as connection:
        is_local = password_hash_of(connection, asked.who.id) is not None
    return asked.page(
        "password.html.jinja",
        status=422 if problem else 200,
        problem=problem,
        is_local=is_local,
        least=LEAST,
        most=MOST,
    )


PAGES = (
    Page("/password", show, SIGNED_IN, before_change=True),
    Page("/password", change, SIGNED_IN, sends=True, before_change=True),
)
