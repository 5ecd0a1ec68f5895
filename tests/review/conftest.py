"""A review store with two people who may work in a trial."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cohortfinder.review.access.accounts import add_account
from cohortfinder.review.store.database import Database, open_database
from cohortfinder.review_settings import ReviewSettings
from study_team import Team

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path, ReviewSettings())
    yield opened
    opened.close()


@pytest.fixture
def team(database: Database) -> Team:
    with database.writing() as connection:
        anna, ben = (add_account(connection, name.lower(), name, at=NOW) for name in ("Anna", "Ben"))
    return Team(database, anna, ben)
