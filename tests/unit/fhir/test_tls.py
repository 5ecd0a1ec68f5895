"""What TLS and a proxy can refuse: each with a sentence of its own that says whose turn it is."""

import base64
import datetime as dt
import ipaddress
import os
import socket
import ssl
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from cohortfinder.connection import Connection, Proxy
from cohortfinder.errors import ConfigurationError, ServerError
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.tls import proxy_of
from cohortfinder.secret import Secret
from faulty_server import Act, answer, head, serving

TODAY = dt.datetime.now(dt.UTC)


@dataclass
class Authority:
    """Signs certificates, and writes them and their keys into a folder."""

    folder: Path
    name: str

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed(self.name, self.key.public_key(), days=30, authority=True)
        self.file = self._write(f"{self.name}.pem", self.certificate.public_bytes(Encoding.PEM))

    def give(
        self, name: str, *, days: int = 30, since: int = -60, hosts: tuple[str, ...] = ("localhost",), word: bytes = b""
    ) -> tuple[Path, Path]:
        """Return the files of a new certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(name, key.public_key(), days=days, since=since, hosts=hosts)
        encryption = BestAvailableEncryption(word) if word else NoEncryption()
        content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
        return self._write(f"{name}.pem", certificate.public_bytes(Encoding.PEM)), self._write(f"{name}.key", content)

    def _signed(
        self, name: str, public, *, days: int, since: int = -60, authority: bool = False, hosts: tuple[str, ...] = ()
    ) -> x509.Certificate:
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(TODAY + dt.timedelta(days=since))
            .not_valid_after(TODAY + dt.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if hosts:
            names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
            builder = builder.add_extension(
                x509.SubjectAlternativeName([*names, x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]), critical=False
            )
        return builder.sign(self.key, hashes.SHA256())

    def _write(self, name: str, content: bytes) -> Path:
        file = self.folder / name
        file.write_bytes(content)
        file.chmod(0o600)
        return file


@pytest.fixture
def hospital(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "hospital")


def shown(certificate: tuple[Path, Path], *, wants: Path | None = None) -> ssl.SSLContext:
    """What a server shows, and whose certificates it wants of its clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    if wants is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(wants)
    return context


def asked(url: str, **more) -> dict[str, object]:
    with FhirClient(Connection(url, **more), tries=1) as client:
        return client.get("Observation?patient=canary")


def told(url: str, **more) -> str:
    with pytest.raises(ServerError) as caught:
        asked(url, **more)
    return str(caught.value).removeprefix(f"{url} ")


def test_the_authority_of_a_hospital_is_trusted_beside_those_of_the_system(hospital: Authority) -> None:
    with serving(answer(), trust=shown(hospital.give("server"))) as server:
        assert asked(server.url, ca_bundle=hospital.file)["resourceType"] == "Bundle"


def test_the_variable_of_other_programs_counts_as_well(hospital: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", os.fspath(hospital.file))
    with serving(answer(), trust=shown(hospital.give("server"))) as server:
        assert asked(server.url)["resourceType"] == "Bundle"


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        (lambda hospital: hospital.give("server", days=-1), "shows a certificate that has expired; ask who runs it to renew it"),
        (lambda hospital: hospital.give("server", since=1), "shows a certificate that is not valid yet; check the clocks of both machines"),
        (lambda hospital: hospital.give("server", hosts=("other.example",)), "shows the certificate of another name; check the address, or ask who runs it"),
        (lambda hospital: Authority(hospital.folder, "stranger").give("server"), "shows a certificate of an authority that is not known here; name the file of its authority as ca_bundle"),
    ],
    ids=["expired", "not yet", "other name", "unknown authority"],
)  # fmt: skip
def test_a_certificate_that_will_not_do_is_told_why(hospital: Authority, certificate: Callable, said: str) -> None:
    with serving(answer(), trust=shown(certificate(hospital))) as server:
        assert told(server.url, ca_bundle=hospital.file) == said


