"""Sentences that a coordinator reads."""

import pytest

from cohortfinder.criteria.medication import MedicationQuestion
from cohortfinder.criteria.observation import ObservationQuestion
from cohortfinder.model import Combination, Criterion, Leaf
from cohortfinder.report.reasons import reason_sentence, sentence
from cohortfinder.wording import Evidence, Language
from unit.report.screened import AS_OF

LANGUAGE = Language({"creatinine_serum": "Creatinine", "hbsag": "HBsAg", "rx_belimumab": "Belimumab"}, AS_OF)
CREATININE = ObservationQuestion.model_validate({"observation": "creatinine_serum", "at_most": "1.5 ULN"})
HBSAG = ObservationQuestion.model_validate({"observation": "hbsag", "is": "positive"})
BELIMUMAB = MedicationQuestion.model_validate({"medication": "rx_belimumab", "within": "3 weeks"})
RESULT = Evidence("x", "Observation/1", "2026-11-03", "150 umol/L", "150 umol/L; uln 90")
READ = Evidence("x", "Observation/2", "2026-11-03", "阴性", " (negative)")
GIVEN = Evidence("x", "MedicationAdministration/1", "2026-11-10", "1092437", "firm")
SEARCHED = Evidence("x", searched="1 conditions", since="2019-04-02", found=0)


@pytest.mark.parametrize(
    ("kind", "question", "code", "evidence", "expected"),
    [
        ("observation", CREATININE, "not_met", RESULT,
         "creatinine 150 umol/L on 2026-11-03 (ULN 90 umol/L) is above 1.5 x ULN"),
        ("observation", HBSAG, "not_met", READ, 'HBsAg "阴性" on 2026-11-03 reads as negative'),
        ("medication", BELIMUMAB, "met", GIVEN,
         "belimumab (recorded as 1092437, dated 2026-11-10) counts as within 3 weeks before 2026-11-20"),
        ("medication", BELIMUMAB, "absent", SEARCHED, "no record of belimumab among 1 condition since 2019-04-02"),
        ("observation", CREATININE, "brand_new", RESULT, "the data do not settle this (brand_new)"),
    ],
)  # fmt: skip
def test_a_verdict_reads_as_a_sentence(
    kind: str, question: object, code: str, evidence: Evidence, expected: str
) -> None:
    assert sentence(Leaf("x", kind, question, False, 1), code, (evidence,), LANGUAGE) == expected


def test_concepts_without_a_result_are_named_once_and_a_judgement_comes_last() -> None:
    leaves = (
        Leaf("j", "judgement", type("Asked", (), {"judgement": "whether it counts"})(), False, 1),
        Leaf("a", "observation", CREATININE, False, 1),
        Leaf("b", "observation", HBSAG, False, 1),
    )
    criterion = Criterion("X", "exclusion", "x", ("A",), "exact", Combination("any", leaves), 1, 1)
    reasons = (("j", "judgement_required"), ("a", "no_data"), ("b", "no_data"))
    assert reason_sentence(criterion, reasons, (), LANGUAGE) == (
        "No result of creatinine or HBsAg on file; a person decides: whether it counts."
    )
