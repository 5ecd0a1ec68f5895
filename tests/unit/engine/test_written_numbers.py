"""The numbers of a criterion, and its rule with another one."""

import pytest

from cohortfinder.engine.numbers import Written, written_in, written_text
from cohortfinder.engine.what_if import variable
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.model import Duration, Leaf, Quantity, Trial, leaves_of
from cohortfinder.settings import Settings, read_settings

SETTINGS: Settings = read_settings(None)


@pytest.fixture(scope="module")
def trial() -> Trial:
    return read_trial("NCT06983964", read_terminology(SETTINGS), SETTINGS)


def numbers(trial: Trial, criterion: str) -> list[Written]:
    return [*written_in(next(one for one in trial.criteria if one.id == criterion))]


def told(written: Written) -> tuple[str, str, str]:
    return written.about, written.word, written_text(written.value)


def test_bounds_and_spans_are_found_where_they_are_written(trial: Trial) -> None:
    assert [told(one) for one in numbers(trial, "I-AGE")] == [
        ("age", "age.at_least", "18"),
        ("age", "age.at_most", "65"),
    ]
    assert [told(one) for one in numbers(trial, "I-RENAL")] == [
        ("creatinine_serum", "at_most", "1.5 ULN"), ("cockcroft_gault", "at_least", "30 mL/min"),
    ]  # fmt: skip
    assert [told(one)[1:] for one in numbers(trial, "E-BP")] == [
        ("series.0.above", "160 mm[Hg]"), ("series.1.above", "100 mm[Hg]"), ("within", "6 months"), ("recent", "28 days"), ("days", "2"),
    ]  # fmt: skip


def test_what_stands_there_by_default_is_no_number_of_the_protocol(trial: Trial) -> None:
    words = {one.word for criterion in trial.criteria for one in written_in(criterion)}
    assert not words & {"gaps", "apart", "screening_dilution"}


def test_a_rule_that_several_arms_share_has_its_numbers_once(trial: Trial) -> None:
    """The nephritis values stand once in the file, and in the rules of several arms."""
    shared = [one for one in numbers(trial, "E-LN") if len(one.leaves) > 1]
    assert shared
    (urine, *_) = shared
    changed = urine.rules(
        Quantity(urine.value.value + 1, urine.value.unit) if isinstance(urine.value, Quantity) else urine.value
    )
    assert set(changed) == {"E-LN", "E-LN@SLE"}


def test_only_the_number_is_another(trial: Trial) -> None:
    window = next(one for one in numbers(trial, "E-BELI") if one.word == "within")
    rule = window.rules(Duration(60, "days"))["E-BELI"]
    assert isinstance(rule, Leaf)
    before = window.leaves[0]
    assert rule.question.model_dump(exclude={"within"}) == before.question.model_dump(exclude={"within"})
    assert (rule.id, rule.question.within) == (before.id, Duration(60, "days"))


def test_bounds_that_contradict_each_other_are_refused(trial: Trial) -> None:
    youngest = numbers(trial, "I-AGE")[0]
    with pytest.raises(ValueError, match="not below"):
        youngest.rules(66)


def test_every_number_of_every_trial_can_be_another(trial: Trial) -> None:
    for criterion in variable(trial):
        for written in written_in(criterion):
            for name, rule in written.rules(written.value).items():
                assert leaves_of(rule) == leaves_of(_rule(trial, name))


def _rule(trial: Trial, name: str) -> object:
    criterion, _, arm = name.partition("@")
    rule = next(one for one in trial.criteria if one.id == criterion)
    return rule.by_arm[arm] if arm else rule.rule


def test_entry_criteria_are_left_out(trial: Trial) -> None:
    assert not {arm.entry for arm in trial.arms} & {one.id for one in variable(trial)}
