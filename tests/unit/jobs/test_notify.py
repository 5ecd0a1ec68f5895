"""Telling of a night: a real HTTP server, a real mail server, a file; none of them can fail a night."""

import json
import os
import ssl
import stat
import time
from datetime import datetime
from email import message_from_string
from email.policy import default
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from authorities import authority, server_context
from cohortfinder.errors import ConfigurationError, ServerError
from cohortfinder.fhir import webhook
from cohortfinder.fhir.webhook import post
from cohortfinder.jobs.night.mail import send
from cohortfinder.jobs.night.message import mail_text, message_of, text_line
from cohortfinder.jobs.night.metrics import metrics_text, write_metrics
from cohortfinder.jobs.night.notify import Told, tell
from cohortfinder.nightly_settings import NightlySettings
from cohortfinder.notify_settings import Mail, Notify, Webhook
from cohortfinder.secret import Secret
from listeners import hooked, mail_server

# what a record must not hold, and nobody may be told if one day it does
CANARIES = ("CANARY-PATIENT", "CANARY-NAME", "CANARY-TEXT")
LINK = "https://trials.hospital.example/list"
RECORD: dict[str, Any] = {
    "run_id": "20261127T020000-001",
    "started_at": "2026-11-27T02:00:00+00:00",
    "ended_at": "2026-11-27T02:03:05.5+00:00",
    "state": "refused",
    "exit_status": 65,
    "message": "CANARY-TEXT",
    "index_date": "2026-11-27",
    "load_ids": ["20261127T020001-001"],
    "steps": [
        {"name": "pull", "seconds": 61.5, "state": "done", "counts": {"quarantined": 2, "patient": "CANARY-PATIENT"}},
        {"name": 'screen "NCT\\1"', "seconds": 20, "state": "done", "counts": {"quarantined": 1}},
    ],
    "trials": {
        "NCT06983964": {
            "trial_sha256": "CANARY-TEXT", "candidates": 40, "new": 3, "eligible": 2, "possible": 30, "excluded": 8,
            "first": "CANARY-PATIENT", "names": ["CANARY-NAME"],
        },
        "NCT05669495": {"trial_sha256": "0", "candidates": 1_200},
    },
    "refusals": [
        {"code": "shrunk", "message": "CANARY-NAME", "accept": "shrunk"},
        {"code": "lost-codes", "message": "CANARY-PATIENT", "accept": "lost-codes"},
    ],
    "accepted": ["clock"],
}  # fmt: skip
PUBLISHED = {**RECORD, "state": "published", "exit_status": 0, "refusals": []}
SENT = {
    "program": "cohortfinder",
    "text": (
        "cohortfinder 20261127T020000-001: no new list: the night refused to publish; NCT05669495: 1,200 candidates; "
        "NCT06983964: 40 candidates, 3 new, 2 eligible, 30 possible; reasons: shrunk, lost-codes; "
        "https://trials.hospital.example/list"
    ),
    "run_id": "20261127T020000-001",
    "state": "refused",
    "exit_status": 65,
    "index_date": "2026-11-27",
    "started_at": "2026-11-27T02:00:00+00:00",
    "ended_at": "2026-11-27T02:03:05.5+00:00",
    "seconds": 185.5,
    "trials": {
        "NCT05669495": {"candidates": 1200},
        "NCT06983964": {"candidates": 40, "new": 3, "eligible": 2, "possible": 30, "excluded": 8},
    },
    "refusals": ["shrunk", "lost-codes"],
    "accepted": ["clock"],
    "link": LINK,
}


def secret(folder: Path, text: str, *, mode: int = 0o600) -> Secret:
    file = folder / "secret"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return Secret(file=file, place="site.toml:3")


def hook_to(url: str, **more: Any) -> Webhook:
    return Webhook(Secret(value=url, place="site.toml:2"), **more)


def test_a_webhook_is_sent_numbers_and_a_link(tmp_path: Path) -> None:
    with hooked() as hook:
        post(
            hook_to(hook.url, header_secrets={"Authorization": secret(tmp_path, "Bearer tok\n")}),
            message_of(RECORD, LINK),
        )
    ((path, headers, body),) = hook.got
    assert path == "/hook/secret-path?token=secret-token"
    assert (headers["Authorization"], headers["Content-Type"]) == ("Bearer tok", "application/json")
    assert body == SENT


