"""What stands around all pages: headers of every answer, limits of what is sent, and an end for what goes wrong."""

from collections.abc import Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES, ADDRESS_BYTES = 256 * 1024, 4096
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
_KEPT_NOWHERE, _KEPT_AN_HOUR = b"no-store", b"max-age=3600"


class Guard:
    """The outermost part of the application: also what answers a failure passes through it.

    Browsers are told to run nothing of others, to show us in no frame, and to keep no page. `told` gets the kind of a
    failure that no page has answered, never its text, which may hold data of a patient.
    """

    def __init__(self, app: ASGIApp, *, is_secure: bool, told: Callable[[str], None]) -> None:
        self._app, self._told = app, told
        self._headers = {**_HEADERS, **(_SECURE if is_secure else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = self._with_headers(scope, send)
        refused = _refused(scope)
        if refused is not None:
            await refused(scope, receive, sent)
            return
        try:
            await self._app(scope, _counted(receive), sent)
        except Exception as error:
            # the answer has gone out; a server would write the text of the failure into its log
            self._told(f"{type(error).__name__} in {scope['method']}")

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        kept = _KEPT_AN_HOUR if scope["path"].startswith("/static/") else _KEPT_NOWHERE

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {**self._headers, b"cache-control": kept}
                rest = [(name, value) for name, value in message["headers"] if name.lower() not in own]
                message["headers"] = [*rest, *own.items()]
            await send(message)

        return with_headers


def _refused(scope: Scope) -> PlainTextResponse | None:
    """Return the answer to what is too long, before any of it is read."""
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > ADDRESS_BYTES:
        return PlainTextResponse("The address is too long.", status_code=414)
    length = dict(scope["headers"]).get(b"content-length", b"0")
    if not length.isdigit() or int(length) > BODY_BYTES:
        return PlainTextResponse("What was sent is too long. Nothing was saved.", status_code=413)
    return None


def _counted(receive: Receive) -> Receive:
    """Stop reading where more comes than is taken, of what says no length."""
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > BODY_BYTES:
            raise HTTPException(413)
        return message

    return counted
