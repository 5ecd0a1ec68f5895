"""`cohortfinder audit` and `cohortfinder accounts`: what is done at the server stands in the log as well."""

import io
import json
from pathlib import Path

import pytest

from cohortfinder.cli.main import status_of
from cohortfinder.review.store.database import open_database
from cohortfinder.review_settings import ReviewSettings

PASSWORD = "correct horse battery\n"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store in which anna has an account and a role."""
    store = tmp_path / "store"
    said(monkeypatch, PASSWORD)
    assert status_of(["accounts", "add", "anna", "--name", "Anna", "--password-stdin", "--store", str(store)]) == 0
    options = ["--trial", "T1", "--role", "coordinator", "--store", str(store)]
    assert status_of(["accounts", "grant", "anna", *options]) == 0
    return store


def said(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let a text stand on standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def audit(action: str, store: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    capsys.readouterr()
    status = status_of(["audit", action, "--store", str(store)])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_what_is_done_at_the_server_is_in_the_log(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["accounts", "deactivate", "anna", "--store", str(store)]) == 0

    assert audit("verify", store, capsys)[0] == 0
    entries = [json.loads(line) for line in audit("export", store, capsys)[1].splitlines()]
    assert [(one["login"], one["action"], one["detail"]) for one in entries] == [
        ("(command line)", "account deactivated", "account 1"),
        ("(command line)", "role given", "account 1: coordinator in T1"),
        ("(command line)", "account added", "account 1"),
    ]


def test_the_accounts_are_listed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert status_of(["accounts", "list", "--store", str(store)]) == 0

    assert capsys.readouterr().out.splitlines()[1].split() == ["anna", "Anna", "yes", "no", "T1:", "coordinator"]


def test_an_older_backup_shows_until_somebody_accepts_it(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = store / "review" / "review.sqlite"
    before = file.read_bytes()
    assert status_of(["accounts", "deactivate", "anna", "--store", str(store)]) == 0
    for one in store.glob("review/review.sqlite*"):
        one.unlink()
    file.write_bytes(before)

    status, _, told = audit("verify", store, capsys)
    assert (status, "after entry 2: entries up to 3 were cut off" in told) == (65, True)
    assert audit("accept", store, capsys)[0] == 0
    assert audit("verify", store, capsys)[0] == 0
    assert json.loads(audit("export", store, capsys)[1].splitlines()[0])["action"] == "audit end accepted"


def test_an_entry_that_was_changed_is_told(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = open_database(store, ReviewSettings())
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE audit SET detail = 'account 2' WHERE id = 1")
    database.close()

    status, _, told = audit("verify", store, capsys)

    assert (status, "entry 1: it was changed" in told) == (65, True)


def test_where_there_is_no_review_store_that_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit("verify", tmp_path, capsys)[0] == 64


def test_an_action_without_a_login_is_told(store: Path) -> None:
    assert status_of(["accounts", "deactivate", "--store", str(store)]) == 2
