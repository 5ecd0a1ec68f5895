"""A published list, made once; the application over it, once for each test; a review store of two people alone."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cohortfinder.cli.main import status_of
from cohortfinder.review.access.accounts import add_account
from cohortfinder.review.store.database import Database, open_database
from cohortfinder.review_settings import ReviewSettings
from cohortfinder.secret import Secret
from cohortfinder.settings import Settings, read_settings
from review.postgresql import new_postgresql_database, serving_postgresql
from review.running import OTHER_TRIAL, TRIAL, Running, fill, serving
from study_team import Team

SAMPLES = Path(__file__).parents[2] / "sample_bundles"
# enough for candidates, near misses, what is missing, and diabetes of the other trial
LOADED = ("sle-*.json", "ssc-*.json", "none-*.json", "several-patients.ndjson", "other-arms.ndjson")
DAY = "2026-11-20"
# whether the application of the tests keeps what people say in PostgreSQL
ON_POSTGRESQL = os.environ.get("COHORTFINDER_REVIEW_TESTS") == "postgresql"
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture(scope="session")
def published_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a store with one published list. Tests do not write to it; see `store_of_its_own`."""
    folder = tmp_path_factory.mktemp("published")
    config, store = folder / "site.toml", folder / "store"
    config.write_text(
        f'store = "{store}"\ntrials = ["{TRIAL}", "{OTHER_TRIAL}"]\ntime_zone = "UTC"\n', encoding="utf-8"
    )
    files = [str(file) for pattern in LOADED for file in sorted(SAMPLES.glob(pattern))]
    assert status_of(["load", *files, "--store", str(store)]) == 0
    assert status_of(["nightly", "--config", str(config), "--as-of", DAY]) == 0
    return read_settings(config)


@pytest.fixture(scope="session")
def people(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, published_settings: Settings
) -> Callable[[Path], str]:
    """What makes a review store in which everybody of PEOPLE has an account, beside a test's files: its address."""
    file = tmp_path_factory.mktemp("people") / "review.sqlite"
    place = request.getfixturevalue("postgresql") if ON_POSTGRESQL else None
    filled = f"sqlite:///{file}" if place is None else new_postgresql_database(place)
    settings = replace(published_settings.review, database_url=Secret(value=filled, place="the test"))
    database = open_database(published_settings.store, settings)
    fill(database)
    database.close()

    def copied(folder: Path) -> str:
        if place is None:
            return f"sqlite:///{shutil.copy(file, folder / 'review.sqlite')}"
        return new_postgresql_database(place, copy_of=filled)

    return copied


@pytest.fixture
def serve(
    tmp_path: Path, people: Callable[[Path], str], published_settings: Settings
) -> Iterator[Callable[..., Running]]:
    """Start the application with settings of [review] changed, as serve(idle_minutes=1), over a new review store."""
    with ExitStack() as stack:

        def start(settings: Settings = published_settings, **review: object) -> Running:
            changed = replace(settings, review=replace(settings.review, **review))
            return stack.enter_context(serving(changed, people(tmp_path), tmp_path / "audit-head"))

        yield start


@pytest.fixture
def running(serve: Callable[..., Running]) -> Running:
    """The application over a review store in which nobody has said anything yet."""
    return serve()


@pytest.fixture
def store_of_its_own(tmp_path: Path, published_settings: Settings) -> Settings:
    """The settings of a copy of the published store, for tests that change it."""
    store = tmp_path / "store"
    shutil.copytree(published_settings.store, store, symlinks=True)
    return replace(published_settings, store=store)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Path]:
    """A PostgreSQL that runs: the folder of its socket."""
    with serving_postgresql() as place:
        yield place


@pytest.fixture
def postgresql_settings(postgresql: Path) -> ReviewSettings:
    """The settings of a review store in a PostgreSQL database of its own."""
    return ReviewSettings(database_url=Secret(value=new_postgresql_database(postgresql), place="the test"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A review store without the application, in a file and in PostgreSQL."""
    of_server = request.param == "postgresql"
    settings = request.getfixturevalue("postgresql_settings") if of_server else ReviewSettings()
    opened = open_database(tmp_path, settings)
    yield opened
    opened.close()


@pytest.fixture
def team(database: Database) -> Team:
    """Two people who may work in a trial."""
    with database.writing() as connection:
        anna, ben = (add_account(connection, name.lower(), name, at=NOW) for name in ("Anna", "Ben"))
    return Team(database, anna, ben)
