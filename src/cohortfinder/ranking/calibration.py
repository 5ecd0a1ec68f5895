"""How screenings ended to how far the score was right, which corrects it where the trial declares it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from cohortfinder.model import Ranking, Recalibration, Trial
from cohortfinder.ranking.candidates import Connection, ranking_values, run
from cohortfinder.ranking.recalibration import Ended, LogitMap, brier_of_unseen, fit

# with fewer outcomes nothing is said of the score
ENOUGH = 30
# of a normal distribution this span on each side of the middle has 95 %
_Z = 1.959964
# how many groups there are at most, and how many outcomes and which span of scores belong to one at least
_GROUPS, _OF_A_GROUP, _APART = 8, 10, 0.04


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval, which a single outcome does not give."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """Candidates of like scores: the mean of these, and which share passed, with its Wilson interval."""

    score: float
    number: int
    passed: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Which share passed."""
        return self.passed / self.number


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the outcomes tell of the score; `ended` are those of who was a candidate before anybody looked.

    `reference` is the Brier score of always saying the share that passed, `gain` how far the score lies below it.
    `excluded` had a failing criterion then, of whom `excluded_passed` passed all the same; `unlisted` have no score,
    `undecided` no outcome that says anything of the criteria. `map` is None where nothing is corrected, and
    `unseen` the Brier score of such maps, each for outcomes that it was not made from.
    """

    ended: tuple[Ended, ...]
    excluded: int = 0
    excluded_passed: int = 0
    unlisted: int = 0
    undecided: int = 0
    groups: tuple[Group, ...] = ()
    brier: Estimate | None = None
    reference: float | None = None
    gain: Estimate | None = None
    declared: Recalibration | None = None
    map: LogitMap | None = None
    unseen: float | None = None

    @property
    def passed(self) -> int:
        """How many of the candidates passed."""
        return sum(one.passed for one in self.ended)

    @property
    def expected(self) -> float:
        """How many of them should have, by their scores."""
        return math.fsum(one.score for one in self.ended)

    @property
    def enough(self) -> bool:
        """Whether anything can be said of the score."""
        return len(self.ended) >= ENOUGH


def calibrate(connection: Connection, trial: Trial) -> Calibration:
    """Return what the outcomes that the engine has asked about tell of the score."""
    rows = run(
        connection,
        "ranking/score_before.sql.jinja",
        arms=[arm.id for arm in trial.arms],
        entries=[arm.entry for arm in trial.arms],
        **ranking_values(trial.ranking),
    ).fetchall()
    return calibration_of(rows, trial.ranking)


def calibration_of(rows: Sequence[tuple[bool | None, float | None]], ranking: Ranking) -> Calibration:
    """Judge scores by outcomes, a row each: passed or None, score or None."""
    decided = [(passed, score) for passed, score in rows if passed is not None]
    # in one order, so that the same outcomes give the same digits
    ended = tuple(sorted(Ended(score, passed) for passed, score in decided if score))
    excluded = [passed for passed, score in decided if score == 0]
    declared = ranking.recalibration
    used = declared is not None and len(ended) >= max(declared.at_least, 1)
    return Calibration(
        ended=ended,
        excluded=len(excluded),
        excluded_passed=sum(excluded),
        unlisted=sum(score is None for _, score in decided),
        undecided=len(rows) - len(decided),
        groups=tuple(_group(members) for members in _alike(ended)),
        brier=_estimate(_squares(ended)) if ended else None,
        reference=brier_of_base_rate(ended) if ended else None,
        gain=_estimate(_gains(ended)) if ended else None,
        declared=declared,
        map=fit(ended, declared.weight) if declared and used else None,
        unseen=brier_of_unseen(ended, declared.weight) if declared and used else None,
    )


def brier_of_base_rate(ended: Sequence[Ended]) -> float:
    """Return the Brier score of saying of everybody the share that passed."""
    rate = fmean(one.passed for one in ended)
    return rate * (1 - rate)


def _squares(ended: Sequence[Ended]) -> list[float]:
    return [(one.score - one.passed) ** 2 for one in ended]


def _gains(ended: Sequence[Ended]) -> list[float]:
    rate = fmean(one.passed for one in ended)
    return [(rate - one.passed) ** 2 - square for one, square in zip(ended, _squares(ended), strict=True)]


def _estimate(values: Sequence[float]) -> Estimate:
    mean = fmean(values)
    if len(values) == 1:
        return Estimate(mean, None, None)
    half = _Z * stdev(values) / math.sqrt(len(values))
    return Estimate(mean, mean - half, mean + half)


def wilson(passed: int, number: int) -> tuple[float, float]:
    """Return the 95 % interval of a share.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927) 209-212.
    """
    square = _Z**2
    middle = (passed + square / 2) / (number + square)
    half = _Z / (number + square) * math.sqrt(passed * (number - passed) / number + square / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


def _alike(ended: Sequence[Ended]) -> Iterator[Sequence[Ended]]:
    """Yield groups of about one size, lowest scores first; scores that lie close together stay together."""
    size = len(ended) / max(1, min(_GROUPS, len(ended) // _OF_A_GROUP))
    first = 0
    for place in range(1, len(ended)):
        if place - first >= size and ended[place].score >= ended[first].score + _APART:
            yield ended[first:place]
            first = place
    if ended:
        yield ended[first:]


def _group(members: Sequence[Ended]) -> Group:
    passed = sum(one.passed for one in members)
    return Group(fmean(one.score for one in members), len(members), passed, *wilson(passed, len(members)))
