"""Signing in and out: who guesses is stopped, and a session ends when it should."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from cohortfinder.review.access.passwords import OF_NOBODY, hashed
from cohortfinder.review.store.tables import AUDIT, SESSION
from review.running import PASSWORD, TRIAL, Running


def tried(running: Running, login: str, times: int, password: str = "no such password") -> list[int]:
    """Try to sign in several times, and return the answers."""
    return [running.browser().sign_in(login, password).status_code for _ in range(times)]


@pytest.mark.parametrize("login", ["anna", "nobody-of-that-name"])
def test_ten_failures_lock_a_login_for_a_quarter_of_an_hour(running: Running, login: str) -> None:
    """A login that does not exist is locked as one that does, so that nobody learns which there are."""
    assert tried(running, login, 11) == [401] * 10 + [429]
    assert tried(running, login, 1, PASSWORD) == [429]

    running.clock.let_pass(minutes=15, seconds=30)

    assert tried(running, login, 1, PASSWORD) == [200 if login == "anna" else 401]


def test_tries_while_a_login_is_locked_do_not_keep_it_locked(running: Running) -> None:
    tried(running, "anna", 10)
    running.clock.let_pass(minutes=14)
    assert tried(running, "anna", 3) == [429] * 3

    running.clock.let_pass(minutes=2)

    assert tried(running, "anna", 1, PASSWORD) == [200]


def test_many_tries_at_once_count_as_many(running: Running) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = [*pool.map(lambda _: running.browser().sign_in("anna", "no such password").status_code, range(30))]

    assert sorted(answers) == [401] * 10 + [429] * 20


def test_an_address_that_tries_many_logins_is_stopped(running: Running) -> None:
    answers = [running.browser().sign_in(f"nobody-{number}", "no such password").status_code for number in range(62)]

    assert answers == [401] * 60 + [429] * 2


def test_signing_in_forgives_what_failed_before(running: Running) -> None:
    assert tried(running, "anna", 9) == [401] * 9
    running.signed_in("anna")

    assert tried(running, "anna", 9) == [401] * 9


def test_the_address_behind_a_proxy_is_the_one_that_the_proxy_adds(serve: Callable[..., Running]) -> None:
    """What a browser claims itself, before it, counts for nothing."""
    running = serve(behind_proxy=True)
    fields = {"password": "no such password"}
    for number in range(62):
        session = running.browser().session
        claimed = {"x-forwarded-for": f"10.1.1.{number}, 192.0.2.7"}
        answer = session.post(f"{running.url}/sign-in", {**fields, "login": f"nobody-{number}"}, headers=claimed)

    assert answer.status_code == 429
    other = {"x-forwarded-for": "192.0.2.8"}
    assert session.post(f"{running.url}/sign-in", {**fields, "login": "x"}, headers=other).status_code == 401


def test_a_login_of_nobody_takes_as_long(running: Running) -> None:
    def seconds(login: str) -> float:
        begun = time.perf_counter()
        running.browser().sign_in(login, "no such password")
        return time.perf_counter() - begun

    known, unknown = ([seconds(login) for _ in range(4)] for login in ("anna", "nobody-of-that-name"))
    # without the comparison it would be a few milliseconds
    assert min(unknown) > min(known) / 3


def test_the_hash_of_nobody_costs_what_that_of_an_account_costs() -> None:
    assert OF_NOBODY.split("$")[:4] == hashed(PASSWORD).split("$")[:4]


def test_both_say_the_same(running: Running) -> None:
    known, unknown = (running.browser().sign_in(login, "no such password") for login in ("anna", "nobody"))

    assert known.text == unknown.text


def test_a_session_ends_without_a_look(running: Running) -> None:
    browser = running.signed_in("anna")
    for _ in range(3):
        running.clock.let_pass(minutes=14)
        assert browser.get("/").url == running.url + "/"

    running.clock.let_pass(minutes=16)

    assert browser.get(f"/trials/{TRIAL}").url.endswith("/sign-in")


def test_a_session_ends_after_12_hours_however_busy(running: Running) -> None:
    browser = running.signed_in("anna")
    for _ in range(71):
        running.clock.let_pass(minutes=10)
        assert browser.get("/").url == running.url + "/"

    running.clock.let_pass(minutes=11)

    assert browser.get("/").url.endswith("/sign-in")


def test_signing_in_gives_a_new_id_and_the_old_one_is_worth_nothing(running: Running) -> None:
    """A session id that somebody planted in the browser, or that it had before, does not become a signed-in one."""
    planted = running.browser()
    planted.session.cookies.set("cohortfinder", "planted-by-somebody-else")
    planted.sign_in("anna")
    other = running.browser()
    other.session.cookies.set("cohortfinder", "planted-by-somebody-else")
    assert other.get("/").url.endswith("/sign-in")

    thief, browser = running.browser(), running.signed_in("anna")
    thief.session.cookies.update(browser.session.cookies)
    browser.send("/sign-in", {"login": "ben", "password": PASSWORD}, page="/sign-in")

    assert "Ben Example" in browser.get("/").text
    assert thief.get("/").url.endswith("/sign-in")


def test_signing_out_ends_the_session_in_the_store(running: Running) -> None:
    browser, other = running.signed_in("anna"), running.signed_in("anna")
    thief = running.browser()
    thief.session.cookies.update(browser.session.cookies)

    browser.send("/sign-out")

    assert thief.get("/").url.endswith("/sign-in")
    assert other.get("/").url == running.url + "/"


def test_signing_out_everywhere_ends_all(running: Running) -> None:
    browser, other, ben = running.signed_in("anna"), running.signed_in("anna"), running.signed_in("ben")

    browser.send("/sign-out/everywhere")

    assert other.get("/").url.endswith("/sign-in")
    assert ben.get("/").url == running.url + "/"


def test_the_store_holds_no_id_of_a_session(running: Running) -> None:
    browser = running.signed_in("anna")
    with running.database.reading() as connection:
        kept = str(connection.execute(select(SESSION)).all())

    assert all(value not in kept for value in browser.session.cookies.values())


def test_the_cookie_is_for_this_host_over_tls_and_for_no_script(serve: Callable[..., Running]) -> None:
    """The name with __Host- makes the browser itself refuse one without Secure, or for another host."""
    running = serve(behind_proxy=True)
    answer = running.browser().session.post(
        f"{running.url}/sign-in", {"login": "anna", "password": PASSWORD}, allow_redirects=False
    )
    cookie = answer.headers["set-cookie"]

    assert cookie.startswith("__Host-cohortfinder=")
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {
        "httponly",
        "path=/",
        "samesite=strict",
        "secure",
    }
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_the_audit_log_tells_of_signing_in(running: Running) -> None:
    tried(running, "anna", 10)
    running.clock.let_pass(minutes=16)
    running.signed_in("anna").send("/sign-out")
    with running.database.reading() as connection:
        told = connection.execute(select(AUDIT.c.action, AUDIT.c.detail).order_by(AUDIT.c.id)).all()

    last = ("sign-in refused", "the last try for a quarter of an hour")
    signed = [tuple(row) for row in told if row.action.startswith("sign")]
    assert signed == [("sign-in refused", "")] * 9 + [last, ("sign-in", "password"), ("sign-out", "")]
