"""Every mistake in the shape of a trial file is named with its line, and the words that were read mean what they say."""

import pytest

from cohortfinder.model import Combination, Leaf
from unit.trials.trial_text import HEAD, leaves, problems, read, with_rule

SECOND = "  - id: I-1\n    text: again\n    sex: male\n"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("sex: male\nwithn: 3 days", "10: unknown word 'withn' in a criterion."),
        ("condition: dx_sle\nevr: yes", "9: 'condition': say when: ever: yes, active: yes, within or before"),
        ("age: {at_leest: 18}", "9: 'at_leest' is no option of 'age'. Did you mean 'at_least'?"),
        ("age: {at_least: x}", "9: 'at_least': 'x' is no whole number from 0 to 9999"),
        ("sex: men", "9: 'men' is not possible for 'sex'; write 'male' or 'female'"),
        ("sex: male\nsex: male", "10: 'sex' stands twice; it is already said in line 9"),
        ("sex: &a male", "9: the anchor '&a' is not allowed; name a rule under 'rules:' and refer to it"),
        ("note: *a\nsex: male", "9: the alias '*a' is not allowed; name a rule under 'rules:' and refer to it"),
        ("sex: !!str male", "9: the tag 'tag:yaml.org,2002:str' is not allowed; write plain words"),
        ("all:\n\t- sex: male", "10: a tab stands where YAML allows only blanks; indent with blanks"),
        ("note: b: c\nsex: male", "9: a second colon stands in this line; put the text in quotes"),
        ("sex: male\njudgement: x", "7: 'sex' and 'judgement' stand side by side; put them into 'all:' or 'any:'"),
        ("any:\n  - sexx: male", "10: 'sexx' begins no rule. Did you mean 'sex'?"),
        ("all: []", "9: 'all' needs a list of rules"),
        ("any: [male]", "9: a rule must be a leaf (for example 'observation: ...') or all, any, not, need"),
        ("all:\n  - all: [{sex: male}]\n    note: x", "11: 'note' does not go with 'all'; put it into a leaf below"),
        ("need: 3\nof: [{sex: male}]", "9: 'need' is '3'; it must be a number from 1 to 1, the rules under 'of'"),
        ("need: 0\nof: [{sex: male}]", "9: 'need' is '0'; it must be a number from 1 to 1, the rules under 'of'"),
        ("need: 1", "9: 'need' needs a list of rules under of"),
        ("of: [{sex: male}]", "7: 'of' needs 'need' beside it: how many of the rules must hold"),
        ("rule: nothing", "9: no rule is named 'nothing'."),
        ("computed: yes", "9: 'computed' is only ever 'no', and then the criterion has no rule"),
        ("computed: no\nsex: male", "9: 'computed' is only ever 'no', and then the criterion has no rule"),
        ("note: x", "7: the criterion has no rule; write one, or 'computed: no'"),
        ("sex: male\ncertainty: sure", "10: 'sure' is no certainty; write exact, proxy or judgement"),
        ("sex: male\ndefine: x", "10: named rules are written as 'name: rule', one below the other"),
        ("all: [{sex: male}]\nabsence: no", "10: 'no' is no absence; write unknown or false"),
        (
            "age: {at_least: 18}\nabsence: false",
            "10: 'absence' means nothing to 'age', which is unknown where nothing is on file; leave it out",
        ),
        (
            "any: [{judgement: see, absence: false}]",
            "9: 'absence' means nothing to 'judgement', which is unknown where nothing is on file; leave it out",
        ),
        ("sex: male\nabsence: no", "10: 'no' is not possible for 'absence'; write 'unknown' or 'false'"),
        ("condition: dx_sle\nwithin: soon", "10: 'within': 'soon' is no span of time; write for example '3 weeks', '6 months' or '28 days'"),
        ("medication: rx_belimumab", "9: 'medication': say when, once: ever: yes, active: yes, or within"),
        ("computed: no", "5: the entry 'I-1' must have one rule for all arms and hold in arm 'A'"),
        ("sex: male\nby_arm: {B: {sex: female}}", "10: the criterion does not hold in an arm 'B'."),
        ("sex: male\nby_arm: x", "10: 'by_arm' holds arms, each with its rule, and stands in a computed criterion only"),
        ("sex: male\nby_arm: {A: {sex: female}}", "5: the entry 'I-1' must have one rule for all arms and hold in arm 'A'"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(rule: str, expected: str) -> None:
    assert f"t.yaml:{expected}" in problems(with_rule(rule))


def test_a_misspelt_leaf_kind_is_corrected_and_its_options_are_not_blamed() -> None:
    assert problems(with_rule("observaton: hbsag\nis: positive")) == [
        "t.yaml:7: the criterion has no rule; write one, or 'computed: no'",
        "t.yaml:9: unknown word 'observaton' in a criterion. Did you mean 'observation'?",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "t.yaml:1: this is no trial; a trial file begins with 'trial: <id>'"),
        ("- a\n- b\n", "t.yaml:1: this is no trial; a trial file begins with 'trial: <id>'"),
        (with_rule("sex: male") + "---\ntrial: T-2\n", "t.yaml:10: a second document begins here; one file holds one trial"),
        ("a: " + "[" * 60 + "]" * 60, "t.yaml:1: more than 40 levels of nesting; name parts of the rule under 'rules:'"),
        ("%YAML 1.1\n---\na: b\n", "t.yaml:2: a trial file is YAML 1.2 without directives; remove the line that begins with '%'"),
    ],
)  # fmt: skip
def test_what_is_no_trial_file_is_refused_at_once(text: str, expected: str) -> None:
    assert problems(text) == [expected]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("title:", "titel:", "2: unknown word 'titel'. Did you mean 'title'?"),
        ("UTC", "Mars", "3: 'Mars' is no time zone; write one as Asia/Shanghai"),
        ("entry: I-1", "entry: I-2", "5: the entry 'I-2' of arm 'A' is no criterion. Did you mean 'I-1'?"),
        ("entry: I-1", "entri: I-1", "5: unknown word 'entri' in an arm. Did you mean 'entry'?"),
        (", entry: I-1", "", "5: the arm 'A' needs 'entry'"),
        ("text: a sentence", "note: a", "7: a criterion needs 'id' and 'text', the sentence of the protocol"),
    ],
)
def test_the_head_of_the_file_is_checked(old: str, new: str, expected: str) -> None:
    assert f"t.yaml:{expected}" in problems(with_rule("sex: male").replace(old, new))


