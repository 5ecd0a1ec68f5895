"""Tokens: where they are asked for, when they are renewed, and what a client is told that gets none."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from cohortfinder.connection import Connection, OAuthAccess
from cohortfinder.errors import ConfigurationError, ProtocolError, RefusedError, ServerError
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.keys import new_key, private_jwks, public_jwks
from cohortfinder.fhir.retries import Clock
from cohortfinder.secret import Secret
from faulty_server import Act, FaultyServer, answer, reset, serving

NOW = datetime(2026, 11, 20, tzinfo=UTC)
KEYS = [new_key("ES384", "new"), new_key("ES384", "old")]
INVALID = {"error": "invalid_client", "error_description": "client authentication failed"}


def told(document: object, status: int = 200) -> Act:
    return answer(status, json.dumps(document).encode(), "application/json")


def token(name: str = "t1", **more: Any) -> Act:
    return told({"access_token": name, "token_type": "bearer", "expires_in": 300, "scope": "system/*.read", **more})


class Night:
    """A FHIR server, its authorization server, and a client with a clock that only waiting moves."""

    def __init__(self, tmp_path: Path) -> None:
        self.secret = tmp_path / "secret"
        self.waited: list[float] = []
        self.log: list[str] = []

    def client(self, fhir: FaultyServer, tokens: FaultyServer | None, *, signs: bool = True, **more: Any) -> FhirClient:
        self.secret.write_text(private_jwks(KEYS) if signs else "canary-secret", encoding="utf-8")
        self.secret.chmod(0o600)
        access = OAuthAccess(
            "me", Secret(file=self.secret), signs, token_url=f"{tokens.origin}/token" if tokens else None, **more
        )
        clock = Clock(lambda: NOW, lambda: sum(self.waited), lambda: 1.0, self.waited.append)
        return FhirClient(Connection(fhir.url, access), log=self.log.append, clock=clock, types=["Patient"])


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


def form(server: FaultyServer, number: int = 0) -> dict[str, str]:
    return dict(parse_qsl(server.heard[number].body.decode()))


NOT_THERE = answer(404, b"")


def test_a_client_signs_who_it_is(night: Night) -> None:
    with (
        serving(token()) as tokens,
        serving(NOT_THERE, NOT_THERE, answer()) as fhir,
        night.client(fhir, tokens) as client,
    ):
        client.get("Patient")
    asked = form(tokens)
    assert {name: asked[name] for name in ("grant_type", "scope", "client_assertion_type")} == {
        "grant_type": "client_credentials", "scope": "system/Patient.read",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }  # fmt: skip
    known = KeySet.import_key_set(json.loads(public_jwks(KEYS)))
    claims = jwt.decode(asked["client_assertion"], known, algorithms=["ES384"]).claims
    assert claims["aud"] == f"{tokens.origin}/token"
    assert fhir.heard[-1].headers["authorization"] == "Bearer t1"


def test_a_secret_is_sent_as_the_server_wants_it(night: Night) -> None:
    """In the header, unless the server tells that it takes it in the body alone."""
    post = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    for methods, expected in (({}, "Basic bWU6Y2FuYXJ5LXNlY3JldA=="), (post, None)):
        with serving(token()) as tokens:
            found = told({"token_endpoint": f"{tokens.origin}/token", **methods})
            with serving(found, answer()) as fhir, night.client(fhir, None, signs=False) as client:
                client.get("Patient")
        assert tokens.heard[0].headers.get("authorization") == expected
        assert form(tokens).get("client_secret") == (None if expected else "canary-secret")


def test_the_endpoint_is_told_by_the_server(night: Night) -> None:
    with serving(token()) as tokens:
        found = told({"token_endpoint": f"{tokens.origin}/token", "capabilities": ["permission-v2"]})
        with serving(found, answer()) as fhir, night.client(fhir, None) as client:
            client.get("Patient")
    assert [one.target for one in fhir.heard] == ["/fhir/.well-known/smart-configuration", "/fhir/Patient"]
    assert form(tokens)["scope"] == "system/Patient.rs"
    assert fhir.heard[0].headers.get("authorization") is None


def test_older_servers_tell_it_in_their_capability_statement(night: Night) -> None:
    with serving(token()) as tokens:
        uris = {
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": [{"url": "token", "valueUri": f"{tokens.origin}/token"}],
        }
        statement = {"resourceType": "CapabilityStatement", "rest": [{"security": {"extension": [uris]}}]}
        with serving(NOT_THERE, told(statement), answer()) as fhir, night.client(fhir, None) as client:
            client.get("Patient")
    assert [one.target for one in fhir.heard][1:] == ["/fhir/metadata", "/fhir/Patient"]


def test_a_server_that_tells_no_endpoint(night: Night) -> None:
    with (
        serving(NOT_THERE, told({})) as fhir,
        night.client(fhir, None) as client,
        pytest.raises(ConfigurationError, match="does not tell where it gives tokens; write it as token_url"),
    ):
        client.get("Patient")


def test_an_endpoint_without_tls_elsewhere_gets_nothing(night: Night) -> None:
    found = told({"token_endpoint": "http://tokens.example/token"})
    with (
        serving(found) as fhir,
        night.client(fhir, None) as client,
        pytest.raises(ConfigurationError, match=r"http://tokens\.example gives tokens over http"),
    ):
        client.get("Patient")


def test_a_token_is_renewed_before_it_expires(night: Night) -> None:
    """After 80 % of its life."""
    pages = (NOT_THERE, NOT_THERE, answer())
    with serving(token("t1"), token("t2")) as tokens, serving(*pages) as fhir, night.client(fhir, tokens) as client:
        for seconds in (0, 239, 1):
            night.waited.append(seconds)
            client.get("Patient")
    used = [one.headers.get("authorization") for one in fhir.heard][2:]
    assert used == ["Bearer t1", "Bearer t1", "Bearer t2"]


def test_a_token_that_is_refused_in_the_middle_is_renewed_once(night: Night) -> None:
    """The same page is asked again, and that is no further try."""
    pages = (NOT_THERE, NOT_THERE, answer(), answer(401, b""), answer())
    with serving(token("t1"), token("t2")) as tokens, serving(*pages) as fhir, night.client(fhir, tokens) as client:
        client.get("Patient?page=16")
        client.get("Patient?page=17")
    assert [(one.target, one.headers["authorization"]) for one in fhir.heard[2:]] == [
        ("/fhir/Patient?page=16", "Bearer t1"), ("/fhir/Patient?page=17", "Bearer t1"), ("/fhir/Patient?page=17", "Bearer t2"),
    ]  # fmt: skip
    assert night.waited == []


def test_a_new_token_that_is_refused_too_is_the_end(night: Night) -> None:
    with (
        serving(token("t1"), token("t2")) as tokens,
        serving(NOT_THERE, NOT_THERE, answer(401, b"")) as fhir,
        night.client(fhir, tokens) as client,
        pytest.raises(RefusedError, match=r"refused Patient \(401\)"),
    ):
        client.get("Patient")
    assert (len(tokens.heard), len(fhir.heard)) == (2, 4)


def test_an_endpoint_that_knows_us_may_be_moody(night: Night) -> None:
    """Epic answers 400 now and then; three tries, each with a signature of its own, but only after a first token."""
    pages = (NOT_THERE, NOT_THERE, answer(401, b""), answer())
    moods = (token("t1"), answer(400, b"", "text/plain"), told({"error": "server_error"}, 400), token("t2"))
    with serving(*moods) as tokens, serving(*pages) as fhir, night.client(fhir, tokens) as client:
        client.get("Patient")
    assert len(tokens.heard) == 4
    assert len({form(tokens, number)["client_assertion"] for number in range(4)}) == 4
    assert night.waited == [1, 2]


def test_an_endpoint_that_does_not_know_us_is_asked_once_with_each_key(night: Night) -> None:
    """The new key of a rotation may not have arrived there yet."""
    with (
        serving(told(INVALID, 401), token()) as tokens,
        serving(NOT_THERE, NOT_THERE, answer()) as fhir,
        night.client(fhir, tokens) as client,
    ):
        client.get("Patient")
    assert len(tokens.heard) == 2
    with (
        serving(told(INVALID, 401)) as tokens,
        serving(NOT_THERE, NOT_THERE, answer()) as fhir,
        night.client(fhir, tokens) as client,
        pytest.raises(RefusedError) as caught,
    ):
        client.get("Patient")
    assert str(caught.value) == (
        f"{tokens.origin} gives no token (401: invalid_client, client authentication failed); check the client id, and "
        "that the authorization server knows its secret or public key"
    )
    assert len(tokens.heard) == 2
    assert night.waited == []


def test_a_broken_endpoint_is_asked_again_with_a_new_signature(night: Night) -> None:
    """A signature is good for one use."""
    with (
        serving(reset(), answer(503, b""), token()) as tokens,
        serving(NOT_THERE, NOT_THERE, answer()) as fhir,
        night.client(fhir, tokens) as client,
    ):
        client.get("Patient")
    assert len({form(tokens, number)["client_assertion"] for number in range(3)}) == 3


@pytest.mark.parametrize(
    ("act", "error", "said"),
    [
        (answer(404, b"", "text/html"), ProtocolError, "gives no token (404); check token_url"),
        (told({"token": "t"}), ProtocolError, "answers the question for a token without one; check token_url"),
        (answer(200, b"<html>", "text/html"), ProtocolError, "answers the question for a token without one; check token_url"),
        (told({"error": "invalid_scope"}, 400), RefusedError, "gives no token (400: invalid_scope, asked for system/Patient.read); ask for all of these scopes to be allowed, or name those that are under [fhir]"),
        (told({"error": "odd", "error_description": "no " + "a1" * 30}, 400), RefusedError, "gives no token (400: odd, no ...); ask who runs it what is wrong"),
        (answer(500, b"", "text/plain"), ServerError, "to {origin}: the server fails (500); try later, or ask who runs it"),
    ],
)  # fmt: skip
def test_an_endpoint_without_a_token_is_told_in_one_sentence(night: Night, act: Act, error, said: str) -> None:
    with (
        serving(act) as tokens,
        serving(NOT_THERE, NOT_THERE, answer()) as fhir,
        night.client(fhir, tokens) as client,
        pytest.raises(error) as caught,
    ):
        client.get("Patient")
    assert str(caught.value) == f"{tokens.origin} {said.format(origin=tokens.origin)}"


def test_scopes_that_were_dropped_are_told(night: Night) -> None:
    """Servers leave them out silently."""
    scopes = ("system/Patient.read", "system/Observation.read")
    with (
        serving(token(scope="system/Patient.rs openid")) as tokens,
        serving(answer()) as fhir,
        night.client(fhir, tokens, scopes=scopes) as client,
    ):
        client.get("Patient")
        assert client.granted() == {"system/Patient.rs", "openid"}
        assert client.missing_scopes() == ("system/Observation.read",)
    assert night.log == [f"{tokens.origin} did not grant system/Observation.read; ask for them to be allowed"]


def test_a_token_for_nothing_that_was_asked_is_no_use(night: Night) -> None:
    with (
        serving(token(scope="openid")) as tokens,
        serving(NOT_THERE, NOT_THERE, answer()) as fhir,
        night.client(fhir, tokens) as client,
        pytest.raises(RefusedError) as caught,
    ):
        client.get("Patient")
    assert str(caught.value) == (
        f"{tokens.origin} grants nothing of what was asked (system/Patient.read); "
        "ask for these scopes to be allowed for the client me"
    )
    assert [one.target for one in fhir.heard] == ["/fhir/.well-known/smart-configuration", "/fhir/metadata"]


def test_what_else_an_endpoint_wants_is_sent(night: Night) -> None:
    more = {"scopes": ("https://h.example/.default",), "parameters": (("resource", "https://h.example"),)}
    granted = token(scope="https://h.example/.default")
    with serving(granted) as tokens, serving(answer()) as fhir, night.client(fhir, tokens, **more) as client:
        client.get("Patient")
    assert {name: form(tokens)[name] for name in ("scope", "resource")} == {
        "scope": "https://h.example/.default", "resource": "https://h.example",
    }  # fmt: skip


def test_a_gateway_sees_its_header_in_every_question_and_the_endpoint_elsewhere_does_not(night: Night) -> None:
    with serving(token()) as tokens, serving(NOT_THERE, NOT_THERE, answer()) as fhir:
        plain = night.client(fhir, tokens).connection
        with FhirClient(replace(plain, headers={"X-Api-Key": "canary"}), types=["Patient"]) as client:
            client.get("Patient")
    assert [one.headers.get("x-api-key") for one in fhir.heard] == ["canary"] * 3
    assert "x-api-key" not in tokens.heard[0].headers


def test_no_secret_of_oauth_is_told(night: Night) -> None:
    repeated = {"error": "invalid_request", "error_description": "canary-secret-" + "x" * 40}
    with (
        serving(reset(), told(repeated, 400)) as tokens,
        serving(NOT_THERE, NOT_THERE) as fhir,
        night.client(fhir, tokens, signs=False) as client,
        pytest.raises(RefusedError) as caught,
    ):
        client.get("Patient")
    assert "canary" not in str(caught.value) + str(night.log) + repr(client.connection)
