"""The audit log: who did what to whom and when; entries are added, and none can be changed or taken out unseen.

Each entry bears a mark of itself and of the one before it that needs the key of the review store (HMAC-SHA-256).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from sqlalchemy import Connection, RowMapping, insert, select

from cohortfinder.review.store.head import Head
from cohortfinder.review.store.keys import Keys
from cohortfinder.review.store.tables import AUDIT

# what the first entry follows
BEGINNING = "0" * 64
_SAID = ("at", "account_id", "login", "role", "action", "trial", "candidate", "detail", "request_id", "previous_hash")


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did, to which patient of which trial; texts are empty where they do not apply."""

    action: str
    account_id: int | None = None
    login: str = ""
    role: str = ""
    trial: str = ""
    candidate: str = ""
    detail: str = ""
    request_id: str = ""


def add_entry(connection: Connection, keys: Keys, deed: Deed, at: datetime) -> tuple[int, str]:
    """Add one entry, and return its number and mark.

    IntegrityError when another one came in between: the caller tries again.
    """
    last = connection.execute(select(AUDIT.c.hash).order_by(AUDIT.c.id.desc()).limit(1)).scalar_one_or_none()
    entry = {
        "at": at, "account_id": deed.account_id, "login": deed.login, "role": deed.role, "action": deed.action,
        "trial": deed.trial, "candidate": deed.candidate, "detail": deed.detail, "request_id": deed.request_id,
        "previous_hash": last or BEGINNING,
    }  # fmt: skip
    mark = _mark(keys, entry)
    done = connection.execute(insert(AUDIT).values(**entry, hash=mark))
    return int((done.inserted_primary_key or (0,))[0]), mark


def follows(connection: Connection, head: Head, number: int) -> bool:
    """Say whether the log still has the entry that the head names; the first entry follows none."""
    named = head.read()
    if named is None:
        return number == 1 and not head.file.exists()
    return connection.execute(select(AUDIT.c.hash).where(AUDIT.c.id == named[0])).scalar_one_or_none() == named[1]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries somebody wants to see; what is '' does not narrow."""

    login: str = ""
    action: str = ""
    trial: str = ""
    candidate: str = ""
    before: int = 0


def entries(connection: Connection, wanted: Wanted, most: int | None = None) -> Iterator[RowMapping]:
    """Yield the entries that somebody wants, the newest first."""
    asked = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(most)
    for name in ("login", "action", "trial", "candidate"):
        if value := getattr(wanted, name):
            asked = asked.where(AUDIT.c[name] == value)
    if wanted.before:
        asked = asked.where(AUDIT.c.id < wanted.before)
    yield from connection.execute(asked).mappings()


def actions(connection: Connection) -> list[str]:
    """Return every kind of deed of which there is an entry."""
    return [*connection.execute(select(AUDIT.c.action).distinct().order_by(AUDIT.c.action)).scalars()]


def faults(connection: Connection, keys: Keys, head: Head | None = None) -> Iterator[str]:
    """Yield where the log is not as it was written: entries changed, taken out, put in, or cut off at the end."""
    previous = BEGINNING
    marks: dict[int, str] = {}
    for row in connection.execute(select(AUDIT).order_by(AUDIT.c.id)).mappings():
        if row["previous_hash"] != previous:
            yield f"before entry {row['id']}: something was taken out, or put in"
        if row["hash"] != _mark(keys, row):
            yield f"entry {row['id']}: it was changed"
        previous = marks[row["id"]] = row["hash"]
    if head is not None and (fault := head.fault(marks)):
        yield fault


def _mark(keys: Keys, entry: RowMapping | dict[str, object]) -> str:
    said = {name: entry[name] for name in _SAID}
    at = said["at"]
    said["at"] = at.astimezone(UTC).isoformat() if isinstance(at, datetime) else at
    return keys.mark("audit", orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode())
