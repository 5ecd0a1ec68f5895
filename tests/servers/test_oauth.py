"""Who asks, told to a real authorization server, before a real FHIR server: with either kind of key, and all that can go wrong."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep

import duckdb
import pytest
import requests
from authorization import Gateway, authorization_server, gateway

from cohortfinder.cli.main import status_of
from cohortfinder.connection import Connection, OAuthAccess
from cohortfinder.errors import RefusedError
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.keys import SigningKey, new_key, private_jwks, public_jwks
from cohortfinder.fhir.retries import Clock
from cohortfinder.secret import Secret

KEYS = {algorithm: new_key(algorithm, algorithm.lower()) for algorithm in ("RS384", "ES384")}
SECRET = "a-secret-of-a-client-with-a-secret"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PATIENTS = 7


def registered(
    name: str,
    key: SigningKey,
    scope: str = "system/*.read system/Patient.read system/Observation.read system/Patient.rs",
) -> dict[str, object]:
    return {
        "client_id": name, "scope": scope, "token_endpoint_auth_method": "private_key_jwt",
        "jwks": json.loads(public_jwks([key])),
    }  # fmt: skip


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The authorization server, which knows a client for each kind of key."""
    clients = [registered(name, key) for name, key in KEYS.items()]
    clients += [
        registered("narrow", KEYS["ES384"], "system/Patient.read system/Patient.rs"),
        registered("loader", KEYS["ES384"], "system/*.cruds"),
        {"client_id": "secret", "client_secret": SECRET, "scope": "system/Patient.read", "token_endpoint_auth_method": "client_secret_basic"},
    ]  # fmt: skip
    with authorization_server(tmp_path_factory.mktemp("as"), clients) as held:
        yield held


@pytest.fixture
def site(issuer: str, hapi: str) -> Iterator[Gateway]:
    """A FHIR server with a few patients, behind a gateway."""
    with FhirClient(Connection(hapi)) as client:
        for number in range(PATIENTS):
            client.put(f"Patient/oauth-{number}", {"resourceType": "Patient", "id": f"oauth-{number}"})
    with gateway(issuer, hapi) as held:
        yield held


def client_of(
    site: Gateway, folder: Path, name: str, key: SigningKey | None, *, log: list[str] | None = None,
    now: datetime | None = None, types: tuple[str, ...] = ("Patient",), **more: object,
) -> FhirClient:  # fmt: skip
    """A client that signs with a key, or says a secret."""
    file = folder / "secret"
    file.write_text(SECRET if key is None else private_jwks([key]), encoding="utf-8")
    file.chmod(0o600)
    access = OAuthAccess(name, Secret(file=file), signs=key is not None, **more)
    clock = Clock(now=lambda: now or datetime.now(UTC))
    return FhirClient(
        Connection(site.url, access), log=[].append if log is None else log.append, clock=clock, types=types
    )


def pages(client: FhirClient, pause: float = 0) -> list[str]:
    """The ids of all patients, read two at a time, with a pause before each next page."""
    found: list[str] = []
    answer = client.ask("GET", "Patient?_count=2&_id=" + ",".join(f"oauth-{number}" for number in range(PATIENTS)))
    while True:
        bundle = answer.resource()
        found += [entry["resource"]["id"] for entry in bundle.get("entry", [])]
        link = next((one["url"] for one in bundle["link"] if one["relation"] == "next"), None)
        if link is None:
            return sorted(found)
        sleep(pause)
        answer = client.ask("GET", client.follow(answer, link))


EVERYBODY = [f"oauth-{number}" for number in range(PATIENTS)]


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_a_client_signs_and_reads_all_pages(site: Gateway, tmp_path: Path, algorithm: str) -> None:
    with client_of(site, tmp_path, algorithm, KEYS[algorithm]) as client:
        assert pages(client) == EVERYBODY
        assert client.granted() == {"system/Patient.read"}
    assert {status for _, _, status in site.seen} == {200}
    assert len({token for _, token, _ in site.seen}) == 1


