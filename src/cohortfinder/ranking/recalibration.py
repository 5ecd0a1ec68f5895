"""Scores with their outcomes to a line on the logit that corrects a score, and to how well it does on unseen ones."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

# no score is taken as more certain than this
_SURE = 0.995
# the invented outcomes that confirm the score lie at these
_CONFIRMED = tuple(number / 20 for number in range(1, 20))
_FOLDS = 10
_STEPS = 50
_NEAR = 1e-10
# logit of the score, which part of it passed, and its weight
_Point = tuple[float, float, float]


class Ended(NamedTuple):
    """The score of a candidate before anybody looked, and whether the screening was passed."""

    score: float
    passed: bool


@dataclass(frozen=True, slots=True)
class LogitMap:
    """A straight line on the logit of a score. It never falls, so that it keeps the order of the list."""

    slope: float
    shift: float

    def of(self, score: float) -> float:
        """Return the corrected chance; what fails a criterion keeps 0."""
        return 0.0 if score <= 0 else _logistic(self.slope * _logit(score) + self.shift)


def fit(ended: Sequence[Ended], weight: float) -> LogitMap:
    """Fit the line by likelihood, with `weight` invented outcomes that turn out exactly as the score says.

    These lie evenly over all scores. Where the outcomes run against the score, the line is level.
    Source: J. Platt, Probabilistic outputs for support vector machines, 1999; D. R. Cox, Two further applications of a
    model for binary regression, Biometrika 45 (1958) 562-565.
    """
    invented = [(_logit(score), score, weight / len(_CONFIRMED)) for score in _CONFIRMED]
    points = [*((_logit(score), float(passed), 1.0) for score, passed in ended), *invented]
    found = _fitted(points, LogitMap(1.0, 0.0))
    return found if found.slope > 0 else _fitted(points, LogitMap(0.0, 0.0), level=True)


def _fitted(points: Sequence[_Point], start: LogitMap, *, level: bool = False) -> LogitMap:
    """Climb to the greatest likelihood by Newton's steps."""
    at = start
    for _ in range(_STEPS):
        slope, shift = _newton_step(points, at, level=level)
        if abs(slope) + abs(shift) < _NEAR:
            break
        at = _upwards(points, at, slope, shift)
    return at


def _upwards(points: Sequence[_Point], at: LogitMap, slope: float, shift: float) -> LogitMap:
    """Take a step, or the first half, quarter, ... of it that does not lead down."""
    least = _likelihood(points, at) - _NEAR
    parts = (LogitMap(at.slope + slope / 2**halved, at.shift + shift / 2**halved) for halved in range(_STEPS))
    return next((there for there in parts if _likelihood(points, there) >= least), at)


def _likelihood(points: Sequence[_Point], line: LogitMap) -> float:
    """Return the logarithm of the likelihood; an outcome may be in part a pass."""
    return math.fsum(
        weight * (passed * value - _log_one_plus_exp(value))
        for logit, passed, weight in points
        for value in [line.slope * logit + line.shift]
    )


def _newton_step(points: Sequence[_Point], at: LogitMap, *, level: bool) -> tuple[float, float]:
    by_slope = by_shift = twice_slope = mixed = twice_shift = 0.0
    for logit, passed, weight in points:
        chance = _logistic(at.slope * logit + at.shift)
        off, curved = weight * (passed - chance), weight * chance * (1 - chance)
        by_slope, by_shift = by_slope + off * logit, by_shift + off
        twice_slope, mixed, twice_shift = twice_slope + curved * logit**2, mixed + curved * logit, twice_shift + curved
    if level:
        return 0.0, by_shift / twice_shift
    area = twice_slope * twice_shift - mixed**2
    return (twice_shift * by_slope - mixed * by_shift) / area, (twice_slope * by_shift - mixed * by_slope) / area


def brier_of_unseen(ended: Sequence[Ended], weight: float) -> float:
    """Return the Brier score of the corrected chances where each is judged by a line made without it.

    Neighbours by score fall into different parts, so that each part has all kinds of them.
    """
    parts = [ended[first::_FOLDS] for first in range(_FOLDS)]
    lines = [fit([one for other in parts if other is not part for one in other], weight) for part in parts]
    return fmean(
        (line.of(one.score) - one.passed) ** 2 for line, part in zip(lines, parts, strict=True) for one in part
    )


def _logit(score: float) -> float:
    held = min(max(score, 1 - _SURE), _SURE)
    return math.log(held / (1 - held))


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def _log_one_plus_exp(value: float) -> float:
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))
