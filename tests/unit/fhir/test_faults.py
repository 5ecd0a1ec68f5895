"""What a network and a server can do to one request: each fault with its outcome, on real sockets."""

import gzip
import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cohortfinder.connection import BasicAccess, BearerAccess, Connection
from cohortfinder.errors import (
    BusyError,
    CohortFinderError,
    GoneError,
    ProtocolError,
    QuestionError,
    RefusedError,
    ServerError,
)
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.retries import Clock
from cohortfinder.secret import Secret
from faulty_server import BUNDLE, answer, drip, head, raw, reset, serving, zipped

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": "no"}]}


class Night:
    """A clock that only waiting moves; chance is always the most."""

    def __init__(self) -> None:
        self.waited: list[float] = []
        self.log: list[str] = []
        self.clock = Clock(lambda: NOW, lambda: sum(self.waited), lambda: 1.0, self.waited.append)

    def client(self, url: str, **more) -> FhirClient:
        tries = more.pop("tries", 4)
        return FhirClient(Connection(url, **more), log=self.log.append, clock=self.clock, tries=tries)


@pytest.fixture
def night() -> Night:
    return Night()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(reset(), id="reset before an answer"),
        pytest.param(reset(head(200, {"Content-Length": "500"}) + BUNDLE), id="reset in the middle of the body"),
        pytest.param(raw(b""), id="closed without an answer"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-"), id="closed in the middle of the headers"),
        pytest.param(raw(b"\x00\x01garbage\r\n\r\n"), id="no HTTP"),
        pytest.param(answer(length=len(BUNDLE) + 100), id="a length longer than the body"),
        pytest.param(answer(body=BUNDLE[:-20], length=-1), id="JSON cut where the connection ends"),
        pytest.param(answer(body=BUNDLE[:-20]), id="JSON cut with a length that fits"),
        pytest.param(raw(head(200, {"Transfer-Encoding": "chunked"}) + b"5\r\n{\"res"), id="chunks that do not end"),
        pytest.param(zipped(BUNDLE, cut=20), id="gzip cut with a length that fits"),
        pytest.param(zipped(BUNDLE, spoilt=True), id="gzip with a wrong checksum"),
        pytest.param(answer(body=b"\xff\xfe" + BUNDLE), id="no UTF-8"),
        pytest.param(answer(500, b"oops", "text/plain"), id="500"),
        pytest.param(answer(500, json.dumps(OUTCOME).encode()), id="500 with a reason"),
        pytest.param(answer(502, b"", "text/html"), id="502"),
        pytest.param(answer(503, b"", "text/html"), id="503"),
        pytest.param(answer(504, b"", "text/html"), id="504"),
        pytest.param(answer(408, b"", "text/html"), id="408"),
    ],
)  # fmt: skip
def test_a_request_that_fails_three_times_succeeds_in_the_fourth_try(night: Night, fault) -> None:
    with serving(fault, fault, fault, answer()) as server, night.client(server.url) as client:
        assert client.get("Observation?patient=p-7") == json.loads(BUNDLE)
    assert len(server.heard) == 4
    assert night.waited == [1, 2, 4]
    assert [line.partition(" to ")[2].partition(":")[0] for line in night.log] == ["Observation"] * 3
    assert "p-7" not in str(night.log)


def test_a_server_that_goes_on_failing_is_told_in_one_sentence(night: Night) -> None:
    with (
        serving(zipped(BUNDLE, cut=20)) as server,
        night.client(server.url) as client,
        pytest.raises(ServerError) as caught,
    ):
        client.get("Observation")
    assert str(caught.value) == f"{server.url} sent a gzip that ends too early; try later"
    assert len(server.heard) == 4


def test_gzip_of_several_members_is_read_to_its_end(night: Night) -> None:
    body = gzip.compress(BUNDLE[:20]) + gzip.compress(BUNDLE[20:])
    with serving(answer(body=body, Content_Encoding="gzip")) as server, night.client(server.url) as client:
        assert client.get("Observation") == json.loads(BUNDLE)


