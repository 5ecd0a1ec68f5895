"""The other studies of the listed patients: who takes part in one may not be free for this one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from cohortfinder.model import Trial
from cohortfinder.ranking.candidates import Connection, run


@dataclass(frozen=True, slots=True)
class OtherStudy:
    """A part in another study: its identifier or name, and the status of ResearchSubject."""

    study: str
    status: str

    def __str__(self) -> str:
        return f"{self.study} ({self.status})"


def other_trials(rows: Iterable[tuple[str, str, str]]) -> Mapping[str, tuple[OtherStudy, ...]]:
    """Return for which other trials of this site each patient is listed, and as what: (patient, trial, status)."""
    found: defaultdict[str, list[OtherStudy]] = defaultdict(list)
    for patient, trial, status in rows:
        found[patient].append(OtherStudy(trial, f"listed as {status}"))
    return {patient: tuple(trials) for patient, trials in found.items()}


def read_other_studies(connection: Connection, trial: Trial, as_of: date) -> Mapping[str, tuple[OtherStudy, ...]]:
    """Return the other studies of each listed patient who has one."""
    template = "ranking/other_study.sql.jinja"
    found: defaultdict[str, list[OtherStudy]] = defaultdict(list)
    for patient, *study in run(connection, template, trial=trial.id, zone=trial.time_zone, as_of=as_of).fetchall():
        found[patient].append(OtherStudy(*study))
    return {patient: tuple(studies) for patient, studies in found.items()}
