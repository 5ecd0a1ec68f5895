"""The lists that a night has published, opened to be read by many threads; the night never writes to them again."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from threading import Condition
from typing import Any, NamedTuple

import duckdb

from cohortfinder.errors import ReadWriteError
from cohortfinder.sql.dialect import Dialect
from cohortfinder.sql.environment import render
from cohortfinder.warehouse.confined import confined
from cohortfinder.warehouse.record_codes import RECORD_CODES

_MEMORY = "512MB"


class ListedRow(NamedTuple):
    """A patient on the list of an arm; see candidates.csv."""

    patient_id: str
    arm: str
    rank: int | None
    status: str
    score: float | None
    passed: int
    failed: int
    unknown: int
    judgement: int
    eligible_from: date | None
    next_step: str | None
    last_contact: date | None
    near_miss: bool


class ListedVerdict(NamedTuple):
    """A verdict on a patient of an arm; see verdicts.csv. `evidence` is JSON."""

    arm: str
    criterion_id: str
    kind: str
    verdict: str
    certainty: str
    reason: str
    flags: str
    evidence: str
    changes_on: date | None


class Missing(NamedTuple):
    """A criterion of a patient that data could settle and do not."""

    patient_id: str
    arm: str
    criterion_id: str


class ListedStep(NamedTuple):
    """One step that would settle something of a patient; see next_steps.csv."""

    arm: str
    step: int
    test: str
    label: str
    work: str
    minutes: str | None
    settles: str | None
    may_settle: str | None


class ListedTurn(NamedTuple):
    """What changes for a patient on a day by time alone; see outlook.csv."""

    arm: str
    date: date
    criterion_id: str
    turns_from: str
    turns_to: str
    reason: str
    status_from: str
    status_to: str


class ClinicStep(NamedTuple):
    """A test and whom it settles; see clinic_steps.csv."""

    test: str
    label: str
    work: str
    minutes: str | None
    people: str
    candidates: str
    ends: str
    passes: str
    per_hour: str
    criteria: str
    whom: str


class PublishedLists:
    """The tables of one `lists.duckdb`. Every method raises ReadWriteError where the file cannot be read."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._quiet, self._asking, self._closed = Condition(), 0, False
        config: dict[str, str | bool | int | float | list[str]] = {
            # a question about one patient is too small for two threads, and pages need the processors
            "memory_limit": _MEMORY, "threads": 1, "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }  # fmt: skip
        try:
            self._connection = confined(duckdb.connect(str(file), read_only=True, config=config), (file.parent,))
        except duckdb.Error as error:
            raise self._refused(error) from error

    def candidates(self, trial: str) -> tuple[ListedRow, ...]:
        """Return who is listed for a trial, in the order of the list."""
        return tuple(ListedRow(*row) for row in self._rows("candidates", trial=trial))

    def missing(self, trial: str) -> tuple[Missing, ...]:
        """Return what data could settle and do not, of everybody."""
        return tuple(Missing(*row) for row in self._rows("missing", trial=trial))

    def verdicts(self, trial: str, patient_id: str) -> tuple[ListedVerdict, ...]:
        """Return the verdicts on a patient; none when nobody of that id is listed."""
        return tuple(ListedVerdict(*row) for row in self._rows("verdicts", trial=trial, patient_id=patient_id))

    def next_steps(self, trial: str, patient_id: str) -> tuple[ListedStep, ...]:
        """Return what would settle most of a patient."""
        return tuple(ListedStep(*row) for row in self._rows("next_steps", trial=trial, patient_id=patient_id))

    def outlook(self, trial: str, patient_id: str) -> tuple[ListedTurn, ...]:
        """Return what changes for a patient by time alone."""
        return tuple(ListedTurn(*row) for row in self._rows("outlook", trial=trial, patient_id=patient_id))

    def other_trials(self, trial: str) -> tuple[tuple[str, str], ...]:
        """Return who of a trial is listed for another one too: (patient, other trial)."""
        return tuple(self._rows("other_trials", trial=trial))

    def clinic_steps(self, trial: str) -> tuple[ClinicStep, ...]:
        """Return the tests, most settled in an hour first."""
        return tuple(ClinicStep(*row) for row in self._rows("clinic_steps", trial=trial))

    def codes(self, patient_id: str, resources: Collection[str]) -> tuple[str, ...]:
        """Return with which codes some records of a patient came, as system|code; none on a list without them."""
        file = self._file.with_name(RECORD_CODES)
        if not resources or not file.is_file():
            return ()
        rows = self._rows("record_codes", file=str(file), patient_id=patient_id, resources=sorted(resources))
        return tuple(f"{system}|{code}" for system, code in rows)

    def close(self) -> None:
        """Let go of the file once nobody is asking; who asks later is refused."""
        with self._quiet:
            self._closed = True
            self._quiet.wait_for(lambda: self._asking == 0)
            self._connection.close()

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self._quiet:
            if self._closed:
                raise ReadWriteError(f"{self._file}: this list was changed while the page was made; load it again")
            self._asking += 1
        try:
            yield
        finally:
            with self._quiet:
                self._asking -= 1
                self._quiet.notify_all()

    def _rows(self, question: str, **values: str | list[str]) -> list[tuple[Any, ...]]:
        asked = render(f"review/{question}.sql.jinja", dialect=Dialect.DUCKDB, **values)
        try:
            # a cursor of its own for each question: threads ask side by side
            with self._open(), self._connection.cursor() as cursor:
                return cursor.execute(asked.text, asked.parameters).fetchall()
        except duckdb.Error as error:
            raise self._refused(error) from error

    def _refused(self, error: duckdb.Error) -> ReadWriteError:
        return ReadWriteError(
            f"{self._file}: the published list cannot be read ({str(error).splitlines()[0]}); return to an earlier "
            "one: cohortfinder rollback"
        )
