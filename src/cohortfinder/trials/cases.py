"""The cases beside a trial: invented patients, and what is expected of each; a YAML text in, frozen cases out."""

import re
from collections.abc import Iterator
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cohortfinder.model import Trial
from cohortfinder.trials.case_records import VALUES, WORDS, Json, resource_of, wrong_date
from cohortfinder.trials.case_words import is_day, mapping_at, only_words, text_at, texts_at
from cohortfinder.trials.claims import Claim, claims_of
from cohortfinder.trials.document import Mapping, Node, Scalar, Sequence, read_document
from cohortfinder.trials.problems import Problems, nearest

_GENDERS = ("male", "female", "other", "unknown")
_TOP = ("trial", "as_of", "everyone", "patients")
_EVERYONE = ("gender", "birth", "records")
_PATIENT = ("id", "why", "file", "arms", "gender", "birth", "died", "without", "records", "expect", "readings")
_MADE = ("gender", "birth", "died", "without", "records")
_ID = re.compile(r"[A-Za-z0-9.-]{1,40}")


@dataclass(frozen=True, slots=True)
class Case:
    """One patient: resources, or a FHIR file or folder that holds them, and what is expected in the `arms`."""

    id: str
    line: int
    arms: tuple[str, ...]
    resources: tuple[Json, ...]
    file: Path | None
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Cases:
    """A case file: `as_of` is the index date of all its patients."""

    source: str
    as_of: date
    patients: tuple[Case, ...]


def parse_cases(text: str, *, source: str, trial: Trial, systems: Dictionary[str, str]) -> Cases:
    """Read the cases of a trial; `systems` are the words by which code systems are named, with their addresses.

    Raises TrialError with every problem, its line and what to do.
    """
    problems = Problems(source)
    top = read_document(text, problems)
    only_words(top, _TOP, "a case file", problems)
    named = text_at(top, "trial", problems)
    if named is not None and named != trial.id:
        problems.add(top.line_of("trial"), f"these are cases of '{named}', and the trial is '{trial.id}'")
    as_of = _day(top, "as_of", problems)
    everyone = mapping_at(top, "everyone", problems)
    only_words(everyone, _EVERYONE, "'everyone'", problems)
    patients = top.get("patients")
    if not isinstance(patients, Sequence) or not patients.items:
        problems.add(top.line_of("patients"), "there are no patients; list at least one under 'patients:'")
        patients = Sequence((), top.line)
    reader = _Reader(trial, everyone, Path(source).parent, systems, problems)
    cases = tuple(case for item in patients.items if (case := reader.patient(item)) is not None)
    problems.raise_if_any()
    return Cases(source, as_of or date.min, cases)


