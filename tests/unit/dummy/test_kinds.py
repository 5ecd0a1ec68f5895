"""Every leaf kind can be made to hold or not."""

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.dummy.kinds import WAYS


def test_every_leaf_kind_has_ways() -> None:
    assert set(WAYS) == set(LEAF_KINDS)
