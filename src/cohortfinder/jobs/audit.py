"""The audit log of the review application, from the command line: checked, given as lines, its end accepted anew."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from cohortfinder.errors import InputError
from cohortfinder.review.store.audit import Deed, Wanted, add_entry, entries, faults, follows
from cohortfinder.review.store.database import FOLDER, has_database, open_database
from cohortfinder.review.store.head import FILE, Head
from cohortfinder.review.store.keys import Keys, open_keys
from cohortfinder.settings import Settings

# how the log names whoever has a shell on the server
COMMAND_LINE = "(command line)"


@contextmanager
def _log(settings: Settings, *, writes: bool = False) -> Iterator[tuple[Connection, Keys, Head]]:
    if not has_database(settings.store, settings.review):
        raise InputError(f"{settings.store}: there is no review store here; start it: cohortfinder review")
    keys = open_keys(settings.store / FOLDER)
    with closing(open_database(settings.store, settings.review)) as database:
        opened = database.writing() if writes else database.reading()
        with opened as connection:
            yield connection, keys, Head(settings.store / FOLDER / FILE, keys)


def verify(settings: Settings) -> tuple[str, ...]:
    """Return where the log is not as it was written; nothing when it is. Raises InputError where there is none."""
    with _log(settings) as (connection, keys, head):
        return tuple(faults(connection, keys, head))


def lines(settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield every entry, the newest first. Raises InputError where there is no log."""
    with _log(settings) as (connection, _, _):
        for row in entries(connection, Wanted()):
            yield {str(name): value for name, value in row.items()}


def accept(settings: Settings) -> None:
    """Take the end of the log as it is now, as after a backup was put back; that is itself an entry."""
    with _log(settings, writes=True) as (connection, keys, head):
        named = head.read()
        said = f"the log had {named[0]} entries" if named else "there was no end to compare"
        last = add_entry(connection, keys, Deed("audit end accepted", login=COMMAND_LINE, detail=said), _now())
    head.accept(*last)


@contextmanager
def recorded(settings: Settings) -> Iterator[tuple[Connection, Callable[[str, str], None]]]:
    """Yield a transaction, and what adds to the log what is done in it from the command line: action and details."""
    keys = open_keys(settings.store / FOLDER)
    head = Head(settings.store / FOLDER / FILE, keys)
    written: list[tuple[int, str]] = []
    with closing(open_database(settings.store, settings.review)) as database:
        with database.writing() as connection:

            def write_down(action: str, detail: str) -> None:
                entry = add_entry(connection, keys, Deed(action, login=COMMAND_LINE, detail=detail), _now())
                if follows(connection, head, entry[0]):
                    written.append(entry)

            yield connection, write_down
        for entry in written:
            head.note(*entry)


def _now() -> datetime:
    return datetime.now(UTC)