@pytest.mark.parametrize("content", [head(200, {"Content-Length": str(len(BUNDLE))}) + BUNDLE], ids=["answer"])
@pytest.mark.parametrize("already", [0, 60], ids=["from the first byte on", "in the body"])
def test_an_answer_that_drips_ends_with_its_time(night: Night, content: bytes, already: int) -> None:
    """Each byte would begin the timeout of the socket anew."""

    def act(connection) -> None:
        connection.sendall(content[:already])
        drip(content[already:])(connection)

    with serving(act, answer()) as server, night.client(server.url, timeout_seconds=0.5) as client:
        assert client.get("Observation") == json.loads(BUNDLE)
    assert len(server.heard) == 2
    request = server.heard[0].headers["x-request-id"]
    assert night.log == [f"{server.url} to Observation: no answer; try 2 follows in 1.0 s (X-Request-Id {request})"]


def test_a_large_file_has_time_as_long_as_it_flows(night: Night, tmp_path: Path) -> None:
    """Each megabyte has the time of a whole page."""
    line = b"x" * (1 << 19)

    def act(connection) -> None:
        connection.sendall(head(200, {"Content-Length": str(6 * len(line))}))
        for _ in range(6):
            connection.sendall(line)
            threading.Event().wait(0.15)

    with serving(act) as server, night.client(server.url, timeout_seconds=0.6) as client:
        done = client.download(f"{server.url}/Binary/1", tmp_path / "file", authorized=False)
    assert done.bytes == 6 * len(line)


def test_a_file_that_is_cut_is_written_anew(night: Night, tmp_path: Path) -> None:
    content = b'{"resourceType": "Patient"}\n' * 1000
    acts = (zipped(content, cut=40), answer(body=content[:999], length=len(content)), zipped(content))
    with serving(*acts) as server, night.client(server.url) as client:
        done = client.download(f"{server.url}/file.ndjson", tmp_path / "file", authorized=True)
    assert (tmp_path / "file").read_bytes() == content
    assert (done.bytes, len(server.heard)) == (len(content), 3)


