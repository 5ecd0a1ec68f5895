"""Parameters: declared with a reason, kept within their bounds, set by the site, and used somewhere."""

import pytest

from cohortfinder.errors import ConfigurationError
from unit.trials.trial_text import leaves, problems, read, with_rule

RULE = "observation: ana_titer\nat_least: '1:80'\nscreening_dilution: ${dilution}\nwithin: ${window}"


def parameters(dilution: str = "default: 80, why: x", window: str = "default: 3 weeks, why: y") -> str:
    return f"parameters:\n  dilution: {{{dilution}}}\n  window: {{{window}}}\n"


def test_the_value_stands_in_place_of_the_name() -> None:
    (leaf,) = leaves(read(with_rule(RULE, parameters())))
    assert (leaf.question.screening_dilution.value, leaf.question.within.count) == (80, 3)
    assert leaf.parameters == ("dilution", "window")


def test_the_site_overrides_the_default_and_both_are_kept() -> None:
    trial = read(with_rule(RULE, parameters()), {"window": "2 months"})
    (leaf,) = leaves(trial)
    assert (leaf.question.within.count, leaf.question.within.unit) == (2, "months")
    assert [(one.value, one.default) for one in trial.parameters] == [("80", "80"), ("2 months", "3 weeks")]


def test_a_parameter_that_is_left_open_drops_its_option() -> None:
    (leaf,) = leaves(read(with_rule(RULE, parameters(dilution="default: unset, why: x"))))
    assert leaf.question.screening_dilution is None
    (closed,) = leaves(read(with_rule(RULE, parameters()), {"dilution": "unset"}))
    assert closed.question.screening_dilution is None


@pytest.mark.parametrize(
    ("dilution", "expected"),
    [
        ("default: 80", "14: the parameter 'dilution' does not say 'why'"),
        ("why: x", "14: the parameter 'dilution' has no 'default'; write 'default: unset' to leave it open"),
        (
            "default: 80, why: x, at_leest: 1",
            "14: unknown word 'at_leest' in a parameter. Did you mean 'at_least'?",
        ),
        ("default: 80, why: x, at_most: 40", "14: the default of 'dilution' is '80'; it must be at_most 40"),
        (
            "default: 80, why: x, choices: [40, 160]",
            "14: the default of 'dilution' is '80'; it must be one of 40, 160",
        ),
    ],
)
def test_a_wrong_declaration_is_named(dilution: str, expected: str) -> None:
    assert problems(with_rule(RULE, parameters(dilution=dilution))) == [f"t.yaml:{expected}"]


def test_a_parameter_must_be_declared() -> None:
    text = with_rule("age: {at_least: '${min_age}'}", "parameters:\n  min_aga: {default: 18, why: x}\n")
    assert problems(text) == [
        "t.yaml:9: the parameter 'min_age' is not declared under 'parameters:'. Did you mean 'min_aga'?",
        "t.yaml:11: the parameter 'min_aga' is used in no rule; use it or remove it",
    ]


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ({"dilution": "640"}, "the configuration's parameter 'dilution' is '640'; it must be at_most 320"),
        (
            {"dilution": "many"},
            "the configuration's parameter 'dilution' is 'many'; it must be a number, at_most 320",
        ),
        ({"dilutoin": "80"}, "Did you mean 'dilution'?"),
    ],
)
def test_a_wrong_override_is_an_error_of_the_configuration(override: dict[str, str], words: str) -> None:
    text = with_rule(RULE, parameters(dilution="default: 80, why: x, at_most: 320"))
    with pytest.raises(ConfigurationError) as caught:
        read(text, override)
    assert words in str(caught.value)
