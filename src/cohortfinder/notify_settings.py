"""The keys of [nightly] that say who is told of a night: a webhook, people by mail, a monitor by a file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cohortfinder.address import is_local, origin, split_address
from cohortfinder.connection import Connection
from cohortfinder.errors import ConfigurationError
from cohortfinder.given import Given
from cohortfinder.secret import Secret

WAYS_OF_TLS = {"starttls": 587, "tls": 465, "none": 25}
WHEN = ("always", "problems")
HEADERS = "webhook_header_files"
KEYS = ("webhook", "webhook_file", HEADERS, "webhook_allow_http", "mail_to", "mail_from", "mail_when", "smtp",
        "smtp_user", "smtp_password_file", "smtp_tls", "ca_bundle", "metrics_file")  # fmt: skip
# what somebody may write into the configuration itself, and where it belongs
SECRETS = {"smtp_password": "smtp_password_file", "webhook_headers": f"{HEADERS} = {{Authorization = FILE}}"}
_HEADER = re.compile(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
_MAIL = re.compile(r"^[^@\s,;<>]+@[^@\s,;<>]+$")
_SERVER = re.compile(r"^(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(:(?P<port>\d{1,5}))?$")


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address to which a night is told. It may be secret itself, as those of chat programs are."""

    address: Secret
    header_secrets: dict[str, Secret] = field(default_factory=dict)
    allow_http: bool = False
    ca_bundle: Path | None = None

    def url(self) -> str:
        """Return the address. Raises ConfigurationError when it is none, or one where others could read along."""
        url = self.address.read()
        try:
            scheme = split_address(url).scheme
        except ConfigurationError:
            raise ConfigurationError(
                f"{self.address.place}: the webhook is no address; write one as https://chat.hospital.example/hook"
            ) from None
        if scheme == "http" and not self.allow_http and not is_local(url):
            raise ConfigurationError(
                f"{self.address.place}: the webhook is http, so that others could read it; "
                "write https, or webhook_allow_http = true"
            )
        return url

    def connection(self) -> Connection:
        """Return how its server is reached."""
        return Connection(url=origin(self.url()), ca_bundle=self.ca_bundle, timeout_seconds=20)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server, who says that he is there, and whom a mail is for. `when` it is sent: always, or for problems."""

    to: tuple[str, ...]
    sender: str
    host: str
    port: int
    tls: str = "starttls"
    user: str | None = None
    password: Secret | None = None
    ca_bundle: Path | None = None
    when: str = "always"


@dataclass(frozen=True, slots=True)
class Notify:
    """Who is told of a night; nobody, where nothing is configured."""

    webhook: Webhook | None = None
    mail: Mail | None = None
    metrics_file: Path | None = None


def read_notify(own: Given, folder: Path, problems: list[str]) -> Notify:
    """Read the keys without the name of their table; a path is meant from `folder`, that of the configuration."""
    reader = _Reader(own, folder, problems)
    return Notify(webhook=_webhook(reader), mail=_mail(reader), metrics_file=reader.path("metrics_file"))


def _webhook(reader: "_Reader") -> Webhook | None:
    address, file, headers = reader.text("webhook"), reader.path("webhook_file"), dict(reader.headers())
    if address is not None and file is not None:
        reader.complain("webhook", "give webhook or webhook_file, not both")
    secret = None
    if file is not None:
        secret = Secret(file=file, place=reader.place("webhook_file"))
    elif address is not None:
        secret = Secret(value=address, place=reader.place("webhook"))
    if secret is None:
        if headers:
            reader.complain(HEADERS, "the address of the webhook is missing beside it (webhook)")
        return None
    hook = Webhook(secret, headers, reader.flag("webhook_allow_http"), reader.path("ca_bundle"))
    if file is None:
        # what stands in a file is read when it is used
        try:
            hook.url()
        except ConfigurationError as error:
            reader.problems.append(str(error))
    return hook


def _mail(reader: "_Reader") -> Mail | None:
    to, sender, server = tuple(reader.addresses("mail_to")), reader.addresses("mail_from"), reader.text("smtp")
    parts = {"mail_to": bool(to), "mail_from": len(sender) == 1, "smtp": server is not None}
    if not any(reader.has(name) for name in (*parts, "mail_when", "smtp_user", "smtp_password_file", "smtp_tls")):
        return None
    tls, when = reader.choice("smtp_tls", tuple(WAYS_OF_TLS)), reader.choice("mail_when", WHEN)
    for name, given in parts.items():
        if not given and not reader.has(name):
            reader.complain("mail_to", f"{name} is missing: mails need {', '.join(parts)}")
    host, port = _server(reader, server or "localhost", WAYS_OF_TLS[tls])
    user, password = reader.text("smtp_user"), reader.path("smtp_password_file")
    if (user is None) != (password is None):
        reader.complain("smtp_user" if user else "smtp_password_file", "smtp_user and smtp_password_file go together")
    if user is not None and tls == "none":
        reader.complain("smtp_tls", 'the password would be sent without TLS; write smtp_tls = "starttls" or "tls"')
    secret = None if password is None else Secret(file=password, place=reader.place("smtp_password_file"))
    return Mail(to, sender[0] if sender else "", host, port, tls, user, secret, reader.path("ca_bundle"), when)


def _server(reader: "_Reader", text: str, usual: int) -> tuple[str, int]:
    found = _SERVER.match(text)
    port = int(found["port"] or usual) if found else 0
    if not found or not 0 < port < 65_536:
        reader.complain("smtp", 'smtp must be a host, with a port where it is not the usual one, as "mail.example:587"')
        return "", usual
    return found["host"].strip("[]"), port


class _Reader:
    """The keys, each checked as it is taken; what is wrong goes to `problems`."""

    def __init__(self, own: Given, folder: Path, problems: list[str]) -> None:
        self._own, self._folder, self.problems = own, folder, problems

    def has(self, name: str) -> bool:
        """Tell whether a key is given."""
        return any(key[0] == name for key in self._own)

    def place(self, name: str) -> str:
        """Return where a key is written."""
        return next((at for key, (_, at) in self._own.items() if key[0] == name), "[nightly]")

    def complain(self, name: str, message: str) -> None:
        """Note what is wrong, at the place where the key stands."""
        self.problems.append(f"{self.place(name)}: {message}")

    def text(self, name: str) -> str | None:
        """Return a text."""
        value, _ = self._own.get((name,), (None, ""))
        if value is None or (isinstance(value, str) and value.strip() and value.isprintable()):
            return None if value is None else str(value).strip()
        self.complain(name, f"{name} must be a text in one line")
        return None

    def path(self, name: str) -> Path | None:
        """Return a file, which need not be there yet."""
        text = self.text(name)
        return None if text is None else self._folder / text

    def flag(self, name: str) -> bool:
        """Return yes or no."""
        value, _ = self._own.get((name,), (False, ""))
        if isinstance(value, bool):
            return value
        self.complain(name, f"{name} must be true or false")
        return False

    def choice(self, name: str, known: tuple[str, ...]) -> str:
        """Return one of the known words, the first one where none is given."""
        value, _ = self._own.get((name,), (known[0], ""))
        if value in known:
            return str(value)
        self.complain(name, f"{name} must be one of: {', '.join(known)}")
        return known[0]

    def addresses(self, name: str) -> list[str]:
        """Return one mail address, or those of a list."""
        value, _ = self._own.get((name,), ([], ""))
        found = value if isinstance(value, list) else [value]
        if all(isinstance(one, str) and _MAIL.match(one) for one in found):
            return [str(one) for one in found]
        self.complain(name, f'{name} must be mail addresses, as "trials@hospital.example"')
        return []

    def headers(self) -> Iterator[tuple[str, Secret]]:
        """Yield the headers of the webhook, each with the file that holds its text."""
        for key, (value, place) in self._own.items():
            if key[0] != HEADERS or value == {}:
                continue
            if len(key) == 2 and _HEADER.match(key[1]) and isinstance(value, str) and value:
                yield key[1], Secret(file=self._folder / value, place=place)
            else:
                self.problems.append(f'{place}: write {HEADERS} as {{Authorization = "secrets/webhook"}}')
