"""What a new record can change, kind by kind: the rest is a matter of time, or of never."""

from datetime import date
from typing import Any

import pytest

from cohortfinder.criteria.question import Remedy
from cohortfinder.criteria.registry import LEAF_KINDS

NEVER = "never"
AT_ONCE = "2026-11-20"
PRESSURE = [{"observation": "systolic_bp", "above": "160 mm[Hg]"}]
# the words of a leaf; the day on which a record of 2026-11-20 makes it true, and the one on which it makes it false
LEAVES: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"age": {"at_least": 18}}, NEVER, NEVER),
    ({"sex": "male"}, NEVER, NEVER),
    ({"observation": "hemoglobin", "at_least": "6 g/dL"}, AT_ONCE, AT_ONCE),
    ({"observation": "hemoglobin", "at_least": "6 g/dL", "ago": "2 months"}, "2027-01-20", "2027-01-20"),
    ({"observation": "hbsag", "is": "positive", "ever": "yes", "pick": "any"}, AT_ONCE, NEVER),
    ({"observation": "hbsag", "is": "negative", "pick": "all"}, NEVER, AT_ONCE),
    ({"series": PRESSURE, "within": "6 months", "recent": "28 days"}, AT_ONCE, "2027-05-21"),
    ({"change": "mrss", "over": "6 months", "rises_by": "10 %"}, AT_ONCE, AT_ONCE),
    ({"condition": "dx_sle", "ever": "yes"}, AT_ONCE, NEVER),
    ({"condition": "dx_sle", "within": "6 months"}, AT_ONCE, NEVER),
    ({"condition": "dx_sle", "before": "6 months"}, "2027-05-20", NEVER),
    ({"condition": "dx_sle", "active": "yes"}, AT_ONCE, AT_ONCE),
    ({"condition": "dx_sle", "active": "yes", "within": "6 months"}, AT_ONCE, "2027-05-21"),
    ({"medication": "rx_belimumab", "ever": "yes"}, AT_ONCE, NEVER),
    ({"medication": "rx_belimumab", "active": "yes"}, AT_ONCE, AT_ONCE),
    ({"medication": "rx_belimumab", "within": "3 weeks"}, AT_ONCE, "2026-12-12"),
    ({"dose": "rx_methotrexate", "at_most": "20 mg/wk"}, AT_ONCE, AT_ONCE),
    ({"dose": "rx_methotrexate", "above": "20 mg/wk", "within": "2 weeks"}, AT_ONCE, "2026-12-05"),
    ({"dose": "rx_methotrexate", "above": "20 mg/wk", "within": "4 weeks", "for": "14 days"}, "2026-12-04", "2026-12-19"),
    ({"treatment": "rx_azathioprine", "for": "90 days"}, "2027-02-18", NEVER),
    ({"treatment": "rx_azathioprine", "for": "90 days", "until": "14 days"}, "2027-02-18", "2026-12-05"),
    ({"procedure": "px_pci", "within": "6 months"}, AT_ONCE, NEVER),
    ({"immunization": "vx_live", "within": "2 weeks"}, AT_ONCE, NEVER),
    ({"allergy": "rx_lymphodepletion"}, AT_ONCE, NEVER),
    ({"study": "any", "ever": "yes"}, AT_ONCE, NEVER),
    ({"study": "any", "active": "yes"}, AT_ONCE, AT_ONCE),
    ({"study": "any", "within": "3 months"}, AT_ONCE, "2027-02-21"),
    ({"family_history": "dx_sle"}, AT_ONCE, NEVER),
    ({"formula": "cockcroft_gault", "at_least": "30 mL/min"}, AT_ONCE, AT_ONCE),
    ({"judgement": "the chart"}, AT_ONCE, AT_ONCE),
)  # fmt: skip


def kind_of(words: dict[str, Any]) -> str:
    return next(word for word in words if word in LEAF_KINDS)


@pytest.mark.parametrize(("words", "made_true", "made_false"), LEAVES, ids=str)
def test_a_record_of_today_counts_from_a_day_on(words: dict[str, Any], made_true: str, made_false: str) -> None:
    question = LEAF_KINDS[kind_of(words)].model_validate(words)
    days = []
    for wanted in (True, False):
        remedy = question.remedy(wanted)
        days.append(NEVER if remedy is None else remedy.counts_from(date(2026, 11, 20)).isoformat())
    assert days == [made_true, made_false]


def test_what_is_looked_at_again_does_not_have_to_happen_to_the_patient() -> None:
    """A diagnosis, a drug or a study is something that happens; a value, a dose or an answer is looked at again."""
    found = [(kind_of(words), LEAF_KINDS[kind_of(words)].model_validate(words).remedy(True)) for words, *_ in LEAVES]
    assert {kind for kind, remedy in found if remedy is not None and remedy.happens} == {
        "condition", "medication", "treatment", "procedure", "immunization", "allergy", "study", "family_history",
    }  # fmt: skip


def test_every_kind_says_it() -> None:
    assert {kind_of(words) for words, *_ in LEAVES} == set(LEAF_KINDS)


def test_what_ends_on_the_last_of_a_month_is_out_of_a_window_of_months_when_it_no_longer_begins_on_it() -> None:
    """Six months before 29, 30 and 31 August is 28 February: a treatment of that day is in the window until then."""
    words = {"medication": "rx_belimumab", "within": "6 months"}
    remedy = LEAF_KINDS["medication"].model_validate(words).remedy(False)
    assert isinstance(remedy, Remedy)
    assert remedy.counts_from(date(2027, 2, 28)) == date(2027, 9, 1)