@pytest.mark.parametrize(
    ("told", "waits"),
    [
        ("7", 7), ("0.5", 1), ("0", 1), ("-3", 1), ("Fri, 20 Nov 2026 03:00:30 GMT", 30),
        ("Fri, 20 Nov 2026 02:00:00 GMT", 1), ("21600", 300), ("soon", 1), ("nan", 1), ("1e400", 1), (None, 1),
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_says_in_its_own_way_how_long_to_wait(
    night: Night, status: int, told: str | None, waits: float
) -> None:
    """In seconds or as a date; what is not understood counts as not said; never under a second or over five minutes."""
    headers = {} if told is None else {"Retry_After": told}
    with serving(answer(status, b"", **headers), answer()) as server, night.client(server.url) as client:
        client.get("Observation")
    assert night.waited[:1] == [waits]


def test_a_date_is_counted_from_the_clock_of_the_server(night: Night) -> None:
    """Ours may be wrong."""
    later = answer(429, b"", Date="Fri, 20 Nov 2026 05:00:00 GMT", Retry_After="Fri, 20 Nov 2026 05:00:09 GMT")
    with serving(later, answer()) as server, night.client(server.url) as client:
        client.get("Observation")
    assert night.waited[:1] == [9]


def test_milliseconds_of_azure_go_before(night: Night) -> None:
    later = answer(429, b"", Retry_After="60", x_ms_retry_after_ms="2500")
    with serving(later, answer()) as server, night.client(server.url) as client:
        client.get("Observation")
    assert night.waited[:1] == [2.5]


def test_a_run_waits_no_longer_than_it_may(night: Night) -> None:
    """A server that asks to come later is asked until the minutes of the run are used up."""
    with (
        serving(answer(429, b"", Retry_After="21600")) as server,
        night.client(server.url, wait_minutes=12) as client,
        pytest.raises(BusyError) as caught,
    ):
        client.get("Observation?patient=p-7")
    assert str(caught.value) == (
        f"{server.url} to Observation: the server asks to come later (429); this run has waited as long as it may "
        "(wait_minutes), what it has is kept; try later"
    )
    assert night.waited == [300, 300]
    assert caught.value.exit_status == 75


def test_after_a_429_we_ask_at_half_the_rate_for_a_while(night: Night) -> None:
    """As long as a request takes, so long we rest; after ten minutes we forget it."""
    with serving(answer(429, b"", Retry_After="2"), answer()) as server, night.client(server.url) as client:
        client.get("Observation")
        patience = client._patience
        night.waited.clear()
        night.waited.append(2)
        patience.pace(0.25)
        assert night.waited == [2, 0.25]
        night.waited.append(700)
        patience.pace(0.25)
        assert night.waited == [2, 0.25, 700]


def test_waits_at_the_same_time_count_once(night: Night) -> None:
    """The budget is that of the run, not of its threads."""
    now = [0.0]
    clock = Clock(lambda: NOW, lambda: now[0], lambda: 1.0, lambda _: None)
    with serving(answer(503, b"", Retry_After="60"), answer()) as server:
        client = FhirClient(Connection(server.url, wait_minutes=2), clock=clock)
        with client:
            assert [client._patience.wait(60) for _ in range(4)] == [True] * 4
            now[0] = 60
            assert client._patience.wait(60)
            assert not client._patience.wait(61)


def test_a_doctor_does_not_wait(night: Night) -> None:
    with (
        serving(answer(429, b"", Retry_After="60")) as server,
        night.client(server.url, tries=1) as client,
        pytest.raises(BusyError, match="asks to come later"),
    ):
        client.get("metadata")
    assert night.waited == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_what_the_server_does_not_want_is_not_asked_again(night: Night, status: int) -> None:
    with (
        serving(answer(status, b"", "text/plain")) as server,
        night.client(server.url) as client,
        pytest.raises((QuestionError, RefusedError, GoneError)),
    ):
        client.get("Observation")
    assert (len(server.heard), night.waited) == (1, [])


def test_an_operation_that_fails_with_a_reason_is_not_asked_again(night: Night) -> None:
    """HAPI means by it that the question is wrong."""
    with (
        serving(answer(500, json.dumps(OUTCOME).encode())) as server,
        night.client(server.url) as client,
        pytest.raises(QuestionError),
    ):
        client.post("ValueSet/$expand", {"resourceType": "Parameters"})
    assert len(server.heard) == 1


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"<html>Log in</html>", "text/html", "the answer is text/html and no FHIR resource; check the base address"),
        (b"", "application/fhir+json", "the answer is empty; ask who runs it"),
        (b"[]", "application/json", "the answer is application/json and no FHIR resource; check the base address"),
        (json.dumps(OUTCOME).encode(), "application/fhir+json", "the server does not accept the question (200: no)"),
    ],
)  # fmt: skip
def test_a_success_that_is_none_is_noticed(night: Night, content: bytes, kind: str, said: str) -> None:
    with (
        serving(answer(200, content, kind)) as server,
        night.client(server.url) as client,
        pytest.raises(CohortFinderError) as caught,
    ):
        client.get("Observation")
    assert str(caught.value) == f"{server.url} to Observation: {said}"


def test_half_a_character_is_no_reason_to_lose_a_page(night: Night) -> None:
    """It stands in one resource; the landing puts that one aside."""
    body = b'{"resourceType": "Bundle", "id": "\\ud800"}'
    with serving(answer(body=body)) as server, night.client(server.url) as client:
        assert client.ask("GET", "Observation").content == body


def test_every_request_tells_who_we_are_and_that_we_are_strict(night: Night) -> None:
    with serving(answer()) as server, night.client(server.url, contact="it@h.example") as client:
        client.get("Observation")
        client.get("Observation")
    agents = {one.headers["user-agent"] for one in server.heard}
    assert len(agents) == 1
    assert agents.pop().endswith(" (contact: it@h.example)")
    assert [one.headers["prefer"] for one in server.heard] == ["handling=strict"] * 2
    assert len({one.headers["x-request-id"] for one in server.heard}) == 2


