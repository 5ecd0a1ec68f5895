"""A FHIR server that is asked: questions in, answers read to their end out, every failure one sentence."""

from collections.abc import Collection, Container, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from cohortfinder.address import base_address, origin, same_origin, shown
from cohortfinder.connection import Connection
from cohortfinder.errors import ProtocolError
from cohortfinder.fhir.address import below, followed, moved
from cohortfinder.fhir.answers import Answer, error_of
from cohortfinder.fhir.asking import Asker, Downloaded, Log
from cohortfinder.fhir.authorization import authorization_of
from cohortfinder.fhir.retries import TRIES, Clock, Patience
from cohortfinder.fhir.scopes import missing
from cohortfinder.fhir.tokens import OAuthTokens
from cohortfinder.fhir.transport import Request, Transport
from cohortfinder.secret import check_secrets

FHIR_JSON = "application/fhir+json"
_NDJSON = "application/fhir+ndjson"
_STRICT = "handling=strict"


class FhirClient:
    """A server by its base address; threads may share it. `types` are the resource types that will be read."""

    def __init__(
        self, connection: Connection, *, log: Log = lambda _: None, clock: Clock | None = None, tries: int = TRIES,
        types: Collection[str] = (),
    ) -> None:  # fmt: skip
        self.base = base_address(connection.url)
        self.name = shown(self.base)
        self.connection = replace(connection, url=self.base)
        check_secrets(connection.secrets())
        self._transport = Transport(self.connection)
        self._patience = Patience(budget_seconds=connection.wait_minutes * 60, clock=clock or Clock(), tries=tries)
        # a gateway before the server wants its headers even where nobody says who asks
        own = {**connection.headers, **{name: secret.read() for name, secret in connection.header_secrets.items()}}
        self._asker = Asker(self._transport, self.base, self._patience, log, own)
        self._authorization = authorization_of(self.connection, self._asker, types)
        self._told_rewritten = False

    def __enter__(self) -> "FhirClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def stop_waiting(self) -> None:
        """Let no thread wait any longer for a server that asks to come later; what is under way is read to its end."""
        self._patience.stop()

    def close(self) -> None:
        """Let no thread wait any longer, and close all connections."""
        self.stop_waiting()
        self._transport.close()

    @property
    def clock(self) -> Clock:
        """The time by which the client waits."""
        return self._patience.clock

    def pause(self, seconds: float) -> None:
        """Wait until work is done that the server has taken on. Raises BusyError when the run ends meanwhile."""
        self._patience.pause(seconds)

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
        answer = self._asker.ask(request, self._authorization if authorized else None, tolerate=tolerate)
        if answer.status not in tolerate and (error := error_of(answer)) is not None:
            raise error
        return answer

    def download(self, url: str, file: Path, *, authorized: bool, accept: str = _NDJSON) -> Downloaded:
        """Write what is at an address into a file, which may exist, and return its length and hash.

        With `authorized` it is told who asks, and the address must be of the origin of the base. Raises like `ask`.
        """
        request = self._request("GET", url, {"Accept": accept}, None, authorized=authorized)
        outcome = self._asker.download(request, file, self._authorization if authorized else None)
        if isinstance(outcome, Answer):
            raise error_of(outcome) or ProtocolError(f"{self.name}: {outcome.asked} is no file ({outcome.status})")
        return outcome

    def granted(self) -> frozenset[str] | None:
        """Return the scopes that were granted; None without OAuth, or when they are not told. Raises like `ask`."""
        return self._authorization.granted() if isinstance(self._authorization, OAuthTokens) else None

    def missing_scopes(self) -> tuple[str, ...]:
        """Return the scopes that were asked for and not granted. Raises like `ask`."""
        granted = self.granted()
        return () if granted is None else missing(self.asked_scopes(), granted)

    def asked_scopes(self) -> tuple[str, ...]:
        """Return the scopes that are asked for; none without OAuth. Raises like `ask`."""
        return self._authorization.asked if isinstance(self._authorization, OAuthTokens) else ()

    def follow(self, answer: Answer, link: str) -> str:
        """Return the address that a link of an answer means, to ask it.

        Raises ProtocolError when it leads to another origin: that server is not the one that was configured.
        """
        url = followed(link, answered=answer.url, base=self.base)
        if self.connection.rewrite_links and not same_origin(url, self.base):
            self._tell_rewritten(url)
            url = moved(url, self.base)
        if not same_origin(url, self.base):
            raise ProtocolError(
                f"{self.name} gave a link to {origin(url)}, another origin, and nothing was asked there; "
                "ask who runs it to correct its own address, or set rewrite_links = true under [fhir]"
            )
        return url

    def _tell_rewritten(self, url: str) -> None:
        if not self._told_rewritten:
            self._told_rewritten = True
            self._asker.log(f"{self.name} gives links to {origin(url)}; they are asked at {origin(self.base)} instead")

    def _request(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None, *, authorized: bool
    ) -> Request:
        url = below(self.base, path)
        if authorized and not same_origin(url, self.base):
            raise ProtocolError(f"{origin(url)} is another origin than {self.name}, and is not told who asks")
        return Request(method, url, headers, content, known=same_origin(url, self.base))
