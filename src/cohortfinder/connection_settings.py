"""The table [fhir] of the configuration and its variables in, one Connection out, with every error in its place."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from cohortfinder.address import base_address, is_local, split_address
from cohortfinder.connection import Access, BasicAccess, BearerAccess, Connection, OAuthAccess, Proxy
from cohortfinder.errors import ConfigurationError
from cohortfinder.given import Given
from cohortfinder.secret import Secret

SECRETS = ("basic_password", "bearer_token", "client_secret", "smart_key", "proxy_password")
PATHS = (*(f"{name}_file" for name in SECRETS), "ca_bundle", "client_certificate", "client_key")
TEXTS = ("url", "basic_user", "client_id", "smart_client_id", "smart_key_id", "token_url", "scopes", "proxy",
         "proxy_user", "contact", "export", "exclude_labels")  # fmt: skip
FLAGS = ("rewrite_links", "allow_http")
NUMBERS = {
    "parallel": (4, 1, 64),
    "page_size": (200, 1, 10_000),
    "overlap_minutes": (20, 0, 10_080),
    "sweep_days": (7, 1, 365),
    "wait_minutes": (30, 0, 1_440),
    "timeout_seconds": (120, 1, 3_600),
    "poll_seconds": (60, 1, 3_600),
    "export_minutes": (240, 1, 1_440),
}
TABLES = ("headers", "header_files", "token_parameters")
KEYS = (*TEXTS, *PATHS, *NUMBERS, *FLAGS, *TABLES)
VARIABLE = "COHORTFINDER_FHIR_"
_LEVEL = re.compile(r"^(system|Patient|Group/[A-Za-z0-9.-]{1,64})$")
_LABELS = re.compile(r"^[A-Za-z0-9_.-]+(\+[A-Za-z0-9_.-]+)*$")
_HEADER = re.compile(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
_OURS = frozenset({"accept", "accept-encoding", "authorization", "connection", "content-length", "content-type",
                   "cookie", "host", "prefer", "proxy-authorization", "transfer-encoding", "user-agent"})  # fmt: skip


def from_environment(environment: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], tuple[object, str]]]:
    """Yield what variables say of [fhir]; FHIR_URL counts only where nothing else names the server."""
    names = {f"{VARIABLE}{name.upper()}": name for name in (*KEYS, *SECRETS) if name not in TABLES}
    for variable, name in names.items():
        if (value := environment.get(variable)) is not None:
            # a path of a variable is meant from where the command runs
            yield ("fhir", name), (os.path.abspath(value) if value and name in PATHS else value, variable)


def read_connection(
    given: Given, folder: Path, problems: list[str], environment: Mapping[str, str]
) -> Connection | None:
    """Read [fhir]; a path is meant from `folder`, that of the configuration. Returns None when it names no server."""
    own = {key[1:]: value for key, value in given.items() if key[0] == "fhir" and len(key) > 1}
    known = {key[1:]: value for key, value in from_environment(environment)}
    reader = _Reader({**own, **known}, folder, problems)
    if (given_alone := given.get(("fhir",), ({}, "")))[0] != {}:
        problems.append(f"{given_alone[1]}: fhir must be a table")
    problems += [told for key, (_, place) in own.items() if (told := _unknown(key, place))]
    url = reader.text("url") or environment.get("FHIR_URL")
    if url is None:
        if first := next(iter(reader.own.values()), None):
            problems.append(f"{first[1]}: [fhir] names no server; write its base address as url")
        return None
    return _connection(url, reader)


def _connection(url: str, reader: "_Reader") -> Connection:
    certificate, key = reader.path("client_certificate"), reader.path("client_key")
    if (certificate is None) != (key is None):
        named = "client_certificate" if key is None else "client_key"
        reader.complain(named, "client_certificate and client_key go together")
    access, allow_http = _access(reader), reader.flag("allow_http")
    url = _address("url", url, reader, allow_http=allow_http or access is None)
    return Connection(
        url=url,
        access=access,
        ca_bundle=reader.path("ca_bundle"),
        client_certificate=certificate,
        client_key=key,
        proxy=_proxy(reader),
        headers=dict(reader.headers("headers")),
        header_secrets={
            name: Secret(file=reader.folder / file, place=reader.place(("header_files", name)))
            for name, file in reader.headers("header_files")
        },
        contact=reader.text("contact"),
        parallel=reader.whole("parallel"),
        page_size=reader.whole("page_size"),
        overlap_minutes=reader.whole("overlap_minutes"),
        sweep_days=reader.whole("sweep_days"),
        exclude_labels=_labels(reader),
        wait_minutes=reader.whole("wait_minutes"),
        timeout_seconds=reader.whole("timeout_seconds"),
        export=_export(reader),
        poll_seconds=reader.whole("poll_seconds"),
        export_minutes=reader.whole("export_minutes"),
        rewrite_links=reader.flag("rewrite_links"),
        allow_http=allow_http,
    )


def _address(name: str, url: str, reader: "_Reader", *, allow_http: bool) -> str:
    """Return an address to which it is told who asks; without TLS only on this machine, or where it is allowed."""
    try:
        address = base_address(url)
        insecure = split_address(address).scheme == "http" and not is_local(address)
    except ConfigurationError as error:
        reader.complain(name, str(error))
        return url
    if insecure and not allow_http:
        reader.complain(name, f"{name} is http, so that others could read who asks; write https, or allow_http = true")
    return address


def _export(reader: "_Reader") -> str | None:
    """Read the level of bulk exports, as it stands in their address."""
    level = reader.text("export")
    if level is not None and not _LEVEL.match(level):
        reader.complain("export", 'export must be "system", "Patient" or "Group/" with the id of a group')
    return "" if level == "system" else level


def _labels(reader: "_Reader") -> tuple[frozenset[str], ...] | None:
    """Read which security labels keep a resource out: "V, R+42CFRPart2" are two ways, and "none" is no way."""
    told = reader.text("exclude_labels")
    if told is None or told == "none":
        return None if told is None else ()
    ways = [way.strip() for way in told.split(",")]
    if not all(_LABELS.match(way) for way in ways):
        reader.complain("exclude_labels", 'exclude_labels must be codes as "V, HTEST, R+42CFRPart2", or "none"')
        return None
    return tuple(frozenset(way.split("+")) for way in ways)


def _access(reader: "_Reader") -> Access | None:
    """Read who asks: one way, with all that belongs to it."""
    ways = {
        "basic_user": ("basic_user", "basic_password"),
        "bearer_token": ("bearer_token",),
        "client_id": ("client_id", "client_secret"),
        "smart_client_id": ("smart_client_id", "smart_key"),
    }
    named = [way for way, parts in ways.items() if any(reader.has(part) for part in parts)]
    if len(named) > 1:
        reader.complain(named[1], f"say in one way who asks: {' or '.join(named)}")
        return None
    if not named:
        _refuse_oauth(reader, ("smart_key_id", "token_url", "scopes", "token_parameters"))
        return None
    *users, secret_name = ways[named[0]]
    user = reader.text(users[0]) if users else ""
    secret = reader.secret(secret_name)
    if user is None or secret is None:
        given = users[0] if user is not None and users else secret_name
        reader.complain(given, f"{users[0] if user is None else f'{secret_name}_file'} is missing beside it")
        return None
    return _ACCESS[named[0]](user, secret, reader)


def _basic(user: str, secret: Secret, reader: "_Reader") -> Access:
    _refuse_oauth(reader, ("smart_key_id", "token_url", "scopes", "token_parameters"))
    return BasicAccess(user, secret)


def _bearer(user: str, secret: Secret, reader: "_Reader") -> Access:
    _refuse_oauth(reader, ("smart_key_id", "token_url", "scopes", "token_parameters"))
    return BearerAccess(secret)


def _oauth(user: str, secret: Secret, reader: "_Reader") -> Access:
    signs = reader.has("smart_client_id")
    if not signs:
        _refuse_oauth(reader, ("smart_key_id",))
    if (token_url := reader.text("token_url")) is not None:
        token_url = _address("token_url", token_url, reader, allow_http=reader.flag("allow_http"))
    return OAuthAccess(
        user, secret, signs=signs, key_id=reader.text("smart_key_id"), token_url=token_url,
        scopes=tuple((reader.text("scopes") or "").replace(",", " ").split()),
        parameters=tuple(reader.table("token_parameters")),
    )  # fmt: skip


_ACCESS = {"basic_user": _basic, "bearer_token": _bearer, "client_id": _oauth, "smart_client_id": _oauth}


def _refuse_oauth(reader: "_Reader", names: tuple[str, ...]) -> None:
    for name in names:
        if reader.has(name):
            reader.complain(name, f"{name} means nothing for this way to say who asks")


def _proxy(reader: "_Reader") -> Proxy | None:
    url, user, password = reader.text("proxy"), reader.text("proxy_user"), reader.secret("proxy_password")
    if (user is None) != (password is None):
        reader.complain("proxy_user" if user else "proxy_password", "proxy_user and proxy_password_file go together")
    if url is None and user is not None:
        reader.complain("proxy_user", "the address of the proxy is missing beside it (proxy)")
    if url is not None and ("@" in url or not re.match(r"^https?://[^/\s]+/?$", url)):
        reader.complain("proxy", "proxy must be an address as http://proxy:3128, without a password in it")
    return None if url is None else Proxy(url.rstrip("/"), user, password)


def _unknown(key: tuple[str, ...], place: str) -> str | None:
    """Return what is wrong with the name of a key."""
    name = key[0]
    if name in SECRETS:
        return f"{place}: {name} is secret; write it into a file with mode 600 and name the file as {name}_file"
    if name not in KEYS:
        return f"{place}: unknown key {'.'.join(key)!r} under [fhir]; known are {', '.join(KEYS)}"
    if len(key) > 1 + (name in TABLES):
        return f"{place}: {name} is no table of tables"
    return None


class _Reader:
    """The values of [fhir], each checked as it is taken; what is wrong goes to `problems`."""

    def __init__(self, own: Mapping[tuple[str, ...], tuple[object, str]], folder: Path, problems: list[str]) -> None:
        self.own, self.folder, self._problems = own, folder, problems

    def has(self, name: str) -> bool:
        """Tell whether a value, the file of a secret or a table is given."""
        return any(key[0] in (name, f"{name}_file") for key in self.own)

    def place(self, key: tuple[str, ...]) -> str:
        """Return where a key is written."""
        return self.own[key][1]

    def complain(self, name: str, message: str) -> None:
        """Note what is wrong, at the place where the name stands."""
        place = next((at for key, (_, at) in self.own.items() if key[0] in (name, f"{name}_file")), "[fhir]")
        self._problems.append(f"{place}: {message}")

    def text(self, name: str) -> str | None:
        """Return a text."""
        value, _ = self.own.get((name,), (None, ""))
        if value is None or (isinstance(value, str) and value.strip()):
            return None if value is None else str(value).strip()
        self.complain(name, f"{name} must be a text that is not empty")
        return None

    def path(self, name: str) -> Path | None:
        """Return a file, which need not be there yet."""
        text = self.text(name)
        return None if text is None else self.folder / text

    def secret(self, name: str) -> Secret | None:
        """Return a secret of a file, or of a variable."""
        held, file = self.own.get((name,)), self.path(f"{name}_file")
        if held is not None and file is not None:
            self.complain(name, f"give {name} or {name}_file, not both")
        if file is not None:
            return Secret(file=file, place=self.place((f"{name}_file",)))
        # a value in the file of the configuration is refused elsewhere
        return None if held is None else Secret(value=str(held[0]), place=held[1])

    def whole(self, name: str) -> int:
        """Return a number within its bounds."""
        default, low, high = NUMBERS[name]
        value = self.own.get((name,), (default, ""))[0]
        number = int(value) if isinstance(value, str) and value.isdecimal() else value
        if isinstance(number, int) and not isinstance(number, bool) and low <= number <= high:
            return number
        self.complain(name, f"{name} must be a whole number from {low} to {high}")
        return default

    def flag(self, name: str) -> bool:
        """Return yes or no."""
        value = self.own.get((name,), (False, ""))[0]
        if isinstance(value, bool) or value in ("true", "false"):
            return value in (True, "true")
        self.complain(name, f"{name} must be true or false")
        return False

    def table(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield the names and texts of a table."""
        if self.own.get((name,), ({}, ""))[0] != {}:
            self.complain(name, f"{name} must be a table of names and texts")
        for key, (value, place) in self.own.items():
            if key[0] == name and len(key) == 2:
                if isinstance(value, str) and value and value.isprintable():
                    yield key[1], value
                else:
                    self._problems.append(f"{place}: {key[1]} must be a text in one line")

    def headers(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield a table of headers; those that the program itself sends are refused."""
        for header, value in self.table(name):
            if not _HEADER.match(header) or header.lower() in _OURS:
                told = f"{header} is no header that may be set here"
                self._problems.append(f"{self.place((name, header))}: {told}")
            else:
                yield header, value
