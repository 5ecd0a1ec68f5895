"""Signing in with the account of the site: against a real provider, and against one that lies."""

import json
import shutil
import socket
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import RSAKey

from cohortfinder.review.access.accounts import account_of, set_active
from cohortfinder.secret import Secret
from review.running import TRIAL, Browser, Running, forms_of
from servers.launching import CannotRunError, install_oidc_provider, started

OWN = Path(__file__).parent / "provider"
SECRET = "a-secret-between-provider-and-application"
BACK = "/sign-in/provider/back"


def free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """A real provider that knows the application at a port; its issuer, and that port."""
    folder, port = tmp_path_factory.mktemp("provider"), free_port()
    shutil.copy(OWN / "server.mjs", folder)
    try:
        install_oidc_provider(folder)
    except CannotRunError as error:
        pytest.skip(str(error))
    with started(["node", "server.mjs", f"http://127.0.0.1:{port}{BACK}", SECRET], folder, 60) as issuer:
        yield issuer, port


@pytest.fixture
def trusting(provider: tuple[str, int], serve: Callable[..., Running]) -> Running:
    """The application of a site with that provider."""
    issuer, port = provider
    return serve(
        oidc_issuer=issuer, oidc_client_id="cohortfinder", listen=f"127.0.0.1:{port}",
        oidc_client_secret=Secret(value=SECRET, place="the test"),
    )  # fmt: skip


def at_the_provider(browser: Browser, login: str) -> requests.Response:
    """Sign in at the pages of the provider, as a person does, until it sends the browser back."""
    answer = browser.get("/sign-in/provider")
    for _ in range(4):
        if not answer.url.startswith(browser.url):
            form = forms_of(answer.text)[0]
            fields = {**form.fields, "login": login, "password": "any"}
            answer = browser.session.post(form.action or answer.url, fields, timeout=60)
    return answer


def test_somebody_new_gets_an_account_without_a_role(trusting: Running) -> None:
    browser = trusting.browser()

    answer = at_the_provider(browser, "erika")

    assert answer.status_code == 200, answer.text
    assert 'content="0; url=/"' in answer.text
    assert "no role in any trial yet" in browser.get("/").text
    assert browser.get(f"/trials/{TRIAL}").status_code == 404
    with trusting.database.reading() as connection:
        account = account_of(connection, "erika")
    assert account is not None
    assert (account.name, account.email, account.roles) == ("erika Example", "erika@hospital.example", {})
    assert "/password" not in browser.get("/").url


def test_the_same_person_has_the_same_account(trusting: Running) -> None:
    at_the_provider(trusting.browser(), "erika")
    adam = trusting.browser_of("adam")
    adam.send(f"/admin/accounts/{trusting.account_id('erika')}/role", {"trial": TRIAL, "role": "data"})
    again = trusting.browser()
    at_the_provider(again, "erika")

    assert again.get(f"/trials/{TRIAL}").status_code == 200


def test_a_local_account_of_the_same_login_is_not_taken_over(trusting: Running) -> None:
    browser = trusting.browser()
    at_the_provider(browser, "anna")

    assert browser.get(f"/trials/{TRIAL}").status_code == 404
    assert trusting.signed_in("anna").get(f"/trials/{TRIAL}").status_code == 200


def test_an_address_that_nobody_has_confirmed_is_not_kept(trusting: Running) -> None:
    at_the_provider(trusting.browser(), "unconfirmed")
    with trusting.database.reading() as connection:
        account = account_of(connection, "unconfirmed")

    assert account is not None
    assert account.email is None


def test_who_was_shut_out_does_not_come_in_through_the_provider(trusting: Running) -> None:
    at_the_provider(trusting.browser(), "erika")
    with trusting.database.writing() as connection:
        set_active(connection, trusting.account_id("erika"), False)
    browser = trusting.browser()

    assert at_the_provider(browser, "erika").status_code == 403
    assert browser.get("/").url.endswith("/sign-in")


def test_an_account_of_the_provider_has_no_password_here(trusting: Running) -> None:
    browser = trusting.browser()
    at_the_provider(browser, "erika")

    assert "which keeps your password" in browser.get("/password").text
    assert trusting.browser().sign_in("erika", "").status_code == 401


