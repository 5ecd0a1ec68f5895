"""Who listens when a night is told: a webhook and a mail server on loopback, which keep what comes."""

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


@dataclass(slots=True)
class Hooked:
    """A webhook: what it answers, one after the other, and what it was sent."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    location: str = ""
    got: list[tuple[str, Mapping[str, str], Any]] = field(default_factory=list)


@contextmanager
def hooked(*answers: int, tls: ssl.SSLContext | None = None) -> Iterator[Hooked]:
    hook = Hooked(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.got.append((self.path, dict(self.headers), json.loads(body)))
            self.send_response(hook.answers.pop(0) if hook.answers else 200)
            if hook.location:
                self.send_header("Location", hook.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        hook.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/hook/secret-path?token=secret-token"
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join()


class Box:
    """Keeps the mails that come; it takes none for `nobody`."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody"):
            return "550 unknown"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((session.ssl is not None, envelope.mail_from, envelope.rcpt_tos, envelope.content.decode()))
        return "250 taken"


def knows(server: SMTP, session: Any, envelope: Any, mechanism: str, given: LoginPassword) -> AuthResult:
    return AuthResult(success=(given.login, given.password) == (b"cohortfinder", b"right"), handled=False)


class MailServer(Controller):
    """A mail server at a port that the system chooses."""

    @property
    def at(self) -> int:
        return int(self.server.sockets[0].getsockname()[1])

    def _trigger_server(self) -> None:
        socket.create_connection(("127.0.0.1", self.at), 5).close()


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, *, direct: bool = False) -> Iterator[tuple[int, list[Any]]]:
    box = Box()
    login = {"authenticator": knows, "auth_required": True} if tls else {}
    if direct:
        controller = MailServer(box, "127.0.0.1", 0, ssl_context=tls)
    else:
        controller = MailServer(box, "127.0.0.1", 0, tls_context=tls, require_starttls=tls is not None, **login)
    controller.start()
    try:
        yield controller.at, box.mails
    finally:
        controller.stop()
