"""The job `dummy`: invented patients who meet, just miss or leave open each criterion, from the trial definition."""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from cohortfinder.dummy.case_file import HEAD, Expected, case_file, why
from cohortfinder.dummy.chart import Chart
from cohortfinder.dummy.files import FOLDER, writing
from cohortfinder.dummy.formulas import Tries
from cohortfinder.dummy.history import varied, with_history
from cohortfinder.dummy.patients import Aim, Casting, aims_of
from cohortfinder.dummy.resources import META, resources_of
from cohortfinder.dummy.scene import Scene
from cohortfinder.dummy.solve import Solver
from cohortfinder.dummy.trying import Ask, Said, Tried, reach, reaches, verdicts_in
from cohortfinder.engine.questions import concepts_of, formula_declaration
from cohortfinder.errors import InputError
from cohortfinder.jobs.dummy_verdicts import tried_formulas, verdicts
from cohortfinder.model import Trial, leaves_of, rules_of
from cohortfinder.report.files import make_folder, replacing
from cohortfinder.settings import Settings
from cohortfinder.terminology import Terminology
from cohortfinder.trials.case_records import NOBODY, markers
from cohortfinder.trials.claims import VERDICTS
from cohortfinder.trials.possible import possible_verdicts

CASES = "cases.yaml"
# so many different patients are looked for of one aim, and in all; more are copies of these with other earlier results
_EACH, _DIFFERENT = 8, 1000
_NO_ID, _LONGEST = re.compile(r"[^A-Za-z0-9.-]+"), 24
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted: how many patients (None for one of each aim), with how many years of history, from which seed."""

    count: int | None = None
    history: int = 0
    seed: int = 0
    form: str = "bundle"


@dataclass(frozen=True, slots=True)
class Made:
    """An invented patient; `verdicts` are those of the engine in the arm of the aim."""

    id: str
    aim: Aim
    chart: Chart
    verdicts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a verdict that a criterion shall get: how many patients reach it; else what they got instead."""

    criterion: str
    verdict: str
    patients: int
    got: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DummyResult:
    """The patients of a trial as they were checked, how many were written, and what was reached.

    `incomplete` names by arm the criteria that its typical patient does not pass, with the verdict.
    """

    trial: Trial
    as_of: date
    made: tuple[Made, ...]
    written: int
    outcomes: tuple[Outcome, ...]
    incomplete: Mapping[str, Mapping[str, str]]

    @property
    def reached(self) -> tuple[Outcome, ...]:
        """The verdicts that some patient reaches."""
        return tuple(one for one in self.outcomes if one.patients)

    @property
    def missed(self) -> tuple[Outcome, ...]:
        """The verdicts that no patient reaches."""
        return tuple(one for one in self.outcomes if not one.patients)

    @property
    def not_possible(self) -> dict[str, tuple[str, ...]]:
        """The verdicts that the rule of a criterion cannot give, whatever the records say: a person decides."""
        possible = {one.id: possible_verdicts(one) or ("unknown",) for one in self.trial.criteria}
        left = {name: tuple(one for one in VERDICTS if one not in can) for name, can in possible.items()}
        return {name: verdicts for name, verdicts in left.items() if verdicts}

    @property
    def exit_status(self) -> int:
        """0, or 3 when some verdict was not reached."""
        return 3 if self.missed else 0


def dummy(
    trial: Trial,
    terminology: Terminology,
    settings: Settings,
    *,
    as_of: date,
    wish: Wish,
    out: Path | None = None,
    log: Log = lambda _: None,
) -> DummyResult:
    """Invent patients for a trial, ask the engine what they get, and write those who got what they were made for.

    Raises InputError when `out` holds something else.
    """
    if out is not None:
        _clear(out)
    log(f"trying out formulas of {trial.id}")
    casting = _casting(trial, terminology, as_of, settings)
    aims = _aims(trial, wish.count)
    log(f"inventing patients for {len(aims)} aims")

    def ask(charts: Mapping[str, Chart]) -> Said:
        return verdicts(trial, charts, casting.scene, settings)

    tried = reach(casting, aims, ask, each=_each(wish, aims))
    checked = _named(tried, wish, trial)
    if wish.history:
        log(f"asking again for {len(checked)} patients with their histories")
        checked = _aged(checked, casting.scene, wish, ask)
    made = tuple(one for one in checked if reaches(one.aim, one.verdicts))
    written = _write(out, made, casting.scene, wish) if out is not None else 0
    return DummyResult(trial, as_of, made, written, _outcomes(tried, checked), _incomplete(trial, made))


def _casting(trial: Trial, terminology: Terminology, as_of: date, settings: Settings) -> Casting:
    """Return what finds charts for the trial, its formulas tried out."""
    leaves = [leaf for criterion in trial.criteria for rule in rules_of(criterion) for leaf in leaves_of(rule)]
    formulas = {leaf.question.formula for leaf in leaves if leaf.kind == "formula"}
    scene = Scene(
        trial,
        terminology,
        as_of,
        formulas={name: formula_declaration(name) for name in sorted(formulas)},
        rests_on=frozenset(name for leaf in leaves for name in concepts_of(leaf)),
    )
    tries: Tries = tried_formulas(scene, settings)
    return Casting(trial, Solver(replace(scene, tried=tries)))


