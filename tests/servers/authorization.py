"""A real authorization server, and a gateway that lets nobody through to a FHIR server whom it does not know."""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
from launching import CannotRunError, install_oidc_provider, started

RECIPE = Path(__file__).parent / "oauth"
GATEWAY_SECRET = "a-secret-between-gateway-and-server"
_START_SECONDS = 60


@contextmanager
def authorization_server(folder: Path, clients: list[dict[str, Any]]) -> Iterator[str]:
    """Install and start oidc-provider with these clients; yield its issuer."""
    held = shutil.copytree(RECIPE, folder / "oauth")
    try:
        install_oidc_provider(held)
    except CannotRunError as error:
        pytest.skip(str(error))
    (held / "clients.json").write_text(json.dumps({"clients": clients, "gateway": GATEWAY_SECRET}), encoding="utf-8")
    with started(["node", "server.mjs", "clients.json"], held, _START_SECONDS) as issuer:
        yield issuer


@dataclass
class Gateway:
    """What stands before the FHIR server: asks the authorization server of every token, and notes what it let through."""

    issuer: str
    fhir: str
    url: str = ""
    seen: list[tuple[str, str | None, int]] = field(default_factory=list)

    def judged(self, path: str, header: str | None) -> int:
        """Return 200 for who may ask this, 401 for who is not known, 403 for who may ask other things."""
        if header is None or not header.startswith("Bearer "):
            return 401
        found = self.told(header.removeprefix("Bearer "))
        if not found["active"] or (found["aud"] != "urn:fhir" and found["aud"] != "urn:fhir:short"):
            return 401
        kind = path.partition("?")[0].split("/")[2] if path.count("/") > 1 else "*"
        allowed = {"system/*.read", f"system/{kind}.read"}
        # a link to a next page names no type
        return 200 if kind == "*" or allowed & set(found.get("scope", "").split()) else 403

    def told(self, token: str) -> dict[str, Any]:
        """Ask the authorization server what a token is."""
        answer = requests.post(
            f"{self.issuer}/token/introspection", data={"token": token}, auth=("gateway", GATEWAY_SECRET), timeout=30
        )
        found: dict[str, Any] = answer.json()
        return found


class _Handler(BaseHTTPRequestHandler):
    gateway: ClassVar[Gateway]

    def do_GET(self) -> None:
        """Let through, or refuse."""
        path, header = self.path, self.headers.get("Authorization")
        if path == "/fhir/.well-known/smart-configuration":
            told = {
                "token_endpoint": f"{self.gateway.issuer}/token",
                "capabilities": ["client-confidential-asymmetric"],
            }
            return self._answer(200, json.dumps(told).encode(), "application/json")
        status = 200 if path == "/fhir/metadata" else self.gateway.judged(path, header)
        self.gateway.seen.append((path, header, status))
        if status != 200:
            return self._answer(status, b"", "text/plain")
        # with our own name as host, the links of its pages lead through here
        given = {
            name: self.headers[name] for name in ("Accept", "Host", "Prefer", "Cache-Control") if name in self.headers
        }
        answer = requests.get(self.gateway.fhir.removesuffix("/fhir") + path, headers=given, timeout=60)
        return self._answer(answer.status_code, answer.content, answer.headers["Content-Type"])

    def _answer(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def gateway(issuer: str, fhir: str) -> Iterator[Gateway]:
    """Stand before a FHIR server."""
    held = Gateway(issuer, fhir)
    handler = type("Handler", (_Handler,), {"gateway": held})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        held.url = f"http://127.0.0.1:{server.server_port}/fhir"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield held
        finally:
            server.shutdown()
            thread.join()
