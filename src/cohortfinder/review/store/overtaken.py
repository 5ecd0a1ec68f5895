"""What somebody says follows what that person saw; where another one was quicker, it is not kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, insert, select
from sqlalchemy.exc import IntegrityError


class Overtaken(Exception):
    """Somebody else has said something since this person looked; nothing was kept."""


def append(connection: Connection, table: Table, about: tuple[ColumnElement[bool], ...], row: dict[str, Any]) -> int:
    """Add a row after the one that `row["previous_id"]` names, which must be the last one `about` the same.

    Returns its number. Raises Overtaken when it is not the last one any more.
    """
    last = connection.execute(select(func.max(table.c.id)).where(*about)).scalar_one()
    if (last or 0) != row["previous_id"]:
        raise Overtaken
    with _quicker():
        done = connection.execute(insert(table).values(**row))
    return int((done.inserted_primary_key or (0,))[0])


@contextmanager
def _quicker() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        # of two transactions side by side on PostgreSQL, the second one learns it from the database
        raise Overtaken from error
