"""Who is kept off the list, counted by gate; nobody is named."""

from dataclasses import dataclass

from cohortfinder.ranking.candidates import Connection, run

GATES = ("deceased", "test_patient", "restricted", "consent", "consent_unclear", "do_not_contact")


@dataclass(frozen=True, slots=True)
class GateCount:
    """How many patients of the store are behind a gate, and how many of them behind this one alone."""

    gate: str
    patients: int
    only: int


def read_gate_counts(connection: Connection) -> tuple[GateCount, ...]:
    """Return every gate with its counts, also where nobody is behind it."""
    rows = run(connection, "ranking/gate_rows.sql.jinja", gates=GATES).fetchall()
    return tuple(GateCount(*row) for row in rows)


def kept_off(connection: Connection) -> int:
    """Return how many patients are behind any gate."""
    (count,) = run(connection, "ranking/gated_count.sql.jinja").fetchone()
    return int(count)


def strangers(connection: Connection, ids: tuple[str, ...]) -> int:
    """Return how many of some ids no Patient of the store has."""
    (count,) = run(connection, "ranking/unknown_patients.sql.jinja", ids=ids).fetchone()
    return int(count)


def unread(connection: Connection) -> int:
    """Return how many Consents and Flags were put aside when they were loaded, so that no gate knows them."""
    (count,) = run(connection, "ranking/unread_refusals.sql.jinja").fetchone()
    return int(count)
