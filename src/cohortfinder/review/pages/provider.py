"""Signing in with the account of the site: to its OpenID provider, and back."""

from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from cohortfinder.errors import CohortFinderError
from cohortfinder.review.access.accounts import Account, account_by_id, account_of, add_account
from cohortfinder.review.access.oidc import Person, Provider
from cohortfinder.review.asked import Asked
from cohortfinder.review.pages.sign_in import begin
from cohortfinder.review.routing import ANYBODY, Page, cookie_name, write_audit
from cohortfinder.review.store.tables import ACCOUNT

_BACK, _MINUTES = "/sign-in/provider/back", 10


def go(asked: Asked) -> Response:
    """Send the browser to the provider; it keeps what shows later that the sign-in was begun in it."""
    try:
        begun = _provider(asked).begin(_back(asked), asked.at)
    except CohortFinderError as error:
        return _not_possible(asked, error)
    response = RedirectResponse(begun.address, status_code=303)
    # lax: it must come along when the provider sends the browser back
    response.set_cookie(
        _cookie(asked), begun.kept, max_age=_MINUTES * 60, path="/", httponly=True, samesite="lax",
        secure=asked.application.is_secure,
    )  # fmt: skip
    return response


def back(asked: Asked) -> Response:
    """Begin a session for whoever the provider knows; somebody new gets an account without any role."""
    kept = asked.request.cookies.get(_cookie(asked), "")
    try:
        person = _provider(asked).end(_back(asked), kept, dict(asked.request.query_params), asked.at)
    except CohortFinderError as error:
        return _not_possible(asked, error)
    account = _account(asked, person)
    if not account.active:
        write_audit(asked.signed_in(account, None), "sign-in refused", detail="provider")
        return asked.page("sign_in.html.jinja", status=403, problem="provider")
    started = begin(asked, account, "provider")
    # a redirect would still count as coming from the provider, so that the browser would hold back the session
    response = asked.page("signed_in.html.jinja")
    response.raw_headers += [one for one in started.raw_headers if one[0] == b"set-cookie"]
    response.delete_cookie(_cookie(asked), path="/", httponly=True, samesite="lax", secure=asked.application.is_secure)
    return response


def _account(asked: Asked, person: Person) -> Account:
    """Return the account of a subject of the provider; a local account of the same login is never taken for it."""
    with asked.application.database.writing() as connection:
        number = connection.execute(
            select(ACCOUNT.c.id).where(ACCOUNT.c.subject == person.subject)
        ).scalar_one_or_none()
        if number is None:
            taken = account_of(connection, person.login) is not None
            login = f"{person.login[:120]} {asked.application.keys.mark('login', person.subject)[:8]}"
            number = add_account(
                connection, login if taken else person.login, person.name, at=asked.at, subject=person.subject,
                email=person.email,
            )  # fmt: skip
        account = account_by_id(connection, number)
    if account is None:
        raise HTTPException(404)
    return account


def _provider(asked: Asked) -> Provider:
    found = asked.application.provider
    if found is None:
        raise HTTPException(404)
    return found


def _not_possible(asked: Asked, error: CohortFinderError) -> Response:
    asked.application.log(str(error), level="error", request_id=asked.request_id)
    write_audit(asked, "sign-in refused", detail="provider")
    return asked.page("sign_in.html.jinja", status=403, problem="provider")


def _back(asked: Asked) -> str:
    secure = asked.application.is_secure
    own = f"{'https' if secure else 'http'}://{asked.request.headers.get('host', '')}"
    return (asked.application.settings.address or own).rstrip("/") + _BACK


def _cookie(asked: Asked) -> str:
    return f"{cookie_name(asked.application)}-begun"


PAGES = (
    Page("/sign-in/provider", go, ANYBODY),
    Page(_BACK, back, ANYBODY),
)
