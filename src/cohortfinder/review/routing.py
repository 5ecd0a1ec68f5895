"""Every page with its address and what it needs; whoever lacks that is refused before the page is asked.

A request goes through `_answer`: who asks, may that person do this in this trial, is what was sent from our own form;
then the audit log says so, and only then the page is made. A page that needs nothing named cannot be registered.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from time import perf_counter
from traceback import extract_tb
from urllib.parse import urlsplit

from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cohortfinder.errors import CohortFinderError
from cohortfinder.review.access.accounts import account_by_id
from cohortfinder.review.access.roles import Right
from cohortfinder.review.access.sessions import Session, needs_note, note_look, session_of
from cohortfinder.review.application import Application
from cohortfinder.review.asked import Asked
from cohortfinder.review.store.audit import Deed, add_entry, follows

# who needs to be nobody, and who needs only to be somebody
ANYBODY, SIGNED_IN = "anybody", "signed in"
CSRF = "csrf"
_FIELDS, _PART_BYTES, _TRIES = 100, 64 * 1024, 20


@dataclass(frozen=True, slots=True)
class Page:
    """An address, who may ask for it, and what answers. `action` is what the audit log calls it, '' for no entry.

    `before_change`: also who has a password that somebody else has set may ask for it.
    """

    path: str
    answer: Callable[[Asked], Response]
    needs: Right | str
    action: str = ""
    sends: bool = False
    before_change: bool = False


def route_of(page: Page, application: Application) -> Route:
    """Return the route of a page; GET for what is looked at, POST for what is sent."""
    if not isinstance(page.needs, Right) and page.needs not in (ANYBODY, SIGNED_IN):
        raise ValueError(f"{page.path}: a page must say what it needs")

    async def answer(request: Request) -> Response:
        with _logged(page, application) as line:
            form = await _form(request) if page.sends else {}
            response = await run_in_threadpool(_answer, page, application, request, form, line.request_id)
            line.status = response.status_code
            return response

    return Route(page.path, answer, methods=["POST"] if page.sends else ["GET"])


@dataclass
class _Line:
    """What the log for IT says of a request."""

    request_id: str
    status: int = 500
    failure: str = ""


@contextmanager
def _logged(page: Page, application: Application) -> Iterator[_Line]:
    """Write a line about a request: the pattern of its address and not the address, the kind of a failure, no text."""
    line, begun = _Line(token_hex(8)), perf_counter()
    try:
        yield line
    except HTTPException as error:
        line.status = error.status_code
        raise
    except CohortFinderError as error:
        # sentences of ours name no patient
        line.status, line.failure = 503, str(error)
        raise
    except Exception as error:
        line.failure = f"{type(error).__name__} at {_place(error)}"
        raise
    finally:
        took, method = round((perf_counter() - begun) * 1000), "POST" if page.sends else "GET"
        failed = f": {line.failure}" if line.failure else ""
        application.log(
            f"{method} {page.path} {line.status} in {took} ms{failed}", level="error" if failed else "info",
            request_id=line.request_id, method=method, page=page.path, status=line.status, milliseconds=took,
        )  # fmt: skip


def _place(error: Exception) -> str:
    last = [frame for frame in extract_tb(error.__traceback__) if "cohortfinder" in frame.filename][-1:]
    return "".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in last)


async def _form(request: Request) -> Mapping[str, str]:
    """Return what was sent, as texts; files are not taken."""
    async with request.form(max_files=0, max_fields=_FIELDS, max_part_size=_PART_BYTES) as sent:
        return {name: value for name, value in sent.items() if isinstance(value, str)}


def _answer(
    page: Page, application: Application, request: Request, form: Mapping[str, str], request_id: str
) -> Response:
    asked = _known(Asked(request, application, application.clock(), request_id, form=form))
    if page.needs != ANYBODY and asked.account is None:
        return RedirectResponse("/sign-in", status_code=303)
    if page.sends:
        _require_own_form(asked)
    free = page.needs == ANYBODY or page.before_change
    if asked.account is not None and asked.account.must_change and not free:
        return RedirectResponse("/password", status_code=303)
    if isinstance(page.needs, Right) and not asked.allows(page.needs):
        write_audit(asked, "refused", detail=page.path)
        # whether there is such a trial is not told to who has no part in it
        raise HTTPException(404 if asked.role is None and page.needs is not Right.ADMINISTER else 403)
    if page.action:
        write_audit(asked, page.action)
    return page.answer(asked)


def _known(asked: Asked) -> Asked:
    """Return the request with who is signed in, where somebody is."""
    session_id = asked.request.cookies.get(cookie_name(asked.application), "")
    if not session_id:
        return asked
    with asked.application.database.reading() as connection:
        session = session_of(connection, session_id, asked.at, asked.application.limits)
        account = account_by_id(connection, session.account_id) if session else None
    if session is None or account is None or not account.active:
        return asked
    _note(asked, session)
    return asked.signed_in(account, session)


def _note(asked: Asked, session: Session) -> None:
    if needs_note(session, asked.at):
        with asked.application.database.writing() as connection:
            note_look(connection, session, asked.at)


def _require_own_form(asked: Asked) -> None:
    """Refuse what another site sent in this browser's name. Raises 403."""
    headers = asked.request.headers
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    # a browser that is told to send no referrer sends "null" in its place, and says otherwise where the form is from
    hidden = origin == "null" and site == "same-origin"
    foreign = site not in (None, "same-origin", "none") or (
        origin is not None and not hidden and urlsplit(origin).netloc != headers.get("host")
    )
    token = asked.form.get(CSRF, "")
    if foreign or (asked.session is not None and not asked.session.accepts(token)):
        raise HTTPException(403, "csrf")


def cookie_name(application: Application) -> str:
    """Return the name of the cookie of a session; __Host- binds it to this host and to TLS."""
    return "__Host-cohortfinder" if application.is_secure else "cohortfinder"


def set_session(asked: Asked, response: Response, session_id: str) -> Response:
    """Let the browser keep the id of a session: no script reads it, and no other site has it sent."""
    response.set_cookie(
        cookie_name(asked.application), session_id, path="/", httponly=True, samesite="strict",
        secure=asked.application.is_secure,
    )  # fmt: skip
    return response


def write_audit(asked: Asked, action: str, *, trial: str = "", candidate: str = "", detail: str = "") -> None:
    """Write down what somebody does; where that cannot be written, it is not done. Raises ReadWriteError."""
    account = asked.account
    deed = Deed(
        action=action, account_id=account.id if account else None, login=account.login if account else "",
        role=asked.role.value if asked.role else "", trial=trial or asked.trial_id, detail=detail,
        request_id=asked.request_id, candidate=candidate or str(asked.request.path_params.get("candidate", "")),
    )  # fmt: skip
    for left in reversed(range(_TRIES)):
        try:
            with asked.application.database.writing() as connection:
                number, mark = add_entry(connection, asked.application.keys, deed, asked.at)
                head = asked.application.head
                known = head is not None and follows(connection, head, number)
            if head is not None and known:
                head.note(number, mark)
            return
        except IntegrityError:
            # another server of the same PostgreSQL came in between
            if not left:
                raise
