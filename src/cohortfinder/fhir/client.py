"""A FHIR server that is asked: questions in, answers read to their end out, every failure one sentence."""

import hashlib
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from cohortfinder.address import base_address, origin, same_origin, shown
from cohortfinder.connection import BearerAccess, Connection
from cohortfinder.errors import ProtocolError
from cohortfinder.fhir.address import below, followed, shown_question
from cohortfinder.fhir.answers import Answer, error_of, server_time
from cohortfinder.fhir.transport import Reply, Request, Transport

FHIR_JSON = "application/fhir+json"
# of one answer held in memory: a page of a search, not a file
LARGEST_ANSWER = 256 << 20
_STRICT = "handling=strict"

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file as it is on the disk now: its length and hash, of the decoded bytes."""

    bytes: int
    sha256: str


class FhirClient:
    """A server by its base address; threads may share it."""

    def __init__(self, connection: Connection, *, log: Log = lambda _: None) -> None:
        self.base = base_address(connection.url)
        self.name = shown(self.base)
        self.connection = connection
        self._transport = Transport(connection)

    def __enter__(self) -> "FhirClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._transport.close()

    def get(self, path: str) -> dict[str, Any]:
        """Return the resource at a path below the base. Raises like `ask`."""
        return self.ask("GET", path).resource()

    def post(self, path: str, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Send a resource and return the one that comes back. Raises like `ask`."""
        return self.ask("POST", path, resource=resource).resource()

    def put(self, path: str, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Store a resource under its path and return what comes back. Raises like `ask`."""
        return self.ask("PUT", path, resource=resource).resource()

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None,
        resource: Mapping[str, Any] | None = None, accept: str = FHIR_JSON, authorized: bool = True,
        tolerate: Container[int] = (),
    ) -> Answer:  # fmt: skip
        """Ask for a path below the base, or for a whole address of the same origin, and return the answer.

        Statuses below 400 are answers, and those in `tolerate`, as they come. Without `authorized` it is not told who
        asks. Raises ServerError when there is no answer, BusyError when we waited long enough, RefusedError (401, 403),
        GoneError (404, 410), QuestionError (what else the server does not accept), ProtocolError (what does not belong
        to FHIR).
        """
        content = None if resource is None else orjson.dumps(resource)
        given = {"Accept": accept, "Prefer": _STRICT, **({} if content is None else {"Content-Type": FHIR_JSON})}
        request = self._request(method, path, {**given, **(headers or {})}, content, authorized=authorized)
        with self._transport.answered(request) as reply:
            answer = self._answer(reply, request, self._content(reply))
        if answer.status not in tolerate and (error := error_of(answer)) is not None:
            raise error
        return answer

    def download(
        self, url: str, file: Path, *, authorized: bool, accept: str = "application/fhir+ndjson"
    ) -> Downloaded:
        """Write what is at an address into a file, which may exist, and return its length and hash.

        With `authorized` it is told who asks, and the address must be of the origin of the base. Raises like `ask`.
        """
        request = self._request("GET", url, {"Accept": accept}, None, authorized=authorized)
        with self._transport.answered(request) as reply:
            if reply.status != 200:
                answer = self._answer(reply, request, self._content(reply))
                raise error_of(answer) or ProtocolError(f"{self.name}: {answer.asked} is no file ({answer.status})")
            return _written(reply.chunks(), file)

    def follow(self, answer: Answer, link: str) -> str:
        """Return the address that a link of an answer means, to ask it.

        Raises ProtocolError when it leads to another origin: that server is not the one that was configured.
        """
        url = followed(link, answered=answer.url, base=self.base)
        if not same_origin(url, self.base):
            raise ProtocolError(
                f"{self.name} gave a link to {origin(url)}, another origin, and nothing was asked there; "
                "ask who runs it to correct its own address"
            )
        return url

    def _request(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None, *, authorized: bool
    ) -> Request:
        url = below(self.base, path)
        if authorized and not same_origin(url, self.base):
            raise ProtocolError(f"{origin(url)} is another origin than {self.name}, and is not told who asks")
        return Request(method, url, headers, content, self._credentials() if authorized else {})

    def _credentials(self) -> Mapping[str, str]:
        access = self.connection.access
        return {"Authorization": f"Bearer {access.token.read()}"} if isinstance(access, BearerAccess) else {}

    def _content(self, reply: Reply) -> bytes:
        held = bytearray()
        for chunk in reply.chunks():
            held += chunk
            if len(held) > LARGEST_ANSWER:
                raise ProtocolError(f"{self.name} sent an answer over {LARGEST_ANSWER >> 20} MB; lower page_size")
        return bytes(held)

    def _answer(self, reply: Reply, request: Request, content: bytes) -> Answer:
        asked = shown_question(request.url, self.base)
        at = server_time(reply.headers)
        return Answer(reply.status, reply.headers, content, reply.url, at, server=self.name, asked=asked)


def _written(chunks: Iterable[bytes], file: Path) -> Downloaded:
    digest, size = hashlib.sha256(), 0
    with file.open("wb") as target:
        for chunk in chunks:
            target.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return Downloaded(size, digest.hexdigest())
