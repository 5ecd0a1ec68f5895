"""What a study team has decided of a patient, in the states of a ResearchSubject; the last one holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from cohortfinder.review.store.overtaken import append
from cohortfinder.review.store.tables import DECISION

# https://hl7.org/fhir/R4/valueset-research-subject-status.html, and declined, which it does not know
STATES = ("candidate", "screening", "eligible", "ineligible", "on_study", "withdrawn", "declined")
# whoever looks at the patient next asks why
NEEDS_REASON = frozenset({"ineligible", "withdrawn", "declined"})


@dataclass(frozen=True, slots=True)
class Decision:
    """A state of a patient in a trial; `arm` is '' where it is about the trial as a whole.

    `run_id` is the list that the person saw.
    """

    id: int
    trial: str
    patient_id: str
    arm: str
    state: str
    reason: str
    account_id: int
    at: datetime
    run_id: str
    previous_id: int


def add_decision(
    connection: Connection, trial: str, patient_id: str, state: str, *, arm: str = "", reason: str = "",
    account_id: int, at: datetime, run_id: str, previous_id: int,
) -> int:  # fmt: skip
    """Keep a decision and return its number. Raises Overtaken when `previous_id` (0 for none) is not the last one.

    ValueError is a mistake of ours: a state that is none.
    """
    if state not in STATES:
        raise ValueError(f"{state!r} is no state")
    row = {
        "trial": trial, "patient_id": patient_id, "arm": arm, "state": state, "reason": reason.strip(),
        "account_id": account_id, "at": at, "run_id": run_id, "previous_id": previous_id,
    }  # fmt: skip
    return append(connection, DECISION, (DECISION.c.trial == trial, DECISION.c.patient_id == patient_id), row)


def decisions_of(connection: Connection, trial: str, patient_id: str) -> tuple[Decision, ...]:
    """Return everything that was ever decided of a patient, oldest first."""
    asked = select(DECISION).where(DECISION.c.trial == trial, DECISION.c.patient_id == patient_id)
    return tuple(Decision(**row) for row in connection.execute(asked.order_by(DECISION.c.id)).mappings())


def decisions_in(connection: Connection, trial: str) -> dict[str, Decision]:
    """Return the decision that holds of each patient of a trial of whom something was decided."""
    asked = select(DECISION).where(DECISION.c.trial == trial).order_by(DECISION.c.id)
    return latest(Decision(**row) for row in connection.execute(asked).mappings())


def latest(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """Return the last decision of each patient; they come oldest first."""
    return {one.patient_id: one for one in decisions}
