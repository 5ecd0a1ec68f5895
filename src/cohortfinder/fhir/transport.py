"""One request to a server and its answer, read to its end within a deadline; redirects are followed by hand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import local
from urllib.parse import urljoin
from uuid import uuid4

import requests
from urllib3.exceptions import HTTPError

from cohortfinder import __version__
from cohortfinder.address import origin, same_origin, shown
from cohortfinder.connection import Connection
from cohortfinder.errors import ConfigurationError, ProtocolError
from cohortfinder.fhir.body import BrokenBodyError, chunks_of
from cohortfinder.fhir.deadline import Deadline, DeadlineAdapter, deadline
from cohortfinder.fhir.failures import UnansweredError, unanswered

CONNECT_SECONDS = 20
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEPT = frozenset({307, 308})


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. What may be told to one origin only (who asks) is in `credentials`, not in `headers`."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str]
    content: bytes | None = field(default=None, repr=False)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)


class Reply:
    """An answer of which the body has not been read yet."""

    def __init__(self, response: requests.Response, server: str, seconds: float, until: Deadline) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.url = response.url
        self._response, self._server, self._seconds, self._until = response, server, seconds, until

    def chunks(self) -> Iterator[bytes]:
        """Yield the body, decoded.

        Raises UnansweredError when it does not come to its end.
        """
        try:
            yield from chunks_of(self._response.raw, self.headers)
        except (BrokenBodyError, HTTPError, OSError) as error:
            raise self._broken(error) from None
        if self._until.over:
            raise self._broken(TimeoutError())

    def _broken(self, error: Exception) -> UnansweredError:
        return unanswered(self._server, error, seconds=self._seconds, over=self._until.over)


class Transport:
    """The connections to the servers of one configuration, a session for each thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._agent = f"cohortfinder/{__version__}"
        self._sessions: list[requests.Session] = []
        self._own = local()

    def close(self) -> None:
        """Close all connections, those of other threads too."""
        for session in self._sessions:
            session.close()

    @contextmanager
    def answered(self, request: Request) -> Iterator[Reply]:
        """Send a request and yield its answer, the last one where the server sends elsewhere.

        Raises UnansweredError when there is none in time, ProtocolError when it is sent in circles.
        """
        seconds = self._connection.timeout_seconds
        with deadline(seconds) as until:
            for _ in range(_MOST_REDIRECTS + 1):
                server = self._name(request.url)
                response = self._sent(request, server, until)
                with response:
                    if response.status_code not in _REDIRECTS or "Location" not in response.headers:
                        yield Reply(response, server, seconds, until)
                        return
                    request = _redirected(request, response, server)
        raise ProtocolError(f"{server} sends from one address to the next; check the base address")

    def _sent(self, request: Request, server: str, until: Deadline) -> requests.Response:
        seconds = self._connection.timeout_seconds
        headers = {"User-Agent": self._agent, "X-Request-Id": str(uuid4()), "Accept-Encoding": "gzip"}
        try:
            return self._session().request(
                request.method, request.url, data=request.content, stream=True, allow_redirects=False,
                headers={**headers, **request.headers, **request.credentials}, auth=_nobody,
                timeout=(min(CONNECT_SECONDS, seconds), seconds),
            )  # fmt: skip
        except requests.RequestException as error:
            raise unanswered(server, error, seconds=seconds, over=until.over) from None

    def _session(self) -> requests.Session:
        """Return the session of this thread."""
        held: requests.Session | None = getattr(self._own, "session", None)
        if held is None:
            held = requests.Session()
            held.mount("http://", DeadlineAdapter())
            held.mount("https://", DeadlineAdapter())
            self._own.session = held
            self._sessions.append(held)
        return held

    def _name(self, url: str) -> str:
        return shown(self._connection.url) if same_origin(url, self._connection.url) else origin(url)


def _redirected(request: Request, response: requests.Response, server: str) -> Request:
    """Return the request to send instead; who asks is told to no other origin."""
    status, url = response.status_code, urljoin(request.url, response.headers["Location"])
    try:
        other = not same_origin(url, request.url)
    except ConfigurationError:
        raise ProtocolError(f"{server} sends to what is no address ({status}); ask who runs it") from None
    if other and origin(url).startswith("http:") and origin(request.url).startswith("https:"):
        raise ProtocolError(f"{server} sends on to {origin(url)} without TLS ({status}); ask who runs it")
    if request.content is not None and (other or status not in _KEPT):
        raise ProtocolError(f"{server} sends a question with a body on to {origin(url)} ({status}); check the address")
    return replace(request, url=url, credentials={} if other else request.credentials)


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Say who asks by our headers alone; without this, requests reads ~/.netrc."""
    return request