def test_a_webhook_is_asked_over_tls_by_an_authority_of_the_site(tmp_path: Path) -> None:
    ca = authority(tmp_path)
    with hooked(tls=server_context(tmp_path, ca)) as hook:
        post(hook_to(hook.url, ca_bundle=ca.bundle), SENT)
        with pytest.raises(ServerError, match=r"^https://127\.0\.0\.1:\d+ shows a certificate of an authority"):
            post(hook_to(hook.url), SENT, sleep=lambda _: None)
    assert len(hook.got) == 1


def test_a_webhook_that_fails_is_asked_three_times(tmp_path: Path) -> None:
    waited: list[float] = []
    with hooked(503, 500) as hook:
        post(hook_to(hook.url), SENT, sleep=waited.append)
        assert (len(hook.got), waited) == (3, [1.0, 5.0])
        hook.answers[:] = [502, 502, 502, 200]
        with pytest.raises(ServerError, match=r"^http://127\.0\.0\.1:\d+ does not take the message \(502\)"):
            post(hook_to(hook.url), SENT, sleep=waited.append)
        assert hook.answers == [200]


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_a_webhook_that_refuses_is_asked_once(status: int) -> None:
    with hooked(status) as hook:
        with pytest.raises(ServerError, match=rf"does not take the message \({status}\)") as caught:
            post(hook_to(hook.url), SENT)
        assert len(hook.got) == 1
    assert "secret" not in str(caught.value)


def test_a_token_is_not_carried_to_another_host(tmp_path: Path) -> None:
    with hooked() as other, hooked(307) as hook:
        hook.location = other.url.replace("127.0.0.1", "localhost")
        (told,) = tell(RECORD, night(webhook=hook_to(hook.url, header_secrets={"X-Key": secret(tmp_path, "tok")})))
    assert other.got == []
    assert "sends a question with a body on to http://localhost" in told.problem
    assert "secret" not in told.problem


def night(**ways: Any) -> NightlySettings:
    return NightlySettings(link=LINK, notify=Notify(**ways))


def test_what_cannot_be_told_is_noted_and_fails_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_WAITS", (0.0, 0.0))
    with hooked() as gone:
        dead = gone.url
    port = int(dead.split(":")[2].split("/")[0])
    mail = Mail(("a@hospital.example",), "b@hospital.example", "127.0.0.1", port)
    told = tell(RECORD, night(webhook=hook_to(dead), mail=mail, metrics_file=tmp_path / "none" / "cohortfinder.prom"))
    assert [one.way for one in told] == ["metrics", "webhook", "mail"]
    assert told[0].problem.startswith(f"cannot write {tmp_path}/none/")
    assert told[1].problem.startswith(f"http://127.0.0.1:{port} refuses the connection")
    assert told[2].problem == (
        f"the mail server 127.0.0.1:{port} cannot be reached (ConnectionRefusedError); check smtp under [nightly]"
    )
    assert not any(canary in str(told) for canary in (*CANARIES, "secret-", "hospital.example"))


@pytest.mark.parametrize(
    ("text", "mode", "problem"),
    [
        ("tok", 0o644, "may be read by others"),
        ("", 0o600, "is empty"),
        ("tok\nX-Other: 1", 0o600, "must hold one line of ASCII"),
    ],
)
def test_a_token_that_cannot_be_used_is_not_sent(tmp_path: Path, text: str, mode: int, problem: str) -> None:
    with hooked() as hook:
        header = {"Authorization": secret(tmp_path, text, mode=mode)}
        (told,) = tell(RECORD, night(webhook=hook_to(hook.url, header_secrets=header)))
    assert (problem in told.problem, hook.got) == (True, [])


def test_an_address_from_a_file_may_not_be_http_elsewhere(tmp_path: Path) -> None:
    hook = Webhook(secret(tmp_path, "http://chat.hospital.example/hook/secret"))
    with pytest.raises(ConfigurationError, match="the webhook is http, so that others could read it"):
        post(hook, SENT)


