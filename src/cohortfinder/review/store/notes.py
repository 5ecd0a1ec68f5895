"""Notes on a patient: for the study team, or for nobody but who wrote them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, or_, select, update

from cohortfinder.review.store.tables import NOTE


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote of a patient. `withdrawn_at` is when its writer took it back, None while it stands."""

    id: int
    trial: str
    patient_id: str
    text: str
    private: bool
    account_id: int
    at: datetime
    withdrawn_at: datetime | None


def add_note(
    connection: Connection, trial: str, patient_id: str, text: str, *, private: bool, account_id: int, at: datetime
) -> int:
    """Keep a note and return its number."""
    done = connection.execute(
        insert(NOTE).values(
            trial=trial, patient_id=patient_id, text=text.strip(), private=private, account_id=account_id, at=at
        )
    )
    return int((done.inserted_primary_key or (0,))[0])


def withdraw_note(
    connection: Connection, trial: str, patient_id: str, note_id: int, *, account_id: int, at: datetime
) -> bool:
    """Take a note back; say whether there was one of this patient that this person wrote."""
    own = (NOTE.c.trial == trial, NOTE.c.patient_id == patient_id, NOTE.c.account_id == account_id)
    done = connection.execute(
        update(NOTE).where(NOTE.c.id == note_id, *own, NOTE.c.withdrawn_at.is_(None)).values(withdrawn_at=at)
    )
    return done.rowcount == 1


def notes_of(connection: Connection, trial: str, patient_id: str, reader_id: int) -> tuple[Note, ...]:
    """Return the notes on a patient that somebody may read, oldest first: those for the team and their own."""
    asked = select(NOTE).where(
        NOTE.c.trial == trial, NOTE.c.patient_id == patient_id, or_(~NOTE.c.private, NOTE.c.account_id == reader_id)
    )
    return tuple(Note(**row) for row in connection.execute(asked.order_by(NOTE.c.id)).mappings())
