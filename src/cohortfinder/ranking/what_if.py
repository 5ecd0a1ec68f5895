"""How many candidates other numbers in the criteria would give, as curves: one a number and arm."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from duckdb import DuckDBPyConnection

from cohortfinder.engine.grids import days_of
from cohortfinder.engine.numbers import Value, written_text
from cohortfinder.engine.what_if import Curve, variant_rows
from cohortfinder.model import Duration, Quantity, Trial


@dataclass(frozen=True, slots=True)
class WhatIfPoint:
    """What one value would give in an arm: candidates are those whom no criterion excludes, `more` than now.

    `passes` of them pass the criterion, of `unknown` it is not known: the truth lies between `passes` and both
    together. `place` is where the value stands on an axis: a titre by its doublings, a span by its days.
    """

    value: str
    place: float
    in_force: bool
    eligible: int
    possible: int
    candidates: int
    more: int
    passes: int
    unknown: int


@dataclass(frozen=True, slots=True)
class WhatIfCurve:
    """A number of a criterion in an arm: `leaf` and `word` say where it stands, `about` of what it is a number."""

    criterion_id: str
    arm: str
    leaf: str
    about: str
    word: str
    points: tuple[WhatIfPoint, ...]

    @property
    def now(self) -> WhatIfPoint:
        """The value in force."""
        return next(point for point in self.points if point.in_force)

    @property
    def range(self) -> int:
        """By how many candidates the values differ."""
        counts = [point.candidates for point in self.points]
        return max(counts) - min(counts)


def read_what_if(connection: DuckDBPyConnection, trial: Trial, curves: Sequence[Curve]) -> tuple[WhatIfCurve, ...]:
    """Return what `ask_variants` found, in the order of the protocol and of the arms."""
    rows = variant_rows(connection, trial)
    together = groupby(rows, key=lambda row: (row[0], row[2]))
    return tuple(_curve(curves[number], arm, [tuple(row) for row in own]) for (number, arm), own in together)


def _curve(curve: Curve, arm: str, rows: Sequence[tuple[int | str, ...]]) -> WhatIfCurve:
    written = curve.written
    return WhatIfCurve(
        criterion_id=written.criterion.id,
        arm=arm,
        leaf=written.leaves[0].id,
        about=written.about,
        word=written.word,
        points=tuple(_points(curve, rows)),
    )


def _points(curve: Curve, rows: Sequence[tuple[int | str, ...]]) -> Iterator[WhatIfPoint]:
    counts = {int(place): tuple(map(int, numbers)) for _, place, _, *numbers in rows}
    now = sum(counts[curve.values.index(curve.written.value)][:2])
    for place, value in enumerate(curve.values):
        eligible, possible, passes, unknown = counts[place]
        yield WhatIfPoint(
            value=written_text(value),
            place=_place(value),
            in_force=value == curve.written.value,
            eligible=eligible,
            possible=possible,
            candidates=eligible + possible,
            more=eligible + possible - now,
            passes=passes,
            unknown=unknown,
        )


def _place(value: Value) -> float:
    if isinstance(value, Duration):
        return float(days_of(value))
    if isinstance(value, Quantity):
        return math.log2(value.value) if value.unit == "{titer}" else float(value.value)
    return float(value)
