"""A test that is to be done next, in words: what it settles, how likely it ends the question, what it costs."""

from collections.abc import Sequence

from cohortfinder.ranking.next_step import Step

# what needs several tests
NO_TEST = "No single test settles"
# a list of more criteria than this is cut after the last but one
_TOLD = 5


def step_words(step: Step) -> str:
    """Say a test and why: "Blood count: settles I-HB and I-PLT; 34 % to end the question; 10 min"."""
    ends = "ends the question" if step.ends == 1 else f"{100 * step.ends:.0f} % to end the question"
    return f"{step.effort.label}: settles {_several(step.settles)}; {ends}; {step.effort.minutes} min"


def unsettled_words(criteria: Sequence[str]) -> str:
    """Say which criteria need more than one test."""
    return f"{NO_TEST}: {_several(criteria)}"


def _several(names: Sequence[str]) -> str:
    shown = [*names] if len(names) <= _TOLD else [*names[: _TOLD - 1], f"{len(names) - _TOLD + 1} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
