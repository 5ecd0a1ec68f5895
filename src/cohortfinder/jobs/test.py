"""The job `test`: do the cases that stand beside a trial get the verdicts that they expect?"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from cohortfinder.errors import InputError, Problem, TrialError
from cohortfinder.gates import GateSettings
from cohortfinder.jobs.load import load
from cohortfinder.jobs.screen import read_terminology, read_trial, screen_store
from cohortfinder.model import Trial, with_reading
from cohortfinder.report.screening import Screening
from cohortfinder.report.verdict_rows import VerdictRow
from cohortfinder.settings import Settings
from cohortfinder.terminology import Terminology
from cohortfinder.trials.case_records import markers
from cohortfinder.trials.cases import Case, Cases, parse_cases
from cohortfinder.trials.claims import Claim
from cohortfinder.trials.library import read_text
from cohortfinder.trials.possible import possible_verdicts

DIFFERENT = 4
FOLDER = "cases"
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a case expects and did not get; `line` is that of the expectation, `defined_at` the criterion's place."""

    file: str
    line: int
    patient: str
    arm: str
    criterion: str
    aspect: str
    expected: str
    got: str
    reason: str
    defined_at: str


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of the cases of a trial; `untested` names the verdicts of a criterion that no case expects."""

    trial: Trial
    cases: Cases
    compared: int
    differences: tuple[Difference, ...]
    untested: Mapping[str, tuple[str, ...]]

    @property
    def exit_status(self) -> int:
        """0 when all is as expected, else 4."""
        return DIFFERENT if self.differences else 0


def run_cases(name: str, settings: Settings, *, cases: Path | None = None, log: Log = lambda _: None) -> CaseResult:
    """Screen the cases of a trial in a store of their own, and compare.

    `cases` is the file, by default the one of the same name in the folder `cases` beside the trial. Raises TrialError
    when the trial or its cases are wrong, InputError when there are none.
    """
    terminology = read_terminology(settings)
    trial = read_trial(name, terminology, settings)
    path = cases or Path(trial.source).parent / FOLDER / Path(trial.source).name
    given = _read_cases(trial, path, terminology)
    log(f"testing {trial.id} with {given.source} as of {given.as_of}")
    screening, others = _screened(trial, terminology, settings, given)
    differences, compared = _compared(trial, given, screening, others)
    return CaseResult(trial, given, compared, differences, _untested(trial, given))


def _read_cases(trial: Trial, path: Path, terminology: Terminology) -> Cases:
    try:
        text = read_text(path)
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: there is no such file with the cases of {trial.id}; write it, or name another with --cases"
        ) from error
    return parse_cases(text, source=str(path), trial=trial, systems=terminology.system_words)


def _screened(
    trial: Trial, terminology: Terminology, settings: Settings, cases: Cases
) -> tuple[Screening, tuple[VerdictRow, ...]]:
    """Load the patients into a store that lasts as long as the test, and evaluate all of them in every arm.

    The verdicts of other readings stand apart: they count in no status.
    """
    with tempfile.TemporaryDirectory(prefix="cohortfinder-test-") as scratch:
        made = Path(scratch) / "cases.ndjson"
        resources = [*markers(), *(one for case in cases.patients for one in case.resources)]
        made.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in resources))
        files = dict.fromkeys(case.file for case in cases.patients if case.file is not None)
        store = Path(scratch) / "store"
        loaded = load([made, *files], store, threads=settings.threads, memory_limit=settings.memory_limit)
        if loaded.quarantined:
            reasons = ", ".join(sorted(loaded.reasons))
            raise InputError(f"{cases.source}: {loaded.quarantined} records cannot be loaded ({reasons}); correct them")
        # the invented ones are test patients, and no list of the site names them
        own = replace(settings, store=store, gates=GateSettings(test_labels=None))
        screening = screen_store(trial, terminology, own, as_of=cases.as_of, everyone=True).screening
        other = _other_readings(trial, cases)
        if not other.criteria:
            return screening, ()
        return screening, screen_store(other, terminology, own, as_of=cases.as_of, everyone=True).screening.verdicts


def _other_readings(trial: Trial, cases: Cases) -> Trial:
    """Return the trial with nothing but the other readings that a case asks for, and the entries of its arms."""
    asked = {claim.asked for case in cases.patients for claim in case.claims}
    others = tuple(one for one in trial.other_readings if one.id in asked)
    entries = {arm.entry for arm in trial.arms} if others else set()
    return replace(trial, criteria=(*(one for one in trial.criteria if one.id in entries), *others))


def _compared(
    trial: Trial, cases: Cases, screening: Screening, others: tuple[VerdictRow, ...]
) -> tuple[tuple[Difference, ...], int]:
    rows = {(row.patient_id, row.arm, row.criterion.id): row for row in (*others, *screening.verdicts)}
    statuses: dict[tuple[str, str], str] = {(one.patient_id, one.arm): one.status for one in screening.candidates}
    _refuse_missing(cases, statuses)
    differences, compared = [], 0
    for case in cases.patients:
        for claim, arm in _asked(trial, case):
            row = rows.get((case.id, arm, claim.asked))
            got = statuses[(case.id, arm)] if row is None else _got(row, claim)
            compared += 1
            if not _agrees(row, claim, got):
                differences.append(_difference(trial, cases, case, arm, claim, got, row))
    return tuple(differences), compared


def _refuse_missing(cases: Cases, statuses: Mapping[tuple[str, str], str]) -> None:
    known = {patient for patient, _ in statuses}
    problems = tuple(
        Problem(
            cases.source,
            case.line,
            f"the patient '{case.id}' is not evaluated: deceased, replaced by another record, or not in the file; "
            "correct the id or the data",
        )
        for case in cases.patients
        if case.id not in known and case.claims
    )
    if problems:
        raise TrialError(problems)


def _asked(trial: Trial, case: Case) -> Iterator[tuple[Claim, str]]:
    """Yield each claim in each arm of the case in which its criterion holds."""
    arms_of = {criterion.id: criterion.arms for criterion in trial.criteria}
    for claim in case.claims:
        for arm in case.arms:
            if not claim.criterion or arm in arms_of[claim.criterion]:
                yield claim, arm


def _got(row: VerdictRow, claim: Claim) -> str:
    if claim.aspect == "verdict":
        return row.verdict
    if claim.aspect == "flags":
        return ", ".join(sorted(row.flags)) or "none"
    if claim.aspect == "changes_on":
        return str(row.changes_on or "none")
    return ", ".join(row.codes) or "none"


def _agrees(row: VerdictRow | None, claim: Claim, got: str) -> bool:
    """A reason agrees by one of its codes, or when its sentence holds the words."""
    if row is None or claim.aspect != "reason":
        return got == claim.expected
    return claim.expected in row.codes or claim.expected.casefold() in row.reason.casefold()


def _difference(
    trial: Trial, cases: Cases, case: Case, arm: str, claim: Claim, got: str, row: VerdictRow | None
) -> Difference:
    place = f"{trial.source}:{row.criterion.line}" if row else trial.source
    return Difference(
        cases.source, claim.line, case.id, arm, claim.asked, claim.aspect, claim.expected, got,
        row.reason if row else "", place,
    )  # fmt: skip


def _untested(trial: Trial, cases: Cases) -> dict[str, tuple[str, ...]]:
    """Name the verdicts that a criterion can get and no case expects, and the readings that no case asks for."""
    claims = [claim for case in cases.patients for claim in case.claims]
    expected = {(claim.asked, claim.expected) for claim in claims if claim.aspect == "verdict"}
    asked = {claim.asked for claim in claims}
    found: dict[str, tuple[str, ...]] = {}
    for criterion in trial.criteria:
        verdicts = [verdict for verdict in possible_verdicts(criterion) if (criterion.id, verdict) not in expected]
        readings = [
            f"{reading.parameter} = {value}"
            for reading in criterion.readings
            for value in reading.others
            if with_reading(criterion.id, {reading.parameter: value}) not in asked
        ]
        if verdicts or readings:
            found[criterion.id] = (*verdicts, *readings)
    return found
