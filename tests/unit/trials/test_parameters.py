"""Parameters: declared with a reason, kept within their bounds, set by the site, and used somewhere."""

import pytest

from cohortfinder.errors import ConfigurationError, TrialError
from cohortfinder.model import Override, Overrides
from unit.trials.trial_text import leaves, problems, read, read_with, with_rule

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
        ({"dilution": "640"}, "site.toml:3: the parameter 'dilution' is '640'; it must be at_most 320"),
        ({"dilution": "many"}, "site.toml:3: the parameter 'dilution' is 'many'; it must be a number, at_most 320"),
        (
            {"dilutoin": "80"},
            "site.toml:3: T-1 declares no parameter 'dilutoin'; remove it or correct the name."
            " Did you mean 'dilution'?",
        ),
    ],
)
def test_a_wrong_override_is_an_error_of_the_configuration(override: dict[str, str], words: str) -> None:
    text = with_rule(RULE, parameters(dilution="default: 80, why: x, at_most: 320"))
    with pytest.raises(ConfigurationError) as caught:
        read(text, override)
    assert str(caught.value) == words


def test_a_value_that_does_not_fit_its_place_is_told_with_both_places() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(with_rule(RULE, parameters()), {"window": "soon"})
    assert str(caught.value) == (
        "site.toml:3: the value of 'window' does not fit where it is used: t.yaml:12: 'within': 'soon' is no span of"
        " time; write for example '3 weeks', '6 months' or '28 days'"
    )


def test_a_value_that_is_left_open_where_one_is_needed_is_told_with_both_places() -> None:
    """The comparison is missed at the word that begins the leaf, not in the line of the parameter."""
    rule = with_rule("observation: haq_di\nat_least: ${lowest}", "parameters:\n  lowest: {default: 1, why: x}\n")
    with pytest.raises(ConfigurationError) as caught:
        read(rule, {"lowest": "unset"})
    assert str(caught.value).startswith("site.toml:3: the value of 'lowest' does not fit where it is used: t.yaml:")


def test_a_mistake_of_the_trial_file_is_not_blamed_on_the_site() -> None:
    text = with_rule(RULE + "\nobservatoin: x", parameters())
    with pytest.raises(TrialError, match="unknown word 'observatoin'"):
        read(text, {"window": "soon"})


def test_a_table_of_another_trial_changes_nothing() -> None:
    trial = read(with_rule(RULE, parameters()), {"window": "2 months", "no_such": "1"}, trial="OTHER-STUDY")
    assert [one.value for one in trial.parameters] == ["80", "3 weeks"]


@pytest.mark.parametrize(
    ("table", "right"), [("NCT0698396", "NCT06983964"), ("nct06983964", "NCT06983964"), ("t-1", "T-1")]
)
def test_a_table_of_a_misspelt_trial_would_do_nothing_and_is_refused(table: str, right: str) -> None:
    text = with_rule(RULE, parameters())
    with pytest.raises(ConfigurationError) as caught:
        read(text, {"window": "2 months"}, trial=table)
    assert f"site.toml:3: [parameters.{table}] is for no trial that is known here" in str(caught.value)
    assert f"Did you mean '{right}'?" in str(caught.value)


def test_a_common_value_holds_where_the_name_is_declared_and_the_table_of_the_trial_wins() -> None:
    common = {name: Override(value) for name, value in (("window", "1 month"), ("dilution", "160"))}
    own = {"T-1": {"window": Override("2 months")}}
    trial = read_with(with_rule(RULE, parameters()), Overrides(common, own))
    assert [one.value for one in trial.parameters] == ["160", "2 months"]


def test_a_common_value_that_only_another_trial_declares_is_left_to_it() -> None:
    elsewhere = Overrides({"bp_days": Override("3")})
    assert [one.value for one in read_with(with_rule(RULE, parameters()), elsewhere).parameters] == ["80", "3 weeks"]


def test_a_common_value_that_no_known_trial_declares_is_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_with(with_rule(RULE, parameters()), Overrides({"widnow": Override("1 month", "site.toml:7")}))
    assert str(caught.value) == (
        "site.toml:7: neither T-1 nor a trial that ships declares the parameter 'widnow'; correct the name, or put it"
        " into the table of its trial, [parameters.ID]. Did you mean 'window'?"
    )
