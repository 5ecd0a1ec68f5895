"""What stands around all pages: headers, limits, foreign forms, and a log without patients' data."""

import http.client
import json
import re
from contextlib import closing
from urllib.parse import urlsplit

import pytest
import requests

from review.running import PASSWORD, TRIAL, Running

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


def broken(running: Running) -> None:
    """Let every page that needs the review store fail with a mistake of ours that quotes a patient."""

    def fails(*_: object) -> None:
        raise KeyError("Mrs Example, born 1980-01-01")

    running.application.published.current = fails  # type: ignore[method-assign, assignment]


def test_every_answer_bears_the_headers(running: Running) -> None:
    browser = running.browser_of("anna")
    answers = [browser.get(path) for path in ("/", f"/trials/{TRIAL}", "/no-such-page", "/trials/NOT-MINE")]
    broken(running)
    answers.append(browser.get(f"/trials/{TRIAL}"))

    assert [answer.status_code for answer in answers] == [200, 200, 404, 404, 500]
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert not re.search(r"<script(?! src=)|<style| style=| on\w+=", answer.text)


def test_a_mistake_of_ours_quotes_nobody(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    browser = running.browser_of("anna")
    broken(running)

    answer = browser.get(f"/trials/{TRIAL}")

    assert answer.status_code == 500
    assert "Nothing was saved" in answer.text
    assert "KeyError" in str(running.log)
    for said in (answer.text, str(running.log), caplog.text):
        assert "Mrs Example" not in said


def test_the_log_has_no_patient_no_address_and_no_secret(running: Running) -> None:
    patient = running.patients()[0]
    browser = running.signed_in("anna")
    browser.get(running.page_of(patient))
    browser.get("/trials/x?search=Mrs+Example")

    said = json.dumps(running.log)

    assert [line["page"] for line in running.log[-2:]] == ["/trials/{trial}/candidates/{candidate}", "/trials/{trial}"]
    secrets = (patient, running.candidate(patient), "Mrs", PASSWORD, *browser.session.cookies.values())
    assert [one for one in secrets if one in said] == []


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8421", "", "localhost@evil.example"]
)
def test_another_host_is_refused(running: Running, host: str) -> None:
    answer = requests.get(f"{running.url}/sign-in", headers={"Host": host}, timeout=30)

    assert answer.status_code == 400


def test_what_is_too_long_is_refused_before_it_is_read(running: Running) -> None:
    browser = running.browser_of("anna")
    much = {"csrf": browser.token("/password"), "old": "x" * 300_000}

    assert browser.session.post(f"{running.url}/password", much, timeout=30).status_code == 413
    assert browser.get("/?" + "x" * 5000).status_code == 414
    many = {f"field{number}": "x" for number in range(2000)}
    assert browser.session.post(f"{running.url}/password", many, timeout=30).status_code in (400, 403, 413)


def test_what_says_no_length_is_counted(running: Running) -> None:
    """A body in chunks without an end: the server stops reading."""
    connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=30)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/sign-in", iter([b"login=" + b"x" * 10_000] * 100), kind, encode_chunked=True)

    with closing(connection), connection.getresponse() as answer:
        assert answer.status in (400, 413)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused_though_it_has_the_token(running: Running, headers: dict[str, str]) -> None:
    browser = running.browser_of("anna")

    assert browser.send("/sign-out/everywhere", headers=headers).status_code == 403
    given = {"login": "anna", "password": PASSWORD}
    assert running.browser().session.post(f"{running.url}/sign-in", given, headers=headers).status_code == 403
    assert browser.get("/").url == running.url + "/"


def test_a_forged_or_replayed_token_is_refused(running: Running) -> None:
    """None, an invented one, that of somebody else, and that of a session which has ended."""
    anna, ben, before = running.browser_of("anna"), running.browser_of("ben"), running.browser_of("anna")
    ended = before.token()
    before.send("/sign-out")

    for token in ("", "forged", ben.token(), ended, anna.token()[:-1], anna.token() + "x", "é" * 10):
        answer = anna.session.post(f"{running.url}/sign-out/everywhere", {"csrf": token}, timeout=30)
        assert answer.status_code == 403, token
    assert anna.get("/").url == running.url + "/"


def test_the_token_of_an_address_is_none(running: Running) -> None:
    anna = running.browser_of("anna")

    answer = anna.session.post(f"{running.url}/sign-out/everywhere?csrf={anna.token()}", timeout=30)

    assert answer.status_code == 403