def test_a_redirect_to_another_origin_is_followed_without_saying_who_asks(night: Night, tmp_path: Path) -> None:
    """Storage behind a server must not see the token, nor a header that is for the server alone."""
    told = {"access": BearerAccess(Secret("canary-token")), "headers": {"Epic-Client-ID": "canary-client"}}
    with (
        serving(answer(body=b"{}\n")) as storage,
        serving(answer(307, b"", Location=f"{storage.origin}/f")) as server,
        night.client(server.url, **told) as client,
    ):
        client.download(f"{server.url}/Binary/1", tmp_path / "file", authorized=True)
    assert server.heard[0].headers["authorization"] == "Bearer canary-token"
    assert server.heard[0].headers["epic-client-id"] == "canary-client"
    assert "canary" not in str(storage.heard)


def test_a_redirect_within_the_server_keeps_who_asks(night: Night) -> None:
    acts = (answer(302, b"", Location="/fhir/other"), answer())
    with serving(*acts) as server, night.client(server.url, access=BearerAccess(Secret("t"))) as client:
        client.get("Observation")
    assert [one.headers.get("authorization") for one in server.heard] == ["Bearer t"] * 2


def test_a_link_is_asked_to_the_letter(night: Night) -> None:
    """An opaque cursor may be signed: nothing of it is written in another way."""
    cursor = "Observation?_cursor=a%2Db%7E~c%2B+d%2C,e'(*)!;f|g&&_count=2&empty="
    with serving(answer()) as server, night.client(server.url) as client:
        client.ask("GET", cursor)
        client.ask("GET", "Observation?name=M\u00fcller Jr")
    assert [one.target for one in server.heard] == [
        f"/fhir/{cursor.replace('|', '%7C')}", "/fhir/Observation?name=M%C3%BCller%20Jr",
    ]  # fmt: skip


def test_redirects_in_a_circle_end(night: Night) -> None:
    with (
        serving(answer(302, b"", Location="/fhir/again")) as server,
        night.client(server.url) as client,
        pytest.raises(ProtocolError, match="sends from one address to the next"),
    ):
        client.get("Observation")


def test_a_question_with_a_body_is_not_carried_to_another_origin(night: Night) -> None:
    with (
        serving(answer()) as other,
        serving(answer(307, b"", Location=f"{other.origin}/f")) as server,
        night.client(server.url) as client,
        pytest.raises(ProtocolError, match="sends a question with a body on to"),
    ):
        client.post("Observation/_search", {"resourceType": "Parameters"})
    assert other.heard == []


def test_another_origin_is_not_asked_with_a_token(night: Night, tmp_path: Path) -> None:
    with (
        serving(answer()) as other,
        serving(answer()) as server,
        night.client(server.url, access=BearerAccess(Secret("t"))) as client,
    ):
        page = client.ask("GET", "Observation")
        with pytest.raises(ProtocolError, match=f"gave a link to {other.origin}, another origin"):
            client.follow(page, f"{other.origin}/fhir?page=2")
        for ask in (
            lambda: client.ask("GET", f"{other.origin}/fhir?page=2"),
            lambda: client.download(f"{other.origin}/f", tmp_path / "f", authorized=True),
        ):
            with pytest.raises(ProtocolError, match=f"{other.origin} is another origin than"):
                ask()
    assert other.heard == []


def test_links_to_a_wrong_origin_may_be_led_back(night: Night) -> None:
    with serving(answer()) as server, night.client(server.url, rewrite_links=True) as client:
        page = client.ask("GET", "Observation")
        links = [client.follow(page, f"http://inner:8080/fhir?_getpages=a%7Cb&p={number}") for number in (1, 2)]
    assert links == [f"{server.url}?_getpages=a%7Cb&p={number}" for number in (1, 2)]
    assert night.log == [f"{server.url} gives links to http://inner:8080; they are asked at {server.origin} instead"]


