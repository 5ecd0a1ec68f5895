"""The coming changes of one patient, in words: from when she is eligible and until when, and what changes by itself."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from cohortfinder import wording
from cohortfinder.ranking.outlook import Outlook, Turn
from cohortfinder.report.calendar_page import OUTLOOK_WEEKS
from cohortfinder.report.causes import Causes
from cohortfinder.report.outlook_reasons import beginnings, endings
from cohortfinder.report.screening import Screening


@dataclass(frozen=True, slots=True)
class PatientOutlook:
    """What becomes of a patient in an arm without new data: why nothing fails from a day on, and what ends it."""

    status: str
    eligible_from: date | None
    begins: str
    stops_on: date | None
    ends: str
    changes: tuple[tuple[Turn, str], ...]

    def lines(self) -> Iterator[str]:
        """Say it, a change a line."""
        if self.begins:
            yield f"No criterion fails from {self.eligible_from}: {self.begins}"
        if self.stops_on:
            yield f"Stops being {self.status} on {self.stops_on}: {self.ends}"
        if self.changes:
            yield f"Changes of the next {OUTLOOK_WEEKS} weeks, without new data"
        for turn, reason in self.changes:
            words = f"{turn.day}  {turn.criterion_id} {turn.verdict_from} to {turn.verdict_to}: {reason}"
            yield f"  {words}{_status_words(turn)}"

    def summary(self) -> dict[str, Any]:
        """Return it as one object."""
        return {
            "eligible_because": self.begins or None, "stops_on": self.stops_on, "stops_because": self.ends or None,
            "changes": [
                {
                    "date": turn.day, "criterion_id": turn.criterion_id, "from": turn.verdict_from,
                    "to": turn.verdict_to, "reason": reason, "status_from": turn.status_from,
                    "status_to": turn.status_to,
                }
                for turn, reason in self.changes
            ],
        }  # fmt: skip


def outlooks(screening: Screening, patient_id: str) -> dict[str, PatientOutlook]:
    """Return what becomes of a listed patient, by arm."""
    own = _of_one(screening, patient_id)
    begins, ends, causes = beginnings(own), endings(own), Causes(own.trial, own.language)
    until = own.as_of + timedelta(weeks=OUTLOOK_WEEKS)
    return {
        one.arm: PatientOutlook(
            status=one.status,
            eligible_from=one.eligible_from,
            begins=begins.get((patient_id, one.arm), ""),
            stops_on=own.outlook.stops.get((patient_id, one.arm)),
            ends=ends.get((patient_id, one.arm), ""),
            changes=tuple(
                (turn, causes.reason(turn)) for turn in own.outlook.turns if turn.arm == one.arm and turn.day <= until
            ),
        )
        for one in own.candidates
    }


def _of_one(screening: Screening, patient_id: str) -> Screening:
    """Return a screening with nobody else in it, so that nothing is put into words for others."""
    turns = tuple(turn for turn in screening.outlook.turns if turn.patient_id == patient_id)
    stops = {place: day for place, day in screening.outlook.stops.items() if place[0] == patient_id}
    candidates = tuple(one for one in screening.candidates if one.patient_id == patient_id)
    return replace(screening, candidates=candidates, outlook=Outlook(turns, stops))


def _status_words(turn: Turn) -> str:
    if turn.status_from == turn.status_to:
        return ""
    return f" Then {wording.STATUSES[turn.status_to].lower()}."
