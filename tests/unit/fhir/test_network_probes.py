"""The way to a server: each thing that can be wrong with it has its sentence, its status and its remedy."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from authorities import NOW, Authority, authority, server_context
from cohortfinder.fhir.findings import Finding
from cohortfinder.fhir.network_probes import ProxyRoute, Route, network_findings

HOST = "127.0.0.1"


@contextmanager
def listening(answer: Callable[[socket.socket], None], host: str = HOST) -> Iterator[int]:
    """Answer every connection on a port of this machine."""
    with socket.create_server((host, 0)) as server:
        server.settimeout(0.05)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with suppress(OSError):
                    connection, _ = server.accept()
                    with connection, suppress(OSError):
                        connection.settimeout(5)
                        answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            thread.join()


def with_tls(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(1)

    return answer


def in_words(answer: bytes) -> Callable[[socket.socket], None]:
    def tell(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(answer)

    return tell


def trusting(signer: Authority | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(signer.bundle) if signer else None)


def last(route: Route) -> Finding:
    """Return what ends the way."""
    return [*network_findings(route, NOW)][-1]


@pytest.fixture
def known(tmp_path: Path) -> Authority:
    return authority(tmp_path)


def test_a_good_way_is_told_step_by_step(tmp_path: Path, known: Authority) -> None:
    with listening(with_tls(server_context(tmp_path, known))) as port:
        found = [*network_findings(Route(HOST, port, trusting(known)), NOW)]
    assert [(one.check, one.severity) for one in found] == [("name", "fine"), ("port", "fine"), ("TLS", "fine")]
    until = NOW + timedelta(days=90)
    assert found[-1].what == f"TLSv1.3, certificate of Test Hospital CA, until {until:%Y-%m-%d} (90 days)"


def test_a_name_that_nobody_knows() -> None:
    found = last(Route("fhir.hospital.invalid", 443, None))
    assert (found.check, found.status) == ("name", 69)
    assert found.what == "the name fhir.hospital.invalid of the server is not known to the network (DNS)"


def test_a_port_at_which_nothing_listens() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
    found = last(Route(HOST, port, None))
    assert (found.check, found.status) == ("port", 69)
    assert found.what == f"127.0.0.1 refuses connections at port {port}: nothing listens there"


def test_a_certificate_that_has_expired(tmp_path: Path, known: Authority) -> None:
    with listening(with_tls(server_context(tmp_path, known, begins=-40, ends=-7))) as port:
        found = last(Route(HOST, port, trusting(known)))
    assert (found.check, found.status) == ("TLS", 69)
    day = NOW - timedelta(days=7)
    assert found.what == f"the certificate of 127.0.0.1 has expired on {day:%Y-%m-%d}, 7 days ago"
    assert found.ask == "Renew the certificate of 127.0.0.1."


def test_a_certificate_that_will_soon_expire(tmp_path: Path, known: Authority) -> None:
    with listening(with_tls(server_context(tmp_path, known, ends=12))) as port:
        found = last(Route(HOST, port, trusting(known)))
    assert (found.check, found.severity, found.status) == ("TLS", "warning", 3)
    assert "holds for 12 more days" in found.what


def test_a_certificate_of_tomorrow_speaks_of_the_clock(tmp_path: Path, known: Authority) -> None:
    with listening(with_tls(server_context(tmp_path, known, begins=2))) as port:
        found = last(Route(HOST, port, trusting(known)))
    assert "holds only from" in found.what
    assert found.todo == "check the clock of this machine"


def test_an_authority_that_is_not_known(tmp_path: Path, known: Authority) -> None:
    other = authority(tmp_path, "Other CA")
    with listening(with_tls(server_context(tmp_path, other))) as port:
        found = last(Route(HOST, port, trusting(known)))
    assert (found.check, found.status) == ("TLS", 78)
    assert found.what == "the certificate of 127.0.0.1 is signed by 'Other CA', who is not trusted here"
    assert found.todo == "get the certificate of this authority and name the file in ca_bundle under [fhir]"


def test_a_certificate_that_signs_itself(tmp_path: Path, known: Authority) -> None:
    with listening(with_tls(server_context(tmp_path, None))) as port:
        found = last(Route(HOST, port, trusting(known)))
    assert (found.check, found.status) == ("TLS", 78)
    assert "is signed by itself" in found.what


def test_a_certificate_of_another_name(tmp_path: Path, known: Authority) -> None:
    with listening(with_tls(server_context(tmp_path, known, name="fhir.hospital.example"))) as port:
        found = last(Route(HOST, port, trusting(known)))
    assert (found.check, found.status) == ("TLS", 78)
    assert found.what == "127.0.0.1 shows a certificate of server fhir.hospital.example"


def test_a_port_that_speaks_no_tls(known: Authority) -> None:
    with listening(in_words(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        found = last(Route(HOST, port, trusting(known)))
    assert (found.check, found.status) == ("TLS", 78)
    assert found.what == f"127.0.0.1 does not speak TLS at port {port}"


def test_a_proxy_that_wants_to_know_who_asks(known: Authority) -> None:
    with listening(in_words(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")) as port:
        found = last(Route("fhir.hospital.example", 443, trusting(known), ProxyRoute(HOST, port)))
    assert (found.check, found.status) == ("proxy", 78)
    assert found.what == f"the proxy 127.0.0.1:{port} wants to know who asks (407)"


def test_a_proxy_that_does_not_lead_there(known: Authority) -> None:
    with listening(in_words(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")) as port:
        found = last(Route("fhir.hospital.example", 443, trusting(known), ProxyRoute(HOST, port)))
    assert (found.check, found.status) == ("proxy", 69)
    assert "does not lead to fhir.hospital.example:443 (403 Forbidden)" in found.what


def test_a_proxy_is_told_who_asks_and_the_certificate_behind_it_is_read(tmp_path: Path, known: Authority) -> None:
    context, asked = server_context(tmp_path, known), []

    def tunnel(connection: socket.socket) -> None:
        asked.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with_tls(context)(connection)

    with listening(tunnel) as port:
        proxy = ProxyRoute(HOST, port, {"Proxy-Authorization": "Basic c2VjcmV0"})
        found = [*network_findings(Route(HOST, 443, trusting(known), proxy), NOW)]
    assert [(one.check, one.severity) for one in found] == [
        ("name", "fine"), ("port", "fine"), ("proxy", "fine"), ("TLS", "fine"),
    ]  # fmt: skip
    assert b"Basic c2VjcmV0" in b"".join(asked)
    assert "c2VjcmV0" not in str(found) + str(proxy)


def test_plain_http_is_a_warning_but_on_this_machine_itself() -> None:
    with listening(in_words(b"")) as port:
        assert last(Route(HOST, port, None)).severity == "note"
    with listening(in_words(b""), "127.0.0.2") as port:
        found = last(Route("127.0.0.2", port, None))
    assert (found.severity, found.ask) == ("warning", "Offer the server by https.")
