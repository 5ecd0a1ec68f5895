"""Sentences that a coordinator reads, and that every reason code of the queries has one."""

import re
from datetime import date

import pytest

from cohortfinder.criteria.medication import MedicationQuestion
from cohortfinder.criteria.observation import ObservationQuestion
from cohortfinder.model import Leaf
from cohortfinder.resources import resource_dir
from cohortfinder.wording import Evidence, Language, knows_reason, sentence

LANGUAGE = Language({"creatinine_serum": "creatinine", "rx_belimumab": "belimumab"}, date(2026, 11, 20))
CREATININE = ObservationQuestion.model_validate({"observation": "creatinine_serum", "at_most": "1.5 ULN"})
BELIMUMAB = MedicationQuestion.model_validate({"medication": "rx_belimumab", "within": "3 weeks"})
RESULT = Evidence("x", "Observation/1", "2026-11-03", "150 umol/L")
GIVEN = Evidence("x", "MedicationAdministration/1", "2026-09-01")
SEARCHED = Evidence("x", searched="12 medication records", since="2019-04-02", found=0)


@pytest.mark.parametrize(
    ("kind", "question", "code", "evidence", "expected"),
    [
        ("observation", CREATININE, "met", RESULT,
         "creatinine 150 umol/L on 2026-11-03 is at most 1.5 x the upper limit of normal"),
        ("observation", CREATININE, "not_met", RESULT,
         "creatinine 150 umol/L on 2026-11-03 is above 1.5 x the upper limit of normal"),
        ("medication", BELIMUMAB, "absent", SEARCHED,
         "no record of belimumab among 12 medication records since 2019-04-02"),
        ("medication", BELIMUMAB, "not_met", GIVEN,
         "belimumab on 2026-09-01 does not count: within 3 weeks before 2026-11-20 is asked"),
        ("observation", CREATININE, "brand_new", RESULT, "the data do not settle this (brand_new)"),
    ],
)  # fmt: skip
def test_a_verdict_reads_as_a_sentence(
    kind: str, question: object, code: str, evidence: Evidence, expected: str
) -> None:
    assert sentence(Leaf("x", kind, question, False, 1), code, (evidence,), LANGUAGE) == expected


def test_every_reason_of_the_queries_has_a_sentence() -> None:
    """A code that a template emits without wording would reach the coordinator as a bare word."""
    texts = [path.read_text("utf-8") for path in resource_dir("queries").rglob("*.jinja")]
    codes = {code for text in texts for code in re.findall(r"reason\('([a-z_]+)'\)", text)}
    assert sorted(code for code in codes if not knows_reason(code)) == []
