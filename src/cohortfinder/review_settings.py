"""The table [review] of the configuration: where the review application listens, and where it keeps what people say."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cohortfinder.given import Given, switch_of, text_of, whole_of
from cohortfinder.secret import Secret

# each with its default, the least and the most
NUMBERS = {"idle_minutes": (15, 1, 480), "session_hours": (12, 1, 24), "share_days": (7, 1, 30)}
TEXTS = ("listen", "address", "language", "oidc_issuer", "oidc_client_id", "oidc_name")
FILES = ("certificate", "certificate_key", "database_url_file", "oidc_client_secret_file")
SWITCHES = ("behind_proxy",)
KEYS = ("hosts", *TEXTS, *NUMBERS, *FILES, *SWITCHES)
LANGUAGES = ("en", "de")
DEFAULT_LISTEN = "127.0.0.1:8421"


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """What a site says of its review application.

    `listen`: host and port. `address`: how people reach it, for links in mails, as https://lists.hospital.example.
    `hosts`: the names under which it answers, beside that of `address` and the loopback. `behind_proxy`: a proxy in
    front of it speaks TLS.
    """

    listen: str = DEFAULT_LISTEN
    address: str | None = None
    hosts: tuple[str, ...] = ()
    behind_proxy: bool = False
    certificate: Path | None = None
    certificate_key: Path | None = None
    database_url: Secret | None = None
    database_place: str = "[review]"
    language: str = LANGUAGES[0]
    idle_minutes: int = 15
    session_hours: int = 12
    share_days: int = 7
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: Secret | None = None
    oidc_name: str | None = None


def read_review_settings(given: Given, folder: Path, problems: list[str]) -> ReviewSettings:
    """Read [review]; a path is meant from `folder`, that of the configuration."""
    own = {key[1:]: value for key, value in given.items() if key[0] == "review" and len(key) > 1}
    problems += _unknown(given)
    database = _secret(own, "database_url_file", folder, problems)
    settings = ReviewSettings(
        listen=text_of(own, "listen", problems) or DEFAULT_LISTEN,
        address=text_of(own, "address", problems),
        hosts=tuple(_hosts(own, problems)),
        behind_proxy=switch_of(own, "behind_proxy", problems) or False,
        certificate=_file(own, "certificate", folder, problems),
        certificate_key=_file(own, "certificate_key", folder, problems),
        database_url=database,
        database_place=database.place if database else "[review]",
        language=text_of(own, "language", problems) or LANGUAGES[0],
        idle_minutes=whole_of(own, "idle_minutes", NUMBERS["idle_minutes"], problems),
        session_hours=whole_of(own, "session_hours", NUMBERS["session_hours"], problems),
        share_days=whole_of(own, "share_days", NUMBERS["share_days"], problems),
        oidc_issuer=text_of(own, "oidc_issuer", problems),
        oidc_client_id=text_of(own, "oidc_client_id", problems),
        oidc_client_secret=_secret(own, "oidc_client_secret_file", folder, problems),
        oidc_name=text_of(own, "oidc_name", problems),
    )
    problems += _contradictions(settings, own)
    return settings


def _unknown(given: Given) -> Iterator[str]:
    for key, (value, place) in given.items():
        if key[0] != "review" or value == {}:
            continue
        if len(key) == 1:
            yield f"{place}: review must be a table"
        elif key[1] in ("database_url", "oidc_client_secret"):
            yield f"{place}: {key[1]} is secret; write it into a file with mode 600, and name that as {key[1]}_file"
        elif key[1] not in KEYS or len(key) > 2:
            yield f"{place}: unknown key {'.'.join(key[1:])!r} under [review]; known are {', '.join(KEYS)}"


def _contradictions(settings: ReviewSettings, own: Given) -> Iterator[str]:
    host, _, port = settings.listen.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) <= 65535:
        yield f"{own[('listen',)][1]}: listen must be a host and a port, as {DEFAULT_LISTEN}"
    if settings.address is not None and not settings.address.startswith(("http://", "https://")):
        yield f"{own[('address',)][1]}: address must begin with https://, as https://cohortfinder.hospital.example"
    if settings.language not in LANGUAGES:
        yield f"{own[('language',)][1]}: language must be one of: {', '.join(LANGUAGES)}"
    pairs = (("certificate", "certificate_key"), ("oidc_issuer", "oidc_client_id"))
    for one, other in pairs:
        if (getattr(settings, one) is None) != (getattr(settings, other) is None):
            given, missing = (one, other) if getattr(settings, one) is not None else (other, one)
            yield f"{own[(given,)][1]}: {given} needs {missing} beside it"


def _hosts(own: Given, problems: list[str]) -> Iterator[str]:
    value, place = own.get(("hosts",), ([], ""))
    if isinstance(value, list) and all(isinstance(one, str) and one and "/" not in one for one in value):
        yield from value
    else:
        problems.append(f'{place}: hosts must be a list of names, as ["cohortfinder.hospital.example"]')


def _file(own: Given, name: str, folder: Path, problems: list[str]) -> Path | None:
    text = text_of(own, name, problems)
    return folder / text if text else None


def _secret(own: Given, name: str, folder: Path, problems: list[str]) -> Secret | None:
    file = _file(own, name, folder, problems)
    return Secret(file=file, place=own[(name,)][1]) if file else None
