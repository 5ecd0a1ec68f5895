"""One request to a server and its answer, read to its end within a deadline; redirects are followed by hand."""

import logging
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import local
from urllib.parse import urljoin

import requests
from urllib3.exceptions import HTTPError

from cohortfinder import __version__
from cohortfinder.address import origin, same_origin, shown
from cohortfinder.connection import Connection
from cohortfinder.errors import ConfigurationError, ProtocolError
from cohortfinder.fhir.body import BrokenBodyError, chunks_of
from cohortfinder.fhir.deadline import Deadline, DeadlineAdapter, deadline
from cohortfinder.fhir.failures import UnansweredError, unanswered
from cohortfinder.fhir.tls import context_of, proxy_of

CONNECT_SECONDS = 20
# what it logs below this names addresses with all that was asked
logging.getLogger("urllib3").setLevel(logging.CRITICAL)
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEPT = frozenset({307, 308})
_PORTION = 1 << 20
_PLAIN = re.compile(r"^https?://[!-~]+$")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. What may be told to one origin only (who asks) is in `credentials`, not in `headers`.

    A server that is not `known` sees no certificate of ours either. The `id` is told to it and stands in our log.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str]
    content: bytes | Callable[[], bytes] | None = field(default=None, repr=False)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    known: bool = True
    id: str = ""


class Reply:
    """An answer of which the body has not been read yet."""

    def __init__(self, response: requests.Response, server: str, seconds: float, until: Deadline) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.url = response.url
        self._response, self._server, self._seconds, self._until = response, server, seconds, until

    def chunks(self, *, at_ease: bool = False) -> Iterator[bytes]:
        """Yield the body, decoded. With `at_ease` each megabyte has the time of the whole: a file may be large.

        Raises UnansweredError when it does not come to its end.
        """
        got = 0
        try:
            for chunk in chunks_of(self._response.raw, self.headers):
                yield chunk
                got += len(chunk)
                if at_ease and got > _PORTION:
                    got = 0
                    self._until.renew()
        except (BrokenBodyError, HTTPError, OSError) as error:
            raise self._broken(error) from None
        if self._until.over:
            raise self._broken(TimeoutError())

    def _broken(self, error: Exception) -> UnansweredError:
        return unanswered(self._server, error, seconds=self._seconds, over=self._until.over)


class Transport:
    """The connections to the servers of one configuration, of each thread its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._name = shown(connection.url)
        contact = f" (contact: {connection.contact})" if connection.contact else ""
        self._agent = f"cohortfinder/{__version__}{contact}"
        # to a stranger we show no certificate, and no cookie of the server
        self._trusts = {known: context_of(connection, known=known) for known in (True, False)}
        self._sessions: list[requests.Session] = []
        self._own = local()
        self._proxies: dict[str, str | None] = {}

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
                server = self.name(request.url)
                with self._sent(request, server, until) as response:
                    if response.status_code not in _REDIRECTS or "Location" not in response.headers:
                        yield Reply(response, server, seconds, until)
                        return
                    request = _redirected(request, response, server)
        raise ProtocolError(f"{server} sends from one address to the next; check the base address")

    def name(self, url: str) -> str:
        """Return a server as it may be shown."""
        return self._name if same_origin(url, self._connection.url) else origin(url)

    def _sent(self, request: Request, server: str, until: Deadline) -> requests.Response:
        seconds = self._connection.timeout_seconds
        headers = {"User-Agent": self._agent, "X-Request-Id": request.id, "Accept-Encoding": "gzip"}
        headers |= {**request.headers, **request.credentials}
        content = request.content() if callable(request.content) else request.content
        proxy = self._proxy(request.url)
        session = self._session(known=request.known)
        try:
            asked = session.prepare_request(requests.Request(request.method, request.url, headers, data=content))
            if _PLAIN.match(request.url):
                # as the server wrote it: requests would write some of its characters in another way
                asked.url = request.url
            return session.send(
                asked, stream=True, allow_redirects=False, timeout=(min(CONNECT_SECONDS, seconds), seconds),
                proxies={"http": proxy, "https": proxy} if proxy else {},
            )  # fmt: skip
        except (requests.RequestException, HTTPError, OSError) as error:
            raise unanswered(server, error, seconds=seconds, over=until.over) from None

    def _proxy(self, url: str) -> str | None:
        """Return the proxy of a server, looked up once: to search the environment takes as long as a request."""
        server = origin(url)
        if server not in self._proxies:
            self._proxies[server] = proxy_of(self._connection, url)
        return self._proxies[server]

    def _session(self, *, known: bool) -> requests.Session:
        """Return the session of this thread."""
        held: dict[bool, requests.Session] = self._own.__dict__.setdefault("sessions", {})
        if known not in held:
            held[known] = _new_session(self._trusts[known])
            self._sessions.append(held[known])
        return held[known]


def _new_session(trust: ssl.SSLContext) -> requests.Session:
    session = requests.Session()
    # the environment would bring in passwords of ~/.netrc; what of it counts is read in tls
    session.trust_env = False
    session.mount("http://", DeadlineAdapter(trust))
    session.mount("https://", DeadlineAdapter(trust))
    return session


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
    if other:
        return replace(request, url=url, credentials={}, known=False)
    return replace(request, url=url)
