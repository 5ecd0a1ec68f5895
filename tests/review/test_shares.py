"""A link shows one patient to a colleague without an account: with a passcode, for some days, and no other patient."""

import html
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from cohortfinder.review.store.tables import AUDIT, SHARE
from review.running import TRIAL, Running


def shared(running: Running, login: str = "anna", **fields: str) -> tuple[str, str, str]:
    """Make a link to the first patient; return its path, the passcode, and the patient."""
    patient = running.patients()[0]
    page = f"{running.page_of(patient)}/shares"
    answer = running.browser_of(login).submit(page, page, **{"days": "3", **fields})
    assert answer.status_code == 200
    link, passcode = re.findall(r"<code>([^<]+)</code>", answer.text)
    return urlsplit(link).path, passcode, patient


def opened(running: Running, path: str, passcode: str) -> tuple[int, str]:
    """Open a link as somebody without an account."""
    answer = running.browser().session.post(running.url + path, {"passcode": passcode}, timeout=60)
    return answer.status_code, answer.text


def test_who_has_link_and_passcode_sees_the_patient_under_a_pseudonym(running: Running) -> None:
    path, passcode, patient = shared(running)

    status, text = opened(running, path, passcode.lower().replace("-", " "))

    assert status == 200
    assert running.application.keys.pseudonym(TRIAL, patient) in text
    assert patient not in text
    assert text.count("<section") > 5
    assert "/candidates/" not in text


def test_who_it_is_shows_only_where_the_maker_wanted_that(running: Running) -> None:
    path, passcode, patient = shared(running, identified="yes")

    text = opened(running, path, passcode)[1]
    assert patient in text
    name = running.snapshot.identities[patient].name
    assert name
    assert html.escape(name) in text
    path, passcode, _ = shared(running)
    assert html.escape(name) not in opened(running, path, passcode)[1]


@pytest.mark.parametrize("passcode", ["", "AAAA-AAAA-AAAA", "\x00", "x" * 5000])
def test_another_passcode_opens_nothing(running: Running, passcode: str) -> None:
    path, _, _ = shared(running)

    status, text = opened(running, path, passcode)

    assert (status, "<section" in text) == (401, False)


def test_a_link_that_is_none_looks_as_one_with_another_passcode(running: Running) -> None:
    path, passcode, _ = shared(running)
    anything = opened(running, "/shared/no-such-token", passcode)

    assert anything == opened(running, path, "AAAA-AAAA-AAAA")
    assert running.browser().get("/shared/no-such-token").text == running.browser().get(path).text


def test_a_link_ends_by_its_day(running: Running) -> None:
    path, passcode, _ = shared(running)
    running.clock.let_pass(days=2, hours=23)
    assert opened(running, path, passcode)[0] == 200

    running.clock.let_pass(hours=2)

    assert opened(running, path, passcode)[0] == 401


def test_a_link_ends_when_it_is_ended(running: Running) -> None:
    path, passcode, patient = shared(running)
    page = f"{running.page_of(patient)}/shares"
    with running.database.reading() as connection:
        number = connection.execute(select(SHARE.c.id)).scalar_one()
    running.browser_of("ben").send(f"{page}/{number}/end", page=page)

    assert opened(running, path, passcode)[0] == 401
    assert "holds no more" in running.browser_of("anna").get(page).text


def test_a_link_ends_with_the_role_of_who_made_it(running: Running) -> None:
    path, passcode, _ = shared(running)
    adam = running.browser_of("adam")
    adam.send(f"/admin/accounts/{running.account_id('anna')}/role", {"trial": TRIAL, "role": ""})

    assert opened(running, path, passcode)[0] == 401


def test_guessing_is_stopped_and_ends_the_link_in_the_end(running: Running) -> None:
    path, passcode, _ = shared(running)

    assert [opened(running, path, "AAAA-AAAA-AAAA")[0] for _ in range(11)] == [401] * 10 + [429]
    running.clock.let_pass(minutes=16)
    assert opened(running, path, passcode)[0] == 401


def test_a_link_to_a_patient_of_another_trial_cannot_be_ended(running: Running) -> None:
    _, _, patient = shared(running)
    other = next(one for one in running.patients() if one != patient)
    page = f"{running.page_of(other)}/shares"

    assert running.browser_of("ben").send(f"{page}/1/end", page=page).status_code == 404


def test_the_data_team_makes_no_link(running: Running) -> None:
    page = f"{running.page_of(running.patients()[0])}/shares"

    assert running.browser_of("dora").send(page, {"days": "3"}, page="/password").status_code == 403


@pytest.mark.parametrize("days", ["0", "8", "-1", "x", "", "²", "99999999999"])
def test_a_link_holds_as_long_as_the_site_allows_at_most(running: Running, days: str) -> None:
    page = f"{running.page_of(running.patients()[0])}/shares"

    assert running.browser_of("anna").send(page, {"days": days}, page=page).status_code == 422


def test_token_and_passcode_are_kept_nowhere(running: Running) -> None:
    path, passcode, _ = shared(running)
    opened(running, path, passcode)
    token = path.rpartition("/")[2]
    with running.database.reading() as connection:
        kept = [str(connection.execute(select(table)).all()) for table in running.tables()]
        told = [row.action for row in connection.execute(select(AUDIT).where(AUDIT.c.candidate != ""))]

    assert [one for one in (token, passcode) for text in (*kept, str(running.log)) if one in text] == []
    assert told[-2:] == ["share", "share opened"]


def test_the_address_of_the_site_stands_in_the_link(serve: Callable[..., Running]) -> None:
    running = serve(address="https://lists.hospital.example/")
    page = f"{running.page_of(running.patients()[0])}/shares"

    assert (
        "https://lists.hospital.example/shared/" in running.browser_of("anna").send(page, {"days": "1"}, page=page).text
    )
