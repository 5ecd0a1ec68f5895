"""What a study team has answered and decided to the rows of a file of answers, so that the next evaluation takes it.

    answers that hold, decisions that hold ──► rows of answers.csv (docs/reference/answers.md) ──► the night

What is of no criterion or arm of the trial any more is told and left out: a protocol that was amended must not keep a
night from publishing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cohortfinder.model import Trial
from cohortfinder.review.access.accounts import names_of
from cohortfinder.review.store.answers import Answer, answers_in
from cohortfinder.review.store.decisions import Decision, decisions_in
from cohortfinder.review.store.said import patients_said
from cohortfinder.trials.answers import OUTCOME, Row

_WORDS = {"yes": "yes", "no": "no", "not_sure": "not sure"}
# what a decision says of the criteria: who withdrew had passed them, and who is looked at yet has no outcome
_OUTCOMES = {
    "candidate": "not sure", "screening": "not sure", "eligible": "eligible", "ineligible": "ineligible",
    "on_study": "enrolled", "withdrawn": "enrolled", "declined": "declined",
}  # fmt: skip
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Said:
    """What was said in one trial: answers and decisions that hold, and all patients of whom anything is kept."""

    answers: tuple[Answer, ...] = ()
    decisions: tuple[Decision, ...] = ()
    patients: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """The rows of a file of answers, earliest first, and what of what was said is not among them."""

    rows: tuple[Row, ...]
    warnings: tuple[str, ...]


def read_said(connection: Connection, trials: Iterable[str]) -> tuple[dict[str, Said], dict[int, str]]:
    """Return what was said in each trial, and how people are called, by the numbers of their accounts."""
    said = {
        trial: Said(
            answers_in(connection, trial),
            tuple(sorted(decisions_in(connection, trial).values(), key=lambda one: one.id)),
            patients_said(connection, trial),
        )
        for trial in trials
    }
    return said, names_of(connection)


def facts_of(trial: Trial, said: Said, names: Mapping[int, str]) -> Facts:
    """Return what was said in a trial as rows of a file of answers."""
    zone, lost = ZoneInfo(trial.time_zone), Counter[str]()
    rows = [*_answers(trial, said.answers, names, zone, lost), *_outcomes(trial, said.decisions, names, zone, lost)]
    return Facts(tuple(rows), tuple(_told(trial, lost)))


def _answers(
    trial: Trial, answers: Iterable[Answer], names: Mapping[int, str], zone: ZoneInfo, lost: Counter[str]
) -> Iterator[Row]:
    arms = {criterion.id: criterion.arms for criterion in trial.criteria}
    for one in answers:
        about = one.about
        if about.criterion_id not in arms or (about.arm and about.arm not in arms[about.criterion_id]):
            lost[about.criterion_id + (f" in arm {about.arm}" if about.arm else "")] += 1
            continue
        yield {
            "patient_id": about.patient_id, "arm": about.arm, "criterion_id": about.criterion_id,
            "answer": _WORDS[one.word], "by": names[one.account_id], "at": _at(one.at, zone), "note": one.note,
        }  # fmt: skip


def _outcomes(
    trial: Trial, decisions: Iterable[Decision], names: Mapping[int, str], zone: ZoneInfo, lost: Counter[str]
) -> Iterator[Row]:
    arms = {arm.id for arm in trial.arms}
    for one in decisions:
        if one.arm and one.arm not in arms:
            lost[f"the decision about arm {one.arm}"] += 1
            continue
        yield {
            "patient_id": one.patient_id, "arm": one.arm, "criterion_id": OUTCOME, "answer": _OUTCOMES[one.state],
            "by": names[one.account_id], "at": _at(one.at, zone), "note": "",
        }  # fmt: skip


def _at(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")


def _told(trial: Trial, lost: Counter[str]) -> Iterator[str]:
    if lost:
        number = "1 answer" if lost.total() == 1 else f"{lost.total()} answers"
        told = ", ".join(sorted(lost)[:_SHOWN]) + (", ..." if len(lost) > _SHOWN else "")
        yield (
            f"{number} of the review application change nothing any more: {trial.id} has no criterion or arm of that "
            f"name ({told})."
        )
