"""The keys of [nightly] that say who is told: what is given is read, and every error has its line."""

from pathlib import Path

import pytest

from cohortfinder.errors import ConfigurationError
from cohortfinder.notify_settings import Mail, Notify, Webhook
from cohortfinder.secret import Secret
from cohortfinder.settings import read_settings

MAIL = 'mail_to = "a@b.example"\nmail_from = "c@b.example"\nsmtp = "mail.b.example"\n'


def write(folder: Path, text: str) -> Path:
    file = folder / "site.toml"
    file.write_text("[nightly]\n" + text, encoding="utf-8")
    return file


def test_what_is_given_is_read(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        'webhook_file = "hook"\nwebhook_header_files = {Authorization = "token"}\nwebhook_allow_http = true\n'
        'mail_to = ["a@b.example", "d@b.example"]\nmail_from = "c@b.example"\nmail_when = "problems"\n'
        'smtp = "[::1]:2525"\nsmtp_tls = "tls"\nsmtp_user = "u"\nsmtp_password_file = "word"\nca_bundle = "ca.pem"\n'
        'metrics_file = "m.prom"\n',
    )
    assert read_settings(file, {}).nightly.notify == Notify(
        webhook=Webhook(
            Secret(file=tmp_path / "hook", place=f"{file}:2"),
            {"Authorization": Secret(file=tmp_path / "token", place=f"{file}:3")},
            allow_http=True,
            ca_bundle=tmp_path / "ca.pem",
        ),
        mail=Mail(
            ("a@b.example", "d@b.example"), "c@b.example", "::1", 2525, "tls", "u",
            Secret(file=tmp_path / "word", place=f"{file}:11"), tmp_path / "ca.pem", "problems",
        ),
        metrics_file=tmp_path / "m.prom",
    )  # fmt: skip


@pytest.mark.parametrize(("tls", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_each_way_of_tls_has_its_usual_port(tmp_path: Path, tls: str, port: int) -> None:
    mail = read_settings(write(tmp_path, f'{MAIL}smtp_tls = "{tls}"\n'), {}).nightly.notify.mail
    assert mail is not None
    assert (mail.host, mail.port, mail.tls, mail.when) == ("mail.b.example", port, tls, "always")


def test_an_address_is_not_shown_where_settings_are_printed(tmp_path: Path) -> None:
    settings = read_settings(write(tmp_path, 'webhook = "https://chat.example/canary"\n'), {})
    assert "canary" not in repr(settings.nightly.notify)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('webhook = "chat.example/x"\n', "2: the webhook is no address; write one as https://"),
        ('webhook = "http://chat.example/x"\n', "2: the webhook is http, so that others could read it; write https"),
        ('webhook = "https://a"\nwebhook_file = "b"\n', "2: give webhook or webhook_file, not both"),
        ('webhook_header_files = {A = "b"}\n', "2: the address of the webhook is missing beside it (webhook)"),
        ('webhook = "https://a"\nwebhook_header_files = {"A b" = "c"}\n', "3: write webhook_header_files as"),
        ('webhook_headers = {Authorization = "x"}\n', "2: webhook_headers is secret; write it into a file with mode 600"),
        ('smtp_password = "x"\n', "2: smtp_password is secret; write it into a file with mode 600, and name that as"),
        ('mail_to = "a@b.example"\n', "2: mail_from is missing: mails need mail_to, mail_from, smtp"),
        ('mail_to = "a@b.example"\n', "2: smtp is missing: mails need mail_to, mail_from, smtp"),
        ('mail_to = "nobody"\n', '2: mail_to must be mail addresses, as "trials@hospital.example"'),
        (f'{MAIL}smtp_tls = "ssl"\n', "5: smtp_tls must be one of: starttls, tls, none"),
        (f'{MAIL}mail_when = "never"\n', "5: mail_when must be one of: always, problems"),
        (f'{MAIL}smtp_user = "u"\n', "5: smtp_user and smtp_password_file go together"),
        (f'{MAIL}smtp_tls = "none"\nsmtp_user = "u"\nsmtp_password_file = "p"\n', "5: the password would be sent without TLS"),
        ('mail_to = "a@b.example"\nmail_from = "c@b.example"\nsmtp = "a b"\n', "4: smtp must be a host"),
        ('mail_to = "a@b.example"\nmail_from = "c@b.example"\nsmtp = "a:99999"\n', "4: smtp must be a host"),
        ("metrics_file = 3\n", "2: metrics_file must be a text in one line"),
    ],
)  # fmt: skip
def test_an_error_has_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_settings(write(tmp_path, text), {})
    assert f"site.toml:{told}" in str(raised.value)


def test_errors_do_not_name_the_address_that_may_be_secret(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_settings(write(tmp_path, 'webhook = "http://chat.example/canary"\n'), {})
    assert "canary" not in str(raised.value)
