"""The application: pages, static files, and what is shown where something goes wrong."""

from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from cohortfinder.errors import CohortFinderError
from cohortfinder.review.application import STATIC, Application
from cohortfinder.review.asked import Asked
from cohortfinder.review.guard import Guard
from cohortfinder.review.pages.registry import PAGES
from cohortfinder.review.routing import route_of

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")


def make_app(application: Application) -> ASGIApp:
    """Return the application as ASGI."""
    errors: dict[Any, Any] = {HTTPException: _refused, CohortFinderError: _failed, Exception: _failed}
    app = Starlette(
        routes=[
            *(route_of(page, application) for page in PAGES),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[*hosts_of(application)])],
        exception_handlers={kind: _with(application, handler) for kind, handler in errors.items()},
    )
    return Guard(app, is_secure=application.is_secure, told=lambda what: application.log(what, level="error"))


def hosts_of(application: Application) -> tuple[str, ...]:
    """Return the names under which it answers; whoever sends another one is refused."""
    named = application.settings.address
    own = (named.split("://", 1)[1].split("/", 1)[0].rsplit(":", 1)[0],) if named else ()
    return (*own, *application.settings.hosts, *_LOOPBACK)


def _with(application: Application, handler: Any) -> Any:
    def answer(request: Request, error: Exception) -> Response:
        answered: Response = handler(Asked(request, application, datetime.now(UTC), ""), error)
        return answered

    return answer


def _refused(asked: Asked, error: HTTPException) -> Response:
    return asked.page("error.html.jinja", status=error.status_code, status_code=error.status_code, said="")


def _failed(asked: Asked, error: Exception) -> Response:
    """Show that nothing was done; what of the store is wrong is told, a mistake of ours is not."""
    said = str(error) if isinstance(error, CohortFinderError) else ""
    status = 503 if isinstance(error, CohortFinderError) else 500
    return asked.page("error.html.jinja", status=status, status_code=status, said=said)
