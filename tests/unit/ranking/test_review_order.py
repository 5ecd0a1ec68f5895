"""The simulation of reading charts: our order finds the eligible in fewer charts than by date or by count of passes."""

import pytest
from benchmarks.review_order import FOUND, WAYS, calibration, charts_needed, cohort, orders


@pytest.mark.parametrize("way", WAYS)
def test_our_order_needs_fewer_charts(way: str) -> None:
    patients = cohort(1, way, 600)
    found = orders(patients, 1)
    assert all(sorted(one.id for one in order) == [one.id for one in patients] for order in found.values())
    needed = {name: charts_needed(order, FOUND) for name, order in found.items()}
    assert needed["ours"] <= 0.6 * needed["date"]
    assert needed["ours"] < needed["passes"]
    assert needed["ours"] < needed["random"]


def test_where_data_are_missing_at_random_the_chances_are_right_and_tell_more_than_the_base_rate() -> None:
    found = calibration(cohort(1, "missing at random", 1500))
    assert 0.8 < found["passed_of_expected"] < 1.25
    assert 0.8 < found["slope"] < 1.25
    assert found["brier"] < found["brier_of_base_rate"] - 0.01
