"""The rules of a trial to SQL: the question of each leaf, and how its answers combine. Pure.

Every leaf has a number. A screening asks leaves that differ in nothing but values together (see `asking`); the script
that is shown to people asks one after the other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.engine.plan import Statement
from cohortfinder.engine.questions import Setting, values_of
from cohortfinder.model import Combination, Criterion, Leaf, Rule, Trial, leaves_of
from cohortfinder.sql.environment import Rendered, render, render_apart


@dataclass(frozen=True, slots=True)
class RulePlan:
    """One rule: the numbers of its leaves, and the statements that combine their answers.

    `name` is the criterion's id, id@arm for the rule of one arm, and "id flag" for the rule that raises a flag.
    `numbers` are asked where people see why (`explained`), `bare_numbers` where nothing but the truth is wanted: of
    leaves of a criterion that ask the same, they have the first one.
    """

    name: str
    criterion: Criterion
    numbers: tuple[int, ...]
    bare_numbers: tuple[int, ...]
    explained: Rendered
    bare: Rendered
    flag: str = ""


@dataclass(slots=True)
class TrialPlan:
    """All rules of a trial by their names, the questions of their leaves by number, and which flags they raise."""

    rules: dict[str, RulePlan] = field(default_factory=dict)
    flags: dict[str, RulePlan] = field(default_factory=dict)
    explained: dict[int, Rendered] = field(default_factory=dict)
    bare: dict[int, Rendered] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Node:
    """A leaf of a rule (with its number) or a combination, as `verdicts/rule.sql.jinja` takes it.

    The leaf decides the rule when the two truths of each of its `agreements` are the same.
    """

    name: str
    leaf: str = ""
    number: int = 0
    negated: bool = False
    operator: str = ""
    children: "tuple[_Node, ...]" = ()
    need: int | None = None
    agreements: "list[tuple[_Node, _Node]]" = field(default_factory=list)


def plan_rules(trial: Trial, setting: Setting) -> TrialPlan:
    """Return the plan of every computed criterion, of the rules that only one arm has, and of those of flags."""
    plan, numbers = TrialPlan(), count(1)
    for criterion in trial.criteria:
        asked: dict[int, Rendered] = {}  # the bare questions of this criterion, which are asked of the same people
        for name, rule in _rules(criterion):
            plan.rules[name] = _plan(name, criterion, rule, setting, numbers, plan, asked)
        for flag, raising in criterion.flag_rules.items():
            name = f"{criterion.id} {flag}"
            plan.flags[name] = _plan(name, criterion, raising, setting, numbers, plan, asked, flag)
        plan.bare.update(asked)
    return plan


def _rules(criterion: Criterion) -> Iterator[tuple[str, Rule]]:
    if criterion.rule is not None:
        yield criterion.id, criterion.rule
    for arm, rule in criterion.by_arm.items():
        yield criterion.asked_as(arm), rule


def _plan(
    name: str, criterion: Criterion, rule: Rule, setting: Setting, numbers: "count[int]", plan: TrialPlan,
    asked: dict[int, Rendered], flag: str = "",
) -> RulePlan:  # fmt: skip
    own, bare = {}, {}
    for leaf in leaves_of(rule):
        own[leaf.id] = next(numbers)
        question = _bare_question(leaf, setting)
        bare[leaf.id] = next((number for number, known in asked.items() if known == question), own[leaf.id])
        asked[bare[leaf.id]] = question
        if not flag:
            plan.explained[own[leaf.id]] = render_apart(_template(leaf), bare=False, **values_of(leaf, setting))
    return RulePlan(
        name,
        criterion,
        tuple(own.values()),
        tuple(dict.fromkeys(bare.values())),
        _kept("rule", "criterion_truth", _combination(name, rule, own, own, "leaf_answer")),
        _kept("rule_truth", "rule_truth", _combination(name, rule, own, bare, "leaf_truth")),
        flag,
    )


def _template(leaf: Leaf) -> str:
    return f"criteria/{LEAF_KINDS[leaf.kind].kind}.sql.jinja"


def _bare_question(leaf: Leaf, setting: Setting) -> Rendered:
    asked = values_of(leaf, setting)
    return render_apart("verdicts/leaf_truth.sql.jinja", leaf_template=_template(leaf), bare=True, **asked)


def _kept(template: str, table: str, values: Mapping[str, Any]) -> Rendered:
    rule = f"verdicts/{template}.sql.jinja"
    return render(
        "verdicts/keep_truth.sql.jinja", rule=rule, table=table, explained=table == "criterion_truth", **values
    )


def _combination(
    name: str, rule: Rule, own: Mapping[str, int], asked: Mapping[str, int], gathered: str | None
) -> dict[str, Any]:
    """Return the values of `verdicts/rule.sql.jinja`; `gathered` is the table of all answers, else each has its own."""
    nodes = _nodes(rule, own, asked)
    leaves = [node for node in nodes if node.leaf]
    return {
        "criterion": name,
        "gathered": gathered,
        "leaves": leaves,
        "combinations": [node for node in nodes if not node.leaf],
        "suggesting": [place for place, leaf in enumerate(leaves, start=1) if not leaf.negated],
    }


def rule_scripts(trial: Trial, setting: Setting) -> dict[str, tuple[Criterion, tuple[Statement, ...]]]:
    """Return for each rule the statements that evaluate it for everyone in `subject`, one leaf after the other.

    Each leaf makes a table of its own; the last statement combines them into `criterion_at`.
    """
    numbers = count(1)
    return {
        name: (criterion, tuple(_script(name, rule, setting, numbers)))
        for criterion in trial.criteria
        for name, rule in _rules(criterion)
    }


def _script(name: str, rule: Rule, setting: Setting, numbers: "count[int]") -> Iterator[Statement]:
    own = {leaf.id: next(numbers) for leaf in leaves_of(rule)}
    for leaf in leaves_of(rule):
        question = render(_template(leaf), bare=False, **values_of(leaf, setting))
        yield _making(f"leaf_{own[leaf.id]}", question)
    yield _making("criterion_at", render("verdicts/rule.sql.jinja", **_combination(name, rule, own, own, None)))


def _making(table: str, query: Rendered) -> Statement:
    return Statement(table, Rendered(f"CREATE OR REPLACE TEMP TABLE {table} AS\n{query.text}", query.parameters))


def _nodes(rule: Rule, own: Mapping[str, int], asked: Mapping[str, int], negated: bool = False) -> list[_Node]:
    """Return the nodes of a rule as its SQL takes them, children before their parents."""
    if not isinstance(rule, Combination):
        return [_Node(f"leaf_{own[rule.id]}", leaf=rule.id, number=asked[rule.id], negated=negated)]
    below = [_nodes(child, own, asked, negated or rule.operator == "not") for child in rule.children]
    children = tuple(nodes[-1] for nodes in below)
    node = _Node(f"over_{children[-1].name}", operator=rule.operator, children=children, need=rule.need)
    if rule.operator != "not":
        # agreement with `node` is asked of every leaf below, through the child it stands under
        for child, nodes in zip(children, below, strict=True):
            for leaf in nodes:
                leaf.agreements.append((child, node))
    return [*(one for nodes in below for one in nodes), node]
