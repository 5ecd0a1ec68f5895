"""Verdicts for those who may not know who it is: without the day of birth, which alone may tell a patient.

It stands in what a Patient resource decided: as the date of the record, in the reason, and as the day on which the
verdict changes, a birthday.
"""

from collections.abc import Iterable
from typing import Any

import orjson

from cohortfinder.warehouse.published import ListedVerdict

_YEAR = 4


def without_birth_dates(verdicts: Iterable[ListedVerdict]) -> tuple[ListedVerdict, ...]:
    """Return the verdicts with the year in place of a date that a Patient resource told."""
    return tuple(_without(one) for one in verdicts)


def tells_birthday(verdict: ListedVerdict) -> bool:
    """Say whether a Patient resource is among what decided."""
    return any(_of_person(one) for one in orjson.loads(verdict.evidence))


def _without(verdict: ListedVerdict) -> ListedVerdict:
    evidence: list[dict[str, Any]] = orjson.loads(verdict.evidence)
    own = [one for one in evidence if _of_person(one)]
    if not own:
        return verdict
    reason = verdict.reason
    for one in own:
        date = one.get("date") or ""
        if len(date) > _YEAR:
            reason = reason.replace(date, date[:_YEAR])
            one["date"] = date[:_YEAR]
    return verdict._replace(reason=reason, evidence=orjson.dumps(evidence).decode(), changes_on=None)


def _of_person(record: dict[str, Any]) -> bool:
    return str(record.get("resource") or "").startswith("Patient/")
