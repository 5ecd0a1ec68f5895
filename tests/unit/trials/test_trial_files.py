"""The trial files of the repository: complete, verbatim, and right where a mistake could harm a patient."""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.model import Criterion, Leaf, Rule, Trial, Truth, leaves_of
from cohortfinder.terminology.load import load_terminology
from cohortfinder.trials.parser import parse_trial

ROOT = Path(__file__).parents[3]
SPEC = ROOT.parent / "shared" / "spec"
TERMINOLOGY = load_terminology(ROOT / "mappings")


def read(name: str) -> Trial:
    path = ROOT / "trials" / name
    return parse_trial(path.read_text(encoding="utf-8"), source=path.name, terminology=TERMINOLOGY)


CART = read("NCT06983964.yaml")
DIABETES = read("T2D-EXAMPLE.yaml")
CRITERIA = {criterion.id: criterion for criterion in CART.criteria}


@dataclass(frozen=True)
class Result:
    """One test result of a made-up patient; the position in the list is its time."""

    concept: str
    polarity: str
    confirm: bool = False
    old: bool = False


@dataclass(frozen=True)
class Patient:
    """What a rule can ask of a made-up patient who was seen often. `facts` maps a diagnosis to its truth."""

    results: tuple[Result, ...] = ()
    facts: tuple[tuple[str, Truth], ...] = ()
    sex: str | None = "female"


def kleene(rule: Rule, patient: Patient, answer: Callable[[Leaf, Patient], Truth]) -> Truth:
    """Evaluate a rule by the tables of Kleene, each leaf as `answer` says."""
    if isinstance(rule, Leaf):
        return answer(rule, patient)
    truths = [kleene(child, patient, answer) for child in rule.children]
    if rule.operator == "not":
        return None if truths[0] is None else not truths[0]
    need = {"all": len(truths), "any": 1}.get(rule.operator, rule.need or 0)
    if truths.count(True) >= need:
        return True
    return None if truths.count(True) + truths.count(None) >= need else False


def leaf_truth(leaf: Leaf, patient: Patient) -> Truth:
    question = leaf.question
    if leaf.kind == "judgement":
        return None
    if leaf.kind == "sex":
        return patient.sex == question.sex if patient.sex is not None else no_record(question)
    if leaf.kind == "observation":
        return observation_truth(question, patient.results)
    facts = dict(patient.facts)
    truths = [facts[concept] for concept in question.concepts if concept in facts]
    return True if True in truths else None if None in truths else no_record(question)


def no_record(question: Any) -> Truth:
    return False if question.absence == "false" else None


def observation_truth(question: Any, results: tuple[Result, ...]) -> Truth:
    same = [
        result
        for result in results
        if result.concept in question.concepts and result.confirm == (question.role == "confirm")
    ]
    usable = [result for result in same if question.ever or not result.old]
    if not usable:
        return None if same else no_record(question)
    first = next(c for c in question.concepts if any(r.concept == c for r in usable))
    truths = [polarity_truth(question, r.polarity) for r in usable if r.concept == first]
    if question.pick == "any":
        return True if True in truths else None if None in truths else False
    if question.pick == "all":
        return False if False in truths else None if None in truths else True
    newest = max(i for i, r in enumerate(usable) if r.concept == first)
    later = [polarity_truth(question, r.polarity) for r in usable[newest + 1 :]]
    contradicted = truths[-1] is not None and (not truths[-1]) in later
    return None if contradicted else truths[-1]


def polarity_truth(question: Any, polarity: str) -> Truth:
    if polarity == "below":
        polarity = question.below_detection
    if polarity == "equivocal" and question.is_ != "equivocal":
        return None
    return None if polarity == "unknown" else polarity == question.is_


def truth_of(criterion: str, patient: Patient) -> Truth:
    rule = CRITERIA[criterion].rule
    assert rule is not None
    return kleene(rule, patient, leaf_truth)


