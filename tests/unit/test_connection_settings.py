"""The table [fhir]: every way to say who asks, every error at its line, and no secret in a file that many may read."""

import os
from pathlib import Path

import pytest

from cohortfinder.connection import BasicAccess, BearerAccess, Connection, OAuthAccess, Proxy
from cohortfinder.errors import ConfigurationError
from cohortfinder.fhir.client import FhirClient
from cohortfinder.secret import Secret, is_credential
from cohortfinder.settings import read_settings

URL = "https://fhir.hospital.example/r4"


def read(folder: Path, text: str, **variables: str) -> Connection:
    file = folder / "site.toml"
    file.write_text(f"[fhir]\n{text}", encoding="utf-8")
    connection = read_settings(file, variables).fhir
    assert connection is not None
    return connection


def problems(folder: Path, text: str, **variables: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(folder, text, **variables)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_without_a_table_no_server_is_known(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text("", encoding="utf-8")
    assert read_settings(file, {}).fhir is None


def test_an_address_alone_is_enough(tmp_path: Path) -> None:
    assert read(tmp_path, f'url = "{URL}/metadata"\n') == Connection(URL)


def test_all_that_can_be_said_of_the_way(tmp_path: Path) -> None:
    connection = read(
        tmp_path,
        f'url = "{URL}/"\ncontact = "it@hospital.example"\nca_bundle = "ca.pem"\nclient_certificate = "c.pem"\n'
        'client_key = "/k.pem"\nproxy = "http://proxy:3128/"\nproxy_user = "me"\nproxy_password_file = "p"\n'
        "parallel = 2\npage_size = 50\noverlap_minutes = 0\nwait_minutes = 5\ntimeout_seconds = 9\n"
        'rewrite_links = true\nheaders = {Epic-Client-ID = "e"}\nheader_files = {X-Api-Key = "api"}\n',
    )
    file = tmp_path / "site.toml"
    assert connection == Connection(
        URL, None, tmp_path / "ca.pem", tmp_path / "c.pem", Path("/k.pem"),
        Proxy("http://proxy:3128", "me", Secret(file=tmp_path / "p", place=f"{file}:9")),
        {"Epic-Client-ID": "e"}, {"X-Api-Key": Secret(file=tmp_path / "api", place=f"{file}:17")},
        "it@hospital.example", 2, 50, 0, 7, None, 5, 9, True, False,
    )  # fmt: skip


@pytest.mark.parametrize(("told", "level"), [("system", ""), ("Patient", "Patient"), ("Group/g-1.2", "Group/g-1.2")])
def test_of_whom_an_export_is(tmp_path: Path, told: str, level: str) -> None:
    connection = read(tmp_path, f'url = "{URL}"\nexport = "{told}"\npoll_seconds = 5\nexport_minutes = 10\n')
    assert (connection.export, connection.poll_seconds, connection.export_minutes) == (level, 5, 10)


@pytest.mark.parametrize(
    ("told", "labels"),
    [("V", (frozenset({"V"}),)), ("N, R+42CFRPart2", (frozenset({"N"}), frozenset({"R", "42CFRPart2"}))), ("none", ())],
)
def test_what_is_not_stored_and_how_often_all_ids_are_compared(
    tmp_path: Path, told: str, labels: tuple[frozenset[str], ...]
) -> None:
    connection = read(tmp_path, f'url = "{URL}"\nexclude_labels = "{told}"\nsweep_days = 1\n')
    assert (connection.exclude_labels, connection.sweep_days) == (labels, 1)


@pytest.mark.parametrize("told", ["V;R", "V,,R", "R+"])
def test_labels_that_are_none_are_refused(tmp_path: Path, told: str) -> None:
    assert problems(tmp_path, f'url = "{URL}"\nexclude_labels = "{told}"\n') == [
        'site.toml:3: exclude_labels must be codes as "V, HTEST, R+42CFRPart2", or "none"'
    ]


@pytest.mark.parametrize("told", ["everyone", "Group", "Group/", "Group/a b", "Group/../Patient", "patient"])
def test_an_export_of_nobody_is_refused(tmp_path: Path, told: str) -> None:
    assert problems(tmp_path, f'url = "{URL}"\nexport = "{told}"\n') == [
        'site.toml:3: export must be "system", "Patient" or "Group/" with the id of a group'
    ]


@pytest.mark.parametrize(
    ("text", "access"),
    [
        ('basic_user = "me"\nbasic_password_file = "p"\n', lambda secret: BasicAccess("me", secret(4, "p"))),
        ('bearer_token_file = "t"\n', lambda secret: BearerAccess(secret(3, "t"))),
        ('client_id = "c"\nclient_secret_file = "s"\nscopes = "a, b"\n', lambda secret: OAuthAccess("c", secret(4, "s"), scopes=("a", "b"))),
        ('smart_client_id = "c"\nsmart_key_file = "k"\nsmart_key_id = "1"\ntoken_url = "https://as.example/token"\ntoken_parameters = {resource = "r"}\n',
         lambda secret: OAuthAccess("c", secret(4, "k"), True, "1", "https://as.example/token", (), (("resource", "r"),))),
    ],
)  # fmt: skip
def test_the_ways_to_say_who_asks(tmp_path: Path, text: str, access) -> None:
    place = tmp_path / "site.toml"
    expected = access(lambda line, name: Secret(file=tmp_path / name, place=f"{place}:{line}"))
    assert read(tmp_path, f'url = "{URL}"\n{text}').access == expected


def test_variables_win_and_may_hold_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = f'url = "{URL}"\nbearer_token_file = "t"\nparallel = 2\n'
    file = read(tmp_path, text, COHORTFINDER_FHIR_BEARER_TOKEN_FILE="run/t", COHORTFINDER_FHIR_PARALLEL="8")
    assert file.access == BearerAccess(Secret(file=tmp_path / "run/t", place="COHORTFINDER_FHIR_BEARER_TOKEN_FILE"))
    assert file.parallel == 8
    value = read(tmp_path, f'url = "{URL}"\n', COHORTFINDER_FHIR_BEARER_TOKEN="abc")
    assert value.access == BearerAccess(Secret("abc", place="COHORTFINDER_FHIR_BEARER_TOKEN"))
    assert "abc" not in repr(value)


def test_the_name_of_the_server_in_the_environment(tmp_path: Path) -> None:
    """Our own variable wins over the file, the file over what other programs call it."""
    both = {"FHIR_URL": "https://other.example", "COHORTFINDER_FHIR_URL": "https://ours.example"}
    assert read(tmp_path, "", FHIR_URL="https://other.example").url == "https://other.example"
    assert read(tmp_path, f'url = "{URL}"\n', FHIR_URL="https://other.example").url == URL
    assert read(tmp_path, f'url = "{URL}"\n', **both).url == "https://ours.example"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("parallel = 2\n", ["site.toml:2: [fhir] names no server; write its base address as url"]),
        ('url = "fhir.hospital.example"\n', ["site.toml:2: the address of the FHIR server is no address; write one as https://server/fhir"]),
        ('url = "https://me:word@h.example/r4"\n', ["site.toml:2: the address https://h.example/r4 holds a user or a password; leave them away, and configure them under [fhir]"]),
        ('url = "https://h.example/r4?a=1"\n', ["site.toml:2: the address https://h.example/r4 goes on after a ? or #; write the base address alone"]),
        ('url = "http://h.example/r4"\nbearer_token_file = "t"\n', ["site.toml:2: url is http, so that others could read who asks; write https, or allow_http = true"]),
        (f'url = "{URL}"\nbearer_token = "abc"\n', ["site.toml:3: bearer_token is secret; write it into a file with mode 600 and name the file as bearer_token_file"]),
        (f'url = "{URL}"\nbasic_user = "me"\n', ["site.toml:3: basic_password_file is missing beside it"]),
        (f'url = "{URL}"\nsmart_key_file = "k"\n', ["site.toml:3: smart_client_id is missing beside it"]),
        (f'url = "{URL}"\nbasic_user = "me"\nbasic_password_file = "p"\nbearer_token_file = "t"\n', ["site.toml:5: say in one way who asks: basic_user or bearer_token"]),
        (f'url = "{URL}"\nscopes = "a"\n', ["site.toml:3: scopes means nothing for this way to say who asks"]),
        (f'url = "{URL}"\nclient_key = "k"\n', ["site.toml:3: client_certificate and client_key go together"]),
        (f'url = "{URL}"\nproxy = "http://me:word@p:1"\n', ["site.toml:3: proxy must be an address as http://proxy:3128, without a password in it"]),
        (f'url = "{URL}"\nproxy_user = "me"\n', ["site.toml:3: proxy_user and proxy_password_file go together", "site.toml:3: the address of the proxy is missing beside it (proxy)"]),
        (f'url = "{URL}"\nheaders = {{Authorization = "x"}}\n', ["site.toml:3: Authorization is no header that may be set here"]),
        (f'url = "{URL}"\nheaders = {{X-A = "x\\ny"}}\n', ["site.toml:3: X-A must be a text in one line"]),
        (f'url = "{URL}"\nurls = "x"\nparallel = 0\npage_size = 1.5\nrewrite_links = 1\n',
         ["site.toml:3: unknown key 'urls' under [fhir]; known are ", "site.toml:4: parallel must be a whole number from 1 to 64",
          "site.toml:5: page_size must be a whole number from 1 to 10000", "site.toml:6: rewrite_links must be true or false"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_all_at_once_with_its_line(tmp_path: Path, text: str, expected: list[str]) -> None:
    told = problems(tmp_path, text)
    assert [line[: len(want)] for line, want in zip(told, expected, strict=True)] == expected


def test_a_secret_is_read_from_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(" abc\n", encoding="utf-8")
    file.chmod(0o600)
    assert Secret(file=file).read() == "abc"


@pytest.mark.parametrize(
    ("content", "mode", "expected"),
    [
        ("abc", 0o640, "site.toml:3: {file} may be read by others; do: chmod 600 {file}"),
        (" \n", 0o600, "site.toml:3: {file} is empty; a secret belongs there"),
        (None, 0o600, "site.toml:3: {file} cannot be read; check the name and who owns it"),
    ],
)
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, content, mode, expected) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content, encoding="utf-8")
        file.chmod(mode)
    with pytest.raises(ConfigurationError) as caught:
        Secret(file=file, place="site.toml:3").read()
    assert str(caught.value) == expected.format(file=file)


def test_everything_that_is_wrong_with_secrets_is_told_at_once(tmp_path: Path) -> None:
    """When a server is to be asked; a screening needs none of them."""
    for name in ("password", "key"):
        (tmp_path / name).write_text("word", encoding="utf-8")
        (tmp_path / name).chmod(0o644)
    connection = read(
        tmp_path,
        f'url = "{URL}"\nbasic_user = "me"\nbasic_password_file = "password"\nheader_files = {{X-Api-Key = "none"}}\n'
        'client_certificate = "c.pem"\nclient_key = "key"\n',
    )
    with pytest.raises(ConfigurationError) as caught:
        FhirClient(connection)
    assert str(caught.value).replace(f"{tmp_path}/", "").splitlines() == [
        "site.toml:4: password may be read by others; do: chmod 600 password",
        "site.toml:5: none cannot be read; check the name and who owns it",
        "client_key: key may be read by others; do: chmod 600 key",
    ]


def test_systemd_keeps_its_credentials_in_its_own_way(tmp_path: Path) -> None:
    """The group of such a file shows a list of rights: only the service can read it."""
    held = {"CREDENTIALS_DIRECTORY": os.fspath(tmp_path)}
    assert is_credential(tmp_path / "token", held)
    assert not is_credential(tmp_path.parent / "token", held)
    assert not is_credential(tmp_path / "token", {})
