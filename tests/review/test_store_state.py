"""What `status` and `verify` say of the review store, and what the commands around it say where something is wrong."""

import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cohortfinder.cli.main import status_of
from cohortfinder.jobs import accounts
from cohortfinder.jobs.load import load
from cohortfinder.review.access.roles import Role
from cohortfinder.settings import Settings
from functional.test_load import SAMPLES


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with data, and a review store with one account."""
    folder = tmp_path / "store"
    load(sorted(SAMPLES.glob("ss-typical*.json")), folder)
    accounts.add(Settings(store=folder), "anna", "Anna Example", "four words make one")
    accounts.grant(Settings(store=folder), "anna", "T-1", Role.COORDINATOR)
    return folder


def file_of(store: Path) -> Path:
    return store / "review" / "review.sqlite"


def test_the_state_is_told_in_numbers(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["status", "--store", str(store)]) == 0
    assert "Review: 1 accounts, 0 answers, 0 decisions, 0 notes; the last entry" in capsys.readouterr().out
    assert status_of(["verify", "--store", str(store)]) == 0


def test_a_store_that_nobody_has_reviewed_has_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load(sorted(SAMPLES.glob("ss-typical*.json")), tmp_path / "store")
    assert status_of(["status", "--store", str(tmp_path / "store")]) == 0
    assert "Review:" not in capsys.readouterr().out
    assert status_of(["verify", "--store", str(tmp_path / "store")]) == 0


def test_an_audit_log_that_was_changed_is_found(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(file_of(store))) as connection, connection:
        connection.execute("UPDATE audit SET detail = 'nothing'")
    assert status_of(["verify", "--store", str(store)]) == 65
    assert "the audit log of the review store: entry" in capsys.readouterr().err


def test_a_damaged_file_is_found(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The pages of the tables are overwritten; those that SQLite reads first are not."""
    with closing(sqlite3.connect(file_of(store))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with file_of(store).open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(size // 2)
        file.write(b"\xff" * (size - size // 2))
    assert status_of(["verify", "--store", str(store)]) == 65
    assert "review" in capsys.readouterr().err


def test_a_role_in_a_trial_that_nobody_screens_is_told(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The id may be mistyped: the role would show nothing, and nobody would know why."""
    given = ["accounts", "grant", "anna", "--role", "data", "--store", str(store)]
    assert status_of([*given, "--trial", "NCT0698396"]) == 0
    assert "NCT0698396 is not on the list that holds" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told_before_anything_is_served(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        assert status_of(["review", "--store", str(store), "--listen", listen]) == 74
    err = capsys.readouterr().err
    assert f"{listen}: cannot listen here (Address already in use); choose another port" in err
    assert "stop with Ctrl-C" not in err