def test_a_token_of_a_file_is_read_again_when_it_is_refused(night: Night, tmp_path: Path) -> None:
    """Somebody renews it while we run; the same page is asked once more, and that is no further try."""
    file = tmp_path / "token"
    file.write_text("old", encoding="utf-8")
    file.chmod(0o600)

    def refuse(connection) -> None:
        file.write_text("new", encoding="utf-8")
        answer(401, b"")(connection)

    with (
        serving(refuse, answer()) as server,
        night.client(server.url, access=BearerAccess(Secret(file=file))) as client,
    ):
        client.get("Observation?page=17")
    assert [(one.target, one.headers["authorization"]) for one in server.heard] == [
        ("/fhir/Observation?page=17", "Bearer old"), ("/fhir/Observation?page=17", "Bearer new"),
    ]  # fmt: skip
    assert night.waited == []


def test_a_token_that_is_refused_for_good_is_told(night: Night) -> None:
    with (
        serving(answer(401, b"")) as server,
        night.client(server.url, access=BearerAccess(Secret("t"))) as client,
        pytest.raises(RefusedError, match=r"refused Observation \(401\)"),
    ):
        client.get("Observation")
    assert len(server.heard) == 1


def test_a_password_is_sent_in_utf_8(night: Night) -> None:
    access = BasicAccess("jörg", Secret("pä:ss"))
    with serving(answer()) as server, night.client(server.url, access=access) as client:
        client.get("Observation")
    assert server.heard[0].headers["authorization"] == "Basic asO2cmc6cMOkOnNz"


def test_a_wait_ends_with_the_run() -> None:
    """Ctrl-C must not wait for a server that asked for minutes."""
    ended: list[BaseException] = []
    with serving(answer(429, b"", Retry_After="60")) as server:
        client = FhirClient(Connection(server.url))

        def ask() -> None:
            try:
                client.get("Observation")
            except BusyError as error:
                ended.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        while not server.heard:
            thread.join(0.01)
        thread.join(0.1)
        client.close()
        thread.join(10)
    assert [str(error) for error in ended] == ["the run was ended while it waited for the server"]


def nothing_listens() -> str:
    with serving(answer()) as server:
        return server.url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (lambda: "https://no-such-host.invalid/fhir", "has a name that the network does not know (DNS); check the address"),
        (nothing_listens, "refuses the connection: nothing listens at its port; check the address"),
    ],
    ids=["DNS", "refused"],
)  # fmt: skip
def test_a_server_that_cannot_be_reached_is_tried_three_times(night: Night, url: Callable[[], str], said: str) -> None:
    address = url()
    with night.client(address) as client, pytest.raises(ServerError) as caught:
        client.get("Observation?patient=p-7")
    assert str(caught.value) == f"{address} {said}"
    assert (night.waited, caught.value.exit_status) == ([1, 2], 69)


def test_nothing_secret_is_told_whatever_happens(
    night: Night, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in an error, nor in what it was made of, nor in any log: tokens, ids, what was asked, what the server repeats."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("HTTP_PROXY", "")
    said = "canary-id: Patient/canary-id?name=canary-name is not there, canary-name, Basic canary"
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "diagnostics": said.replace("Basic canary", "")}],
    }
    acts = (
        reset(), answer(503, json.dumps(outcome).encode()), answer(302, b"", Location="/fhir/Patient/canary-id?name=canary-name"),
        answer(400, json.dumps(outcome).encode()),
    )  # fmt: skip
    told: list[str] = []
    more = {"access": BearerAccess(Secret("canary-token")), "headers": {"X-Api-Key": "canary-key"}}
    with serving(*acts) as server, night.client(server.url, **more) as client:
        for _ in range(2):
            with pytest.raises(CohortFinderError) as caught:
                client.get("Patient/canary-id?name=canary-name")
            error: BaseException | None = caught.value
            told.append(repr(error) + repr(client.connection))
            assert error is not None
            assert error.__suppress_context__ or error.__context__ is None
    assert "canary" not in str(told) + str(night.log) + caplog.text
    assert len(night.log) == 2
