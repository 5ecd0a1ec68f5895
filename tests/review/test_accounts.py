"""Administrators add accounts, give roles, and shut people out; what they do is in the audit log."""

from sqlalchemy import select

from cohortfinder.review.store.tables import AUDIT
from review.running import PASSWORD, TRIAL, Browser, Running

EVA = {"login": "Eva", "name": "Eva Example", "password": PASSWORD, "email": "eva@hospital.example"}


def done(running: Running) -> list[tuple[str, str]]:
    """Return what the administrator has changed."""
    with running.database.reading() as connection:
        asked = select(AUDIT.c.action, AUDIT.c.detail).where(AUDIT.c.login == "adam", AUDIT.c.detail != "")
        return [tuple(row) for row in connection.execute(asked.order_by(AUDIT.c.id))]


def of(running: Running, login: str) -> str:
    return f"/admin/accounts/{running.account_id(login)}"


def role_of(browser: Browser) -> int:
    return browser.get(f"/trials/{TRIAL}").status_code


def test_an_account_is_added_without_a_role_and_must_change_its_password(running: Running) -> None:
    adam = running.browser_of("adam")

    assert adam.submit("/admin/accounts", "/admin/accounts", **EVA).url.endswith(of(running, "eva"))

    eva = running.signed_in("eva")
    assert eva.get("/").url.endswith("/password")
    new = {"old": PASSWORD, "new": "seven quiet lamps", "again": "seven quiet lamps"}
    eva.send("/password", new, page="/password")
    assert role_of(eva) == 404
    assert done(running)[0] == ("account added", f"account {running.account_id('eva')}")


def test_what_does_not_do_adds_nothing(running: Running) -> None:
    adam = running.browser_of("adam")

    for wrong in ({"login": "anna"}, {"login": " "}, {"name": ""}, {"password": "short"}, {"email": "no address"}):
        answer = adam.submit("/admin/accounts", "/admin/accounts", **{**EVA, **wrong})
        assert (answer.status_code, 'role="alert"' in answer.text) == (422, True), wrong

    assert "Eva Example" not in adam.get("/admin/accounts").text.partition("<h2>")[0]


def test_a_role_is_given_and_taken_away_while_the_person_is_signed_in(running: Running) -> None:
    adam, nora = running.browser_of("adam"), running.browser_of("nora")
    page = of(running, "nora")

    adam.send(f"{page}/role", {"trial": TRIAL, "role": "data"})
    assert role_of(nora) == 200

    adam.send(f"{page}/role", {"trial": TRIAL, "role": ""})
    assert role_of(nora) == 404
    number = running.account_id("nora")
    assert done(running) == [
        ("role given", f"account {number}: data in {TRIAL}"), ("role taken", f"account {number}:  in {TRIAL}")
    ]  # fmt: skip


def test_a_role_that_is_none_is_refused(running: Running) -> None:
    adam = running.browser_of("adam")

    for fields in ({"trial": TRIAL, "role": "admin"}, {"trial": "../x", "role": "data"}, {"trial": "", "role": "data"}):
        assert adam.send(f"{of(running, 'nora')}/role", fields).status_code == 422


def test_who_is_deactivated_is_out_at_once_and_cannot_come_back(running: Running) -> None:
    adam, anna = running.browser_of("adam"), running.browser_of("anna")

    adam.send(f"{of(running, 'anna')}/active", {"active": "no"})

    assert anna.get("/").url.endswith("/sign-in")
    assert running.browser().sign_in("anna").status_code == 401
    adam.send(f"{of(running, 'anna')}/active", {"active": "yes"})
    assert role_of(running.signed_in("anna")) == 200


def test_a_password_that_is_reset_ends_the_sessions_and_must_be_changed(running: Running) -> None:
    adam, anna = running.browser_of("adam"), running.browser_of("anna")

    adam.send(f"{of(running, 'anna')}/password", {"password": "from the administrator"})

    assert anna.get("/").url.endswith("/sign-in")
    assert running.signed_in("anna", "from the administrator").get("/").url.endswith("/password")


def test_nobody_takes_away_the_own_rights(running: Running) -> None:
    adam = running.browser_of("adam")

    assert adam.send(f"{of(running, 'adam')}/active", {"active": "no"}).status_code == 422
    assert adam.send(f"{of(running, 'adam')}/administrator", {"administrator": "no"}).status_code == 422
    assert adam.get("/admin/accounts").status_code == 200


def test_an_administrator_sees_no_patient_without_a_role(running: Running) -> None:
    adam = running.browser_of("adam")
    patient = running.patients()[0]

    assert adam.get(running.page_of(patient)).status_code == 404
    pages = ("/admin/accounts", "/admin/audit", "/admin/audit/export?kind=ndjson", of(running, "anna"))
    running.browser_of("anna").get(running.page_of(patient))
    assert [page for page in pages if patient in adam.get(page).text] == []


def test_an_account_that_is_not_there_is_not_found(running: Running) -> None:
    adam = running.browser_of("adam")

    assert {adam.get(f"/admin/accounts/{number}").status_code for number in ("999", "x", "²", "1" * 30)} == {404}
