"""A CSV file of people's answers and of how screenings ended to values, or every problem with its line."""

import csv
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dictionary
from datetime import datetime
from hashlib import sha256
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

from cohortfinder.errors import InputError
from cohortfinder.model import Answer, Answers, Criterion, Outcome, Trial, Truth
from cohortfinder.trials.problems import Problems, nearest

COLUMNS = ("patient_id", "arm", "criterion_id", "answer", "by", "at", "note")
ANSWERS: Dictionary[str, Truth] = {"yes": True, "no": False, "not sure": None}
# the word of a patient who takes no part for another reason than the criteria says nothing of them
OUTCOMES: Dictionary[str, Truth] = {
    "eligible": True, "enrolled": True, "ineligible": False, "declined": None, "not sure": None,
}  # fmt: skip
OUTCOME, PARAMETER = "outcome", "parameter:"
_FORMULA_STARTS = tuple("=+-@\t\r\n")
Row = dict[str, str]


def read_answers(path: Path, trial: Trial) -> Answers:
    """Read a file of answers, each with who gave it and when.

    Raises InputError when there is no such file, TrialError with everything that is wrong in it.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file of answers; correct the path after --answers") from error
    return parse_answers(content, source=str(path), trial=trial)


def parse_answers(content: bytes, *, source: str, trial: Trial) -> Answers:
    """Read the bytes of a file of answers; see `read_answers`."""
    problems = Problems(source)
    reader = _Reader(trial, problems)
    for line, row in _rows(content, problems):
        reader.take(line, row)
    problems.raise_if_any()
    return Answers(
        source=source,
        sha256=sha256(content).hexdigest(),
        answers=tuple(sorted(reader.answers, key=lambda one: (one.at, one.line))),
        outcomes=tuple(sorted(reader.outcomes, key=lambda one: (one.at, one.line))),
        warnings=reader.warnings,
    )


def with_rows(content: bytes, rows: Iterable[Row]) -> bytes:
    """Return a file of answers that can be read, or an empty one, with more rows."""
    text = StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    if content:
        writer.writerows(row for _, row in _rows(content, Problems("")))
    writer.writerows(rows)
    return text.getvalue().encode()


def _rows(content: bytes, problems: Problems) -> Iterator[tuple[int, Row]]:
    """Yield the rows of the table with their lines; a table that is none is noted."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.add(content.count(b"\n", 0, error.start) + 1, "this is not UTF-8; save the file as CSV in UTF-8")
        return
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if (wrong := _wrong_header(header)) is not None:
            problems.add(1, wrong)
            return
        for cells in reader:
            if len(cells) == len(header):
                yield reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=True))
            elif any(cells):
                message = f"{len(cells)} cells where {len(header)} belong; quote a text that holds a comma"
                problems.add(reader.line_num, message)
    except csv.Error as error:
        problems.add(reader.line_num, f"this cannot be read as CSV ({error}); check the quotes")


def _wrong_header(header: list[str]) -> str | None:
    for name in header:
        if name not in COLUMNS:
            return f"the columns are {', '.join(COLUMNS)}, with commas; '{name}' is none.{nearest(name, COLUMNS)}"
    missing = [name for name in COLUMNS if name not in header and name != "note"]
    if missing:
        return f"the column '{missing[0]}' is missing; the columns are {', '.join(COLUMNS)}"
    return "a column stands twice; remove one of them" if len(header) > len(set(header)) else None


class _Reader:
    """Reads row by row what was answered and how screenings ended."""

    def __init__(self, trial: Trial, problems: Problems) -> None:
        self._criteria = {criterion.id: criterion for criterion in trial.criteria}
        self._arms = tuple(arm.id for arm in trial.arms)
        self._trial, self._problems, self._zone = trial, problems, ZoneInfo(trial.time_zone)
        self.answers: list[Answer] = []
        self.outcomes: list[Outcome] = []
        self._parameters: list[int] = []

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was read and changes nothing."""
        if not self._parameters:
            return ()
        lines = ", ".join(str(line) for line in self._parameters[:5])
        return (
            f"Answers to parameters of a patient (line {lines}) change nothing: no rule of this trial asks for one.",
        )

    def take(self, line: int, row: Row) -> None:
        """Note one row, or what is wrong with it."""
        name = row["criterion_id"]
        if name.startswith(PARAMETER):
            self._parameters.append(line)
            return
        patient, at = self._patient(line, row), self._at(line, row["at"])
        truth = self._word(line, row["answer"], OUTCOMES if name == OUTCOME else ANSWERS)
        arms = self._arms_of(line, row["arm"], self._criterion(line, name))
        if not row["by"]:
            self._problems.add(line, "an answer needs 'by', the name of the person who gave it")
        if at is None:
            return
        for arm in arms:
            if name == OUTCOME:
                self.outcomes.append(Outcome(patient, arm, truth, at, line))
            else:
                note = row.get("note", "")
                self.answers.append(Answer(patient, arm, name, truth, row["by"], at, row["at"], note, line))

    def _patient(self, line: int, row: Row) -> str:
        name = row["patient_id"].removeprefix("Patient/")
        if not name:
            self._problems.add(line, "this answer is about nobody; write the patient_id of candidates.csv")
        # as our own tables write what a spreadsheet would run
        return name[1:] if name.startswith("'") and name[1:].startswith(_FORMULA_STARTS) else name

    def _criterion(self, line: int, name: str) -> Criterion | None:
        if name != OUTCOME and name not in self._criteria:
            near = nearest(name, (*self._criteria, OUTCOME)) or " See the ids in the trial file."
            self._problems.add(line, f"{self._trial.id} has no criterion '{name}'.{near}")
        return self._criteria.get(name)

    def _arms_of(self, line: int, arm: str, criterion: Criterion | None) -> tuple[str, ...]:
        """Return the arm, or where none is named all in which the criterion holds."""
        holds = criterion.arms if criterion else self._arms
        if not arm:
            return holds
        if arm not in self._arms:
            near = nearest(arm, self._arms) or f" It has {', '.join(self._arms)}."
            self._problems.add(line, f"{self._trial.id} has no arm '{arm}'.{near}")
        elif criterion and arm not in holds:
            self._problems.add(line, f"'{criterion.id}' does not hold in arm '{arm}', but in {', '.join(holds)}")
        return (arm,)

    def _word(self, line: int, text: str, words: Dictionary[str, Truth]) -> Truth:
        said = " ".join(text.replace("_", " ").casefold().split())
        if said not in words:
            known = ", ".join(words)
            self._problems.add(line, f"'{text}' is no answer; write one of {known}.{nearest(said, words)}")
        return words.get(said)

    def _at(self, line: int, text: str) -> datetime | None:
        """Return when it was, in the time zone of the trial; a day alone is its first moment."""
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            self._problems.add(
                line, f"'{text}' is no time; write when it was answered as 2026-11-20 or 2026-11-20T14:30"
            )
            return None
        return at.replace(tzinfo=self._zone) if at.tzinfo is None else at.astimezone(self._zone)