def mail_of(folder: Path, port: int, bundle: Path | None, **more: Any) -> Mail:
    given: dict[str, Any] = {"user": "cohortfinder", "password": secret(folder, "right"), **more}
    return Mail(("one@hospital.example", "two@hospital.example"), "night@hospital.example", "127.0.0.1", port,
                ca_bundle=bundle, **given)  # fmt: skip


@pytest.fixture
def ca(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    signer = authority(tmp_path)
    return signer.bundle, server_context(tmp_path, signer)


def test_a_mail_goes_over_starttls_with_a_password(tmp_path: Path, ca: tuple[Path, ssl.SSLContext]) -> None:
    with mail_server(ca[1]) as (port, mails):
        told = tell(RECORD, night(mail=mail_of(tmp_path, port, ca[0])))
    ((encrypted, sender, to, content),) = mails
    assert told == (Told("mail"),)
    assert (encrypted, sender, to) == (True, "night@hospital.example", ["one@hospital.example", "two@hospital.example"])
    message = message_from_string(content, policy=default)
    assert message["Subject"] == "cohortfinder 2026-11-27: no new list: the night refused to publish"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().replace("\r\n", "\n") == mail_text(RECORD, LINK)


def test_a_mail_goes_over_tls_from_the_first_byte(tmp_path: Path, ca: tuple[Path, ssl.SSLContext]) -> None:
    with mail_server(ca[1], direct=True) as (port, mails):
        send(mail_of(tmp_path, port, ca[0], tls="tls", user=None, password=None), "subject", "text\n")
    assert len(mails) == 1


def test_a_mail_goes_without_tls_only_where_that_is_said(tmp_path: Path) -> None:
    with mail_server() as (port, mails):
        plain = mail_of(tmp_path, port, None, tls="none", user=None, password=None)
        send(plain, "subject", "text\n")
        (told,) = tell(RECORD, night(mail=mail_of(tmp_path, port, None, user=None, password=None)))
    assert len(mails) == 1
    assert "offers no TLS" in told.problem


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"ca_bundle": None}, "shows no certificate that is trusted (CERTIFICATE_VERIFY_FAILED); see ca_bundle"),
        ({"password": "wrong"}, "refuses smtp_user or its password (535)"),
        ({"to": ("nobody@hospital.example",)}, "takes no mail for any of mail_to"),
        ({"to": ("nobody@hospital.example", "one@hospital.example")}, "takes no mail for 1 of 2 addresses of mail_to"),
    ],
)
def test_a_mail_that_is_not_taken_is_told_why(
    tmp_path: Path, ca: tuple[Path, ssl.SSLContext], more: dict[str, Any], problem: str
) -> None:
    with mail_server(ca[1]) as (port, _):
        given: dict[str, Any] = {"ca_bundle": ca[0], "to": ("one@hospital.example",), "password": "right"} | more
        given["password"] = secret(tmp_path, given["password"])
        mail = Mail(sender="n@hospital.example", host="127.0.0.1", port=port, user="cohortfinder", **given)
        (told,) = tell(RECORD, night(mail=mail))
    assert problem in told.problem
    assert not any(hidden in told.problem for hidden in ("hospital.example", "wrong", "nobody"))


@pytest.mark.parametrize(
    ("record", "mails"),
    [(PUBLISHED, 0), ({**PUBLISHED, "exit_status": 3}, 1), (RECORD, 1)],
    ids=["well", "part", "not"],
)
def test_mails_may_be_for_problems_alone(tmp_path: Path, record: dict[str, Any], mails: int) -> None:
    with mail_server() as (port, box):
        tell(record, night(mail=mail_of(tmp_path, port, None, tls="none", user=None, password=None, when="problems")))
    assert len(box) == mails