def test_a_client_with_a_secret_reads_as_well(site: Gateway, tmp_path: Path) -> None:
    with client_of(site, tmp_path, "secret", None) as client:
        assert pages(client) == EVERYBODY


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_tokens_that_live_three_seconds_are_renewed_between_pages(
    site: Gateway, tmp_path: Path, algorithm: str
) -> None:
    """Before they expire, or where this machine is slow, after one refusal."""
    short = (("resource", "urn:fhir:short"),)
    with client_of(site, tmp_path, algorithm, KEYS[algorithm], parameters=short) as client:
        assert pages(client, pause=0.9) == EVERYBODY
    assert {status for _, _, status in site.seen} <= {200, 401}
    assert len({token for _, token, _ in site.seen}) > 1


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_a_token_that_is_revoked_between_pages_is_renewed(site: Gateway, tmp_path: Path, algorithm: str) -> None:
    """One page is refused once and asked again; nobody is read twice."""
    with client_of(site, tmp_path, algorithm, KEYS[algorithm]) as client:
        first = client.ask("GET", "Patient/oauth-1")
        _, header, _ = site.seen[-1]
        revoke(site.issuer, KEYS[algorithm], str(header).removeprefix("Bearer "))
        assert client.ask("GET", "Patient/oauth-1").content == first.content
        assert pages(client) == EVERYBODY
    assert [status for _, _, status in site.seen[:3]] == [200, 401, 200]
    assert site.seen[2][1] != header


def revoke(issuer: str, key: SigningKey, token: str) -> None:
    signed = key.assertion(key.algorithm, issuer, now=datetime.now(UTC))
    form = {"token": token, "client_assertion": signed, "client_assertion_type": ASSERTION}
    assert requests.post(f"{issuer}/token/revocation", data=form, timeout=30).status_code == 200


def refusal(client: FhirClient) -> str:
    with client, pytest.raises(RefusedError) as caught:
        client.ask("GET", "Patient/oauth-1")
    return str(caught.value)


def test_a_key_that_was_taken_back_gives_no_token(site: Gateway, tmp_path: Path) -> None:
    """The server knows another one now."""
    said = refusal(client_of(site, tmp_path, "ES384", new_key("ES384", "es384")))
    assert said.startswith(f"{site.issuer} gives no token (401: invalid_client, client authentication failed")
    assert said.endswith("check the client id, and that the authorization server knows its secret or public key")


def test_of_two_keys_the_one_that_the_server_knows_is_used(site: Gateway, tmp_path: Path) -> None:
    """After `keys rotate`, until the server's team has put the new one in."""
    with client_of(site, tmp_path, "ES384", KEYS["ES384"]) as client:
        (tmp_path / "secret").write_text(private_jwks([new_key("ES384", "newer"), KEYS["ES384"]]), encoding="utf-8")
    with FhirClient(client.connection, types=["Patient"]) as rotated:
        assert pages(rotated) == EVERYBODY


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_a_clock_that_is_an_hour_late_signs_what_has_expired(site: Gateway, tmp_path: Path, algorithm: str) -> None:
    late = datetime.now(UTC) - timedelta(hours=1)
    assert "401: invalid_client" in refusal(client_of(site, tmp_path, algorithm, KEYS[algorithm], now=late))


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_an_assertion_for_another_address_is_refused(site: Gateway, tmp_path: Path, algorithm: str) -> None:
    """A slash too many leads to the same place, and is another audience."""
    other = f"{site.issuer}/token/"
    assert "401: invalid_client" in refusal(client_of(site, tmp_path, algorithm, KEYS[algorithm], token_url=other))


def test_a_token_for_another_audience_is_refused_by_the_fhir_server(site: Gateway, tmp_path: Path) -> None:
    """A new one is no better: one renewal, and it is told."""
    other = (("resource", "urn:other"),)
    said = refusal(client_of(site, tmp_path, "ES384", KEYS["ES384"], parameters=other))
    assert said == f"{site.url} refused Patient/... (401); check the token and its permissions"
    assert [status for _, _, status in site.seen] == [401, 401]


def test_a_scope_that_was_dropped_silently_is_told(site: Gateway, tmp_path: Path) -> None:
    """What was granted can be read, the rest is refused by name."""
    log: list[str] = []
    types = ("Patient", "Condition")
    with client_of(site, tmp_path, "narrow", KEYS["ES384"], log=log, types=types) as client:
        assert pages(client) == EVERYBODY
        assert client.missing_scopes() == ("system/Condition.read",)
        with pytest.raises(RefusedError) as caught:
            client.get("Condition?_count=2")
    assert str(caught.value) == f"{site.url} refused Condition (403); check the token and its permissions"
    assert log == [f"{site.issuer} did not grant system/Condition.read; ask for them to be allowed"]


