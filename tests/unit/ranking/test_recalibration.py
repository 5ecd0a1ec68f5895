"""The line that corrects a score: near the identity where the score is right, flatter where it is too sure."""

import math
from itertools import pairwise
from random import Random

import pytest

from cohortfinder.ranking.recalibration import Ended, LogitMap, brier_of_unseen, fit


def outcomes(number: int, *, slope: float = 1, shift: float = 0, seed: int = 1) -> list[Ended]:
    """Scores of all sizes, whose outcomes come up by a line of their logit."""
    random = Random(seed)
    scores = [random.uniform(0.02, 0.98) for _ in range(number)]
    return [Ended(one, random.random() < LogitMap(slope, shift).of(one)) for one in scores]


def test_scores_that_are_right_are_left_as_they_are() -> None:
    line = fit(outcomes(4000), weight=20)
    assert line.slope == pytest.approx(1, abs=0.1)
    assert line.shift == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(("slope", "shift"), [(0.5, 0.0), (1.0, -1.0), (1.6, 0.4)])
def test_the_line_is_found_by_which_the_outcomes_came_up(slope: float, shift: float) -> None:
    """A slope below 1: the scores were too sure."""
    line = fit(outcomes(6000, slope=slope, shift=shift), weight=20)
    assert line.slope == pytest.approx(slope, abs=0.12)
    assert line.shift == pytest.approx(shift, abs=0.12)


def test_with_no_outcome_nothing_is_corrected() -> None:
    line = fit([], weight=40)
    assert (line.slope, line.shift) == (pytest.approx(1), pytest.approx(0))


def test_few_outcomes_move_the_line_less_the_more_invented_ones_hold_it() -> None:
    told = outcomes(30, slope=0.3, shift=-1)
    away = [abs(fit(told, weight).shift) for weight in (1, 10, 100, 1000)]
    assert all(more > less > 0 for more, less in pairwise(away))
    assert away[-1] < 0.05


@pytest.mark.parametrize("passed", [True, False])
def test_where_all_or_nobody_passed_the_chances_stay_between_nobody_and_all(passed: bool) -> None:
    line = fit([Ended(score / 10, passed) for score in range(1, 10)], weight=10)
    chances = [line.of(score / 10) for score in range(1, 10)]
    assert all((chance > score / 10) is passed for score, chance in enumerate(chances, start=1))
    assert all(0 < chance < 1 for chance in chances)


def test_one_outcome_and_outcomes_of_one_score_have_a_line() -> None:
    for told in ([Ended(0.3, True)], [Ended(0.3, True)] * 50, [Ended(1.0, False)] * 50):
        line = fit(told, weight=20)
        assert math.isfinite(line.slope + line.shift)
        assert line.of(told[0].score) != pytest.approx(told[0].score)


def test_outcomes_that_run_against_the_score_make_the_line_level_and_never_fall() -> None:
    told = [Ended(score / 100, score < 50) for score in range(1, 100)] * 5
    line = fit(told, weight=5)
    assert line.slope == 0
    assert line.of(0.9) == line.of(0.1) == pytest.approx(0.5, abs=0.02)


def test_the_line_keeps_the_order_of_all_scores() -> None:
    line = fit(outcomes(200, slope=0.4, seed=3), weight=20)
    chances = [line.of(place / 500) for place in range(501)]
    assert chances[0] == 0
    assert all(low <= high for low, high in pairwise(chances))
    assert 0 < chances[1] < chances[-1] < 1


def test_the_order_of_the_outcomes_changes_nothing() -> None:
    told = outcomes(100)
    turned = fit(told[::-1], weight=20)
    line = fit(told, weight=20)
    assert (line.slope, line.shift) == (pytest.approx(turned.slope), pytest.approx(turned.shift))


def test_on_outcomes_that_it_has_not_seen_the_line_corrects_scores_that_are_too_sure() -> None:
    told = sorted(outcomes(1500, slope=0.3, shift=-0.5))
    raw = math.fsum((one.score - one.passed) ** 2 for one in told) / len(told)
    assert brier_of_unseen(told, 20) < raw - 0.02
    right = sorted(outcomes(1500))
    raw = math.fsum((one.score - one.passed) ** 2 for one in right) / len(right)
    assert brier_of_unseen(right, 20) == pytest.approx(raw, abs=0.002)
