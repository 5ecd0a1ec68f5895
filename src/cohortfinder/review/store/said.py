"""Of whom people have said something in a trial."""

from sqlalchemy import Connection, select, union

from cohortfinder.review.store.tables import ANSWER, DECISION, MESSAGE, NOTE, SHARE

ABOUT_PEOPLE = (ANSWER, DECISION, NOTE, MESSAGE, SHARE)


def patients_said(connection: Connection, trial: str) -> frozenset[str]:
    """Return the ids of all patients of whom something is kept in a trial."""
    asked = union(
        *(
            select(table.c.patient_id).where(table.c.trial == trial, table.c.patient_id.is_not(None))
            for table in ABOUT_PEOPLE
        )
    )
    return frozenset(connection.execute(asked).scalars())
