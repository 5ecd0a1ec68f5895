"""Readings: a parameter with named values chooses the rule, every value has one, and all of them are checked."""

import pytest

from cohortfinder.errors import ConfigurationError
from cohortfinder.model import Combination, Leaf, Reading
from cohortfinder.trials.description import describe_trial
from unit.trials.trial_text import leaves, problems, read, with_rule

RULE = """\
by_parameter:
  who:
    men: {sex: male}
    all:
      any: [{sex: male}, {sex: female}]"""
WHO = "parameters:\n  who: {default: men, why: x, choices: [men, all]}\n"


def test_the_value_in_force_chooses_the_rule() -> None:
    (leaf,) = leaves(read(with_rule(RULE, WHO)))
    assert (leaf.id, leaf.question.sex, leaf.line) == ("I-1.1", "male", 11)


def test_the_site_chooses_another_reading() -> None:
    trial = read(with_rule(RULE, WHO), {"who": "all"})
    rule = trial.criteria[0].rule
    assert isinstance(rule, Combination)
    assert (rule.operator, len(rule.children)) == ("any", 2)
    assert trial.criteria[0].readings == (Reading("who", "all", ("men",)),)


def test_a_choice_stands_anywhere_in_a_rule_and_keeps_which_truth_speaks_against_the_patient() -> None:
    words = "all:\n  - age: {at_least: 18}\n  - not:\n" + "".join(f"      {line}\n" for line in RULE.splitlines())
    assert [leaf.adverse for leaf in leaves(read(with_rule(words, WHO)))] == [False, True]


def test_none_leaves_a_rule_out_of_its_list() -> None:
    words = "need: 1\nof:\n  - age: {at_least: 18}\n  - by_parameter: {who: {men: none, all: {sex: male}}}"
    assert [leaf.kind for leaf in leaves(read(with_rule(words, WHO)))] == ["age"]
    assert [leaf.kind for leaf in leaves(read(with_rule(words, WHO), {"who": "all"}))] == ["age", "sex"]


def test_a_choice_may_stand_in_a_flag_an_arm_and_a_named_rule() -> None:
    words = (
        "rule: mine\nflag_when: {high: {by_parameter: {who: {men: {sex: male}, all: {sex: female}}}}}\n"
        "define: {mine: {by_parameter: {who: {men: {sex: male}, all: {sex: female}}}}}"
    )
    (criterion,) = read(with_rule(words, WHO + "flags: {high: it is high}\n"), {"who": "all"}).criteria
    assert isinstance(criterion.rule, Leaf)
    assert isinstance(criterion.flag_rules["high"], Leaf)
    assert [criterion.rule.question.sex, criterion.flag_rules["high"].question.sex] == ["female", "female"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("by_parameter: x", "9: 'by_parameter' holds one parameter, with a rule for each value it may have"),
        ("by_parameter: {who: {men: {sex: male}}, other: {}}", "9: 'by_parameter' holds one parameter, with a rule for each value it may have"),
        ("by_parameter:\n  woh: {men: {sex: male}}", "10: the parameter 'woh' is not declared under 'parameters:'. Did you mean 'who'?"),
        ("by_parameter:\n  who: men", "10: 'who' needs a rule for each of its values: men, all"),
        ("by_parameter:\n  who: {men: {sex: male}}", "10: no rule holds when 'who' is 'all'; write it, or 'all: none'"),
        ("by_parameter:\n  who:\n    men: {sex: male}\n    al: {sex: male}", "12: 'al' is no choice of the parameter 'who'. Did you mean 'all'?"),
        ("by_parameter:\n  who: {men: {sex: male}, all: none}", "10: 'none' leaves a rule out of a list; here a rule must stand"),
        ("any:\n  - by_parameter: {who: {men: {sex: male}, all: none}}", "9: nothing is left of 'any' with this choice of parameters"),
        ("by_parameter: {who: {men: {sex: male}, all: {sex: all}}}", "9: 'all' is not possible for 'sex'; write 'male' or 'female'"),
        ("by_parameter: {who: {men: {sex: male}, all: {condition: dx_sl, ever: yes}}}", "9: unknown concept 'dx_sl'. Did you mean 'dx_sle'?"),
        ("by_parameter: {who: {men: {sex: male}, all: {sex: female}}}\nsex: male", "7: 'by_parameter' and 'sex' stand side by side; put them into 'all:' or 'any:'"),
    ],
)  # fmt: skip
def test_a_mistake_in_any_reading_is_named_with_its_line(rule: str, expected: str) -> None:
    assert f"t.yaml:{expected}" in problems(with_rule(rule, WHO))


def test_a_parameter_that_chooses_names_its_values_and_is_never_open() -> None:
    open_by_default = WHO.replace("default: men", "default: unset")
    assert "so it chooses no rule; give it one of its choices" in problems(with_rule(RULE, open_by_default))[0]
    without = WHO.replace(", choices: [men, all]", "")
    assert problems(with_rule(RULE, without)) == [
        "t.yaml:10: the parameter 'who' has no 'choices'; list the values that choose a rule"
    ]
    with pytest.raises(ConfigurationError) as caught:
        read(with_rule(RULE, WHO), {"who": "unset"})
    assert str(caught.value).startswith("site.toml:3: the value of 'who' does not fit where it is used: t.yaml:10: ")


def test_a_value_of_the_site_that_is_no_choice_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(with_rule(RULE, WHO), {"who": "man"})
    assert str(caught.value) == (
        "site.toml:3: the parameter 'who' is 'man'; it must be one of men, all. Did you mean 'men'?"
    )


def test_every_choice_of_a_value_is_checked_where_it_is_filled_in() -> None:
    declared = "parameters:\n  unit: {default: 60 g/L, why: x, choices: [60 g/L, 60 mmHg]}\n"
    found = problems(with_rule("observation: hemoglobin\nat_least: ${unit}", declared))
    assert len(found) == 1
    assert found[0].startswith("t.yaml:10: 'hemoglobin' has no unit 'mmHg'.")


def test_readings_within_readings_are_checked_too() -> None:
    inner = "{by_parameter: {age: {young: {age: {at_most: 17}}, old: {sex: nobody}}}}"
    rule = f"by_parameter: {{who: {{men: {{sex: male}}, all: {inner}}}}}"
    declared = WHO + "  age: {default: young, why: x, choices: [young, old]}\n"
    assert problems(with_rule(rule, declared)) == [
        "t.yaml:9: 'nobody' is not possible for 'sex'; write 'male' or 'female'"
    ]


def test_the_other_readings_are_kept_apart_from_the_criteria_of_the_trial() -> None:
    trial = read(with_rule(RULE, WHO))
    assert [one.id for one in trial.criteria] == ["I-1"]
    assert [one.id for one in trial.other_readings] == ["I-1 with who = all"]


def test_the_description_names_the_reading_and_the_others() -> None:
    words = describe_trial(read(with_rule(RULE, WHO)), {})
    assert "\n  sex recorded as male\n  Read with who = men; a site may choose all instead.\n" in words
