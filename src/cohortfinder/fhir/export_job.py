"""The job of a bulk export on the server: begun, asked for until it is done, and deleted.

Source: https://hl7.org/fhir/uv/bulkdata/export.html
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import count

from cohortfinder.errors import BusyError, CohortFinderError, GoneError, ProtocolError, QuestionError, ServerError
from cohortfinder.fhir.answers import Answer, issues, said
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.export_question import ExportQuestion, KickOff, kick_offs

_JSON = "application/json"
_FINISHED, _ACCEPTED, _BAD_REQUEST, _TOO_MANY = 200, 202, 400, 429
_NO_METHOD = frozenset({405, 501})
_GONE = frozenset({404, 410})
# Whatever is wrong with a poll, the job may be well: it is asked again, unless the server says that the job failed.
_ANSWERS = frozenset({404, 410, 429, 500, 501, 502, 503, 504})
_PASSING = frozenset({"transient", "timeout", "throttled", "lock-error", "no-store", "incomplete"})
_MOST_FAILURES = 20
_SLOWEST_SECONDS = 300

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a run waits: between two questions at most so long, for the whole export so long.

    HAPI says 120 seconds for an export of two, others five hours: what a server says is bounded.
    """

    between_seconds: float = 60
    run_seconds: float = 4 * 3600


class JobFailedError(ServerError):
    """The server says that the export failed."""


def begun(client: FhirClient, question: ExportQuestion) -> tuple[KickOff, Answer, str]:
    """Begin an export: return how it was asked for, the answer, and the address of its job.

    Raises BusyError while the server does another export for us, and what it last said when it does not export.
    """
    refused: list[QuestionError] = []
    for way in kick_offs(question):
        # what is refused for its content is not asked in a way of which HAPI reads a part only
        if way.repeated and refused and refused[0].status == _BAD_REQUEST:
            continue
        try:
            return way, *_begun(client, way)
        except QuestionError as error:
            refused.append(error)
    # a method that the server does not know says nothing of the question
    raise next((error for error in reversed(refused) if error.status not in _NO_METHOD), refused[-1])


def _begun(client: FhirClient, way: KickOff) -> tuple[Answer, str]:
    answer = client.ask(
        way.method,
        way.path,
        resource=way.resource,
        headers={"Prefer": "respond-async"},
        tolerate={_TOO_MANY, *_NO_METHOD},
    )
    if answer.status in _NO_METHOD:
        message = f"{client.name} to {answer.asked}: the server does not know {way.method} there ({answer.status})"
        raise QuestionError(f"{message}; pull with --search", status=answer.status)
    if answer.status == _TOO_MANY:
        raise BusyError(f"{client.name} is busy with another export{said(answer)}; run again later")
    return answer, _job_of(answer, client)


def finished(client: FhirClient, job: str, patience: Patience, log: Log) -> Answer:
    """Wait until an export is done and return the answer that is its manifest.

    Raises BusyError when it takes longer than this run may wait, GoneError when the server does not know the job (any
    longer), JobFailedError when it says that it failed, ServerError when it does not answer sensibly.
    """
    until = client.clock.now().timestamp() + patience.run_seconds
    failures = 0
    for wait in _waits(patience):
        answer = client.ask("GET", job, accept=_JSON, tolerate=_ANSWERS)
        if _status(answer) == _FINISHED:
            return answer
        failures = 0 if _status(answer) in (_ACCEPTED, _TOO_MANY) else failures + 1
        _raise_what_ends(client, answer, failures)
        seconds = _bounded(wait, _retry_after(answer, client.clock.now()), patience, slow=answer.status == _TOO_MANY)
        if client.clock.now().timestamp() + seconds > until:
            raise BusyError(f"{client.name} is still exporting{_progress(answer)}; run again, and this export goes on")
        log(f"the server is exporting{_progress(answer)}")
        client.pause(seconds)
    raise AssertionError("the waits never end")


def deleted(client: FhirClient, job: str, log: Log) -> None:
    """Tell the server that its files are no longer needed; whether it listens changes nothing."""
    try:
        client.ask("DELETE", job, tolerate=_ANSWERS)
    except CohortFinderError as error:
        log(f"the export could not be deleted on the server: {error}")


def _job_of(answer: Answer, client: FhirClient) -> str:
    link = answer.headers.get("Content-Location")
    if answer.status != _ACCEPTED or not link:
        message = f"{client.name} answered an export with {answer.status} and without the address of its job"
        raise ProtocolError(f"{message}; ask who runs it, or pull with --search")
    return client.follow(answer, link)


def _status(answer: Answer) -> int:
    """Return the status of the job: a server of the next guide may tell it beside the status of the answer."""
    told = (answer.headers.get("X-Export-Status") or "").split()
    return int(told[0]) if answer.status == _FINISHED and told and told[0].isdecimal() else answer.status


def _raise_what_ends(client: FhirClient, answer: Answer, failures: int) -> None:
    status = _status(answer)
    if status in _GONE:
        raise GoneError(f"{client.name} does not know its export any longer ({status}); run again", status=status)
    if status in (_ACCEPTED, _TOO_MANY):
        return
    codes = {issue.get("code") for issue in issues(answer.document)}
    if codes and not codes & _PASSING:
        raise JobFailedError(f"{client.name} could not export ({status}{said(answer)}); ask who runs it")
    if failures >= _MOST_FAILURES:
        raise ServerError(f"{client.name} does not tell how its export stands ({status}); run again later")


def _waits(patience: Patience) -> Iterator[float]:
    """Yield how long to wait at most: a short time at first, for short exports."""
    return (
        min(2.0**number, patience.between_seconds) if number < 30 else patience.between_seconds for number in count()
    )


def _bounded(wait: float, told: float | None, patience: Patience, *, slow: bool) -> float:
    if slow:  # we asked too often
        return min(max(told or 0, wait, patience.between_seconds), _SLOWEST_SECONDS)
    return wait if told is None else max(min(told, wait), 0.2)


def _retry_after(answer: Answer, now: datetime) -> float | None:
    """Return how many seconds the server asks to wait; None when it does not say, or nothing sensible."""
    told = (answer.headers.get("Retry-After") or "").strip()
    try:
        return max(float(told), 0.0)
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(told)
    except ValueError:
        return None
    return max((at - (answer.at or now)).total_seconds(), 0.0) if at.tzinfo else None


def _progress(answer: Answer) -> str:
    told = " ".join((answer.headers.get("X-Progress") or "").split())
    return f" ({told[:100]})" if told else ""