def test_a_scope_that_is_not_allowed_is_told_with_all_that_was_asked(site: Gateway, tmp_path: Path) -> None:
    """This server knows the scope, and refuses it to this client."""
    said = refusal(client_of(site, tmp_path, "narrow", KEYS["ES384"], types=("Patient", "Observation")))
    assert said == (
        f"{site.issuer} gives no token (400: invalid_scope, requested scope is not allowed, asked for "
        "system/Observation.read system/Patient.read); ask for all of these scopes to be allowed, or name those that "
        "are under [fhir]"
    )


def test_nobody_gets_through_without_a_token(site: Gateway) -> None:
    with FhirClient(Connection(site.url)) as client:
        assert client.get("metadata")["resourceType"] == "CapabilityStatement"
        with pytest.raises(RefusedError, match=r"refused Patient/\.\.\. \(401\)"):
            client.get("Patient/oauth-1")


CONFIGURATION = """
store = "store"
trials = ["T2D-EXAMPLE"]
[fhir]
url = "{url}"
page_size = 20
smart_client_id = "ES384"
smart_key_file = "private.jwks"
scopes = "system/*.read"
token_parameters = {{resource = "urn:fhir:short"}}
"""


def test_a_whole_pull_behind_a_gateway_with_tokens_that_live_three_seconds(
    site: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Everything arrives, whoever waits for a token; and nothing that was printed or kept holds a key or a token."""
    monkeypatch.chdir(tmp_path)
    key = private_jwks([KEYS["ES384"]])
    Path("private.jwks").write_text(key, encoding="utf-8")
    Path("private.jwks").chmod(0o600)
    Path("cohortfinder.toml").write_text(CONFIGURATION.format(url=site.url), encoding="utf-8")
    # 3 where what other tests left on the server is put aside
    assert status_of(["pull", "--json"]) in (0, 3)
    with duckdb.connect("store/warehouse.duckdb", read_only=True) as store:
        found = store.execute("SELECT id FROM patient WHERE id LIKE 'oauth-%' ORDER BY id").fetchall()
    assert [name for (name,) in found] == EVERYBODY
    tokens = {header.removeprefix("Bearer ") for _, header, _ in site.seen if header}
    printed = "".join(capfd.readouterr())
    kept = b"".join(file.read_bytes() for file in Path("store").rglob("*") if file.is_file())
    for secret in {*tokens, json.loads(key)["keys"][0]["d"]}:
        assert secret not in printed
        assert secret.encode() not in kept


HELIOS = (("resource", "urn:helios"),)


@pytest.fixture
def guarded(issuer: str, start_helios: Callable[..., AbstractContextManager[str]], tmp_path: Path) -> Iterator[Gateway]:
    """A Helios that reads tokens itself and looks into their scopes, with a few patients."""
    told = {
        "HFS_AUTH_ENABLED": "true", "HFS_AUTH_JWKS_URL": f"{issuer}/jwks", "HFS_AUTH_ISSUER": issuer,
        "HFS_AUTH_AUDIENCE": "urn:helios", "HFS_SMART_TOKEN_ENDPOINT": f"{issuer}/token",
    }  # fmt: skip
    (tmp_path / "helios").mkdir()
    with start_helios(tmp_path / "helios", **told) as url:
        held = Gateway(issuer, url, url)
        with client_of(
            held, tmp_path, "loader", KEYS["ES384"], scopes=("system/*.cruds",), parameters=HELIOS
        ) as loader:
            for name in EVERYBODY:
                loader.put(f"Patient/{name}", {"resourceType": "Patient", "id": name})
        yield held


def test_a_server_that_looks_into_scopes_itself(guarded: Gateway, tmp_path: Path) -> None:
    """With either kind of key: what was granted is read, the rest refused by name."""
    for algorithm, key in KEYS.items():
        with client_of(guarded, tmp_path, algorithm, key, parameters=HELIOS) as client:
            assert pages(client) == EVERYBODY
            with pytest.raises(RefusedError, match=r"refused Observation \(403"):
                client.get("Observation?_count=2")
            with pytest.raises(RefusedError, match=r"refused Patient/\.\.\. \(403"):
                client.put("Patient/oauth-0", {"resourceType": "Patient", "id": "oauth-0"})
    with FhirClient(Connection(guarded.url)) as nobody, pytest.raises(RefusedError, match=r"\(401"):
        nobody.get("Patient/oauth-0")
    with (
        client_of(guarded, tmp_path, "ES384", KEYS["ES384"], parameters=(("resource", "urn:other"),)) as wrong,
        pytest.raises(RefusedError, match=r"\(401"),
    ):
        wrong.get("Patient/oauth-0")