def test_a_mail_says_the_numbers_in_a_few_lines() -> None:
    assert mail_text(RECORD, LINK) == (
        "No new list: the night refused to publish.\n"
        "\n"
        "run          20261127T020000-001\n"
        "index date   2026-11-27\n"
        "exit status  65\n"
        "took         186 s\n"
        "\n"
        "NCT05669495: 1,200 candidates\n"
        "NCT06983964: 40 candidates, 3 new, 2 eligible, 30 possible\n"
        "\n"
        "Why: shrunk, lost-codes. `cohortfinder status` on the machine says more; the last list stays.\n"
        "\n"
        "https://trials.hospital.example/list\n"
    )


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_metrics_are_what_prometheus_reads(tmp_path: Path) -> None:
    file = tmp_path / "cohortfinder.prom"
    assert tell(RECORD, night(metrics_file=file)) == (Told("metrics"),)
    found = samples(file.read_text(encoding="utf-8"))
    version = next(dict(labels)["version"] for name, labels in found if name == "cohortfinder_info")
    trial = ("trial", "NCT06983964")
    assert found == {
        ("cohortfinder_info", (("version", version),)): 1,
        ("cohortfinder_last_run_timestamp_seconds", ()): 1795744985.5,
        ("cohortfinder_last_run_exit_status", ()): 65,
        ("cohortfinder_last_run_published", ()): 0,
        ("cohortfinder_last_run_refused", (("code", "shrunk"),)): 1,
        ("cohortfinder_last_run_refused", (("code", "lost-codes"),)): 1,
        ("cohortfinder_run_duration_seconds", (("step", "pull"),)): 61.5,
        ("cohortfinder_run_duration_seconds", (("step", 'screen "NCT\\1"'),)): 20,
        ("cohortfinder_quarantined_resources", ()): 3,
        ("cohortfinder_candidates", (("status", "eligible"), trial)): 2,
        ("cohortfinder_candidates", (("status", "possible"), trial)): 30,
        ("cohortfinder_candidates", (("status", "excluded"), trial)): 8,
        ("cohortfinder_new_candidates", (trial,)): 3,
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["cohortfinder.prom"]


def test_each_metric_has_one_help_and_one_type_before_its_samples() -> None:
    text = metrics_text(PUBLISHED, None)
    for family in text_string_to_metric_families(text):
        lines = [line for line in text.splitlines() if family.name in line.replace("{", " ").split()]
        assert [line.split()[1] for line in lines[:2]] == ["HELP", "TYPE"]
        assert (family.type, bool(family.documentation), len(lines)) == ("gauge", True, 2 + len(family.samples))


def test_the_age_of_the_list_is_measured_from_when_it_was_published() -> None:
    at = metrics_text(RECORD, None), metrics_text(RECORD, datetime.fromisoformat("2026-11-26T02:05:00+00:00"))
    name = ("cohortfinder_last_published_timestamp_seconds", ())
    assert (name in samples(at[0]), samples(at[1])[name]) == (False, 1795658700)


def test_a_reader_of_the_metrics_never_sees_half_of_them(tmp_path: Path) -> None:
    file, whole = tmp_path / "c.prom", {metrics_text(RECORD, None), metrics_text(PUBLISHED, None)}
    write_metrics(file, RECORD, None)
    seen, until = set(), time.monotonic() + 0.5

    def write() -> None:
        while time.monotonic() < until:
            write_metrics(file, PUBLISHED, None)
            write_metrics(file, RECORD, None)

    thread = Thread(target=write)
    thread.start()
    while time.monotonic() < until:
        seen.add(file.read_text(encoding="utf-8"))
    thread.join()
    assert seen == whole


def test_metrics_that_cannot_be_written_leave_the_old_ones(tmp_path: Path) -> None:
    file = tmp_path / "folder"
    file.mkdir()
    (told,) = tell(RECORD, night(metrics_file=file))
    assert told.problem.startswith("cannot write")
    assert os.listdir(tmp_path) == ["folder"]


def test_nobody_is_told_what_a_record_should_not_hold() -> None:
    told = [
        json.dumps(message_of(RECORD, LINK)), text_line(RECORD, LINK), mail_text(RECORD, LINK), metrics_text(RECORD, None),
    ]  # fmt: skip
    assert [canary for canary in CANARIES if any(canary in text for text in told)] == []
