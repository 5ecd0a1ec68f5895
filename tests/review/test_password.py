"""Another password for oneself."""

import pytest

from cohortfinder.review.access.accounts import set_password
from review.running import PASSWORD, TRIAL, Running

NEW = "seven quiet lamps at noon"
GIVEN = {"old": PASSWORD, "new": NEW, "again": NEW}


def changed(running: Running, **fields: str) -> tuple[int, str]:
    """Try to change the password of anna; return the status, and what the page says is wrong."""
    answer = running.signed_in("anna").send("/password", {**GIVEN, **fields}, page="/password", allow_redirects=False)
    said = answer.text.partition('role="alert">')[2].partition("<")[0]
    return answer.status_code, said


def test_a_password_is_changed_and_other_sessions_end(running: Running) -> None:
    here, elsewhere = running.signed_in("anna"), running.signed_in("anna")
    before = here.session.cookies.copy()

    answer = here.send("/password", GIVEN, page="/password")

    assert answer.status_code == 200
    assert here.get(f"/trials/{TRIAL}").status_code == 200
    assert dict(here.session.cookies) != dict(before)
    assert elsewhere.get("/").url.endswith("/sign-in")
    assert running.browser().sign_in("anna", PASSWORD).status_code == 401
    running.signed_in("anna", NEW)


def test_who_signs_in_with_a_password_of_somebody_else_must_change_it_first(running: Running) -> None:
    with running.database.writing() as connection:
        set_password(connection, running.account_id("anna"), PASSWORD, at=running.clock(), must_change=True)
    browser = running.signed_in("anna")

    for page in ("/", f"/trials/{TRIAL}", running.page_of(running.patients()[0])):
        assert browser.get(page).url.endswith("/password")

    assert browser.send("/password", GIVEN, page="/password").status_code == 200
    assert browser.get(f"/trials/{TRIAL}").url.endswith(TRIAL)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"old": "another password"}, "The present password is another one. Nothing was changed."),
        ({"new": "short", "again": "short"}, "A new password has 12 to 200 characters; several words make a good one."),
        ({"again": "seven quiet lamps at night"}, "The two new passwords are not the same. Nothing was changed."),
        ({"new": PASSWORD, "again": PASSWORD}, "The new password must be another one than the present one."),
        ({"new": "anna likes cats"} | {"again": "anna likes cats"}, "This password is easy to guess"),
        ({"new": "abababababababab", "again": "abababababababab"}, "This password is easy to guess"),
        ({"new": "x" * 201, "again": "x" * 201}, "A new password has 12 to 200 characters"),
    ],
)
def test_a_password_that_does_not_do_changes_nothing(running: Running, fields: dict[str, str], said: str) -> None:
    status, told = changed(running, **fields)

    assert (status, told[: len(said)]) == (422, said)
    running.signed_in("anna", PASSWORD)
