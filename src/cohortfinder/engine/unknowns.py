"""What the unknown verdicts of a trial hang on: the shape of each rule and the concepts of each leaf, as rows. Pure.

`queries/quality/settled.sql.jinja` answers from them which verdicts would be known if the data on one concept were.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cohortfinder.criteria.age import AgeQuestion
from cohortfinder.criteria.dose import WEIGHT, DoseQuestion
from cohortfinder.criteria.formula import FormulaQuestion
from cohortfinder.criteria.judgement import JudgementQuestion
from cohortfinder.criteria.sex import SexQuestion
from cohortfinder.criteria.study import StudyQuestion
from cohortfinder.criteria.treatment import TreatmentQuestion
from cohortfinder.engine.questions import formula_declaration
from cohortfinder.engine.rules import TrialPlan
from cohortfinder.model import Combination, Leaf, Rule, Trial, leaves_of
from cohortfinder.terminology.efforts import GENDER, JUDGEMENT, STUDY


@dataclass(frozen=True, slots=True)
class RuleNode:
    """A leaf or combination of a rule: true when `need` of its children are, then turned round where it is a `not`.

    `depth` counts from the top, which is 0. `number` is that of a leaf, and `favours` the truth of the leaf that speaks
    for the rule.
    """

    asked: str
    node: int
    parent: int | None
    depth: int
    need: int
    turned: bool
    number: int | None
    favours: bool


def rules_asked(trial: Trial) -> dict[str, Rule]:
    """Return the rules that hold in some arm, by the names under which they are evaluated."""
    return {
        criterion.asked_as(arm): rule
        for criterion in trial.criteria
        for arm in criterion.arms
        if (rule := criterion.rule_in(arm)) is not None
    }


def rule_nodes(trial: Trial, plan: TrialPlan) -> list[RuleNode]:
    """Return the nodes of every rule, each after its parent, leaves in their order."""
    return [
        node
        for name, rule in rules_asked(trial).items()
        for node in _nodes(rule, name, iter(plan.rules[name].numbers), iter(range(1, 10_000)))
    ]


def _nodes(
    rule: Rule,
    asked: str,
    leaves: Iterator[int],
    names: Iterator[int],
    parent: int | None = None,
    depth: int = 0,
    favours: bool = True,
) -> Iterator[RuleNode]:
    node = next(names)
    if isinstance(rule, Leaf):
        yield RuleNode(asked, node, parent, depth, 0, False, next(leaves), favours)
        return
    turned = rule.operator == "not"
    yield RuleNode(asked, node, parent, depth, _need(rule), turned, None, favours)
    for child in rule.children:
        yield from _nodes(child, asked, leaves, names, node, depth + 1, favours != turned)


def _need(rule: Combination) -> int:
    """Return how many children must be true: all of them, one, or as many as are needed."""
    return {"all": len(rule.children), "need": rule.need or 0}.get(rule.operator, 1)


def node_values(nodes: Iterable[RuleNode]) -> dict[str, list[Any]]:
    """Return the values of `queries/quality/rule_node.sql.jinja`."""
    rows = list(nodes)
    return {
        "asked": [row.asked for row in rows],
        "nodes": [row.node for row in rows],
        "parents": [row.parent for row in rows],
        "depths": [row.depth for row in rows],
        "needs": [row.need for row in rows],
        "turned": [row.turned for row in rows],
        "numbers": [row.number for row in rows],
        "favours": [row.favours for row in rows],
    }


def depth_of(trial: Trial) -> int:
    """Return how many combinations stand above the deepest leaf of the trial."""

    def below(rule: Rule) -> int:
        return 0 if isinstance(rule, Leaf) else 1 + max(below(child) for child in rule.children)

    return max((below(rule) for rule in rules_asked(trial).values()), default=0)


def concepts_of_leaves(trial: Trial, plan: TrialPlan) -> list[tuple[int, str, str]]:
    """Return (number of a leaf, reason, concept): data on the concept would answer the leaf, unknown for that reason.

    The empty reason stands for every one that has no row of its own.
    """
    return [
        (number, reason, concept)
        for name, rule in rules_asked(trial).items()
        for number, leaf in zip(plan.rules[name].numbers, leaves_of(rule), strict=True)
        for reason, concepts in subjects_of(leaf).items()
        for concept in dict.fromkeys(concepts)
    ]


def subjects_of(leaf: Leaf) -> Mapping[str, tuple[str, ...]]:
    """Return for each reason for which a leaf may be unknown the concepts that would answer it; "" is any other reason.

    What only a person can tell has a concept of its own, of which there are never data.
    """
    question: Any = leaf.question
    match question:
        case AgeQuestion():
            return {"": question.concepts[:1]}
        case SexQuestion():
            return {"": (GENDER,)}
        case StudyQuestion():
            return {"": (STUDY,)}
        case JudgementQuestion():
            return {"": (JUDGEMENT,)}
        case FormulaQuestion():
            return _inputs(question.formula)
        case DoseQuestion():
            return {"": (question.dose,), "weight_missing": (WEIGHT,)}
        case TreatmentQuestion():
            return _of_treatment(question)
    return {"": tuple(question.concepts)}


def _inputs(formula: str) -> dict[str, tuple[str, ...]]:
    """Return the inputs that a formula may miss; whatever else is unclear is so of the first of them."""
    declaration = formula_declaration(formula)
    concepts = {name: entry["concept"] for name, entry in declaration["inputs"].items()}
    groups = {name: tuple(concepts[one] for one in names) for name, names in declaration.get("groups", {}).items()}
    missing = {f"missing_{name}": (concept,) for name, concept in concepts.items()}
    missing |= {f"missing_{name}": own for name, own in groups.items()}
    return {"": (next(iter(concepts.values())),), **missing}


def _of_treatment(question: TreatmentQuestion) -> dict[str, tuple[str, ...]]:
    drugs = {"": (*question.treatment, *question.with_)}
    results = {"too_few_results": question.reaching.observation} if question.reaching else {}
    doses = {"dose_then_unknown": (question.dose_then.dose,)} if question.dose_then else {}
    return drugs | results | doses
