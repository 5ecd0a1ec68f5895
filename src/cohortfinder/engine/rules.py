"""The rules of a trial to SQL: the question of each leaf, and how its answers combine. Pure.

Every leaf has a number. A screening asks leaves that differ in nothing but values together (see `asking`); the script
that is shown to people asks one after the other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.engine.plan import Statement
from cohortfinder.engine.questions import Setting, values_of
from cohortfinder.model import Combination, Criterion, Leaf, Rule, Trial, leaves_of
from cohortfinder.sql.dialect import Dialect
from cohortfinder.sql.environment import Rendered, render, render_apart


@dataclass(frozen=True, slots=True)
class RulePlan:
    """One rule, and the numbers of its leaves.

    `name` is the criterion's id, id@arm for the rule of one arm, and "id flag" for the rule that raises a flag.
    `leaves` are the ids of its leaves, left to right; `numbers` those that are asked for each where people see why,
    and `bare_numbers` where nothing but the truth is wanted: leaves of a criterion that ask the same have the first
    one's.
    """

    name: str
    criterion: Criterion
    rule: Rule
    leaves: tuple[str, ...]
    numbers: tuple[int, ...]
    bare_numbers: tuple[int, ...]
    flag: str = ""

    @property
    def shape(self) -> str:
        """How its leaves combine: rules of one shape are evaluated together."""
        return _shape(self.rule)


@dataclass(slots=True)
class TrialPlan:
    """All rules of a trial by their names, the questions of their leaves by number, and which flags they raise."""

    rules: dict[str, RulePlan] = field(default_factory=dict)
    flags: dict[str, RulePlan] = field(default_factory=dict)
    explained: dict[int, Rendered] = field(default_factory=dict)
    bare: dict[int, Rendered] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Node:
    """A leaf of a rule or a combination, as `verdicts/rule.sql.jinja` takes it.

    `table` has the answers of a leaf where each has a table of its own. The leaf decides the rule when the two truths
    of each of its `agreements` are the same.
    """

    name: str
    leaf: str = ""
    table: str = ""
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


def same_question(leaf: Leaf) -> object:
    """Return what leaves that ask the same have in common: the answer of one is that of all."""
    return leaf.kind, leaf.question, leaf.adverse


def plan_variants(variants: Iterable[tuple[str, Criterion, Rule]], setting: Setting) -> TrialPlan:
    """Return the plan of other rules of criteria, by names of their own, of which nothing but the truth is wanted.

    What several of their leaves ask is asked once.
    """
    plan, numbers, known = TrialPlan(), count(1), dict[object, int]()
    for name, criterion, rule in variants:
        leaves = leaves_of(rule)
        for leaf in leaves:
            if same_question(leaf) not in known:
                known[same_question(leaf)] = next(numbers)
                plan.bare[known[same_question(leaf)]] = _bare_question(leaf, setting)
        asked = tuple(known[same_question(leaf)] for leaf in leaves)
        plan.rules[name] = RulePlan(name, criterion, rule, tuple(leaf.id for leaf in leaves), asked, asked)
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
            plan.explained[own[leaf.id]] = _explained_question(leaf, setting)
    return RulePlan(name, criterion, rule, tuple(own), tuple(own.values()), tuple(bare.values()), flag)


def _template(leaf: Leaf) -> str:
    return f"criteria/{LEAF_KINDS[leaf.kind].kind}.sql.jinja"


def _explained_question(leaf: Leaf, setting: Setting) -> Rendered:
    return render_apart(_template(leaf), dialect=setting.dialect, bare=False, **values_of(leaf, setting))


def _bare_question(leaf: Leaf, setting: Setting) -> Rendered:
    template, asked = "verdicts/leaf_truth.sql.jinja", values_of(leaf, setting)
    return render_apart(template, dialect=setting.dialect, leaf_template=_template(leaf), bare=True, **asked)


def rules_together(rules: Sequence[RulePlan], table: str, *, dialect: Dialect = Dialect.DUCKDB) -> Rendered:
    """Return the statement that combines the answers of the leaves of some rules of one shape.

    From `leaf_truth` into `rule_truth`; into any other table from `leaf_answer`, with what they rest on.
    """
    explained = table != "rule_truth"
    asked = [
        (rule.name, number, place, leaf)
        for rule in rules
        for place, (number, leaf) in enumerate(
            zip(rule.numbers if explained else rule.bare_numbers, rule.leaves, strict=True), start=1
        )
    ]
    return render(
        "verdicts/keep_truth.sql.jinja",
        dialect=dialect,
        rule=f"verdicts/{'rule' if explained else 'rule_truth'}.sql.jinja",
        table=table,
        explained=explained,
        gathered="leaf_answer" if explained else "leaf_truth",
        rules=dict(zip(("criteria", "numbers", "places", "leaves"), map(list, zip(*asked, strict=True)), strict=True)),
        **_combination(rules[0].rule, {}),
    )


def _combination(rule: Rule, tables: Mapping[str, str]) -> dict[str, Any]:
    """Return how the leaves of a rule combine; `tables` has the answers of each where it has a table of its own."""
    nodes = _nodes(rule, tables, count(1))
    leaves = [node for node in nodes if node.leaf]
    return {
        "leaves": leaves,
        "combinations": [node for node in nodes if not node.leaf],
        "suggesting": [place for place, leaf in enumerate(leaves, start=1) if not leaf.negated],
    }


def _shape(rule: Rule) -> str:
    if not isinstance(rule, Combination):
        return "leaf"
    return f"{rule.operator}{rule.need or ''}({', '.join(_shape(child) for child in rule.children)})"


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
    tables = {leaf.id: f"leaf_{next(numbers)}" for leaf in leaves_of(rule)}
    for leaf in leaves_of(rule):
        yield _making(tables[leaf.id], _template(leaf), setting, bare=False, **values_of(leaf, setting))
    combined = {"criterion": name, "gathered": None, "rules": None, **_combination(rule, tables)}
    yield _making("criterion_at", "verdicts/rule.sql.jinja", setting, **combined)


def _making(table: str, query: str, setting: Setting, **values: Any) -> Statement:
    made = render("verdicts/script_table.sql.jinja", dialect=setting.dialect, table=table, query=query, **values)
    return Statement(table, made)


def _nodes(rule: Rule, tables: Mapping[str, str], places: "count[int]", negated: bool = False) -> list[_Node]:
    """Return the nodes of a rule as its SQL takes them, children before their parents."""
    if not isinstance(rule, Combination):
        return [_Node(f"leaf_{next(places)}", leaf=rule.id, table=tables.get(rule.id, ""), negated=negated)]
    below = [_nodes(child, tables, places, negated or rule.operator == "not") for child in rule.children]
    children = tuple(nodes[-1] for nodes in below)
    node = _Node(f"over_{children[-1].name}", operator=rule.operator, children=children, need=rule.need)
    if rule.operator != "not":
        # agreement with `node` is asked of every leaf below, through the child it stands under
        for child, nodes in zip(children, below, strict=True):
            for leaf in nodes:
                leaf.agreements.append((child, node))
    return [*(one for nodes in below for one in nodes), node]