class _Reader:
    """Reads the patients of one file, each laid over what holds for everyone."""

    def __init__(
        self, trial: Trial, everyone: Mapping, folder: Path, systems: Dictionary[str, str], problems: Problems
    ) -> None:
        self._trial = trial
        self._everyone = everyone
        self._folder, self._systems = folder, systems
        self._problems = problems
        self._seen: dict[str, int] = {}

    def patient(self, node: Node) -> Case | None:
        if not isinstance(node, Mapping):
            self._problems.add(node.line, "a patient is a list of words, beginning with 'id:'")
            return None
        only_words(node, _PATIENT, "a patient", self._problems)
        name = self._id(node)
        arms = self._arms(node)
        file = text_at(node, "file", self._problems) if "file" in node.keys else None
        if file is not None:
            self._refuse_made(node, file)
        return Case(
            id=name,
            line=node.line,
            arms=arms,
            resources=() if file else tuple(self._resources(node, name)),
            file=self._folder / file if file else None,
            claims=tuple(claims_of(node, arms, self._trial, self._problems)),
        )

    def _id(self, node: Mapping) -> str:
        name = node.get("id")
        if not isinstance(name, Scalar) or not _ID.fullmatch(name.text):
            said = "has no id" if name is None else "has an id that FHIR does not allow"
            hint = "give it one of letters, digits, '-' and '.', at most 40"
            self._problems.add(node.line_of("id"), f"this patient {said}; {hint}")
            return "x"
        if name.text in self._seen:
            before = self._seen[name.text]
            self._problems.add(
                name.line, f"the patient '{name.text}' stands in line {before} already; name it otherwise"
            )
        self._seen[name.text] = name.line
        return name.text

    def _arms(self, node: Mapping) -> tuple[str, ...]:
        known = tuple(arm.id for arm in self._trial.arms)
        named = texts_at(node, "arms", self._problems)
        for arm in named:
            if arm.text not in known:
                hint = nearest(arm.text, known)
                self._problems.add(
                    arm.line, f"{self._trial.id} has no arm '{arm.text}'; it has {', '.join(known)}.{hint}"
                )
        return tuple(arm.text for arm in named) or known

    def _refuse_made(self, node: Mapping, file: str) -> None:
        for word in _MADE:
            if word in node.keys:
                self._problems.add(node.line_of(word), f"the data of this patient come from a file; remove '{word}'")
        if not (self._folder / file).exists():
            place = self._folder / file
            self._problems.add(node.line_of("file"), f"there is no file or folder {place}; correct the path")

    def _resources(self, node: Mapping, name: str) -> Iterator[Json]:
        patient: Json = {"resourceType": "Patient", "id": name}
        for word, element in (("gender", "gender"), ("birth", "birthDate"), ("died", "deceasedDateTime")):
            value = node.get(word) or self._everyone.get(word)
            if isinstance(value, Scalar) and value.text != "none":
                patient[element] = value.text
                if wrong := _wrong_person(word, value.text):
                    self._problems.add(value.line, wrong)
        yield patient
        for key, record in self._records(node):
            made = resource_of(record, name, f"{name}-{key.text}".replace("_", "-"), self._systems, self._problems)
            if made is not None:
                yield made

    def _records(self, node: Mapping) -> Iterator[tuple[Scalar, Mapping]]:
        """Yield the records by name: those of everyone, changed, left out and added to by the patient."""
        common = _records_of(self._everyone, self._problems)
        own = _records_of(node, self._problems)
        for left_out in texts_at(node, "without", self._problems):
            if left_out.text not in common:
                hint = nearest(left_out.text, common)
                self._problems.add(left_out.line, f"'everyone' has no record '{left_out.text}' to leave out.{hint}")
            common.pop(left_out.text, None)
        for name, (key, record) in common.items():
            if name not in own:
                yield key, record
        for name, (key, record) in own.items():
            if not _ID.fullmatch(name.replace("_", "-")):
                self._problems.add(key.line, f"'{name}' is no name of a record; use letters, digits, '-' and '_'")
            before = common.get(name)
            yield key, record if before is None else _laid_over(before[1], record)


def _wrong_person(word: str, text: str) -> str | None:
    if word != "gender":
        return wrong_date(text)
    return None if text in _GENDERS else f"'{text}' is no gender; write one of {', '.join(_GENDERS)}, or none"


def _records_of(node: Mapping, problems: Problems) -> dict[str, tuple[Scalar, Mapping]]:
    found: dict[str, tuple[Scalar, Mapping]] = {}
    for key, record in mapping_at(node, "records", problems).entries:
        if isinstance(record, Mapping):
            found[key.text] = (key, record)
        else:
            problems.add(key.line, f"the record '{key.text}' is words in braces, as {{condition: ICD10 I50}}")
    return found


def _laid_over(before: Mapping, own: Mapping) -> Mapping:
    """A record that names its kind replaces the one of everyone; else its words replace those of that record."""
    if any(key in WORDS for key in own.keys):
        return own
    replaced = set(own.keys) | (VALUES if VALUES & set(own.keys) else set())
    kept = tuple((key, value) for key, value in before.entries if key.text not in replaced)
    return Mapping((*kept, *own.entries), own.line)


def _day(node: Mapping, key: str, problems: Problems) -> date | None:
    text = text_at(node, key, problems)
    if text is None or is_day(text):
        return None if text is None else date.fromisoformat(text)
    problems.add(node.line_of(key), f"'{text}' is no day; write the index date as 2026-05-01")
    return None
