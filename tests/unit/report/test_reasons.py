"""Sentences that a coordinator reads."""

import pytest

from cohortfinder.criteria.allergy import AllergyQuestion
from cohortfinder.criteria.change import ChangeQuestion
from cohortfinder.criteria.medication import MedicationQuestion
from cohortfinder.criteria.observation import ObservationQuestion
from cohortfinder.criteria.study import StudyQuestion
from cohortfinder.criteria.treatment import TreatmentQuestion
from cohortfinder.model import Combination, Criterion, Leaf
from cohortfinder.report.reasons import Sentences, leaf_words, sentence
from cohortfinder.report.verdict_rows import VerdictRow
from cohortfinder.wording import Evidence, Language
from unit.report.screened import AS_OF

LANGUAGE = Language({"creatinine_serum": "Creatinine", "hbsag": "HBsAg", "rx_belimumab": "Belimumab"}, AS_OF)
CREATININE = ObservationQuestion.model_validate({"observation": "creatinine_serum", "at_most": "1.5 ULN"})
HBSAG = ObservationQuestion.model_validate({"observation": "hbsag", "is": "positive"})
BELIMUMAB = MedicationQuestion.model_validate({"medication": "rx_belimumab", "within": "3 weeks"})
RESULT = Evidence("x", "Observation/1", "2026-11-03", "150 umol/L", "150 umol/L; uln 90")
READ = Evidence("x", "Observation/2", "2026-11-03", "阴性", "(negative)")
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
    assert sentence(leaf_words(Leaf("x", kind, question, False, 1), LANGUAGE), code, (evidence,)) == expected


def test_an_allergy_and_a_study_are_named_as_people_say() -> None:
    allergy = AllergyQuestion.model_validate({"allergy": "rx_belimumab", "severe": "yes"})
    study = StudyQuestion.model_validate({"study": "interventional", "within": "3 months"})
    recorded = Evidence("x", "AllergyIntolerance/1", "2026-11-03", "Belimumab", "tentative", concept="rx_belimumab")
    part = Evidence("x", "ResearchSubject/1", "2026-11-03", "A trial", "firm", concept="interventional")
    words = leaf_words(Leaf("x", "allergy", allergy, True, 1), LANGUAGE)
    assert sentence(words, "severity_unclear", (recorded,)) == (
        "nothing says whether allergy to belimumab (recorded as Belimumab, dated 2026-11-03) is severe"
    )
    words = leaf_words(Leaf("x", "study", study, True, 1), LANGUAGE)
    assert sentence(words, "met", (part,)) == (
        "an interventional study (recorded as A trial, dated 2026-11-03) counts as within 3 months before 2026-11-20"
    )


def test_a_treatment_says_how_long_and_what_was_reached() -> None:
    asked = {"treatment": "rx_belimumab", "for": "90 days"}
    given = GIVEN._replace(compared="2026-01-01 to 2026-06-30", concept="rx_belimumab")
    result = Evidence("x", "Observation/1", "2026-05-01", "0", "{score}", concept="bvas_v3_total")
    drug = "belimumab (recorded as 1092437, dated 2026-11-10)"
    language = Language({"rx_belimumab": "Belimumab", "bvas_v3_total": "BVAS"}, AS_OF)
    words = leaf_words(Leaf("x", "treatment", TreatmentQuestion.model_validate(asked), False, 1), language)
    assert sentence(words, "met", (given,)) == f"{drug} was taken for 90 days or longer until 2026-11-20"
    assert sentence(words, "not_met", (given,)) == f"{drug} was not taken for 90 days or longer until 2026-11-20"
    stable = TreatmentQuestion.model_validate({**asked, "until": "14 days"})
    words = leaf_words(Leaf("x", "treatment", stable, False, 1), language)
    assert sentence(words, "met", (given,)).endswith("for 90 days or longer, up to 14 days before 2026-11-20 or later")
    reaching = {**asked, "reaching": {"observation": "bvas_v3_total", "at_most": "0"}}
    words = leaf_words(Leaf("x", "treatment", TreatmentQuestion.model_validate(reaching), False, 1), language)
    assert sentence(words, "met", (result, given)) == (
        f"{drug} was taken for 90 days or longer until 2026-11-20, and under it BVAS (recorded as 0, dated 2026-05-01)"
        " is at most 0"
    )
    assert sentence(words, "too_few_results", (given,)) == (
        "too few results were found under belimumab to say that the value was never reached"
    )


