"""A small server that exports what a test has put into it, and misbehaves as it is told; it remembers what was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cohortfinder.fhir.retries import Clock

AT = "2026-11-20T10:00:00.123+01:00"
Told = tuple[int, dict[str, str], object]


@dataclass(frozen=True)
class Asked:
    """One question: the path with its question, below the base."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Exporting:
    """The server: `held` are its files, each (part, type, lines); `running` is how often a job is asked for until done."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.held: list[tuple[str, str, list[dict[str, Any]]]] = []
        self.manifest: dict[str, Any] = {}
        self.counts = True
        self.running = 0
        self.jobs: dict[int, int] = {}
        self.begun = 0
        self.asked: list[Asked] = []
        self._told: dict[str, list[Told]] = {}

    def tell(self, path: str, status: int, body: object = b"", times: int = 1, **headers: str) -> None:
        """Answer the next questions for what begins with a path in this way."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._told.setdefault(path, []).extend([(status, named, body)] * times)

    def paths(self, method: str = "GET") -> list[str]:
        """Return what was asked, without the questions."""
        return [one.path.partition("?")[0] for one in self.asked if one.method == method]

    def answer(self, asked: Asked) -> Told:
        """Answer one question."""
        self.asked.append(asked)
        for path, told in self._told.items():
            if told and asked.path.startswith(path):
                return told.pop(0)
        if asked.path.partition("?")[0].endswith("$export"):
            self.begun += 1
            self.jobs[self.begun] = self.running
            return 202, {"Content-Location": f"{self.base}/job/{self.begun}"}, b""
        if asked.path[0].isupper():
            return 200, {}, {"resourceType": "Bundle", "type": "searchset", "total": 0}
        kind, _, rest = asked.path.partition("/")
        number, _, name = rest.partition("/")
        if int(number) not in self.jobs:
            return 404, {}, b""
        return self._job(int(number), asked.method) if kind == "job" else (200, {}, self._content(int(name)))

    def _job(self, number: int, method: str) -> Told:
        if method == "DELETE":
            del self.jobs[number]
            return 202, {}, b""
        if self.jobs[number]:
            self.jobs[number] -= 1
            return 202, {"Retry-After": "120", "X-Progress": "half\nway"}, b""
        return 200, {}, self._listed(number)

    def _listed(self, number: int) -> dict[str, Any]:
        parts: dict[str, list[dict[str, Any]]] = {"output": []}
        for place, (part, kind, lines) in enumerate(self.held):
            item = {"type": kind, "url": f"{self.base}/file/{number}/{place}"}
            parts.setdefault(part, []).append({**item, **({"count": len(lines)} if self.counts else {})})
        return {"transactionTime": AT, "requiresAccessToken": True, **parts, **self.manifest}

    def _content(self, place: int) -> bytes:
        return "".join(json.dumps(line) + "\n" for line in self.held[place][2]).encode()


@dataclass
class Waiting:
    """A clock that moves by what is waited, and remembers the waits."""

    waits: list[float] = field(default_factory=list)
    at: datetime = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

    def clock(self) -> Clock:
        """Return it as a clock."""
        return Clock(now=lambda: self.at, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += timedelta(seconds=seconds)


class _Handler(BaseHTTPRequestHandler):
    exporting: Exporting

    def do_GET(self) -> None:
        """Answer a question of any method."""
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        path = self.path.removeprefix("/fhir/")
        status, headers, told = self.exporting.answer(Asked(self.command, path, dict(self.headers), body))
        content = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response_only(status)
        headers.setdefault("Date", "Fri, 20 Nov 2026 12:00:00 GMT")
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value.replace("\n", " "))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def exporting_server() -> Iterator[Exporting]:
    """Run a server on a port of its own."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as held:
        handler.exporting = Exporting(f"http://127.0.0.1:{held.server_port}/fhir")
        thread = threading.Thread(target=held.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield handler.exporting
        finally:
            held.shutdown()
            thread.join()
