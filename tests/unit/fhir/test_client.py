"""What a FHIR server can do to its client: each failure is one sentence with its exit status, and nothing secret is in it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from cohortfinder.connection import BearerAccess, Connection
from cohortfinder.errors import (
    ConfigurationError,
    GoneError,
    ProtocolError,
    QuestionError,
    RefusedError,
    ServerError,
)
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.terminology_server import TerminologyServer
from cohortfinder.secret import Secret

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": "no such\ncode"}]}
SYSTEM = "http://site.example/codes"


class Answers(BaseHTTPRequestHandler):
    """Answers with what the test has put down, one after the other."""

    given: ClassVar[list[tuple[int, str, bytes]]] = []
    asked: ClassVar[list[dict[str, object]]] = []
    tokens: ClassVar[list[str | None]] = []

    def do_POST(self) -> None:
        """Keep the question and answer."""
        size = int(self.headers.get("Content-Length") or 0)
        Answers.asked.append(json.loads(self.rfile.read(size)) if size else {})
        Answers.tokens.append(self.headers.get("Authorization"))
        status, kind, body = Answers.given.pop(0)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server that answers as told."""
    Answers.given, Answers.asked, Answers.tokens = [], [], []
    with HTTPServer(("127.0.0.1", 0), Answers) as held:
        thread = threading.Thread(target=held.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{held.server_port}/fhir"
        held.shutdown()
        thread.join()


def answer(status: int, content: object, kind: str = "application/fhir+json") -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    Answers.given.append((status, kind, body))


def page(*codes: str, total: int | None = None) -> dict[str, object]:
    contains = [{"system": SYSTEM, "code": code, "version": "7"} for code in codes]
    return {"resourceType": "ValueSet", "expansion": {"contains": contains, **({"total": total} if total else {})}}


@pytest.mark.parametrize(
    ("status", "content", "kind", "error", "said"),
    [
        (401, b"", "text/plain", RefusedError, " refused metadata (401); check the token and its permissions"),
        (403, OUTCOME, "application/json", RefusedError, " refused metadata (403: no such code); check the token and its permissions"),
        (503, OUTCOME, "application/json", ServerError, " to metadata: the server fails (503: no such code); try later, or ask who runs it"),
        (500, b"oops", "text/plain", ServerError, " to metadata: the server fails (500); try later, or ask who runs it"),
        (500, OUTCOME, "application/json", QuestionError, " to metadata: the server does not accept the question (500: no such code)"),
        (404, b"", "text/plain", GoneError, " to metadata: the server does not accept the question (404)"),
        (200, b"<html>Log in</html>", "text/html; charset=utf-8", ProtocolError, " to metadata: the answer is text/html and no FHIR resource; check the base address"),
        (200, {"a": 1}, "application/json", ProtocolError, " to metadata: the answer is application/json and no FHIR resource; check the base address"),
    ],
)  # fmt: skip
def test_a_failure_is_told_in_one_sentence(server, status, content, kind, error, said):
    """By the status of the answer, and what the server says of it."""
    answer(status, content, kind)
    with FhirClient(Connection(server), tries=1) as client, pytest.raises(error) as caught:
        client.get("metadata")
    assert (type(caught.value), str(caught.value)) == (error, f"{server}{said}")


def test_a_status_that_is_tolerated_is_an_answer(server):
    """With what the server says of it."""
    answer(503, OUTCOME)
    with FhirClient(Connection(server)) as client:
        answered = client.ask("GET", "metadata", tolerate={503})
    assert (answered.status, json.loads(answered.content)) == (503, OUTCOME)


def test_nothing_secret_is_told(server):
    """Neither the token, nor an id, nor what was asked."""
    answer(401, b"", "text/plain")
    connection = Connection(server, BearerAccess(Secret("abc")))
    with FhirClient(connection) as client, pytest.raises(RefusedError) as caught:
        client.get("Patient/p-7?name=Smith")
    assert str(caught.value) == f"{server} refused Patient/... (401); check the token and its permissions"


def test_a_password_in_the_address_is_refused(server):
    """It would stand in a list of processes, or in a configuration that many may read."""
    address = server.replace("http://", "http://user:hidden@")
    with pytest.raises(ConfigurationError) as caught:
        FhirClient(Connection(address))
    assert "user or a password" in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_the_token_is_sent(server):
    """As a bearer token."""
    answer(200, {"resourceType": "CapabilityStatement"})
    with FhirClient(Connection(server, BearerAccess(Secret("abc")))) as client:
        client.get("metadata")
    assert Answers.tokens == ["Bearer abc"]


def test_nobody_there():
    """The address may be wrong, or the network closed."""
    with FhirClient(Connection("http://127.0.0.1:9/fhir"), tries=1) as client, pytest.raises(ServerError) as caught:
        client.get("metadata")
    assert str(caught.value) == (
        "http://127.0.0.1:9/fhir refuses the connection: nothing listens at its port; check the address"
    )


@pytest.mark.parametrize(
    "address", ["server/fhir", "ftp://server/fhir", "http://", "", "http://[::1/fhir", "http://h:x/fhir"]
)
def test_what_is_no_address_is_refused(address):
    """Before anything is sent."""
    with pytest.raises(ConfigurationError, match="is no address; write one as https://server/fhir"):
        FhirClient(Connection(address))


def test_an_expansion_is_read_page_by_page(server):
    """Until all of it is there, and what comes twice counts once."""
    answer(200, page("A", "B", total=3))
    answer(200, page("B", "C", total=3))
    with FhirClient(Connection(server)) as client:
        expansion = TerminologyServer(client).below(SYSTEM, "A")
    assert expansion.codes == ((SYSTEM, "A"), (SYSTEM, "B"), (SYSTEM, "C"))
    assert expansion.versions == {f"{SYSTEM}|7"}
    offsets = [
        {one["name"]: one.get("valueInteger") for one in asked["parameter"]}["offset"] for asked in Answers.asked
    ]
    assert offsets == [0, 2]


def test_an_expansion_that_ends_too_early_is_refused(server):
    """A part of the codes would look like all of them."""
    answer(200, page("A", "B", total=3))
    answer(200, page(total=3))
    with (
        FhirClient(Connection(server)) as client,
        pytest.raises(ProtocolError, match="gave 2 of 3 codes of an expansion"),
    ):
        TerminologyServer(client).below(SYSTEM, "A")


def test_an_expansion_without_codes_is_no_answer(server):
    """The code itself belongs to it, so that the server does not know the code."""
    answer(200, page())
    with (
        FhirClient(Connection(server)) as client,
        pytest.raises(QuestionError, match="gave an expansion without any code"),
    ):
        TerminologyServer(client).below(SYSTEM, "A")
