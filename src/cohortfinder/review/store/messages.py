"""What people tell the study team of a trial, about a patient or about none."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from cohortfinder.review.store.tables import MESSAGE


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody told the team."""

    id: int
    trial: str
    patient_id: str | None
    text: str
    account_id: int
    at: datetime


def add_message(
    connection: Connection, trial: str, patient_id: str | None, text: str, *, account_id: int, at: datetime
) -> None:
    """Keep a message."""
    connection.execute(
        insert(MESSAGE).values(trial=trial, patient_id=patient_id, text=text.strip(), account_id=account_id, at=at)
    )


def messages_of(connection: Connection, trial: str, most: int) -> tuple[Message, ...]:
    """Return the messages of a trial, the newest first."""
    asked = select(MESSAGE).where(MESSAGE.c.trial == trial).order_by(MESSAGE.c.id.desc()).limit(most)
    return tuple(Message(**row._mapping) for row in connection.execute(asked))
