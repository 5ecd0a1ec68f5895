"""Counts that leave the site give no small group away."""

from dataclasses import replace
from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from cohortfinder.ranking.funnel import FunnelStep
from cohortfinder.report.screening import Screening, read_screening
from cohortfinder.report.suppression import ArmCounts, counts_to_share, shown
from unit.report.screened import AS_OF, LABELS, a_trial, screened

SCREENING = read_screening(screened(), a_trial(), AS_OF, labels=LABELS)
chains = st.lists(st.integers(0, 40), min_size=1, max_size=12).map(lambda numbers: sorted(numbers, reverse=True))


def counted(steps: list[tuple[int, int, int]], eligible: int, below: int = 5) -> ArmCounts:
    """Count an arm of which each step leaves, removes and does not know so many."""
    funnel = tuple(
        FunnelStep("A", order, f"I-{order}", left, gone, unknown, left, gone, None)
        for order, (left, gone, unknown) in enumerate(steps, start=1)
    )
    ranked = next(one for one in SCREENING.candidates if one.arm == "A" and one.rank is not None)
    candidates = tuple(replace(ranked, patient_id=str(n), status="eligible") for n in range(eligible))
    screening: Screening = replace(SCREENING, funnel=funnel, candidates=candidates)
    (counts,) = counts_to_share(screening, below=below)
    return counts


def test_a_small_number_and_a_small_difference_are_withheld() -> None:
    """37 would tell that 3 were removed, and 4 is small itself; 0 is nobody."""
    assert [*shown([100, 40, 37, 30, 4, 0], 5)] == [100, 40, None, 30, None, 0]


def test_where_nobody_goes_the_number_stays() -> None:
    assert [*shown([12, 12, 7, 7], 5)] == [12, 12, 7, 7]


def test_nothing_is_withheld_below_one() -> None:
    assert [*shown([9, 3, 2, 1, 0], 1)] == [9, 3, 2, 1, 0]


def test_whom_a_step_removes_is_told_only_between_two_numbers_that_are_shown() -> None:
    counts = counted([(40, 60, 0), (37, 3, 0), (30, 7, 0)], eligible=20)
    assert [(step.remaining, step.removed) for step in counts.steps] == [(40, 60), (None, None), (30, None)]
    assert (counts.living, counts.eligible, counts.possible) == (100, 20, 10)


def test_the_eligible_are_withheld_where_few_others_are_possible() -> None:
    """30 are left at the end: 28 eligible would tell that 2 are possible."""
    counts = counted([(30, 70, 0)], eligible=28)
    assert (counts.eligible, counts.possible) == (None, None)


def test_the_unknown_are_withheld_where_few_are_known() -> None:
    counts = counted([(40, 60, 38), (30, 10, 4), (20, 10, 10), (20, 0, 0)], eligible=20)
    assert [step.unknown for step in counts.steps] == [None, None, 10, 0]


@given(chains, st.integers(1, 8))
def test_no_number_and_no_difference_of_two_is_small(chain: list[int], below: int) -> None:
    told = [number for number in shown(chain, below) if number is not None]
    small = range(1, below)
    assert [number for number in told if number in small] == []
    assert [pair for pair in combinations(told, 2) if pair[0] - pair[1] in small] == []


@given(chains, st.integers(2, 8))
def test_a_withheld_number_lies_in_a_span_as_wide_as_what_is_small(chain: list[int], below: int) -> None:
    """Whoever reads the numbers around it can narrow it down to that span and no further."""
    told = [*shown(chain, below)]
    for place, number in enumerate(told):
        if number is not None:
            continue
        before = next((one for one in reversed(told[:place]) if one is not None), None)
        after = next((one for one in told[place:] if one is not None), 0)
        assert before is None or before - after >= below


@given(chains, st.integers(1, 8))
def test_what_is_shown_is_true(chain: list[int], below: int) -> None:
    told = [*shown(chain, below)]
    assert all(number in (None, own) for number, own in zip(told, chain, strict=True))
    assert all(a is None or b is None or a >= b for a, b in pairwise(told))
