"""Which outcome of a patient and arm counts, and of which day the patient is asked."""

from datetime import date
from typing import Any

import duckdb
import pytest

from cohortfinder.engine.duckdb_engine import DuckDBEngine

AS_OF = date(2026, 11, 20)
# patient, arm, passed (or "said": an answer), day
Said = tuple[str, str, Any, date]
ENDED: tuple[Said, ...] = (
    ("p1", "A", "said", date(2026, 10, 2)),
    ("p1", "A", False, date(2026, 10, 20)),
    ("p1", "B", True, date(2026, 10, 21)),
    ("p1", "A", True, date(2026, 10, 25)),
    ("p2", "A", True, date(2026, 9, 1)),
    ("p2", "A", None, date(2026, 9, 5)),
    ("old", "A", False, date(2026, 8, 1)),
    ("gone", "A", True, date(2026, 7, 1)),
    ("p3", "A", True, date(2026, 12, 24)),
)
COUNTED = [
    ("gone", "A", True, False, date(2026, 6, 30)),
    ("new", "A", False, True, date(2026, 7, 31)),
    ("p1", "A", True, True, date(2026, 10, 1)),
    ("p1", "B", True, False, date(2026, 10, 1)),
    ("p2", "A", None, True, date(2026, 8, 31)),
    ("p3", "A", True, True, AS_OF),
]


def outcomes(said: tuple[Said, ...]) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE everybody AS SELECT unnest(['p1', 'p2', 'p3', 'old', 'new']) AS patient_id, unnest(['p1', 'p2', 'p3', 'new', 'new']) AS person_id")  # fmt: skip
        connection.execute("CREATE TABLE listing AS SELECT unnest(['p1', 'p2', 'p3', 'new']) AS patient_id, 'A' AS arm")
        patients, arms, passed, days = zip(*said, strict=True) if said else ((), (), (), ())
        DuckDBEngine(connection).run_template(
            "verdicts/outcome.sql.jinja", as_of=AS_OF, places=[*range(len(said))], patients=[*patients], arms=[*arms], days=[*days],
            ended=[one != "said" for one in passed], passed=[None if one == "said" else one for one in passed],
        )  # fmt: skip
        return sorted(connection.execute("FROM outcome").fetchall())


def test_the_latest_outcome_of_a_person_and_arm_counts_as_of_the_day_before_the_first_word() -> None:
    """Also what is taken back, and of a replaced record; an outcome of a coming day is asked about today."""
    assert outcomes(ENDED) == COUNTED


@pytest.mark.parametrize("times", [2, 3])
def test_saying_it_again_changes_nothing(times: int) -> None:
    repeated = tuple(one for one in ENDED for _ in range(times))
    assert outcomes(repeated) == COUNTED


def test_nobody_has_said_anything() -> None:
    assert outcomes(()) == []