def official() -> list[dict[str, str]]:
    with (SPEC / "criteria.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


with_spec = pytest.mark.skipif(not SPEC.is_dir(), reason="the definition of the trial is not beside the repository")


@with_spec
def test_all_criteria_stand_in_the_order_of_the_definition() -> None:
    rows = official()
    assert [criterion.id for criterion in CART.criteria] == [row["id"] for row in rows]
    assert len(rows) == 77
    for row, criterion in zip(rows, CART.criteria, strict=True):
        arms = tuple(arm.id for arm in CART.arms) if row["arms"] == "all" else tuple(row["arms"].split(";"))
        said = (criterion.kind, criterion.certainty, set(criterion.arms))
        assert said == (row["kind"], row["certainty"], set(arms)), criterion.id


@with_spec
def test_texts_are_verbatim() -> None:
    page = (SPEC / "NCT06983964.txt").read_text(encoding="utf-8").split("\n")
    for row, criterion in zip(official(), CART.criteria, strict=True):
        line = int(row["seed_line"])
        assert criterion.text in " ".join(page[line - 1 : line + 15]), criterion.id
        assert criterion.text.split(" ")[0] in page[line - 1], criterion.id


def test_every_criterion_is_computed_but_what_only_a_person_can_judge() -> None:
    for criterion in CART.criteria:
        assert criterion.rule is not None, criterion.id
        if not asks_data(criterion):
            assert criterion.certainty == "judgement", criterion.id


def asks_data(criterion: Criterion) -> bool:
    return criterion.rule is not None and any(leaf.kind != "judgement" for leaf in leaves_of(criterion.rule))


@pytest.mark.parametrize("trial", [CART, DIABETES], ids=lambda trial: trial.id)
def test_every_concept_exists_and_has_the_right_kind(trial: Trial) -> None:
    for criterion in trial.criteria:
        for leaf in leaves_of(criterion.rule) if criterion.rule is not None else ():
            question = leaf.question
            known = {
                "observation": TERMINOLOGY.observation_concepts,
                "clinical": TERMINOLOGY.clinical_concepts,
            }.get(question.domain, {})
            reached = question.reaching.observation if leaf.kind == "treatment" and question.reaching else ()
            assert not set(reached) - set(TERMINOLOGY.observation_concepts), leaf.id
            assert not set(question.concepts) - set(known) - set(reached), leaf.id


@pytest.mark.parametrize("trial", [CART, DIABETES], ids=lambda trial: trial.id)
def test_no_criterion_passes_a_patient_without_data(trial: Trial) -> None:
    nobody = Patient(sex=None)
    for criterion in trial.criteria:
        if criterion.rule is not None:
            truth = kleene(criterion.rule, nobody, unseen)
            assert truth is not (criterion.kind == "inclusion"), criterion.id


def unseen(leaf: Leaf, patient: Patient) -> Truth:
    """Answer for a patient who was never seen: no leaf but `sex` can be false for want of a record."""
    return leaf_truth(leaf, patient) if leaf.kind == "sex" else None


def results_of(concept: str, text: str) -> tuple[Result, ...]:
    """Read "POS", "confirm NEG", "old POS", separated by commas, in the order of time."""
    words = {"POS": "positive", "NEG": "negative", "EQUIV": "equivocal", "BELOW": "below"}
    return tuple(
        Result(concept, words[part.split()[-1]], "confirm" in part, "old" in part) for part in text.split(", ") if part
    )


@pytest.mark.parametrize(
    ("criterion", "antibody", "genome"),
    [("E-HBV", "hbsag", "hbv_dna"), ("E-HCV", "hcv_antibody", "hcv_rna")],
)
@pytest.mark.parametrize(
    ("screen", "load", "truth"),
    [
        ("POS", "POS", True),
        ("POS", "NEG", False),
        ("POS", "", None),
        ("POS", "BELOW", False),
        ("POS", "EQUIV", None),
        ("POS", "old NEG", None),
        ("NEG", "", False),
        ("NEG", "POS", False),
        ("", "NEG", False),
        ("", "POS", None),
        ("", "", None),
        ("old NEG", "", None),
        ("EQUIV", "POS", None),
        ("POS, confirm NEG", "POS", False),
        ("POS, confirm NEG", "", False),
        ("POS, confirm POS", "POS", True),
        ("POS, confirm POS", "", None),
        ("POS, confirm EQUIV", "POS", None),
        ("NEG, confirm POS", "POS", True),
        ("POS, old confirm NEG", "POS", None),
        ("confirm POS", "POS", True),
        ("NEG, old confirm NEG", "", False),
    ],
)
def test_hepatitis(criterion: str, antibody: str, genome: str, screen: str, load: str, truth: Truth) -> None:
    patient = Patient((*results_of(antibody, screen), *results_of(genome, load)))
    assert truth_of(criterion, patient) is truth


@pytest.mark.parametrize(
    ("antibody", "hiv_1", "hiv_2", "rna", "diagnosis", "truth"),
    [
        ("NEG", "", "", "", "", False),
        ("POS", "", "", "", "", None),
        ("POS, confirm POS", "", "", "", "", True),
        ("POS, confirm POS", "", "", "NEG", "", True),
        ("POS, confirm NEG", "", "", "", "", None),
        ("POS, confirm NEG", "", "", "NEG", "", False),
        ("POS, confirm NEG", "", "", "BELOW", "", False),
        ("POS, confirm NEG", "", "", "POS", "", None),
        ("POS, confirm EQUIV", "", "", "", "", None),
        ("POS, confirm EQUIV", "", "", "NEG", "", False),
        ("POS, confirm EQUIV", "", "", "POS", "", None),
        ("POS, confirm POS, confirm EQUIV", "", "", "NEG", "", True),
        ("POS, confirm EQUIV, confirm POS", "", "", "NEG", "", True),
        ("POS, confirm EQUIV, confirm NEG", "", "", "", "", None),
        ("POS", "", "", "NEG", "", None),
        ("", "NEG", "", "", "", None),
        ("", "", "NEG", "", "", None),
        ("", "NEG", "NEG", "", "", False),
        ("", "POS", "NEG", "", "", None),
        ("NEG", "POS", "", "", "", None),
        ("NEG", "", "", "POS", "", None),
        ("NEG", "", "", "NEG", "", False),
        ("old NEG", "", "", "", "", None),
        ("POS, NEG", "", "", "", "", None),
        ("EQUIV", "", "", "", "", None),
        ("old confirm POS, NEG", "", "", "", "", True),
        ("", "", "", "NEG", "", None),
        ("", "", "", "", "", None),
        ("", "", "", "", "firm", True),
        ("NEG", "", "", "", "firm", True),
        ("NEG", "", "", "", "tentative", None),
    ],
)
def test_hiv(antibody: str, hiv_1: str, hiv_2: str, rna: str, diagnosis: str, truth: Truth) -> None:
    results = (
        *results_of("hiv_antibody", antibody),
        *results_of("hiv_1_antibody", hiv_1),
        *results_of("hiv_2_antibody", hiv_2),
        *results_of("hiv_rna", rna),
    )
    assert truth_of("E-HIV", Patient(results, facts_of("dx_hiv", diagnosis))) is truth


def facts_of(concept: str, standing: str) -> tuple[tuple[str, Truth], ...]:
    return () if not standing else ((concept, True if standing == "firm" else None),)


@pytest.mark.parametrize(
    ("treponemal", "reagin", "diagnosis", "truth"),
    [
        ("POS", "", "", True),
        ("NEG", "", "", False),
        ("old POS, NEG", "", "", True),
        ("old POS", "", "", True),
        ("old NEG", "", "", None),
        ("POS, NEG", "", "", None),
        ("NEG, POS", "", "", None),
        ("old NEG, POS", "", "", True),
        ("old POS, old NEG", "", "", None),
        ("POS, confirm NEG", "", "", None),
        ("POS, confirm POS", "", "", True),
        ("POS, confirm EQUIV", "", "", None),
        ("NEG, confirm POS", "", "", True),
        ("NEG, confirm NEG", "", "", False),
        ("EQUIV", "", "", None),
        ("", "POS", "", None),
        ("", "NEG", "", None),
        ("", "", "", None),
        ("", "", "firm", None),
        ("NEG", "", "firm", None),
        ("POS", "", "firm", True),
    ],
)
def test_syphilis(treponemal: str, reagin: str, diagnosis: str, truth: Truth) -> None:
    results = (*results_of("treponemal_antibody", treponemal), *results_of("nontreponemal_antibody", reagin))
    assert truth_of("E-SYPH", Patient(results, facts_of("dx_syphilis", diagnosis))) is truth


STERILE = (("st_sterilization_female", True),)
PERIMENOPAUSE = (("st_menopause", None),)
PREGNANT = (("st_pregnancy", True),)
LACTATING = (("st_lactation", True),)


@pytest.mark.parametrize(
    ("sex", "tests", "facts", "truth"),
    [
        ("male", "", (), True),
        ("male", "urine POS", (), True),
        ("female", "", (), None),
        ("female", "urine NEG", (), True),
        ("female", "serum NEG", (), True),
        ("female", "urine POS", (), False),
        ("female", "urine EQUIV", (), None),
        ("female", "old urine NEG", (), None),
        ("female", "serum NEG, urine POS", (), None),
        ("female", "urine POS, serum NEG", (), True),
        ("female", "", STERILE, True),
        ("female", "", PERIMENOPAUSE, None),
        ("female", "urine NEG", PERIMENOPAUSE, True),
        (None, "", (), None),
        (None, "urine NEG", (), True),
        ("other", "", (), None),
        ("other", "serum POS", (), False),
    ],
)
def test_pregnancy_test(sex: str | None, tests: str, facts: Any, truth: Truth) -> None:
    assert truth_of("I-PREG", Patient(pregnancy_tests(tests), facts, sex)) is truth


def pregnancy_tests(text: str) -> tuple[Result, ...]:
    """Read "urine POS", "old serum NEG", "status POS", "milk NEG" in the order of time."""
    names = {
        "urine": "pregnancy_test_urine",
        "serum": "pregnancy_test_serum",
        "status": "pregnancy_status",
        "milk": "breastfeeding_status",
    }
    read: list[Result] = []
    for part in text.split(", ") if text else ():
        name = next(word for word in names if word in part)
        read.extend(results_of(names[name], re.sub(f" ?{name}", "", part)))
    return tuple(read)


@pytest.mark.parametrize(
    ("sex", "tests", "facts", "truth"),
    [
        ("male", "", (), False),
        ("male", "urine POS", PREGNANT, False),
        ("female", "", (), None),
        ("female", "urine POS", (), True),
        ("female", "status POS", (), True),
        ("female", "urine NEG", (), None),
        ("female", "milk NEG", (), None),
        ("female", "urine NEG, milk NEG", (), False),
        ("female", "urine NEG, milk POS", (), True),
        ("female", "urine NEG, status POS, milk NEG", (), True),
        ("female", "status POS, urine NEG, milk NEG", (), None),
        ("female", "urine POS, status NEG, milk NEG", (), True),
        ("female", "status NEG, milk NEG", (), None),
        ("female", "status NEG, urine NEG, milk NEG", (), False),
        ("female", "urine EQUIV, milk NEG", (), None),
        ("female", "urine NEG, old milk NEG", (), None),
        ("female", "urine NEG, milk NEG", PREGNANT, True),
        ("female", "urine NEG, milk NEG", (*PREGNANT, ("st_pregnancy_ended", True)), None),
        ("female", "urine NEG, milk NEG", (("st_pregnancy_ended", True),), False),
        ("female", "urine NEG, milk NEG", LACTATING, True),
        ("female", "", STERILE, False),
        ("female", "milk POS", STERILE, True),
        ("female", "", (*STERILE, *PREGNANT), True),
        ("female", "", (*STERILE, *LACTATING), True),
        ("female", "", PERIMENOPAUSE, None),
        ("female", "urine NEG, milk NEG", PERIMENOPAUSE, False),
        (None, "", (), None),
        (None, "urine NEG, milk NEG", (), False),
        ("other", "urine POS", (), True),
    ],
)
def test_pregnant_or_lactating(sex: str | None, tests: str, facts: Any, truth: Truth) -> None:
    assert truth_of("E-PREGLACT", Patient(pregnancy_tests(tests), facts, sex)) is truth


@pytest.mark.parametrize(
    ("criterion", "facts", "truth"),
    [
        ("I-AAV-DX", {"dx_gpa": True}, True),
        ("I-AAV-DX", {"dx_mpa": True}, True),
        ("I-AAV-DX", {"dx_gpa": None}, None),
        ("I-AAV-DX", {"dx_aav_unspecified": None}, None),
        ("I-AAV-DX", {"dx_gpa": True, "dx_egpa": True}, False),
        ("I-AAV-DX", {"dx_egpa": True}, False),
        ("I-AAV-DX", {}, False),
        ("I-IIM-DX", {"dx_polymyositis": True}, True),
        ("I-IIM-DX", {"dx_imnm": True, "dx_inclusion_body_myositis": True}, False),
        ("I-IIM-DX", {"dx_dermatomyositis": True, "dx_cancer_associated_myositis": True}, False),
        ("I-IIM-DX", {"dx_amyopathic_dermatomyositis": True}, None),
        ("I-IIM-DX", {"dx_juvenile_myositis": True}, None),
        ("I-IIM-DX", {"dx_iim_unspecified": None}, None),
        ("I-IIM-DX", {"dx_inclusion_body_myositis": True}, False),
        ("I-IIM-DX", {}, False),
        ("E-TELI", {"rx_telitacicept": True}, True),
        ("E-TELI", {"rx_tocilizumab_alt_reading": True}, None),
        ("E-TELI", {}, False),
        ("E-TRANSPLANT", {"px_organ_transplant": True}, True),
        ("E-TRANSPLANT", {"dx_hsct_status": True}, None),
        ("E-TRANSPLANT", {}, False),
        ("E-CV1", {"dx_heart_failure": True}, True),
        ("E-CV1", {"px_pci": True}, True),
        ("E-CV1", {"dx_coronary_revascularisation_status": None}, None),
        ("E-CV1", {}, False),
    ],
)
def test_diagnoses_drugs_and_procedures(criterion: str, facts: dict[str, Truth], truth: Truth) -> None:
    assert truth_of(criterion, Patient(facts=tuple(facts.items()))) is truth


@pytest.mark.parametrize(
    ("criterion", "results", "truth"),
    [
        ("I-SS-SSA", "anti_ro_ssa POS", True),
        ("I-SS-SSA", "anti_ro_ssa NEG", False),
        ("I-SS-SSA", "anti_ro_ssa NEG; anti_ro52 POS", None),
        ("I-SS-SSA", "anti_ro_ssa NEG; anti_ro52 NEG", False),
        ("I-SS-SSA", "anti_ro52 POS", None),
        ("I-AAV-ANCA", "pr3_anca NEG", None),
        ("I-AAV-ANCA", "pr3_anca NEG; mpo_anca NEG", False),
        ("I-AAV-ANCA", "pr3_anca NEG; mpo_anca POS", True),
        ("I-AAV-ANCA", "anca_ifa POS", None),
    ],
)
def test_autoantibodies(criterion: str, results: str, truth: Truth) -> None:
    read = tuple(result for part in results.split("; ") for result in results_of(*part.split(" ")))
    assert truth_of(criterion, Patient(read)) is truth
