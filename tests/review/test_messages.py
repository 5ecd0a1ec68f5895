"""Messages to the study team, and mails about new lists."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_string
from pathlib import Path

import pytest

from cohortfinder.cli.main import status_of
from cohortfinder.jobs.night.subscribers import tell_subscribers
from cohortfinder.review.access.accounts import add_account, give_role
from cohortfinder.review.access.roles import Role
from cohortfinder.review.store.database import open_database
from cohortfinder.review.store.subscriptions import subscribe
from cohortfinder.settings import Settings, read_settings
from listeners import mail_server
from review.running import OTHER_TRIAL, TRIAL, Running

RECORD = {"run_id": "r", "state": "published", "index_date": "2026-11-20", "trials": {TRIAL: {"candidates": 12}, OTHER_TRIAL: {"candidates": 3}}}  # fmt: skip


def test_a_message_reaches_the_team_of_the_trial_and_nobody_else(running: Running) -> None:
    patient = running.patients()[0]
    page = f"/trials/{TRIAL}/messages"
    anna = running.browser_of("anna")
    anna.submit(page, page, text="Please call by noon <b>today</b>")
    anna.send(f"{running.page_of(patient)}/messages", {"text": "This one first"})

    text = running.browser_of("ivan").get(page).text

    assert "Please call by noon &lt;b&gt;today&lt;/b&gt;" in text
    assert running.page_of(patient) in text
    assert running.browser_of("dora").get(page).status_code == 403
    assert running.browser_of("fred").get(page).status_code == 404


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4001, "a\x00b"])
def test_a_message_that_is_empty_or_too_long_is_not_sent(running: Running, text: str) -> None:
    page = f"/trials/{TRIAL}/messages"

    assert running.browser_of("anna").send(page, {"text": text}).status_code == 422
    assert "Nobody has written yet" in running.browser_of("anna").get(page).text


def test_somebody_subscribes_to_the_own_trials_only(running: Running) -> None:
    anna = running.browser_of("anna")

    assert anna.send("/subscriptions", {"trial": OTHER_TRIAL, "schedule": "each"}).status_code == 404
    assert anna.send("/subscriptions", {"trial": TRIAL, "schedule": "hourly"}).status_code == 404
    assert 'value="each" selected' in anna.send("/subscriptions", {"trial": TRIAL, "schedule": "each"}).text
    assert "selected" not in anna.send("/subscriptions", {"trial": TRIAL, "schedule": ""}).text


def mailing(running: Running, port: int, tmp_path: Path) -> Settings:
    """Return the settings of a site that sends mails."""
    config = tmp_path / "mailing.toml"
    config.write_text(
        f'store = "{running.store}"\n[nightly]\nmail_to = "it@hospital.example"\nmail_from = "b@hospital.example"\n'
        f'smtp = "127.0.0.1:{port}"\nsmtp_tls = "none"\n[review]\naddress = "https://lists.hospital.example"\n'
    )
    settings = read_settings(config)
    url = running.application.settings.database_url
    return replace(settings, review=replace(settings.review, database_url=url))


def chosen(running: Running, **schedules: str) -> None:
    """Let people subscribe, as ben_T2D..., each by the login."""
    with running.database.writing() as connection:
        for login, schedule in schedules.items():
            for trial in (TRIAL, OTHER_TRIAL):
                subscribe(connection, running.account_id(login), trial, schedule)


def test_a_mail_has_numbers_and_a_link_of_the_trials_in_which_the_person_has_a_role(
    running: Running, tmp_path: Path
) -> None:
    chosen(running, anna="each", ben="weekly", nora="each")
    now = running.clock()
    with mail_server() as (port, mails):
        settings = mailing(running, port, tmp_path)
        for day in (0, 1, 7):
            told = tell_subscribers(RECORD, settings, now + timedelta(days=day))
            assert [one.problem for one in told] == [""]

    assert (
        sorted(str(mail[2]) for mail in mails) == ["['anna@hospital.example']"] * 3 + ["['ben@hospital.example']"] * 2
    )
    first = mails[0][3]
    assert f"{TRIAL}: 12 candidates" in first
    assert OTHER_TRIAL not in first
    assert OTHER_TRIAL in mails[1][3]
    assert (
        "https://lists.hospital.example/subscriptions" in message_from_string(first).get_payload(decode=True).decode()
    )


def test_who_may_not_sign_in_any_more_gets_no_mail(running: Running, tmp_path: Path) -> None:
    chosen(running, anna="each")
    adam = running.browser_of("adam")
    adam.send(f"/admin/accounts/{running.account_id('anna')}/active", {"active": "no"})
    with mail_server() as (port, mails):
        assert tell_subscribers(RECORD, mailing(running, port, tmp_path), running.clock()) == ()

    assert mails == []


def test_a_mail_that_cannot_be_sent_is_told_and_is_due_the_next_time(running: Running, tmp_path: Path) -> None:
    chosen(running, ben="weekly")
    with mail_server() as (port, _):
        pass
    settings = mailing(running, port, tmp_path)
    (told,) = tell_subscribers(RECORD, settings, running.clock())
    assert told.problem.startswith("1 of 1 mails were not sent: the mail server 127.0.0.1")
    assert "ben" not in told.problem
    with mail_server() as (port, mails):
        tell_subscribers(RECORD, mailing(running, port, tmp_path), running.clock() + timedelta(days=1))

    assert len(mails) == 1


def test_a_night_sends_the_mails(store_of_its_own: Settings, tmp_path: Path) -> None:
    with mail_server() as (port, mails):
        config = tmp_path / "site.toml"
        config.write_text(
            f'store = "{store_of_its_own.store}"\ntrials = ["{OTHER_TRIAL}"]\ntime_zone = "UTC"\n[nightly]\n'
            'mail_to = "it@hospital.example"\nmail_from = "b@hospital.example"\nmail_when = "problems"\n'
            f'smtp = "127.0.0.1:{port}"\nsmtp_tls = "none"\n'
        )
        database = open_database(store_of_its_own.store, read_settings(config).review)
        with database.writing() as connection:
            eva = add_account(connection, "eva", "Eva", at=datetime.now(UTC), email="eva@hospital.example")
            give_role(connection, eva, OTHER_TRIAL, Role.COORDINATOR)
            subscribe(connection, eva, OTHER_TRIAL, "each")
        database.close()
        assert status_of(["nightly", "--config", str(config), "--as-of", "2026-11-21"]) == 0

    assert [mail[2] for mail in mails] == [["eva@hospital.example"]]
