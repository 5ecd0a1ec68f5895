"""The application: pages, static files, headers, and what is shown where something goes wrong."""

from collections.abc import Mapping
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
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cohortfinder.errors import CohortFinderError
from cohortfinder.review.application import STATIC, Application
from cohortfinder.review.asked import Asked
from cohortfinder.review.pages.registry import PAGES
from cohortfinder.review.routing import route_of

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
_HEADERS: Mapping[bytes, bytes] = {
    b"content-security-policy": b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    b"font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}
_SECURE = {b"strict-transport-security": b"max-age=31536000"}
_KEPT_NOWHERE = b"no-store"


def make_app(application: Application) -> Starlette:
    """Return the application as ASGI."""
    errors: dict[Any, Any] = {HTTPException: _refused, CohortFinderError: _failed, Exception: _failed}
    return Starlette(
        routes=[
            *(route_of(page, application) for page in PAGES),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[
            Middleware(_Headers, application=application),
            Middleware(TrustedHostMiddleware, allowed_hosts=[*hosts_of(application)]),
        ],
        exception_handlers={kind: _with(application, handler) for kind, handler in errors.items()},
    )


def hosts_of(application: Application) -> tuple[str, ...]:
    """Return the names under which it answers; whoever sends another one is refused."""
    named = application.settings.address
    own = (named.split("://", 1)[1].split("/", 1)[0].rsplit(":", 1)[0],) if named else ()
    return (*own, *application.settings.hosts, *_LOOPBACK)


class _Headers:
    """Headers that tell a browser to run nothing of others, to show us in no frame, and to keep no page."""

    def __init__(self, app: ASGIApp, application: Application) -> None:
        self._app = app
        self._headers = {**_HEADERS, **(_SECURE if application.is_secure else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kept = b"max-age=3600" if scope["path"].startswith("/static/") else _KEPT_NOWHERE

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {**self._headers, b"cache-control": kept}
                rest = [(name, value) for name, value in message["headers"] if name.lower() not in own]
                message["headers"] = [*rest, *own.items()]
            await send(message)

        await self._app(scope, receive, with_headers)


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
