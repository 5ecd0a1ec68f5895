"""What a pull is about: the server, the types and codes that the trials need, the patients. Pure."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from cohortfinder.engine.sources import codes_of, types_of
from cohortfinder.errors import InputError
from cohortfinder.fhir.capability import Capability
from cohortfinder.fhir.scopes import missing
from cohortfinder.model import Trial
from cohortfinder.terminology import Terminology

# of these only what a record refers to is read, by its id
REFERENCED = ("Medication", "ResearchStudy")
CODED = "Observation"
# what keeps a patient off every list; the studies of a patient are marked in it
OF_GATES = ("Consent", "Flag")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a site wants of its server. `codes` of Observations: None for all; `patients`: None for everyone."""

    server: str
    types: tuple[str, ...]
    codes: frozenset[str] | None
    patients: tuple[str, ...] | None = None
    full: bool = False

    @property
    def scope(self) -> str:
        """The name of the list of patients in the book-keeping, empty for everyone."""
        if self.patients is None:
            return ""
        return hashlib.sha256("\n".join(sorted(self.patients)).encode()).hexdigest()[:16]


def wanted_of(
    server: str, trials: Collection[Trial], terminology: Terminology, *, all_codes: bool,
    patients: tuple[str, ...] | None, full: bool, gates: bool = False,
) -> Wanted:  # fmt: skip
    """Return what some trials need; with `gates` also what keeps a patient off every list."""
    read = {kind for trial in trials for kind in types_of(trial, terminology)}
    types = sorted(read.union(OF_GATES if gates else ()))
    codes = frozenset(code for trial in trials for code in codes_of(trial, terminology))
    return Wanted(server, tuple(types), None if all_codes else codes, patients, full)


def with_offered_gates(wanted: Wanted, capability: Capability, granted: Collection[str] | None) -> Wanted:
    """Return what is wanted with the types of the gates that the server tells it can search, and lets us read.

    `granted`: the scopes that we have, None where nobody tells.
    """
    offered = [kind for kind in OF_GATES if kind in capability.types and capability.types[kind].searched]
    allowed = [kind for kind in offered if granted is None or not missing((f"system/{kind}.read",), granted)]
    return replace(wanted, types=tuple(sorted({*wanted.types, *allowed})))


def read_patients(file: Path) -> tuple[str, ...]:
    """Read a list of patient ids, one a line; `Patient/` before an id and a heading `patient_id` are passed over.

    Raises InputError when there is none, or a line is no id.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: this list of patients cannot be read; give a text file with an id a line") from error
    ids = dict.fromkeys(_ids(lines, file))
    if not ids:
        raise InputError(f"{file}: there is no patient id in this list; write one a line")
    return tuple(ids)


def _ids(lines: Iterable[str], file: Path) -> Iterable[str]:
    for number, line in enumerate(lines, 1):
        own_id = line.strip().removeprefix("Patient/")
        if not own_id or (number == 1 and own_id == "patient_id"):
            continue
        # the characters of an id in FHIR
        if len(own_id) > 64 or not own_id.replace("-", "").replace(".", "").isalnum() or not own_id.isascii():
            raise InputError(f"{file}:{number}: this is no id of a Patient; write one a line")
        yield own_id