def test_a_treatment_with_two_drugs_names_both() -> None:
    asked = {"treatment": "rx_belimumab", "with": "rx_azathioprine", "for": "90 days"}
    words = leaf_words(Leaf("x", "treatment", TreatmentQuestion.model_validate(asked), False, 1), LANGUAGE)
    assert sentence(words, "not_met", (GIVEN._replace(concept="rx_belimumab"),)) == (
        "belimumab together with azathioprine (belimumab (recorded as 1092437, dated 2026-11-10)) was not taken"
        " for 90 days or longer until 2026-11-20"
    )


def test_a_change_names_both_results() -> None:
    question = ChangeQuestion.model_validate({"change": "mrss", "over": "6 months", "rises_by": "10 %"})
    words = leaf_words(Leaf("x", "change", question, False, 1), Language({"mrss": "Skin score"}, AS_OF))
    latest = Evidence("x", "Observation/2", "2026-11-03", "22", "22 {score}", concept="mrss")
    base = Evidence("x", "Observation/1", "2026-06-01", "20", "20 {score}", concept="mrss")
    assert sentence(words, "met", (latest, base)) == (
        "skin score 22 on 2026-11-03 (from 20 on 2026-06-01) is up by at least 10 %"
    )
    assert sentence(words, "not_met", (latest, base)).endswith("is not up by 10 %")
    assert sentence(words, "baseline_missing", (latest,)) == (
        "an earlier result to compare skin score 22 on 2026-11-03 with is not on file"
    )


@pytest.mark.parametrize(
    ("sent", "compared", "said"),
    [
        ("1.0", "1; uln 1.2", "1.0 on 2026-11-03 (ULN 1.2)"),
        ("100 umol/L", "100 umol/L", "100 umol/L on 2026-11-03"),
        ("1.50 mg/dL", "1.5 mg/dL", "1.50 mg/dL on 2026-11-03"),
        ("10.0 mg/L", "1 mg/dL", "10.0 mg/L on 2026-11-03 (compared as 1 mg/dL)"),
        ("0.010", "0.01", "0.010 on 2026-11-03"),
    ],
)
def test_the_digits_that_were_sent_are_no_other_value(sent: str, compared: str, said: str) -> None:
    item = Evidence("x", "Observation/1", "2026-11-03", sent, compared)
    assert sentence(
        leaf_words(Leaf("x", "observation", CREATININE, False, 1), LANGUAGE), "no_reference_range", (item,)
    ).startswith(f"creatinine {said} came without")


def test_a_record_without_a_drug_is_said_once_of_all_that_it_may_be() -> None:
    telitacicept = MedicationQuestion.model_validate({"medication": "rx_telitacicept", "within": "2 weeks"})
    leaves = (Leaf("a", "medication", BELIMUMAB, True, 1), Leaf("b", "medication", telitacicept, True, 1))
    criterion = Criterion("X", "exclusion", "x", ("A",), "exact", Combination("any", leaves), 1, 1)
    found = tuple(Evidence(leaf, "MedicationRequest/1", "2026-11-10", None, "tentative") for leaf in ("a", "b"))
    assert Sentences(criterion, LANGUAGE).reason((("a", "unnamed_drug"), ("b", "unnamed_drug")), found) == (
        "A medication record names no drug, or its product is not loaded, so it may be belimumab or telitacicept."
    )
    row = VerdictRow("p", "A", criterion, "unknown", "", (), (), found, None)
    assert [item.resource for item in row.shown()] == ["MedicationRequest/1"]
    named = row._replace(evidence=tuple(item._replace(concept=item.leaf) for item in found))
    assert [len(named.shown()), len(named.shown(by_concept=True))] == [1, 2]


def test_concepts_without_a_result_are_named_once_and_a_judgement_comes_last() -> None:
    leaves = (
        Leaf("j", "judgement", type("Asked", (), {"judgement": "whether it counts"})(), False, 1),
        Leaf("a", "observation", CREATININE, False, 1),
        Leaf("b", "observation", HBSAG, False, 1),
    )
    criterion = Criterion("X", "exclusion", "x", ("A",), "exact", Combination("any", leaves), 1, 1)
    reasons = (("j", "judgement_required"), ("a", "no_data"), ("b", "no_data"))
    assert Sentences(criterion, LANGUAGE).reason(reasons, ()) == (
        "No result of creatinine or HBsAg on file; a person decides: whether it counts."
    )


def test_of_several_concepts_the_one_that_decided_is_named() -> None:
    labels = Language({"hbsag": "HBsAg", "hbv_dna": "HBV DNA"}, AS_OF)
    question = ObservationQuestion.model_validate({"observation": ["hbv_dna", "hbsag"], "is": "positive"})
    item = Evidence("x", "Observation/2", "2026-11-03", "positive", "(positive)", concept="hbsag")
    words = leaf_words(Leaf("x", "observation", question, False, 1), labels)
    assert sentence(words, "met", (item,)) == 'HBsAg "positive" on 2026-11-03 reads as positive'
