"""Asking until there is an answer: each try one request, with waits between them and who asks renewed in between."""

import hashlib
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from cohortfinder.address import same_origin
from cohortfinder.errors import BusyError, ProtocolError, ServerError
from cohortfinder.fhir.address import shown_question
from cohortfinder.fhir.answers import Answer, document_of, error_of, said, server_time
from cohortfinder.fhir.failures import UnansweredError
from cohortfinder.fhir.retries import SHORTEST_SECONDS, TRIES, Patience, told_wait
from cohortfinder.fhir.transport import Reply, Request, Transport

# of one answer held in memory: a page of a search, not a file
LARGEST_ANSWER = 256 << 20
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file as it is on the disk now: its length and hash, of the decoded bytes."""

    bytes: int
    sha256: str


Outcome = Answer | Downloaded | UnansweredError


class Authorization(Protocol):
    """Who asks."""

    def headers(self) -> Mapping[str, str]:
        """Return what says who asks."""
        ...

    def renew(self, used: Mapping[str, str]) -> bool:
        """Get a new proof of who asks instead of one that was refused; False when there is none."""
        ...


class Asker:
    """Asks one server, for all threads of a run."""

    def __init__(
        self, transport: Transport, base: str, patience: Patience, log: Log, own: Mapping[str, str] | None = None
    ) -> None:
        """Take the headers that the server's own origin wants in every request, as a gateway before it may."""
        self.patience, self.log = patience, log
        self._transport, self._base, self._own = transport, base, own or {}

    def ask(
        self, request: Request, authorization: Authorization | None = None, *, tolerate: Container[int] = ()
    ) -> Answer:
        """Return the answer to a request, whatever its status, after as many tries as it takes.

        Statuses in `tolerate` are taken as they come. Raises ServerError when there is none, BusyError when the run
        has waited too long.
        """
        answer = self._tried(self._answered, request, authorization, tolerate)
        assert isinstance(answer, Answer)
        return answer

    def download(self, request: Request, file: Path, authorization: Authorization | None = None) -> Downloaded | Answer:
        """Write what is at an address into a file, or return the answer that is none. Raises like `ask`."""

        def written(request: Request) -> Downloaded | Answer:
            with self._transport.answered(request) as reply:
                if reply.status == 200:
                    return _written(reply.chunks(at_ease=True), file)
                return self._answer(reply, request)

        return self._tried(written, request, authorization, ())

    def _tried(
        self, once: Callable[[Request], Downloaded | Answer], request: Request,
        authorization: Authorization | None, tolerate: Container[int],
    ) -> Downloaded | Answer:  # fmt: skip
        renewed, attempt = False, 1
        while True:
            used = authorization.headers() if authorization else {}
            own = self._own if same_origin(request.url, self._base) else {}
            asked = replace(request, id=str(uuid4()), credentials={**own, **request.credentials, **used})
            outcome = self._once(once, asked)
            if isinstance(outcome, Downloaded) or (isinstance(outcome, Answer) and outcome.status in tolerate):
                return outcome
            if authorization and not renewed and _status(outcome) == 401:
                # what says who asks has expired; the same request with a new one does not count as a try
                renewed = True
                if authorization.renew(used):
                    continue
            if isinstance(outcome, Answer) and not _worth_another(request, outcome):
                return outcome
            self._wait(asked, outcome, attempt)
            attempt += 1

    def _once(self, once: Callable[[Request], Downloaded | Answer], request: Request) -> Outcome:
        if not self.patience.turn():
            raise _too_long(f"{self._transport.name(request.url)} asks to come later")
        clock = self.patience.clock
        began = clock.monotonic()
        try:
            return once(request)
        except UnansweredError as error:
            return error
        finally:
            self.patience.pace(clock.monotonic() - began)

    def _wait(self, request: Request, outcome: Answer | UnansweredError, attempt: int) -> None:
        """Wait before the next try; raise when there is none."""
        told = self._told(outcome)
        later = _status(outcome) == 429 or (_status(outcome) == 503 and told is not None)
        error = outcome if isinstance(outcome, UnansweredError) else error_of(outcome) or ServerError("no answer")
        most = min(self.patience.tries, outcome.tries if isinstance(outcome, UnansweredError) else TRIES)
        # a server that asks to come later is asked until the run has waited as long as it may
        if attempt >= most and not (later and self.patience.tries > 1):
            raise error
        seconds = self.patience.backoff(attempt) if told is None else told
        if later:
            seconds = max(seconds, SHORTEST_SECONDS)
            self.patience.ease(seconds)
        place = f"{self._transport.name(request.url)} to {shown_question(request.url, self._base)}"
        reason = _status(outcome) or "no answer"
        # the server's team finds a request by its id
        self.log(f"{place}: {reason}; try {attempt + 1} follows in {seconds:.1f} s (X-Request-Id {request.id})")
        if not self.patience.wait(seconds):
            raise _too_long(str(error).partition("; ")[0])

    def _told(self, outcome: Answer | UnansweredError) -> float | None:
        if isinstance(outcome, UnansweredError):
            return None
        return told_wait(outcome.headers, now=outcome.at or self.patience.clock.now())

    def _answered(self, request: Request) -> Answer:
        with self._transport.answered(request) as reply:
            answer = self._answer(reply, request)
        place = f"{answer.server} to {answer.asked}"
        # headers that are cut look so as well
        if answer.status == 200 and request.method == "GET" and not answer.content:
            raise UnansweredError(f"{place}: the answer is empty; ask who runs it")
        if answer.status < 300 and "json" in answer.kind and answer.content and answer.document is None:
            raise UnansweredError(f"{place}: the JSON of the answer is cut, or is not in UTF-8; ask who runs it")
        return answer

    def _answer(self, reply: Reply, request: Request) -> Answer:
        held = bytearray()
        name = self._transport.name(request.url)
        for chunk in reply.chunks():
            held += chunk
            if len(held) > LARGEST_ANSWER:
                raise ProtocolError(f"{name} sent an answer over {LARGEST_ANSWER >> 20} MB; lower page_size")
        content = bytes(held)
        asked = shown_question(request.url, self._base)
        at = server_time(reply.headers)
        return Answer(reply.status, reply.headers, content, reply.url, at, name, asked, document_of(content))


def _status(outcome: Outcome) -> int | None:
    return outcome.status if isinstance(outcome, Answer) else None


def _worth_another(request: Request, answer: Answer) -> bool:
    """Tell whether the same request may be answered next time."""
    if answer.status == 500 and request.method != "GET":
        # HAPI answers so where an operation means that the question is wrong, and says it
        return not said(answer)
    return answer.status in _AGAIN


def _too_long(place: str) -> BusyError:
    return BusyError(f"{place}; this run has waited as long as it may (wait_minutes), what it has is kept; try later")


def _written(chunks: Iterable[bytes], file: Path) -> Downloaded:
    digest, size = hashlib.sha256(), 0
    with file.open("wb") as target:
        for chunk in chunks:
            target.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return Downloaded(size, digest.hexdigest())
