"""One FHIR server over HTTP: JSON in, JSON out, and every failure as one sentence without anything secret."""

from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

from cohortfinder.errors import ConfigurationError, ProtocolError, RefusedError, ServerError

FHIR_JSON = "application/fhir+json"
TIMEOUT_SECONDS = 60
_LONGEST = 300
_BUSY = frozenset({429, 502, 503, 504})


class FhirClient:
    """A server by its base address, asked with a bearer token where one is given."""

    def __init__(self, url: str, *, token: str | None = None, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.name = shown(url)
        self._url = url.rstrip("/")
        self._timeout = timeout_seconds
        self._session = requests.Session()
        self._session.headers["Accept"] = FHIR_JSON
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> "FhirClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._session.close()

    def get(self, path: str) -> dict[str, Any]:
        """Return the resource at a path below the base.

        Raises ServerError, RefusedError or ProtocolError.
        """
        return self._ask("GET", path, None)

    def post(self, path: str, resource: dict[str, Any]) -> dict[str, Any]:
        """Send a resource and return the one that comes back. Raises like `get`."""
        return self._ask("POST", path, resource)

    def put(self, path: str, resource: dict[str, Any]) -> dict[str, Any]:
        """Store a resource under its path and return what comes back. Raises like `get`."""
        return self._ask("PUT", path, resource)

    def _ask(self, method: str, path: str, resource: dict[str, Any] | None) -> dict[str, Any]:
        headers = {} if resource is None else {"Content-Type": FHIR_JSON}
        try:
            response = self._session.request(
                method, f"{self._url}/{path}", json=resource, headers=headers, timeout=self._timeout
            )
        except requests.Timeout as error:
            message = f"{self.name} did not answer within {self._timeout:g} seconds; try later"
            raise ServerError(message) from error
        except requests.RequestException as error:
            reason = type(error).__name__
            raise ServerError(f"{self.name} cannot be reached ({reason}); check the address and the network") from error
        return self._answer(response, path)

    def _answer(self, response: requests.Response, path: str) -> dict[str, Any]:
        resource = _resource(response)
        status, asked = response.status_code, f"{self.name} to {path}"
        said = _said(resource)
        if status in (401, 403):
            raise RefusedError(f"{self.name} refused {path} ({status}{said}); check the token and its permissions")
        # HAPI answers 500 with an OperationOutcome where it means that the question is wrong
        if status in _BUSY or (status >= 500 and not said):
            raise ServerError(f"{asked}: the server fails ({status}{said}); try later, or ask who runs it")
        if status >= 400:
            raise QuestionError(f"{asked}: the server does not accept the question ({status}{said})")
        if resource is None:
            kind = response.headers.get("Content-Type", "nothing").partition(";")[0]
            raise ProtocolError(f"{asked}: the answer is {kind} and no FHIR resource; check the base address")
        return resource


class QuestionError(ProtocolError):
    """A server answered that it cannot answer this question."""


def shown(url: str) -> str:
    """Return an address as it may be shown: without a user, a password, or what was asked.

    Raises ConfigurationError when it is none.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        raise ConfigurationError("the address of the FHIR server is no address; write one as https://server/fhir")
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def _resource(response: requests.Response) -> dict[str, Any] | None:
    try:
        content = response.json()
    except ValueError:
        return None
    return content if isinstance(content, dict) and "resourceType" in content else None


def _said(resource: dict[str, Any] | None) -> str:
    """Return what an OperationOutcome says, in one line."""
    issues = (resource or {}).get("issue")
    first = issues[0] if isinstance(issues, list) and issues and isinstance(issues[0], dict) else {}
    details = first.get("details")
    text = first.get("diagnostics") or (details.get("text") if isinstance(details, dict) else "")
    said = " ".join(str(text or "").split())
    return f": {said[:_LONGEST]}" if said else ""
