"""Invented patients and the verdicts that they got to a case file, as `cohortfinder test` reads it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from cohortfinder.dummy.patients import Aim
from cohortfinder.model import Trial

HEAD = "# Invented patients, made from the trial by `cohortfinder dummy`, and the verdicts that it gave them.\n"
_TOP = """\
# cohortfinder test {trial} --cases cases.yaml
trial: {trial}
as_of: {as_of}
patients:
"""


@dataclass(frozen=True, slots=True)
class Expected:
    """One patient: where the data stand, the aim, and the verdicts to expect in its arm."""

    id: str
    file: str
    aim: Aim
    verdicts: Mapping[str, str]


def case_file(trial: Trial, as_of: date, patients: Iterable[Expected]) -> Iterator[str]:
    """Yield the lines of the case file."""
    yield HEAD + _TOP.format(trial=trial.id, as_of=as_of)
    for patient in patients:
        expect = ", ".join(f"{name}: {verdict}" for name, verdict in patient.verdicts.items())
        yield f"  - id: {patient.id}\n    why: {why(patient.aim)}\n    file: {patient.file}\n"
        yield f"    arms: [{patient.aim.arm}]\n    expect: {{{expect}}}\n"


def why(aim: Aim) -> str:
    """Say what a patient was made for."""
    if not aim.criterion:
        return f"passes all that can be made to pass in {aim.arm}"
    return f"{aim.criterion} shall be {aim.verdict} in {aim.arm}"
