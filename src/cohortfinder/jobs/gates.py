"""What keeps nobody off a list though it should, to be said aloud."""

from cohortfinder.gates import Gates
from cohortfinder.ranking.candidates import Connection
from cohortfinder.ranking.gates import strangers, unread


def gate_warnings(connection: Connection, gates: Gates) -> tuple[str, ...]:
    """Name the refusals that could not be loaded, and the lists that name nobody here."""
    lost = unread(connection)
    lists = {"test_patients": gates.test_patients, "do_not_contact": gates.do_not_contact}
    foreign = [name for name, ids in lists.items() if ids and strangers(connection, ids) == len(ids)]
    told = (
        f"{lost} Consents or Flags could not be loaded, and whom they keep off the list is not known; "
        "see data_quality.csv."
    )
    return (
        *((told,) if lost else ()),
        *(f"No patient of the store stands in the list {name}; it must have Patient.id as sent." for name in foreign),
    )
