"""What becomes of the candidates with no new data: each change of a verdict, with the leaves that make it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from cohortfinder.model import Truth
from cohortfinder.ranking.candidates import Connection, run

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class TurnedLeaf:
    """A leaf whose truth changes: `was` until the day before, with the reason codes and the evidence (JSON) of both."""

    leaf: str
    was: Truth
    truth: Truth
    code_before: str
    code: str
    evidence_before: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A verdict that changes on a day, what becomes of the patient's status then, and on which leaves it rests."""

    patient_id: str
    arm: str
    day: date
    criterion_id: str
    verdict_from: str
    verdict_to: str
    status_from: str
    status_to: str
    leaves: tuple[TurnedLeaf, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """The changes, day by day, and on which day the status of a (patient, arm) gets worse.

    Among the turns are all of the next weeks, and later ones that make somebody eligible or end it.
    """

    turns: tuple[Turn, ...] = ()
    stops: Mapping[Place, date] = field(default_factory=lambda: MappingProxyType({}))


def read_outlook(connection: Connection) -> Outlook:
    """Read what the engine has told of the coming weeks."""
    leaves: dict[tuple[str, str, date], list[TurnedLeaf]] = {}
    for patient, asked, day, *leaf in run(connection, "ranking/turned_leaf_rows.sql.jinja").fetchall():
        leaves.setdefault((patient, asked, day), []).append(TurnedLeaf(*leaf))
    turns = tuple(
        Turn(*[*row, tuple(leaves.get((row[0], asked, row[2]), ()))])
        for *row, asked in run(connection, "ranking/outlook_rows.sql.jinja").fetchall()
    )
    stops = {(patient, arm): day for patient, arm, day in run(connection, "ranking/stop_rows.sql.jinja").fetchall()}
    return Outlook(turns, stops)
