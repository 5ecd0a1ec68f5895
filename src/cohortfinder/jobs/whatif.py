"""The job `whatif`: one criterion of a trial to how many candidates other numbers in it would give."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cohortfinder.criteria.question import parse_duration, parse_quantity, parse_whole
from cohortfinder.engine.grids import grid, in_order
from cohortfinder.engine.numbers import Value, Written, written_in
from cohortfinder.engine.screening import screen
from cohortfinder.engine.sources import codes_of
from cohortfinder.engine.what_if import Choose, ask_variants, variable
from cohortfinder.errors import InputError, UsageError
from cohortfinder.gates import read_gates
from cohortfinder.jobs.answers import NO_ANSWERS, answer_warnings
from cohortfinder.jobs.gates import gate_warnings
from cohortfinder.jobs.screen import Log
from cohortfinder.jobs.screened import data_warnings, known_types
from cohortfinder.model import Answers, Criterion, Duration, Quantity, Trial
from cohortfinder.ranking.what_if import WhatIfCurve, read_what_if
from cohortfinder.settings import Settings
from cohortfinder.terminology import Terminology
from cohortfinder.trials.problems import nearest
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.state import loaded_types


@dataclass(frozen=True, slots=True)
class WhatIfResult:
    """The curves of a criterion; `warnings` say why the data may be incomplete."""

    trial: Trial
    as_of: date
    criterion: Criterion
    curves: tuple[WhatIfCurve, ...]
    warnings: tuple[str, ...]

    @property
    def exit_status(self) -> int:
        """0, or 3 when the data are known to be incomplete."""
        return 3 if self.warnings else 0


def what_if(
    trial: Trial,
    terminology: Terminology,
    settings: Settings,
    *,
    criterion: str,
    as_of: date,
    values: Sequence[str] = (),
    answers: Answers = NO_ANSWERS,
    log: Log = lambda _: None,
) -> WhatIfResult:
    """Screen the store, then ask the criterion with other numbers: `values` as a trial file has them, else a grid.
    `answers` of people decide their criteria, whatever the number.

    Raises InputError when the trial has no such criterion or it has no number, UsageError for a value that fits none.
    """
    chosen = _criterion(trial, criterion)
    choose = _choice(chosen, values)
    with open_warehouse(
        settings.store, read_only=True, memory_limit=settings.memory_limit, threads=settings.threads
    ) as connection:
        states = loaded_types(connection)
        known = known_types(states, codes_of(trial, terminology))
        log(f"screening {trial.id} as of {as_of}")
        # nobody asks here when a verdict changes by itself
        gates = read_gates(settings.gates)
        screen(
            connection, trial, terminology, as_of=as_of, loaded=known, gates=gates, answers=answers.answers,
            horizon_years=0,
        )  # fmt: skip
        asked = ask_variants(
            connection, trial, terminology, as_of=as_of, loaded=known, criteria={chosen.id}, choose=choose
        )
        curves = asked or ()
        warnings = (
            *data_warnings(states, codes_of(trial, terminology)),
            *gate_warnings(connection, gates),
            *answer_warnings(connection, answers),
        )
        return WhatIfResult(trial, as_of, chosen, read_what_if(connection, trial, curves), warnings)


def _criterion(trial: Trial, name: str) -> Criterion:
    by_id = {one.id: one for one in trial.criteria}
    if name not in by_id:
        hint = nearest(name, by_id) or " See the ids in the trial file."
        raise InputError(f"{name}: {trial.id} has no such criterion.{hint}")
    if name in {arm.entry for arm in trial.arms}:
        raise InputError(
            f"{name} decides who is listed in an arm, so nobody else was asked the other criteria; change it in a copy "
            "of the trial file and screen with that"
        )
    if by_id[name] not in variable(trial):
        raise InputError(f"{name} has no number and no span of time that could be another")
    return by_id[name]


def _choice(criterion: Criterion, values: Sequence[str]) -> Choose:
    """Return how to choose values: where some were given, each goes to the numbers of its kind and unit."""
    if not values:
        return lambda written, seen: grid(written.value, seen)
    numbers = [one.value for one in written_in(criterion)]
    given = [_read(text) for text in values]
    for text, value in zip(values, given, strict=True):
        if all(_as_kind_of(number, value) is None for number in numbers):
            raise UsageError(
                f"--at {text!r} fits no number of {criterion.id}; write it with its unit, as the trial file does"
            )
    return lambda written, _: _with(written, given)


def _with(written: Written, given: Sequence[Value]) -> tuple[Value, ...]:
    fitting = (_as_kind_of(written.value, value) for value in given)
    return in_order({written.value, *(value for value in fitting if value is not None)})


def _as_kind_of(number: Value, value: Value) -> Value | None:
    """Return a value as one that may stand in the place of a number; None where it is of another kind or unit."""
    if isinstance(number, Quantity) and isinstance(value, int):
        value = Quantity(Decimal(value))
    if isinstance(number, Quantity) and isinstance(value, Quantity):
        return value if value.unit == number.unit else None
    return value if type(value) is type(number) else None


def _read(text: str) -> Value:
    """Read a value as a trial file has it.

    Raises UsageError for what is none.
    """
    for read in (parse_whole, parse_duration, parse_quantity):
        try:
            value = read(text)
        except ValueError:
            continue
        assert isinstance(value, Quantity | Duration | int)
        return value
    raise UsageError(f"--at {text!r} is no number and no span of time; write for example 6, '30 mL/min' or '60 days'")
