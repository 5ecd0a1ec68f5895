"""The review store on SQLite and on PostgreSQL: one layout, transactions, many writers, erasure, backup and restore."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, insert, select

from cohortfinder.landing.people import People
from cohortfinder.review.facts import read_said
from cohortfinder.review.store.answers import YES, About, add_answer
from cohortfinder.review.store.audit import Deed, add_entry, faults
from cohortfinder.review.store.database import Database, open_database
from cohortfinder.review.store.erasure import forget
from cohortfinder.review.store.keys import Keys
from cohortfinder.review.store.notes import add_note
from cohortfinder.review.store.tables import METADATA, NOTE
from cohortfinder.review_settings import ReviewSettings
from study_team import Team

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
KEYS = Keys(b"k" * 32)


def answer(team: Team, patient: str, criterion: str = "I1") -> None:
    with team.database.writing() as connection:
        add_answer(
            connection, About("T", patient, "", criterion), YES, account_id=team.anna, at=AT, run_id="run",
            verdict="unknown", previous_id=0,
        )  # fmt: skip


def test_the_migrations_make_what_the_tables_say(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_a_transaction_that_fails_leaves_nothing(team: Team) -> None:
    with pytest.raises(ZeroDivisionError):
        _fail_half_way(team)
    with team.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(NOTE)).scalar_one() == 0


def _fail_half_way(team: Team) -> None:
    with team.database.writing() as connection:
        add_note(connection, "T", "p1", "half", private=False, account_id=team.anna, at=AT)
        raise ZeroDivisionError


def test_a_moment_comes_back_as_it_was(team: Team) -> None:
    answer(team, "p1")
    with team.database.reading() as connection:
        said, names = read_said(connection, ["T", "U"])
    (one,) = said["T"].answers
    assert (one.at, names[one.account_id], said["T"].patients, said["U"].patients) == (AT, "Anna", {"p1"}, frozenset())


def test_many_write_while_a_night_reads(team: Team) -> None:
    """The night has a transaction open all the while, and sees one state; nobody waits for it."""
    with team.database.reading() as night:
        before, _ = read_said(night, ["T"])
        threads = [Thread(target=answer, args=(team, f"p{number}")) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in threads)
        assert len(before["T"].answers) == 0
    with team.database.reading() as connection:
        assert len(read_said(connection, ["T"])[0]["T"].answers) == 20


def test_somebody_who_is_erased_is_in_no_row_and_the_audit_log_is_whole(team: Team) -> None:
    answer(team, "pat-1")
    answer(team, "pat-10")
    with team.database.writing() as connection:
        add_note(connection, "T", "pat-10", "the sister of pat-1", private=False, account_id=team.anna, at=AT)
        add_entry(connection, KEYS, Deed("view", candidate=KEYS.candidate("T", "pat-1")), AT)
    assert forget(team.database, People({"pat-1"})) == 2
    assert forget(team.database, People({"pat-1"})) == 0
    with team.database.reading() as connection:
        assert {*read_said(connection, ["T"])[0]["T"].patients} == {"pat-10"}
        assert connection.execute(select(NOTE.c.text)).scalar_one() == "the sister of (erased)"
        assert [*faults(connection, KEYS)] == []


def test_a_backup_of_the_file_while_it_is_written_to_can_be_restored(tmp_path: Path) -> None:
    database = open_database(tmp_path / "own", ReviewSettings())
    file = tmp_path / "own" / "review" / "review.sqlite"
    with closing(database):
        _fill(database, 3)
        with database.writing() as connection:
            _note(connection, 3)
            with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(tmp_path / "backup")) as target:
                source.backup(target)
    (tmp_path / "again" / "review").mkdir(parents=True)
    shutil.move(tmp_path / "backup", tmp_path / "again" / "review" / "review.sqlite")
    with closing(open_database(tmp_path / "again", ReviewSettings())) as restored:
        assert _notes(restored) == ["note 0", "note 1", "note 2"]


def test_a_dump_of_postgresql_can_be_restored(
    tmp_path: Path, postgresql: Path, postgresql_settings: ReviewSettings
) -> None:
    with closing(open_database(tmp_path, postgresql_settings)) as database:
        _fill(database, 3)
        name = str(database.engine.url.database)
        server = ["-h", str(postgresql), "-U", "postgres"]
        dump = tmp_path / "dump"
        subprocess.run(["pg_dump", *server, "-Fc", "-f", str(dump), name], check=True)
        with database.writing() as connection:
            _note(connection, 3)
    with psycopg.connect(f"host={postgresql} user=postgres dbname=postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name}")
        connection.execute(f"CREATE DATABASE {name}")
    subprocess.run(["pg_restore", *server, "-d", name, str(dump)], check=True)
    with closing(open_database(tmp_path, postgresql_settings)) as restored:
        assert _notes(restored) == ["note 0", "note 1", "note 2"]


def _fill(database: Database, notes: int) -> None:
    with database.writing() as connection:
        connection.execute(METADATA.tables["account"].insert().values(
            login="anna", name="Anna", administrator=False, active=True, must_change=False, created_at=AT
        ))  # fmt: skip
        for number in range(notes):
            _note(connection, number)


def _note(connection: object, number: int) -> None:
    connection.execute(  # type: ignore[attr-defined]
        insert(NOTE).values(trial="T", patient_id="p", text=f"note {number}", private=False, account_id=1, at=AT)
    )


def _notes(database: Database) -> list[str]:
    with database.reading() as connection:
        return [*connection.execute(select(NOTE.c.text).order_by(NOTE.c.id)).scalars()]