def test_an_unknown_arm_of_a_criterion_is_named() -> None:
    found = problems(with_rule("arms: [B]\nsex: male"))
    assert "t.yaml:9: no arm is called 'B'." in found


def test_a_criterion_id_is_used_once() -> None:
    assert problems(with_rule("sex: male", SECOND)) == [
        "t.yaml:10: the criterion 'I-1' stands twice; it begins in line 7 too"
    ]


def test_rules_that_refer_to_each_other_in_a_circle_are_refused() -> None:
    rules = "rules:\n  a: {not: {rule: b}}\n  b: {not: {rule: a}}\n"
    assert problems(with_rule("rule: a", rules)) == ["t.yaml:12: the rule 'a' refers to itself: a -> b -> a"]


def test_a_rule_that_nothing_uses_and_one_defined_twice() -> None:
    rules = "rules:\n  spare: {sex: male}\n"
    assert problems(with_rule("sex: male", rules)) == [
        "t.yaml:11: the rule 'spare' is used nowhere; use it or remove it"
    ]
    twice = problems(with_rule("define: {a: {sex: male}}\nrule: a", "rules:\n  a: {sex: female}\n"))
    assert twice == ["t.yaml:9: the rule 'a' is defined twice; give one of them another name"]


def test_all_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = with_rule(
        "sex: men\nnotte: x", "exclusion:\n  - id: E-1\n    text: x\n    condition: dx_sl\n    ever: yes\n"
    )
    lines = [int(line.split(":")[1]) for line in problems(text.replace("title:", "titel:"))]
    assert lines == sorted(lines)
    assert {2, 9, 10, 14} <= set(lines)


def test_leaves_are_numbered_in_the_order_of_the_rule_and_know_their_line() -> None:
    trial = read(with_rule("any:\n  - sex: male\n  - all:\n      - {age: {at_least: 18}}\n      - {sex: female}"))
    assert [(leaf.id, leaf.line) for leaf in leaves(trial)] == [("I-1.1", 10), ("I-1.2", 12), ("I-1.3", 13)]


