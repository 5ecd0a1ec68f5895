"""A small FHIR server on loopback with the habits that a test gives it; what it was asked is kept."""

import json
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

Resource = Mapping[str, Any]
_CONTROL = frozenset({"_count", "_offset", "_sort", "_elements", "_summary", "_total", "_format"})


@dataclass(slots=True)
class Habits:
    """How the server behaves. `passes_over` are conditions that it ignores, `refuses` those that it answers with 400."""

    resources: Mapping[str, Sequence[Resource]] = field(default_factory=dict)
    release: str = "4.0.1"
    software: str = "Small Server"
    metadata: tuple[int, str, bytes] | None = None
    # by type; 0: the connection is closed without an answer
    statuses: Mapping[str, int] = field(default_factory=dict)
    passes_over: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()
    strict: bool = True
    skew: timedelta = timedelta()
    links: str = "whole"
    most: int = 1000
    history: bool = True
    history_links: bool = True
    operations: Sequence[str] = ("export",)
    token: str | None = None
    refusal: str = "no"
    # sent for every search instead of a page
    odd_page: Any = None
    # what the authorization server beside it answers: a status and a document; the scopes that it was asked for are kept
    grant: tuple[int, Mapping[str, Any]] | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def small_server(habits: Habits, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Run a server with habits, and yield its base address."""
    handler = type("Handler", (_Handler,), {"habits": habits})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/fhir"
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    habits: Habits
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        self.habits.asked.append((self.command, self.path))
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/fhir").strip("/")
        if path == "metadata":
            self._metadata()
        elif path.endswith("/_history"):
            self._history(path.removesuffix("/_history"))
        else:
            self._search(path, dict(parse_qsl(parts.query, keep_blank_values=True)))

    def do_POST(self) -> None:
        """Give a token."""
        sent = dict(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()))
        if self.path != "/token" or self.habits.grant is None:
            self.do_PUT()
            return
        self.habits.asked.append(("TOKEN", sent.get("scope", "")))
        status, document = self.habits.grant
        self._answer(status, "application/json", json.dumps(document).encode())

    def do_PUT(self) -> None:
        """Refuse: a test then sees that something other than reading was tried."""
        self.habits.asked.append((self.command, self.path))
        self._send(405, self._refusal())

    do_DELETE = do_PATCH = do_PUT

    def do_CONNECT(self) -> None:
        """Refuse as a proxy that wants to know who asks."""
        self._answer(407, "text/plain", b"")

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the time of a clock that may go wrong."""
        return format_datetime(datetime.now(UTC).replace(microsecond=0) + self.habits.skew, usegmt=True)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _metadata(self) -> None:
        if self.habits.metadata is not None:
            status, kind, body = self.habits.metadata
            self._answer(status, kind, body)
            return
        types = [
            {"type": name, "interaction": [{"code": "read"}, {"code": "search-type"}]} for name in self.habits.resources
        ]
        operations = [{"name": name} for name in self.habits.operations]
        self._send(200, {
            "resourceType": "CapabilityStatement", "fhirVersion": self.habits.release, "format": ["json"],
            "software": {"name": self.habits.software, "version": "1.0"},
            "rest": [{"mode": "server", "resource": types, "operation": operations}],
        })  # fmt: skip

    def _history(self, kind: str) -> None:
        if self.habits.history:
            link = [{"relation": "next", "url": f"{self._base()}/{kind}/_history?_page=2"}]
            more = {"link": link} if self.habits.history_links else {}
            self._send(200, {"resourceType": "Bundle", "type": "history", **more})
        else:
            self._send(404, self._refusal())

    def _search(self, kind: str, asked: dict[str, str]) -> None:
        habits = self.habits
        if habits.token is not None and self.headers.get("Authorization") != f"Bearer {habits.token}":
            self._send(401, self._refusal())
        elif habits.statuses.get(kind) == 0:
            self.close_connection = True
        elif kind in habits.statuses:
            self._send(habits.statuses[kind], self._refusal())
        elif habits.odd_page is not None:
            self._answer(200, "application/fhir+json", json.dumps(habits.odd_page).encode())
        elif kind not in habits.resources or self._not_taken(asked):
            self._send(404 if kind not in habits.resources else 400, self._refusal())
        else:
            self._page(kind, asked, [one for one in habits.resources[kind] if self._fits(one, asked)])

    def _not_taken(self, asked: Mapping[str, str]) -> bool:
        known = {"_lastUpdated", "code", "combo-code"} | _CONTROL
        unknown = any(name not in known for name in asked) and self.habits.strict
        return unknown or not self.habits.refuses.isdisjoint(asked)

    def _fits(self, resource: Resource, asked: Mapping[str, str]) -> bool:
        heeded = {name: value for name, value in asked.items() if name not in self.habits.passes_over}
        since = heeded.get("_lastUpdated", "").removeprefix("ge")
        if since and resource["meta"]["lastUpdated"] < since:
            return False
        codes = [code for name in ("code", "combo-code") if (code := heeded.get(name))]
        coding = resource.get("code", {}).get("coding", [])
        held = {f"{one.get('system')}|{one.get('code')}" for one in coding} | {one.get("code") for one in coding}
        return all(not held.isdisjoint(any_of.split(",")) for any_of in codes)

    def _page(self, kind: str, asked: dict[str, str], found: list[Resource]) -> None:
        size, offset = min(int(asked.get("_count", "20")), self.habits.most), int(asked.get("_offset", "0"))
        page = found[offset : offset + size]
        bundle: dict[str, Any] = {
            "resourceType": "Bundle", "type": "searchset", "link": [],
            "entry": [{"resource": one, "search": {"mode": "match"}} for one in page],
        }  # fmt: skip
        if offset + size < len(found) and self.habits.links != "none":
            query = urlencode({**asked, "_offset": str(offset + size)})
            bundle["link"].append({"relation": "next", "url": f"{self._base()}/{kind}?{query}"})
        self._send(200, bundle)

    def _base(self) -> str:
        host = self.headers.get("Host", "")
        forms = {
            "whole": f"http://{host}/fhir",
            "relative": "/fhir",
            "foreign": "http://inner.hospital.example/fhir",
            "none": "",
        }
        return forms[self.habits.links]

    def _refusal(self) -> Resource:
        issue = {"severity": "error", "code": "invalid", "diagnostics": self.habits.refusal}
        return {"resourceType": "OperationOutcome", "issue": [issue]}

    def _send(self, status: int, resource: Resource) -> None:
        self._answer(status, "application/fhir+json", json.dumps(resource).encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
