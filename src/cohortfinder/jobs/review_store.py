"""The review store as IT looks at it: what it holds, and whether it is as it was written."""

from contextlib import closing

from sqlalchemy import text

from cohortfinder.errors import CohortFinderError
from cohortfinder.jobs import audit
from cohortfinder.review.store.database import has_database, open_database
from cohortfinder.review.store.state import ReviewState, review_state
from cohortfinder.settings import Settings


def review_store_state(settings: Settings) -> ReviewState | None:
    """Return what the review store holds, None where nobody has ever opened one. Raises ReadWriteError."""
    if not has_database(settings.store, settings.review):
        return None
    with closing(open_database(settings.store, settings.review)) as database, database.reading() as connection:
        return review_state(connection)


def review_store_problems(settings: Settings) -> tuple[str, ...]:
    """Return what is wrong with the review store: it cannot be read, its file is damaged, its audit log was changed."""
    if not has_database(settings.store, settings.review):
        return ()
    try:
        return (*_damage(settings), *(f"the audit log of the review store: {one}" for one in audit.verify(settings)))
    except CohortFinderError as error:
        return (str(error),)


def _damage(settings: Settings) -> tuple[str, ...]:
    """Let SQLite read its file to the end; PostgreSQL is looked after by whoever runs it."""
    with closing(open_database(settings.store, settings.review)) as database, database.reading() as connection:
        if connection.dialect.name != "sqlite":
            return ()
        said = connection.execute(text("PRAGMA integrity_check(3)")).scalars().all()
    if said == ["ok"]:
        return ()
    told = str(said[0]).splitlines()[0]
    return (f"the review store is damaged ({told}); restore it from a backup (docs/how-to/review.md)",)
