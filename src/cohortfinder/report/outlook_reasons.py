"""Why a candidate is eligible from a day, and why no longer from another: the verdicts that change then, in words."""

from collections.abc import Iterable, Mapping
from datetime import date

from cohortfinder.ranking.outlook import Place, Turn
from cohortfinder.report.causes import Causes
from cohortfinder.report.screening import Screening


def beginnings(screening: Screening) -> dict[Place, str]:
    """Return why nothing fails from `eligible_from` on: what fails until then and no longer does."""
    days = {(one.patient_id, one.arm): one.eligible_from for one in screening.candidates if one.eligible_from}
    ended = (turn for turn in screening.outlook.turns if turn.verdict_from == "fail")
    return _told(ended, days, Causes(screening.trial, screening.language))


def endings(screening: Screening) -> dict[Place, str]:
    """Return why the status is worse from `stops_on` on: what fails then, or is unknown."""
    worse = {"excluded": "fail", "possible": "unknown"}
    begun = (turn for turn in screening.outlook.turns if turn.verdict_to == worse.get(turn.status_to))
    return _told(begun, screening.outlook.stops, Causes(screening.trial, screening.language))


def _told(turns: Iterable[Turn], days: Mapping[Place, date], causes: Causes) -> dict[Place, str]:
    told: dict[Place, list[str]] = {}
    for turn in turns:
        place = (turn.patient_id, turn.arm)
        if days.get(place) == turn.day:
            words = f"{turn.criterion_id} {turn.verdict_from} to {turn.verdict_to}: {causes.reason(turn)}"
            told.setdefault(place, []).append(words)
    return {place: " ".join(words) for place, words in told.items()}
