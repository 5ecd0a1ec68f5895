"""A patient out of everything that was said of her, so that no block of the database holds it any more.

The audit log stays whole: it has keyed names alone, and says who has looked at somebody who was erased.
"""

from contextlib import closing

from sqlalchemy import Connection, Table, delete, select, update

from cohortfinder.errors import LockedError
from cohortfinder.landing.people import People
from cohortfinder.review.store.database import Database
from cohortfinder.review.store.said import ABOUT_PEOPLE
from cohortfinder.review.store.tables import ANSWER, APPEARANCE, DECISION, MESSAGE, NOTE

_OF_HER = (*ABOUT_PEOPLE, APPEARANCE)
# what people write freely, which may name somebody else by her id
_TEXTS = ((ANSWER, "note"), (DECISION, "reason"), (NOTE, "text"), (MESSAGE, "text"))
_INSTEAD = "(erased)"


def forget(database: Database, people: People) -> int:
    """Remove what was said of some patients, and their ids from words about others; return how many rows that were.

    Raises LockedError where the database is in use for so long that old blocks cannot go, ReadWriteError.
    """
    with database.writing() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        gone = sum(_remove(connection, table, people) for table in _OF_HER)
        gone += sum(_unname(connection, table, column, people) for table, column in _TEXTS)
    # also where nothing was found: an erasure that was killed may have left blocks
    _tidy(database)
    return gone


def _remove(connection: Connection, table: Table, people: People) -> int:
    return connection.execute(delete(table).where(table.c.patient_id.in_(sorted(people.ids)))).rowcount


def _unname(connection: Connection, table: Table, column: str, people: People) -> int:
    rows = connection.execute(select(table.c.id, table.c[column]).where(table.c[column] != "")).all()
    named = [(number, text) for number, text in rows if people.told_in(text.encode())]
    for number, text in named:
        without = people.without(text, _INSTEAD)
        connection.execute(update(table).where(table.c.id == number).values({column: without}))
    return len(named)


def _tidy(database: Database) -> None:
    """Write the tables anew, and the log of SQLite with them."""
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in {*_OF_HER, *(table for table, _ in _TEXTS)}:
                connection.exec_driver_sql(f"VACUUM (FULL) {table.name}")
        return
    with closing(database.engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        (busy, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise LockedError("the review store is in use, so that old blocks of it cannot go; repeat the erasure")
