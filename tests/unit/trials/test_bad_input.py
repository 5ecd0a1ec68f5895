"""What a damaged file, a newer one and a careless one say: one sentence with file, line and remedy, before anything runs."""

from pathlib import Path

import pytest

from cohortfinder.errors import TrialError
from cohortfinder.trials.library import read_text
from unit.trials.trial_text import problems, read, with_rule

BIG = "1" + "0" * 400
PARAMETER = "observation: haq_di\nat_least: ${p}"


def declared(words: str) -> str:
    return with_rule(PARAMETER, f"parameters:\n  p: {{{words}}}\n")


def test_a_file_of_this_version_says_so_or_says_nothing() -> None:
    assert read(with_rule("sex: male", "language: 1\n")).id == "T-1"


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("2", "this file is written in version 2 of the trial language, and this program reads version 1; install a newer cohortfinder"),
        ("new", "'language' is the version of the trial language, a whole number; write 'language: 1'"),
        ("[1]", "'language' is the version of the trial language, a whole number; write 'language: 1'"),
        ("0", "'language' is the version of the trial language, a whole number; write 'language: 1'"),
    ],
)  # fmt: skip
def test_a_file_of_a_later_version_gets_one_sentence_and_no_blame_for_its_words(version: str, said: str) -> None:
    text = with_rule("hologram: yes", f"language: {version}\nwarp: 9\n")
    assert problems(text) == [f"t.yaml:10: {said}"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("observation: hemoglobin\nat_least: 1e400 g/L", "10: 'at_least': '1e400 g/L' has an exponent; write the number out, as 1000 or 0.001"),
        (f"observation: hemoglobin\nat_least: {BIG} g/L", "10: 'at_least': '100000000000000...' has more than 15 digits; write fewer"),
        (f"dose: rx_methotrexate\nat_most: {BIG} mg/wk", "10: 'at_most': '100000000000000...' has more than 15 digits; write fewer"),
        (f"age: {{at_least: {BIG}}}", "9: 'at_least': '10000000000000000000' is no whole number from 0 to 9999"),
        ("age: {at_least: -5}", "9: 'at_least': '-5' is no whole number from 0 to 9999"),
        (f"need: {BIG}\nof: [{{sex: male}}]", "9: 'need' is '10000000000000000000'; it must be a number from 1 to 1, the rules under 'of'"),
        ("observation: platelet_count\nat_least: 5 mmol/L", "10: 'platelet_count' has no unit 'mmol/L'. It can be compared in /mm3, /uL, 10*3/mm3, 10*3/uL, 10*6/L, 10*6/mL, 10*9/L, 10*9/mL."),
        ("arms: [A, A]\nsex: male", "9: 'A' stands twice under 'arms'; say it once"),
        ("flags: {a: b}\nsex: male", "9: 'flags' is a text or a list of texts, as [first, second]"),
        ("treatment: rx_azathioprine\nfor: 90 days\nreaching: 5", "11: 'reaching' holds words in braces, as {word: value}"),
        ("observation: lvef\nbetween: [1 %, 2 %, 3 %]", "10: 'between' has too many items"),
        ("study: any\never: yes\nexcept: {a: b}", "11: 'except' is one word or a list, as [first, second]"),
        ("sex: \x00male", "9: the character U+0000 is damage, or not text; remove it"),
        ("judgement: 'open", "10: this is not YAML: found unexpected end of stream; check quotes, brackets and indentation"),
    ],
)  # fmt: skip
def test_a_value_that_nothing_can_be_is_refused_with_its_line(rule: str, expected: str) -> None:
    text = with_rule(rule)
    assert f"t.yaml:{expected}".replace(":10: this is not", f":{len(text.splitlines())}: this is not") in problems(text)


def test_rules_that_double_at_every_step_are_refused_before_they_fill_the_memory() -> None:
    steps = "".join(f"  r{n}: {{any: [{{rule: r{n - 1}}}, {{rule: r{n - 1}}}]}}\n" for n in range(1, 60))
    (only,) = problems(with_rule("rule: r59", f"rules:\n{steps}  r0: {{sex: male}}\n"))[:1]
    assert "the rule of 'I-1' has more than 2000 parts; make it shorter" in only


@pytest.mark.parametrize("name", ["I @1", "../x", "I-1@SLE", "x" * 81])
def test_an_id_is_a_word_that_a_file_name_can_hold(name: str) -> None:
    words = "write letters, digits, '-', '_' and '.', at most 80, without blanks"
    text = with_rule("sex: male")
    assert f"t.yaml:7: '{name}' is no id of a criterion; {words}" in problems(text.replace("I-1", name))
    assert f"t.yaml:1: '{name}' is no id of a trial; {words}" in problems(text.replace("T-1", name))
    assert f"t.yaml:5: '{name}' is no name of an arm; {words}" in problems(text.replace("  A:", f"  {name}:"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("default: 5 mmol/L, why: x, at_least: 0", "the default of 'p' is '5 mmol/L'; it must be in the unit of its bound, at_least 0"),
        ("default: 1e400, why: x, at_most: 3", "the default of 'p' is '1e400'; it must be a number, at_most 3"),
        ("default: 2, why: x, at_least: 5, at_most: 3", "no value of 'p' is within its bounds; write the lower first"),
        ("default: 1, why: x, at_least: many", "'at_least' of 'p' must be a number, with its unit if it has one"),
        ("default: 1, why: x, choices: 1", "'choices' of 'p' is a list of different values, as [first, second]"),
        ("default: 1, why: x, choices: []", "'choices' of 'p' is a list of different values, as [first, second]"),
        ("default: 1, why: x, choices: [1, 1]", "'choices' of 'p' is a list of different values, as [first, second]"),
    ],
)  # fmt: skip
def test_limits_of_a_parameter_that_mean_nothing_are_refused(words: str, said: str) -> None:
    assert f"t.yaml:12: {said}" in problems(declared(words))


def test_a_span_of_time_is_compared_in_days_or_months() -> None:
    text = with_rule(
        "condition: dx_sle\nwithin: ${p}",
        "parameters:\n  p: {default: 3 weeks, why: x, at_least: 14 days, at_most: 28 days}\n",
    )
    assert read(text).parameters[0].value == "3 weeks"
    assert "it must be at_most 28 days" in problems(text.replace("3 weeks", "5 weeks"))[0]
    assert "it must be in the unit of its bound, at_least 14 days" in problems(text.replace("3 weeks", "1 month"))[0]


def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_bytes(b"trial: T-1\ntitle: Caf\xe9\n")
    with pytest.raises(TrialError) as caught:
        read_text(tmp_path / "t.yaml")
    assert str(caught.value) == f"{tmp_path}/t.yaml:2: this is not UTF-8 text; save the file as UTF-8"


def test_what_is_left_out_is_told_in_the_line_of_its_word() -> None:
    """The next word may stand lines below, or nowhere."""
    assert problems("trial: T-1\ninclusion:\n\n\n") == problems("trial: T-1\ninclusion:")
    assert "t.yaml:2: 'inclusion' must be a list of criteria, each beginning with '- id:'" in problems(
        "trial: T-1\ninclusion:\n\n\nexclusion: []\n"
    )
