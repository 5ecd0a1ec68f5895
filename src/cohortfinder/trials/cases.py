"""The cases beside a trial: invented patients, and what is expected of each; a YAML text in, frozen cases out."""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cohortfinder.model import Trial
from cohortfinder.trials.case_records import VALUES, WORDS, Json, resource_of, wrong_date
from cohortfinder.trials.document import Mapping, Node, Scalar, Sequence, read_document
from cohortfinder.trials.problems import Problems, nearest

VERDICTS = ("pass", "fail", "unknown")
_GENDERS = ("male", "female", "other", "unknown")
STATUSES = ("eligible", "possible", "excluded")
_TOP = ("trial", "as_of", "everyone", "patients")
_EVERYONE = ("gender", "birth", "records")
_PATIENT = ("id", "why", "file", "arms", "gender", "birth", "died", "without", "records", "expect")
_MADE = ("gender", "birth", "died", "without", "records")
_CLAIM = ("verdict", "reason", "flags", "changes_on")
_ID = re.compile(r"[A-Za-z0-9.-]{1,40}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that a case expects: of a criterion its verdict, reason, flags or changes_on, or (with "") the status.

    `expected` is text: flags are joined in their order by ", ", and "none" says that there is none of them.
    """

    line: int
    criterion: str
    aspect: str
    expected: str


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
    _only(top, _TOP, "a case file", problems)
    named = _text(top, "trial", problems)
    if named is not None and named != trial.id:
        problems.add(top.line_of("trial"), f"these are cases of '{named}', and the trial is '{trial.id}'")
    as_of = _day(top, "as_of", problems)
    everyone = _mapping(top, "everyone", problems)
    _only(everyone, _EVERYONE, "'everyone'", problems)
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
        _only(node, _PATIENT, "a patient", self._problems)
        name = self._id(node)
        arms = self._arms(node)
        file = _text(node, "file", self._problems) if "file" in node.keys else None
        if file is not None:
            self._refuse_made(node, file)
        return Case(
            id=name,
            line=node.line,
            arms=arms,
            resources=() if file else tuple(self._resources(node, name)),
            file=self._folder / file if file else None,
            claims=tuple(self._claims(node, arms)),
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
        named = _texts(node, "arms", self._problems)
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
        for left_out in _texts(node, "without", self._problems):
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

    def _claims(self, node: Mapping, arms: tuple[str, ...]) -> Iterator[Claim]:
        criteria = {criterion.id: criterion for criterion in self._trial.criteria}
        for key, value in _mapping(node, "expect", self._problems).entries:
            criterion = criteria.get(key.text)
            if key.text == "status":
                yield from self._claim(key, "", "status", value, STATUSES)
            elif criterion is None:
                hint = nearest(key.text, criteria)
                self._problems.add(key.line, f"{self._trial.id} has no criterion '{key.text}'.{hint}")
            elif not set(criterion.arms) & set(arms):
                held = ", ".join(criterion.arms)
                self._problems.add(key.line, f"'{key.text}' holds in {held} only; expect it of a patient of that arm")
            elif isinstance(value, Mapping):
                yield from self._aspects(key, value)
            else:
                yield from self._claim(key, key.text, "verdict", value, VERDICTS)

    def _aspects(self, key: Scalar, said: Mapping) -> Iterator[Claim]:
        _only(said, _CLAIM, f"what is expected of '{key.text}'", self._problems)
        for aspect, value in said.entries:
            if aspect.text == "verdict":
                yield from self._claim(aspect, key.text, "verdict", value, VERDICTS)
            elif aspect.text == "flags":
                flags = sorted(flag.text for flag in _texts(said, "flags", self._problems))
                yield Claim(aspect.line, key.text, "flags", ", ".join(flags) or "none")
            elif aspect.text in _CLAIM and isinstance(value, Scalar):
                if aspect.text == "changes_on" and value.text != "none" and not _is_day(value.text):
                    self._problems.add(aspect.line, f"'{value.text}' is no day; write 2026-05-01, or none")
                yield Claim(aspect.line, key.text, aspect.text, value.text)

    def _claim(
        self, key: Scalar, criterion: str, aspect: str, value: Node, allowed: tuple[str, ...]
    ) -> Iterator[Claim]:
        if isinstance(value, Scalar) and value.text in allowed:
            yield Claim(key.line, criterion, aspect, value.text)
            return
        said = value.text if isinstance(value, Scalar) else ""
        hint = nearest(said, allowed)
        self._problems.add(key.line, f"'{said}' is no {aspect}; write one of {', '.join(allowed)}.{hint}")


def _wrong_person(word: str, text: str) -> str | None:
    if word != "gender":
        return wrong_date(text)
    return None if text in _GENDERS else f"'{text}' is no gender; write one of {', '.join(_GENDERS)}, or none"


def _records_of(node: Mapping, problems: Problems) -> dict[str, tuple[Scalar, Mapping]]:
    found: dict[str, tuple[Scalar, Mapping]] = {}
    for key, record in _mapping(node, "records", problems).entries:
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


def _only(node: Mapping, allowed: Iterable[str], what: str, problems: Problems) -> None:
    words = tuple(allowed)
    for key, _ in node.entries:
        if key.text not in words:
            hint = nearest(key.text, words)
            problems.add(key.line, f"{what} has no '{key.text}'; it may say {', '.join(words)}.{hint}")


def _mapping(node: Mapping, key: str, problems: Problems) -> Mapping:
    value = node.get(key)
    if isinstance(value, Mapping):
        return value
    if value is not None:
        problems.add(node.line_of(key), f"'{key}' is a list of words with a value each, as 'name: value'")
    return Mapping((), node.line)


def _text(node: Mapping, key: str, problems: Problems) -> str | None:
    value = node.get(key)
    if isinstance(value, Scalar) and value.text:
        return value.text
    problems.add(node.line_of(key), f"'{key}' is missing; write '{key}:' and one text")
    return None


def _texts(node: Mapping, key: str, problems: Problems) -> tuple[Scalar, ...]:
    value = node.get(key)
    if value is None:
        return ()
    if isinstance(value, Sequence) and all(isinstance(item, Scalar) for item in value.items):
        return tuple(item for item in value.items if isinstance(item, Scalar))
    problems.add(node.line_of(key), f"'{key}' is a list, as [first, second]")
    return ()


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return _DAY.fullmatch(text) is not None


def _day(node: Mapping, key: str, problems: Problems) -> date | None:
    text = _text(node, key, problems)
    if text is None or _is_day(text):
        return None if text is None else date.fromisoformat(text)
    problems.add(node.line_of(key), f"'{text}' is no day; write the index date as 2026-05-01")
    return None