def test_adverse_is_turned_by_the_section_and_by_every_not() -> None:
    rule = "all:\n  - sex: male\n  - not: {sex: female}\n  - not: {not: {sex: female}}"
    body = "".join(f"    {line}\n" for line in rule.splitlines())
    trial = read(with_rule(rule, "exclusion:\n  - id: E-1\n    text: x\n" + body))
    assert [leaf.adverse for leaf in leaves(trial)] == [False, True, False, True, False, True]


def test_the_absence_of_a_criterion_holds_for_the_leaves_that_say_none() -> None:
    rule = "any:\n  - {condition: dx_sle, ever: yes}\n  - {sex: male, absence: 'false'}\n  - {judgement: look}\nabsence: unknown"
    assert [leaf.question.absence for leaf in leaves(read(with_rule(rule)))] == [
        "unknown",
        "false",
        "unknown",
    ]
    bare = with_rule("condition: dx_sle\never: yes")
    assert [leaf.question.absence for leaf in leaves(read(bare))] == ["false"]


def test_a_named_rule_is_written_out_where_it_is_used() -> None:
    trial = read(with_rule("not: {rule: a}", "rules:\n  a: {need: 1, of: [{sex: male}, {sex: female}]}\n"))
    rule = trial.criteria[0].rule
    assert isinstance(rule, Combination)
    child = rule.children[0]
    assert isinstance(child, Combination)
    assert (rule.operator, child.operator, child.need) == ("not", "need", 1)
    assert [leaf.id for leaf in leaves(trial)] == ["I-1.1", "I-1.2"]


def test_scalars_stay_text() -> None:
    trial = read(HEAD.replace("a sentence", "0.50") + "    note: yes\n    sex: male\n")
    assert (trial.criteria[0].text, trial.criteria[0].note) == ("0.50", "yes")


def test_a_folded_sentence_is_one_line_of_plain_text():
    rule = leaves(read(with_rule("judgement: >-\n  look at\n  the report")))[0].question
    assert rule.judgement == "look at the report"


def test_a_window_longer_than_a_lifetime_is_refused():
    assert "longer than a lifetime" in str(problems(with_rule("condition: dx_sle\nwithin: 30000 years")))


FLAGGED = """
exclusion:
  - id: E-1
    text: a sentence
    observation: inr
    above: 1.5 ULN
    flag_when:
      high: {observation: inr, above: 1.5}
"""


def test_a_flag_is_raised_by_a_rule_of_its_own() -> None:
    trial = read(with_rule("age: {at_least: 18}", FLAGGED).replace("arms:", "flags: {high: it is high}\narms:", 1))
    rule = trial.criteria[1].flag_rules["high"]
    assert isinstance(rule, Leaf)
    assert (rule.id, rule.adverse) == ("E-1.high.1", True)
    assert trial.flag_words == {"high": "it is high"}


def test_a_flag_without_a_sentence_or_in_a_criterion_that_is_not_computed_is_refused() -> None:
    assert problems(with_rule("age: {at_least: 18}", FLAGGED)) == [
        "t.yaml:17: the flag 'high' says nothing; write its sentence under 'flags:'"
    ]
    without = FLAGGED.replace("    observation: inr\n    above: 1.5 ULN\n", "    computed: no\n")
    (only,) = problems(with_rule("age: {at_least: 18}", without))
    assert "stands in a computed criterion only" in only


def test_a_rule_of_one_arm_stands_beside_that_of_the_others() -> None:
    text = (
        with_rule("sex: male")
        + "  - id: I-2\n    text: x\n    sex: male\n    absence: false\n    by_arm:\n      A:\n        not: {sex: female}\n"
    )
    criterion = read(text).criteria[1]
    rule = criterion.rule_in("A")
    assert isinstance(rule, Combination)
    (leaf,) = rule.children
    assert isinstance(leaf, Leaf)
    assert (leaf.id, leaf.question.sex, leaf.question.absence) == ("I-2.A.1", "female", "false")
    assert (criterion.asked_as("A"), criterion.asked_as("B")) == ("I-2@A", "I-2")
