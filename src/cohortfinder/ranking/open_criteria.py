"""What keeps each candidate from being eligible: the criteria that fail and those that data would settle."""

from collections.abc import Mapping
from dataclasses import dataclass

from cohortfinder.ranking.candidates import Connection, run


@dataclass(frozen=True, slots=True)
class OpenCriteria:
    """Ids in protocol order: what fails, and which unknown ones data would settle."""

    failing: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def read_open_criteria(connection: Connection) -> Mapping[tuple[str, str], OpenCriteria]:
    """Return what is open of each (patient, arm), by the tables of the engine and `rank`."""
    # the lists repeat from patient to patient: each is kept once
    known: dict[OpenCriteria, OpenCriteria] = {}
    found = {}
    for patient_id, arm, failing, missing in run(connection, "ranking/open_criteria_rows.sql.jinja").fetchall():
        own = OpenCriteria(tuple(failing), tuple(missing))
        found[patient_id, arm] = known.setdefault(own, own)
    return found