def _aims(trial: Trial, count: int | None) -> list[Aim]:
    """Return the aims: each verdict of each criterion in one arm, or as many as there shall be patients."""
    first, *others = aims_of(trial)
    return first if count is None else [*first, *(aim for turn in others for aim in turn)][:count]


def _each(wish: Wish, aims: list[Aim]) -> int:
    if wish.count is None:
        return 1
    return max(1, min(-(-wish.count // len(aims)), _EACH, _DIFFERENT // len(aims)))


def _named(tried: list[Tried], wish: Wish, trial: Trial) -> tuple[Made, ...]:
    """Name the patients: first one of each aim, then a second one of each that has one."""
    turns = max((len(one.reached) for one in tried), default=0)
    found = [(one.aim, one.reached[turn]) for turn in range(turns) for one in tried if turn < len(one.reached)]
    kept = found if wish.count is None else found[: wish.count]
    numbered = enumerate(kept, start=1)
    return tuple(Made(_id(trial, number), aim, one.chart, one.verdicts) for number, (aim, one) in numbered)


def _aged(made: tuple[Made, ...], scene: Scene, wish: Wish, ask: Ask) -> tuple[Made, ...]:
    """Return the patients with a history, and the verdicts that they get with it."""
    charts = {one.id: with_history(one.chart, scene, wish.history, f"{wish.seed}-{one.id}") for one in made}
    said = ask(charts)
    return tuple(
        replace(one, chart=charts[one.id], verdicts=verdicts_in(scene.trial, one.aim.arm, one.id, said)) for one in made
    )


def _id(trial: Trial, number: int) -> str:
    """Return an id that FHIR and a case file allow, and that no patient of another trial has."""
    return f"{_NO_ID.sub('-', trial.id)[:_LONGEST]}-dummy-{number:05}"


def _outcomes(tried: Iterable[Tried], checked: tuple[Made, ...]) -> tuple[Outcome, ...]:
    asked = dict.fromkeys((one.aim.criterion, one.aim.verdict) for one in tried if one.aim.criterion)
    reached = Counter((one.aim.criterion, one.aim.verdict) for one in checked if reaches(one.aim, one.verdicts))
    lost = [(one.aim, one.verdicts[one.aim.criterion]) for one in checked if not reaches(one.aim, one.verdicts)]
    missed = [(one.aim, verdict) for one in tried for verdict in one.missed]
    got: dict[tuple[str, str], set[str]] = {key: set() for key in asked}
    for aim, verdict in (*missed, *lost):
        got[(aim.criterion, aim.verdict)].add(verdict)
    return tuple(Outcome(*key, reached[key], tuple(sorted(got[key]))) for key in asked)


def _incomplete(trial: Trial, made: tuple[Made, ...]) -> dict[str, dict[str, str]]:
    """Name what the typical patient of each arm does not pass, though a rule could let it."""
    can_pass = {criterion.id for criterion in trial.criteria if "pass" in possible_verdicts(criterion)}
    return {
        one.aim.arm: {name: got for name, got in one.verdicts.items() if got != "pass" and name in can_pass}
        for one in made
        if not one.aim.criterion
    }


def _clear(out: Path) -> None:
    """Make the folder, and remove what an earlier run left in it. Raises InputError when something else is there."""
    if out.is_dir() and any(out.iterdir()) and not _is_ours(out / CASES):
        raise InputError(f"{out}: this folder holds something else than invented patients; name another with --out")
    make_folder(out)
    shutil.rmtree(out / FOLDER, ignore_errors=True)
    make_folder(out / FOLDER)


def _is_ours(cases: Path) -> bool:
    return cases.is_file() and cases.read_bytes().startswith(HEAD.encode())


def _write(out: Path, made: tuple[Made, ...], scene: Scene, wish: Wish) -> int:
    """Write the patients that were checked, then copies of them, each with a history of its own."""
    written = 0
    with writing(out / FOLDER, wish.form) as writer:
        writer.add(NOBODY, ({**marker, "meta": META} for marker in markers()))
        for one, chart in _everybody(made, scene, wish):
            writer.add(one.id, resources_of(chart, one.id, why(one.aim), scene))
            written += 1
        cases = [Expected(one.id, writer.file_of(one.id), one.aim, _expected(one)) for one in made]
    with replacing(out / CASES) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(case_file(scene.trial, scene.as_of, cases))
    return written


def _everybody(made: tuple[Made, ...], scene: Scene, wish: Wish) -> Iterator[tuple[Made, Chart]]:
    for one in made:
        yield one, one.chart
    for number in range(len(made) + 1, (wish.count or 0) + 1 if made else 0):
        one, name = made[(number - 1) % len(made)], _id(scene.trial, number)
        yield replace(one, id=name), varied(one.chart, scene, f"{wish.seed}-{name}")


def _expected(one: Made) -> dict[str, str]:
    """Return what to expect of a patient: all that the typical one passes, else the one verdict that is aimed at."""
    if one.aim.criterion:
        return {one.aim.criterion: one.aim.verdict}
    return {name: got for name, got in one.verdicts.items() if got == "pass"}
