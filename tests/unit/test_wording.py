"""That every reason code and flag of the queries has words."""

import re
from decimal import Decimal

from cohortfinder.model import Quantity
from cohortfinder.resources import resource_dir
from cohortfinder.wording import FLAGS, compared, knows_reason, plain_units, quantity

_FOLDERS = ("criteria", "facts", "formulas", "macros", "results")
# its words are those of wording.GATES
_GATES = "gate.sql.jinja"
_CODE = re.compile(r"reason\('([a-z_]+)'\)|THEN \[?'([a-z]+(?:_[a-z]+)+)'")
_FLAG = re.compile(
    r"flag_if\(.*?, *'([a-z_]+)'\)|THEN \[?'(stale[a-z_]*|newer_[a-z]+|time_from_[a-z]+|contradictory_[a-z]+)'"
)


def _found(pattern: re.Pattern[str]) -> set[str]:
    texts = [
        path.read_text("utf-8")
        for one in _FOLDERS
        for path in (resource_dir("queries") / one).rglob("*.jinja")
        if path.name != _GATES
    ]
    return {"".join(groups) for text in texts for groups in pattern.findall(text)}


def test_every_reason_of_the_queries_has_a_sentence() -> None:
    """A code that a template emits without wording would reach the coordinator as a bare word."""
    codes = _found(_CODE)
    assert {"missing_creatinine", "unspecific_code", "unit_missing", "order_unconfirmed"} <= codes
    assert sorted(code for code in codes if not knows_reason(code) and code not in FLAGS) == []


def test_every_flag_of_the_queries_has_words() -> None:
    flags = _found(_FLAG)
    assert flags
    assert sorted(flags - FLAGS.keys()) == []


def test_units_read_as_people_write_them() -> None:
    assert plain_units("3.2 10*9/L") == "3.2 10⁹/L"
    assert plain_units("122 mm[Hg]") == "122 mmHg"
    assert plain_units("1.4 {INR}") == "1.4"
    assert quantity(Quantity(Decimal("1.5"), "ULN")) == "1.5 x ULN"


def test_a_computed_number_is_rounded_and_a_problem_is_words() -> None:
    assert compared("clearance 20.8333333333 mL/min") == "clearance 20.83 mL/min"
    assert compared("clearance 29.9961234567 mL/min") == "clearance 29.9961 mL/min", "30 would not be below 30"
    assert compared("clearance 30 mL/min") == "clearance 30 mL/min"
    assert compared("unit_missing") == "unit missing"
    assert compared(None) == "–"
