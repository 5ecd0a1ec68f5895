"""The words of a leaf `dose`: what is refused with its line, and what is read."""

import pytest

from cohortfinder.trials.description import describe_trial
from unit.trials.trial_text import problems, read, with_rule

STEROID = "dose: rx_glucocorticoid_systemic\n"


@pytest.mark.parametrize(
    ("rule", "line", "expected"),
    [
        ("dose: rx_belimumab\nat_most: 20 mg/d", 9, "'rx_belimumab' has no dose that can be counted; see mappings/doses.csv"),
        (STEROID + "as: prednisolone\nat_most: 20 mg/d", 10, "does not count 'rx_glucocorticoid_systemic' as prednisolone; write 'as: prednisone'"),
        ("dose: rx_methotrexate\nas: prednisone\nat_most: 20 mg/wk", 10, "does not count 'rx_methotrexate' as prednisone; leave 'as' away"),
        (STEROID + "at_most: 20 mg", 10, "a dose is compared in mass a day or week, for example '20 mg/d', not in 'mg'."),
        (STEROID + "at_most: 20", 10, "a dose is compared in mass a day or week, for example '20 mg/d', not in ''."),
        (STEROID + "between: [30 mg/d, 20 mg/d]", 10, "the lower bound is above the upper one; swap them"),
        (STEROID + "at_least: 1 g/wk\nat_most: 20 mg/d", 11, "the lower bound is above the upper one; swap them"),
        (STEROID + "above: 20 mg/d\nbelow: 20 mg/d", 11, "no dose is both above and below the same bound; write at_least and at_most"),
        (STEROID + "at_least: 1 mg/kg/d\nat_most: 20 mg/d", 11, "one bound is by body weight and the other is not; write two leaves under 'all:'"),
        (STEROID + "above: 5 mg/d\nwithin: 2 weeks\nfor: 16 days", 12, "'for' is longer than 'within', so it can never be filled; make it shorter"),
        (STEROID + "above: 5 mg/d\nwithin: 2 weeks\nfor: 0 days", 12, "a run of 0 days is always there; write at least 1 day"),
        (STEROID + "at_most: 5 mg/d\nwithin: 2 weeks", 9, "within a window only at_least or above is asked; write 'not' around the opposite"),
        (STEROID + "above: 5 mg/d\nfor: 14 days", 9, "'for' counts consecutive days of a window; add within"),
        (STEROID + "above: 5 mg/d\nwithin: 6 months\nfor: 2 months", 9, "'for' counts days; write for example 'for: 14 days'"),
        ("dose: rx_methotrexate", 9, "say what the dose must be: at_least, at_most, above, below or between"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_with_its_line(rule: str, line: int, expected: str) -> None:
    found = problems(with_rule(rule))
    assert [one for one in found if one.startswith(f"t.yaml:{line}:") and expected in one], found


def test_a_dose_in_plain_english() -> None:
    text = STEROID + "as: prednisone\nabove: 500 mg/d\nwithin: 8 weeks\nfor: 14 days"
    words = describe_trial(read(with_rule(text)), {"rx_glucocorticoid_systemic": "Glucocorticoid"})
    assert "dose of Glucocorticoid, counted as prednisone, is above 500 mg/d on 14 days on end within 8 weeks" in words