def test_a_server_that_speaks_no_tls(hospital: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(head(400, {"Content-Length": "0"}))

        plain = threading.Thread(target=refuse)
        plain.start()
        url = f"https://localhost:{listener.getsockname()[1]}/fhir"
        assert told(url) == "does not speak TLS there; check https and the port in the address"
        plain.join()


def test_a_client_shows_its_certificate(hospital: Authority) -> None:
    trust = shown(hospital.give("server"), wants=hospital.file)
    certificate, key = hospital.give("client")
    with serving(answer(), trust=trust) as server:
        way = {"ca_bundle": hospital.file, "client_certificate": certificate, "client_key": key}
        assert asked(server.url, **way)["resourceType"] == "Bundle"
        assert told(server.url, ca_bundle=hospital.file) == (
            "wants a client certificate, or another one; see client_certificate under [fhir]"
        )


def test_before_tls_1_3_a_missing_certificate_is_not_told_by_name(hospital: Authority) -> None:
    trust = shown(hospital.give("server"), wants=hospital.file)
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(answer(), trust=trust) as server:
        assert told(server.url, ca_bundle=hospital.file) == (
            "refuses TLS with us: it may want a client certificate (client_certificate under [fhir])"
        )


def test_a_server_that_knows_only_what_is_too_old(hospital: Authority) -> None:
    trust = shown(hospital.give("server"))
    trust.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        trust.minimum_version = trust.maximum_version = ssl.TLSVersion.TLSv1
    with serving(answer(), trust=trust) as server:
        assert told(server.url, ca_bundle=hospital.file) == (
            "and this machine do not agree on TLS; ask who runs it which versions it speaks"
        )


def test_a_stranger_sees_no_certificate_of_ours(hospital: Authority, tmp_path: Path) -> None:
    """A redirect to storage that would ask for one."""
    own, other = (shown(hospital.give(name), wants=hospital.file) for name in ("server", "storage"))
    certificate, key = hospital.give("client")
    way = {"ca_bundle": hospital.file, "client_certificate": certificate, "client_key": key}
    with (
        serving(answer(), trust=other) as storage,
        serving(answer(307, b"", Location=f"{storage.origin}/f"), trust=own) as server,
        FhirClient(Connection(server.url, **way), tries=1) as client,
        pytest.raises(ServerError, match="wants a client certificate"),
    ):
        client.download(f"{server.url}/Binary/1", tmp_path / "f", authorized=True)


def test_files_that_are_no_certificates_are_told_before_anything_is_asked(hospital: Authority, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("nothing")
    certificate, key = hospital.give("client", word=b"word")
    for way, said in (
        ({"ca_bundle": tmp_path / "text"}, "holds no certificates in PEM; see ca_bundle under"),
        ({"ca_bundle": tmp_path / "none"}, "holds no certificates in PEM; see ca_bundle under"),
        ({"client_certificate": certificate, "client_key": key}, "or the key has a passphrase"),
        ({"client_certificate": certificate, "client_key": tmp_path / "none"}, "cannot be read"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            FhirClient(Connection("https://h.example/r4", **way))


def tunnel(port: int, *, password: str | None = None) -> Act:
    """A proxy that carries one connection to a port of this machine."""

    def act(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as onward:
            back = threading.Thread(target=carry, args=(onward, connection))
            back.start()
            carry(connection, onward)
            back.join()

    return act


def carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def test_a_proxy_is_told_who_asks(hospital: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the server is not told what the proxy was."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with serving(answer(), trust=shown(hospital.give("server"))) as server, serving(tunnel(server.port)) as proxy:
        way = Proxy(proxy.origin, "me", Secret("p@ss:word"))
        assert asked(server.url, ca_bundle=hospital.file, proxy=way)["resourceType"] == "Bundle"
    assert (proxy.heard[0].method, proxy.heard[0].target) == ("CONNECT", f"localhost:{server.port}")
    assert base64.b64decode(proxy.heard[0].headers["proxy-authorization"].split()[1]) == b"me:p@ss:word"
    assert "proxy-authorization" not in server.heard[0].headers


@pytest.mark.parametrize("url", ["https://fhir.hospital.example/r4", "http://fhir.hospital.example/r4"])
def test_a_proxy_that_wants_to_know_who_asks(url: str) -> None:
    with serving(answer(407, b"", Proxy_Authenticate="Basic")) as proxy:
        assert told(url, proxy=Proxy(proxy.origin)) == (
            "is behind a proxy that wants to know who asks (407); see proxy_user under [fhir]"
        )


@pytest.mark.parametrize("status", [403, 502])
def test_a_proxy_that_lets_nothing_through(status: int) -> None:
    with serving(answer(status, b"")) as proxy:
        assert told("https://fhir.hospital.example/r4", proxy=Proxy(proxy.origin)) == (
            "cannot be reached through the proxy; check the address of the proxy and what it lets through"
        )


def test_a_proxy_that_is_not_there() -> None:
    with serving(answer()) as gone:
        pass
    said = told("https://fhir.hospital.example/r4", proxy=Proxy(gone.origin))
    assert said == "cannot be reached through the proxy; check the address of the proxy and what it lets through"


def test_which_proxy_an_address_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """The configured one before that of the environment, and none where NO_PROXY says so."""
    monkeypatch.setenv("HTTPS_PROXY", "http://environment:3128")
    monkeypatch.setenv("NO_PROXY", "inner.example")
    configured = Connection("https://a.example", proxy=Proxy("http://configured:3128"))
    assert proxy_of(configured, "https://a.example/x") == "http://configured:3128"
    assert proxy_of(configured, "https://inner.example/x") is None
    assert proxy_of(Connection("https://a.example"), "https://a.example/x") == "http://environment:3128"
    assert proxy_of(Connection("https://a.example"), "https://inner.example/x") is None