class Liar:
    """A provider of our own that answers as a test wants: `claims` and `key` of its token."""

    def __init__(self) -> None:
        self.key, self.other = RSAKey.generate_key(2048, {"kid": "1"}), RSAKey.generate_key(2048, {"kid": "1"})
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "1"}
        self.changed: dict[str, Any] = {}
        self.signs_with = self.key
        self.nonce = ""
        self.told: dict[str, Any] = {"sub": "erika", "name": "Erika"}
        self.asked: list[dict[str, str]] = []
        handler = type("Handler", (_Handler,), {"liar": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "erika",
            "aud": "cohortfinder",
            "exp": now + 300,
            "iat": now,
            "nonce": self.nonce,
        }
        claims = {name: value for name, value in {**claims, **self.changed}.items() if value is not None}
        if self.header["alg"] == "none":
            head, body = (_text(part) for part in (self.header, claims))
            return f"{head}.{body}."
        return jwt.encode(self.header, claims, self.signs_with)


def _text(part: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


class _Handler(BaseHTTPRequestHandler):
    liar: Liar

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        own = self.liar
        answers = {
            "/.well-known/openid-configuration": {
                "issuer": own.issuer, "authorization_endpoint": f"{own.issuer}/auth", "token_endpoint": f"{own.issuer}/token",
                "jwks_uri": f"{own.issuer}/keys", "userinfo_endpoint": f"{own.issuer}/me",
            },
            "/keys": {"keys": [own.key.as_dict(private=False)]},
            "/me": own.told,
        }  # fmt: skip
        self._give(answers[self.path])

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["content-length"])).decode()
        self.liar.asked.append(dict(parse_qsl(sent)))
        self._give({"access_token": "x", "token_type": "Bearer", "expires_in": 60, "id_token": self.liar.token()})

    def _give(self, answer: dict[str, Any]) -> None:
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def liar() -> Iterator[Liar]:
    liar = Liar()
    thread = threading.Thread(target=liar.server.serve_forever, daemon=True)
    thread.start()
    yield liar
    liar.server.shutdown()
    liar.server.server_close()
    thread.join()


@pytest.fixture
def deceived(liar: Liar, serve: Callable[..., Running]) -> Running:
    return serve(oidc_issuer=liar.issuer, oidc_client_id="cohortfinder")


def came_back(running: Running, liar: Liar, **answered: str) -> requests.Response:
    """Begin to sign in, and come back with what the provider is to have answered."""
    browser = running.browser()
    gone = browser.get("/sign-in/provider", allow_redirects=False)
    asked = {name: value[0] for name, value in parse_qs(urlsplit(gone.headers["location"]).query).items()}
    assert asked["code_challenge_method"] == "S256"
    liar.nonce = asked["nonce"]
    return browser.get(f"{BACK}?{urlencode({'code': 'c', 'state': asked['state'], **answered})}")


def test_a_token_that_is_right_is_taken(deceived: Running, liar: Liar) -> None:
    assert came_back(deceived, liar).status_code == 200, deceived.log
    assert len(liar.asked[0]["code_verifier"]) >= 43


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "http://evil.example"}, {"aud": "another-program"}, {"exp": 1}, {"nonce": "another"}, {"nonce": None},
        {"exp": None}, {"sub": None}, {"iat": None}, {"aud": ["cohortfinder", "other"]},
        {"aud": ["cohortfinder", "other"], "azp": "other"}, {"iat": 4_000_000_000}, {"sub": ""},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_that_says_something_else_is_refused(deceived: Running, liar: Liar, changed: dict[str, Any]) -> None:
    liar.changed = changed

    assert came_back(deceived, liar).status_code == 403


def test_a_token_that_is_signed_by_nobody_or_another_is_refused(deceived: Running, liar: Liar) -> None:
    liar.header = {"alg": "none"}
    assert came_back(deceived, liar).status_code == 403

    liar.header, liar.signs_with = {"alg": "RS256", "kid": "1"}, liar.other
    assert came_back(deceived, liar).status_code == 403


def test_a_provider_that_tells_of_another_person_is_refused(deceived: Running, liar: Liar) -> None:
    liar.told = {"sub": "anna", "name": "Anna"}

    assert came_back(deceived, liar).status_code == 403


@pytest.mark.parametrize("answered", [{"state": "forged"}, {"state": ""}, {"error": "access_denied"}], ids=str)
def test_an_answer_to_what_was_not_asked_is_refused(deceived: Running, liar: Liar, answered: dict[str, str]) -> None:
    assert came_back(deceived, liar, **answered).status_code == 403
    assert liar.asked == []


def test_a_browser_that_has_begun_nothing_is_refused(deceived: Running, liar: Liar) -> None:
    """A link with somebody's code must not sign in whoever opens it."""
    browser = deceived.browser()
    for kept in ("", "a.b.c.1.mark", "....", "x" * 3000):
        browser.session.cookies.set("cohortfinder-begun", kept)
        assert browser.get(f"{BACK}?code=c&state=a").status_code == 403
    assert liar.asked == []


def test_a_sign_in_that_takes_too_long_is_refused(deceived: Running, liar: Liar) -> None:
    browser = deceived.browser()
    gone = browser.get("/sign-in/provider", allow_redirects=False)
    state = parse_qs(urlsplit(gone.headers["location"]).query)["state"][0]
    deceived.clock.let_pass(minutes=11)

    assert browser.get(f"{BACK}?code=c&state={state}").status_code == 403


def test_a_provider_that_is_away_is_told_in_a_sentence(serve: Callable[..., Running]) -> None:
    running = serve(oidc_issuer=f"http://127.0.0.1:{free_port()}", oidc_client_id="cohortfinder")

    answer = running.browser().get("/sign-in/provider")

    assert answer.status_code == 403
    assert "The account of your site could not be used" in answer.text
    assert "cannot be used (ConnectError)" in str(running.log)


def test_a_site_without_a_provider_has_no_such_page(running: Running) -> None:
    assert running.browser().get("/sign-in/provider").status_code == 404
    assert "/sign-in/provider" not in running.browser().get("/sign-in").text
