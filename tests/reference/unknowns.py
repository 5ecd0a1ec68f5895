"""What an unknown verdict hangs on: every answer of the leaves on a concept is tried."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from itertools import product

from cohortfinder.model import Criterion, Leaf, Rule, leaves_of
from reference.evaluate import truth_of_leaf
from reference.site import Answer, Site
from reference.truth import NOT, Truth, all_of, any_of, need_of

INPUTS = {
    "cockcroft_gault": {
        "": {"creatinine_serum"}, "missing_creatinine": {"creatinine_serum"}, "missing_weight": {"body_weight"}, "missing_age": {"age"},
    },
    "sledai_clinical_points": {"": {"sledai_2k_total"}, "missing_items": {"sledai_2k_low_complement", "sledai_2k_dsdna", "sledai_2k_clinical"}},
    "sledai_serology_points": {"": {"sledai_2k_total"}, "missing_items": {"sledai_2k_low_complement", "sledai_2k_dsdna", "sledai_2k_clinical"}},
    "spo2_room_air": {"": {"spo2"}},
}  # fmt: skip

# what a person answers: a test of its own, and no data
JUDGEMENT = "judgement"


@dataclass(frozen=True)
class OpenRule:
    """A rule that is unknown for a patient: the truths of its leaves, and the leaves that hang on each concept."""

    rule: Rule
    known: dict[str, Truth]
    hanging: dict[str, list[str]]

    def tried(self, concepts: Collection[str]) -> set[Truth]:
        """Return what the rule may be by every answer of the leaves that hang on some concepts."""
        leaves = sorted({leaf for concept in concepts for leaf in self.hanging.get(concept, ())})
        tries = product((True, False), repeat=len(leaves))
        return {_truth(self.rule, self.known | dict(zip(leaves, answers, strict=True))) for answers in tries}


def concepts_that_would_answer(leaf: Leaf, reason: str | None) -> set[str]:
    """Return the concepts of which data would answer a leaf that is unknown for this reason."""
    question = leaf.question
    match leaf.kind, reason:
        case "judgement", _:
            return {JUDGEMENT}
        case (("age" | "study"), _):
            return {leaf.kind}
        case "sex", _:
            return {"gender"}
        case "dose", "weight_missing":
            return {"body_weight"}
        case "formula", _:
            inputs = INPUTS[question.formula]
            return inputs.get(reason or "", inputs[""])
        case "treatment", "too_few_results":
            return set(question.reaching.observation)
        case "treatment", "dose_then_unknown":
            return {question.reaching.while_.dose}
        case "treatment", _:
            return {*question.treatment, *question.with_}
        case "series", _:
            return {concept for reading in question.series for concept in reading.observation}
    named = getattr(question, leaf.kind)
    return {named} if isinstance(named, str) else set(named)


def settled_by(
    site: Site, criterion: Criterion, patient_id: str, as_of: date, arm: str = ""
) -> dict[str, tuple[bool, bool]] | None:
    """Return for each concept on which an unknown criterion hangs whether it settles it either way, and one way at least.

    Either way: some answers of the leaves on it make the rule true, and some make it false. None where partial dates
    leave open why a leaf is unknown, and so what would answer it.
    """
    found = open_rule(site, criterion, patient_id, as_of, arm)
    if found is None:
        return None
    tried = {concept: found.tried([concept]) for concept in found.hanging if concept != JUDGEMENT}
    return {concept: ({True, False} <= truths, bool({True, False} & truths)) for concept, truths in tried.items()}


def open_rule(site: Site, criterion: Criterion, patient_id: str, as_of: date, arm: str = "") -> OpenRule | None:
    """Return what an unknown criterion hangs on, nothing where it is known; None as above."""
    rule = criterion.rule_in(arm)
    if rule is None:
        return None
    answers = {leaf.id: truth_of_leaf(site, leaf, patient_id, as_of) for leaf in leaves_of(rule)}
    known = {name: answer.truth for name, answer in answers.items()}
    if _truth(rule, known) is not None:
        return OpenRule(rule, known, {})
    hanging: dict[str, list[str]] = {}
    for leaf in leaves_of(rule):
        sets = [] if known[leaf.id] is not None else _what_would_answer(leaf, answers[leaf.id])
        if any(other != sets[0] for other in sets):
            return None
        for concept in sets[0] if sets else ():
            hanging.setdefault(concept, []).append(leaf.id)
    return OpenRule(rule, known, hanging)


def _what_would_answer(leaf: Leaf, answer: Answer) -> list[set[str]]:
    return [concepts_that_would_answer(leaf, reason) for reason in {answer.reason, *answer.open_reasons}]


def _truth(rule: Rule, leaves: dict[str, Truth]) -> Truth:
    if isinstance(rule, Leaf):
        return leaves[rule.id]
    truths = [_truth(child, leaves) for child in rule.children]
    if rule.operator == "not":
        return NOT[truths[0]]
    if rule.operator == "need":
        return need_of(rule.need or 0, truths)
    return all_of(truths) if rule.operator == "all" else any_of(truths)
