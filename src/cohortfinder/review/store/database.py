"""Opening the review store: SQLite in a file of its own or PostgreSQL, of the newest layout, and its transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from cohortfinder.disk import make_folders
from cohortfinder.errors import ConfigurationError, ReadWriteError, StoreError
from cohortfinder.review_settings import ReviewSettings

FOLDER, FILE = "review", "review.sqlite"
# how long a writer waits for another one
_PATIENCE_SECONDS = 10
_WRITES = "cohortfinder_writes"
# of the writers of a review store in PostgreSQL: the letters "cohort"
_LOCK = int.from_bytes(b"cohort")


class Database:
    """The review store; threads share it, each transaction has a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file, and not a server."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the store. Raises ReadWriteError."""
        with _told(self.engine), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection whose changes are all kept when the block ends well, and none otherwise.

        Raises ReadWriteError when the disk or the server refuses; a row that follows one which has a follower already
        is IntegrityError of SQLAlchemy, for the caller to tell.
        """
        with (
            _told(self.engine),
            self.engine.connect().execution_options(**{_WRITES: True}) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_database(store: Path, settings: ReviewSettings) -> Database:
    """Open the review store of a site and bring it to the newest layout; one that is not there is made.

    Raises ConfigurationError when its address is none, ReadWriteError when it cannot be reached, StoreError when it
    is of a newer program.
    """
    url = database_url(store, settings)
    if url.get_backend_name() == "sqlite" and url.database:
        make_folders(Path(url.database).parent)
    try:
        engine = create_engine(url, pool_pre_ping=url.get_backend_name() != "sqlite", connect_args=_arguments(url))
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError(
            f"{settings.database_place}: the driver of this database is not installed; for PostgreSQL write "
            "postgresql+psycopg://... and run: pip install 'cohortfinder[postgresql]'"
        ) from error
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _begin_by_hand)
        event.listen(engine, "begin", _begin)
    else:
        event.listen(engine, "begin", _take_the_lock)
    database = Database(engine)
    with _told(engine):
        _migrate(database)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).chmod(0o600)
    return database


def has_database(store: Path, settings: ReviewSettings) -> bool:
    """Say whether anybody has ever opened the review store of a site."""
    return settings.database_url is not None or (store / FOLDER / FILE).is_file()


def database_url(store: Path, settings: ReviewSettings) -> URL:
    """Return where the review store is: a file of the store unless the configuration names a database."""
    if settings.database_url is None:
        return URL.create("sqlite", database=str((store / FOLDER / FILE).absolute()))
    try:
        return make_url(settings.database_url.read())
    except ArgumentError as error:
        # the address may hold a password
        raise ConfigurationError(
            f"{settings.database_place}: this is no address of a database; write postgresql+psycopg://user@host/name"
        ) from error


def _arguments(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"timeout": _PATIENCE_SECONDS, "check_same_thread": False}
    return {"connect_timeout": _PATIENCE_SECONDS}


def _begin_by_hand(connection: Any, _: object) -> None:
    """Let SQLite take transactions from us, keep a log, and hold what it has confirmed through a power failure."""
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Take the lock of a writer at once: a reader who becomes one may be refused without waiting."""
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _take_the_lock(connection: Connection) -> None:
    """Let writers of PostgreSQL come one after the other, as those of SQLite do.

    Else two of them could both count what is there and both add one more: tries to sign in, entries of the log.
    """
    if connection.get_execution_options().get(_WRITES):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE_SECONDS}s'")
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _migrate(database: Database) -> None:
    with database.engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        try:
            command.upgrade(migrations(connection), "head")
        except CommandError as error:
            raise StoreError(
                f"{database.engine.url.render_as_string()}: the review store is of a newer program ({error}); "
                "install that one, or restore a backup made with this one"
            ) from error


def migrations(connection: Connection) -> Config:
    """Return what Alembic needs to know of our migrations, with the connection that it is to use."""
    config = Config()
    config.set_main_option("script_location", "cohortfinder.review.store:migrations")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    """Tell in one sentence what the database refuses; values that were being written are not in it."""
    try:
        yield
    except IntegrityError:
        raise
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
        raise ReadWriteError(
            f"{engine.url.render_as_string()}: the review store cannot be read or written ({why}); nothing was "
            "changed; check that it is there, its permissions and its space"
        ) from error
