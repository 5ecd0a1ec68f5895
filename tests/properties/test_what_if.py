"""For every small trial and hospital, another number gives the statuses of a screening with a rule that has it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohortfinder.engine.numbers import Value, Written
from cohortfinder.engine.screening import screen
from cohortfinder.engine.what_if import ask_variants
from cohortfinder.model import Trial
from cohortfinder.ranking.candidates import rank
from cohortfinder.ranking.what_if import WhatIfCurve, read_what_if
from length import AT_LENGTH
from properties.engine import screened, terminology
from properties.moments import AS_OFS
from properties.resources import drawn, hospital
from properties.trials import a_trial, rules

# asked of everyone with a birth date
ENTRY = {"age": {"at_least": "1"}}
LEAVES = (
    "age",
    "observation",
    "series",
    "change",
    "condition",
    "medication",
    "dose",
    "treatment",
    "procedure",
    "study",
    "formula",
)
SEEDS = 8 if AT_LENGTH else 1
SCREENED = 3


def statuses(connection: duckdb.DuckDBPyConnection, trial: Trial, as_of: date) -> Counter[str]:
    """Count the candidates of a screening."""
    rank(connection, trial, as_of)
    return Counter(status for (status,) in connection.execute("SELECT status FROM candidate").fetchall())


def changed(trial: Trial, written: Written, value: Value) -> Trial:
    """Return the trial with another number in its rule."""
    rule = written.rules(value)[written.criterion.id]
    return replace(
        trial,
        criteria=tuple(replace(one, rule=rule) if one.id == written.criterion.id else one for one in trial.criteria),
    )


def told(curves: tuple[WhatIfCurve, ...], numbers: Any) -> Iterator[tuple[Written, Value, int, int, int]]:
    """Yield each number and value with how many would be eligible, possible, and more than now."""
    for curve, number in zip(curves, numbers, strict=True):
        for point, value in zip(curve.points, number.values, strict=True):
            yield number.written, value, point.eligible, point.possible, point.more


@pytest.mark.parametrize("seed", range(SEEDS))
def test_another_number_gives_the_statuses_of_a_screening_with_it(folder: Path, seed: int) -> None:
    connection = duckdb.connect()
    as_of = AS_OFS[seed % len(AS_OFS)]
    resources = hospital(as_of, 60, seed)
    some = drawn(rules(LEAVES, 1), 3 * SEEDS)[seed::SEEDS]
    trial = a_trial([ENTRY, *some])
    screened(connection, trial, resources, folder, as_of, everyone=False)
    now = statuses(connection, trial, as_of)
    loaded = dict.fromkeys({one["resourceType"] for one in resources}, True)
    numbers = ask_variants(connection, trial, terminology(), as_of=as_of, loaded=loaded)
    every = list(told(read_what_if(connection, trial, numbers), numbers))
    assert {(eligible, possible) for written, value, eligible, possible, _ in every if value == written.value} <= {
        (now["eligible"], now["possible"])
    }
    moving = sorted((one for one in every if one[1] != one[0].value), key=lambda one: -abs(one[4]))
    # not every three rules have a number that matters
    assert moving[0][4] or seed, "the first trial that is drawn has no number that matters"
    for written, value, eligible, possible, _ in moving[: SCREENED - 1] + moving[-1:]:
        other = changed(trial, written, value)
        connection.execute("USE memory")  # where the typed tables are
        screen(connection, other, terminology(), as_of=as_of, loaded=loaded, horizon_years=0)
        found = statuses(connection, other, as_of)
        assert (found["eligible"], found["possible"]) == (eligible, possible), (
            written.criterion.id,
            written.word,
            value,
        )
