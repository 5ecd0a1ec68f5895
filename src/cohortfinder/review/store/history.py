"""All that was said of a patient in a trial, as one history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from cohortfinder.review.access.accounts import names_of
from cohortfinder.review.store.answers import About, Answer, answers_of, latest
from cohortfinder.review.store.decisions import Decision, decisions_of
from cohortfinder.review.store.notes import Note, notes_of


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that somebody said."""

    at: datetime
    account_id: int
    said: Answer | Decision | Note

    @property
    def kind(self) -> str:
        """What it is: answer, decision or note."""
        return type(self.said).__name__.lower()


@dataclass(frozen=True, slots=True)
class Said:
    """What people have said of a patient, as one reader may see it, oldest first; `people` are their names."""

    answers: tuple[Answer, ...]
    decisions: tuple[Decision, ...]
    notes: tuple[Note, ...]
    people: Mapping[int, str]

    @property
    def latest(self) -> Mapping[About, Answer]:
        """The last answer to each criterion, also one that was taken back."""
        return latest(self.answers)

    @property
    def decision(self) -> Decision | None:
        """The decision that holds."""
        return self.decisions[-1] if self.decisions else None

    @property
    def last_answer_id(self) -> int:
        """The number of the newest answer, 0 for none."""
        return self.answers[-1].id if self.answers else 0

    @property
    def history(self) -> list[Event]:
        """Everything, newest first."""
        said: list[Answer | Decision | Note] = [*self.answers, *self.decisions, *self.notes]
        events = [Event(one.at, one.account_id, one) for one in said]
        return sorted(events, key=lambda one: (one.at, one.said.id), reverse=True)


def said_of(connection: Connection, trial: str, patient_id: str, reader_id: int) -> Said:
    """Return what was said of a patient, with the private notes of the reader alone."""
    return Said(
        answers_of(connection, trial, patient_id),
        decisions_of(connection, trial, patient_id),
        notes_of(connection, trial, patient_id, reader_id),
        names_of(connection),
    )
