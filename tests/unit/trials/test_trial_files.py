"""The trial files of the repository: complete, verbatim, and right where a mistake could harm a patient."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.model import Combination, Criterion, Leaf, Rule, Trial, Truth, leaves_of
from cohortfinder.terminology.load import load_terminology
from cohortfinder.trials.parser import parse_trial

ROOT = Path(__file__).parents[3]
SPEC = ROOT.parent / "shared" / "spec"
COMPUTED = set(
    """I-AGE I-SLE-DX I-SSC-DX I-AAV-DX I-IIM-DX I-SS-DX I-SLE-AB I-SLE-ACT I-ANC I-PLT I-HB I-INR I-APTT I-AST I-ALT
    I-TBIL I-RENAL I-LVEF I-SPO2 I-PREG E-HBV E-HCV E-SYPH E-HIV E-BELI E-TELI E-CV1 E-TRANSPLANT E-BP E-PREGLACT
    I-SS-SSA I-AAV-ANCA I-IIM-MMT8""".split()
)
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


def kleene(rule: Rule, patient: Patient) -> Truth:
    """Evaluate a rule by the tables of Kleene."""
    if isinstance(rule, Leaf):
        return leaf_truth(rule, patient)
    truths = [kleene(child, patient) for child in rule.children]
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
    newest = max(i for i, r in enumerate(usable) if r.concept == first)
    if truths[-1] is not None and not truths[-1] in (
        None, *()  # a later result of another concept that says the opposite leaves it open
    ):
        return truths[-1]
    later = [polarity_truth(question, r.polarity) for r in usable[newest + 1 :]]
    return None if truths[-1] is not None and (not truths[-1]) in later else truths[-1]


def polarity_truth(question: Any, polarity: str) -> Truth:
    if polarity == "below":
        polarity = question.below_detection
    return polarity == question.is_ if polarity in ("positive", "negative") else None
