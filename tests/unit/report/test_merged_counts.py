"""The counts of several sites together: true, and telling no more than the sites have told."""

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortfinder.errors import InputError
from cohortfinder.report.merged_counts import SharedCounts, SharedStep, merge
from cohortfinder.report.suppression import shown


def site(name: str, chain: Sequence[int | None], *, below: int = 5, sha256: str = "same") -> SharedCounts:
    steps = tuple(
        SharedStep("A", order, f"C{order}" if order else "", number, None) for order, number in enumerate(chain)
    )
    return SharedCounts(name, "T-1", sha256, date(2026, 11, 20), below, True, steps)


def spans(*sites: SharedCounts) -> list[tuple[int, int]]:
    return [(step.remaining_least, step.remaining_most) for step in merge(sites)]


def test_numbers_that_nobody_withheld_add_up() -> None:
    assert spans(site("north", [100, 40, 0]), site("south", [50, 30, 12])) == [(150, 150), (70, 70), (12, 12)]


def test_a_number_that_was_withheld_lies_between_its_neighbours() -> None:
    assert spans(site("north", [100, None, 20]), site("south", [50, 30, 12])) == [(150, 150), (50, 130), (32, 32)]


def test_at_the_end_of_an_arm_somebody_is_left_where_the_number_was_withheld() -> None:
    """Zero is never withheld."""
    assert spans(site("north", [100, 40, None])) == [(100, 100), (40, 40), (1, 40)]


def test_a_site_with_few_patients_has_fewer_than_the_smallest_number() -> None:
    assert spans(site("north", [None, None, 0])) == [(1, 4), (1, 4), (0, 0)]


chains = st.lists(st.integers(0, 60), min_size=4, max_size=4).map(lambda numbers: sorted(numbers, reverse=True))


@given(st.lists(chains, min_size=1, max_size=4), st.integers(1, 12))
def test_the_true_sum_lies_within_what_is_told(true: list[list[int]], below: int) -> None:
    told = [site(f"site {number}", [*shown(chain, below)], below=below) for number, chain in enumerate(true)]
    for (least, most), numbers in zip(spans(*told), zip(*true, strict=True), strict=True):
        assert least <= sum(numbers) <= most


@given(chains, st.integers(2, 12))
def test_no_span_of_one_site_is_narrower_than_what_it_withholds(chain: list[int], below: int) -> None:
    """Merging one site alone tells a withheld number no closer than to `below` - 1 numbers."""
    told = [*shown(chain, below)]
    for number, (least, most) in zip(told, spans(site("alone", told, below=below)), strict=True):
        assert number is not None or most - least >= below - 2


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (site("south", [9, 8], sha256="another"), "another version of the trial file"),
        (site("south", [9, 8, 7]), "other steps"),
    ],
)
def test_other_questions_are_not_added_up(other: SharedCounts, message: str) -> None:
    with pytest.raises(InputError, match=message):
        merge([site("north", [9, 8]), other])


def test_counts_that_rise_are_refused() -> None:
    with pytest.raises(InputError, match="rise"):
        merge([site("north", [9, None, 12])])
