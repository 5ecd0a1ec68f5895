"""A trial to the SQL that evaluates it: facts once, then each criterion as its leaves and their combination. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.engine.questions import Setting, concepts_of, values_of
from cohortfinder.model import Combination, Criterion, Leaf, Rule, Trial, leaves_of, rules_of
from cohortfinder.resources import resource_dir
from cohortfinder.sql.environment import Rendered, render

MAPPING_TABLES = {
    "map_code_system": "code_systems.csv",
    "map_observation_concept": "concepts/observation_concepts.csv",
    "map_observation_code": "concepts/observation_codes.csv",
    "map_clinical_concept": "concepts/clinical_concepts.csv",
    "map_clinical_code": "concepts/clinical_codes.csv",
    "map_unit": "units.csv",
    "map_unit_alias": "unit_aliases.csv",
    "map_ordinal_code": "ordinal_codes.csv",
    "map_ordinal_word": "ordinal_words.csv",
    "map_numeric_answer": "numeric_answers.csv",
    "map_interpretation": "interpretations.csv",
    "map_reference_range": "reference_ranges.csv",
    "map_sex_code": "sex_codes.csv",
    "map_remark": "remarks.csv",
    "map_derivation": "derived.csv",
    "map_study_kind": "study_kinds.csv",
}
PEOPLE = ("facts/person", "facts/individual", "facts/observed")
FACTS = (
    "results/reading",
    "results/measure",
    "results/reference_limit",
    "results/remark",
    "results/result",
    "results/derived",
    "facts/code_match",
    "facts/condition_event",
    "facts/procedure_event",
    "facts/exposure_event",
    "facts/immunization_event",
    "facts/allergy_event",
    "facts/severe_allergy_event",
    "facts/study_event",
    "facts/family_event",
    "facts/counted",
)
RESULTS = frozenset(name for name in FACTS if name.startswith("results/"))
_OF_RESULTS = frozenset({"observation", "series", "change", "formula", "age"})
# the kinds of leaves that read a fact; what none of a trial reads is not made
READ_BY: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(RESULTS, _OF_RESULTS),
    "facts/exposure_event": frozenset({"medication"}),
    "facts/condition_event": frozenset({"condition", "formula"}),
    "facts/procedure_event": frozenset({"procedure", "formula"}),
    "facts/immunization_event": frozenset({"immunization"}),
    "facts/allergy_event": frozenset({"allergy"}),
    "facts/severe_allergy_event": frozenset({"allergy"}),
    "facts/study_event": frozenset({"study"}),
    "facts/family_event": frozenset({"family_history"}),
    "facts/counted": frozenset({"immunization", "allergy", "study", "family_history"}),
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the script; `name` is the table that it makes."""

    name: str
    rendered: Rendered


@dataclass(frozen=True, slots=True)
class Steps:
    """A statement for each leaf of a criterion, then the one that combines them into `criterion_at`."""

    leaves: tuple[Statement, ...]
    combination: Statement

    def __iter__(self) -> Iterator[Statement]:
        """Go through the statements in the order in which they run."""
        return iter((*self.leaves, self.combination))


@dataclass(frozen=True, slots=True)
class RulePlan:
    """One criterion in two ways: with what its truth rests on, and the bare truth where nobody will ask why.

    `name` is the criterion's id, or id@arm for the rule of one arm. `flags` has for each flag the bare truth of the
    rule that raises it.
    """

    name: str
    criterion: Criterion
    explained: Steps
    bare: Steps
    flags: Mapping[str, Steps]


@dataclass(frozen=True, slots=True)
class _Node:
    """A leaf of a rule (with its table) or a combination, as `verdicts/rule.sql.jinja` takes it.

    The leaf decides the rule when the two truths of each of its `agreements` are the same.
    """

    name: str
    leaf: str = ""
    table: str = ""
    negated: bool = False
    operator: str = ""
    children: "tuple[_Node, ...]" = ()
    need: int | None = None
    agreements: "list[tuple[_Node, _Node]]" = field(default_factory=list)


def concepts_asked(trial: Trial, criteria: Collection[str] | None = None) -> tuple[str, ...]:
    """Return the concepts that some criteria ask for, or all of the trial."""
    return tuple(sorted({concept for leaf in _leaves(trial, criteria) for concept in concepts_of(leaf)}))


def _leaves(trial: Trial, criteria: Collection[str] | None = None) -> Iterator[Leaf]:
    chosen = [one for one in trial.criteria if criteria is None or one.id in criteria]
    return (leaf for criterion in chosen for rule in rules_of(criterion) for leaf in leaves_of(rule))


def people_statements(trial: Trial, as_of: date) -> tuple[Statement, ...]:
    """Return the statements that read the mappings and find out who the persons are."""
    mappings = resource_dir("mappings")
    maps = tuple(
        Statement(table, render("facts/map.sql.jinja", table=table, path=str(mappings / file)))
        for table, file in MAPPING_TABLES.items()
    )
    return maps + _statements(PEOPLE, zone=trial.time_zone, as_of=as_of)


def fact_statements(trial: Trial, as_of: date, criteria: Collection[str] | None = None) -> tuple[Statement, ...]:
    """Return the statements that turn typed tables into facts, for everyone in `person`: those that some criteria read.

    Those of the whole trial include what data quality reads: the results and the exposures.
    """
    kinds = {leaf.kind for leaf in _leaves(trial, criteria)}
    told = {*RESULTS, "facts/exposure_event"} if criteria is None else set()
    asked = [name for name in FACTS if name in told or name not in READ_BY or READ_BY[name] & kinds]
    return _statements(asked, zone=trial.time_zone, as_of=as_of, concepts=concepts_asked(trial, criteria))


def _statements(templates: Iterable[str], **values: Any) -> tuple[Statement, ...]:
    return tuple(Statement(name.split("/")[1], render(f"{name}.sql.jinja", **values)) for name in templates)


def rule_plans(trial: Trial, setting: Setting) -> dict[str, RulePlan]:
    """Return the plan of every computed criterion, by its id, and of the rules that only one arm has, by id@arm."""
    numbers = count(1)
    plans = {}
    for criterion in trial.criteria:
        if criterion.rule is not None:
            plans[criterion.id] = _plan(criterion.id, criterion, criterion.rule, criterion.flag_rules, setting, numbers)
        for arm, rule in criterion.by_arm.items():
            name = criterion.asked_as(arm)
            plans[name] = _plan(name, criterion, rule, {}, setting, numbers)
    return plans


def _plan(
    name: str, criterion: Criterion, rule: Rule, flag_rules: Mapping[str, Rule], setting: Setting,
    numbers: "count[int]",
) -> RulePlan:  # fmt: skip
    explained, bare = _rule_steps(name, rule, setting, numbers)
    flags = {flag: _rule_steps(name, raising, setting, numbers)[1] for flag, raising in flag_rules.items()}
    return RulePlan(name, criterion, explained, bare, flags)


def _rule_steps(criterion: str, rule: Rule, setting: Setting, numbers: "count[int]") -> tuple[Steps, Steps]:
    tables = {leaf.id: f"leaf_{next(numbers)}" for leaf in leaves_of(rule)}
    nodes = _nodes(rule, tables)
    leaves = [node for node in nodes if node.table]
    values = {
        "criterion": criterion,
        "leaves": leaves,
        "combinations": [node for node in nodes if not node.table],
        "suggesting": [place for place, leaf in enumerate(leaves, start=1) if not leaf.negated],
    }
    explained, bare = {}, {}
    for leaf in leaves_of(rule):
        template = f"criteria/{LEAF_KINDS[leaf.kind].kind}.sql.jinja"
        asked = values_of(leaf, setting)
        explained[tables[leaf.id]] = render(template, bare=False, **asked)
        bare[tables[leaf.id]] = render("verdicts/leaf_truth.sql.jinja", leaf_template=template, bare=True, **asked)
    explained["criterion_at"] = render("verdicts/rule.sql.jinja", **values)
    bare["criterion_at"] = render("verdicts/rule_truth.sql.jinja", **values)
    return _steps(explained), _steps(bare)


def _steps(queries: Mapping[str, Rendered]) -> Steps:
    """Let each query make the table of its name; the last one combines the others."""
    *leaves, combination = (
        Statement(table, Rendered(f"CREATE OR REPLACE TEMP TABLE {table} AS\n{query.text}", query.parameters))
        for table, query in queries.items()
    )
    return Steps(tuple(leaves), combination)


def _nodes(rule: Rule, tables: Mapping[str, str], negated: bool = False) -> list[_Node]:
    """Return the nodes of a rule as its SQL takes them, children before their parents."""
    if not isinstance(rule, Combination):
        return [_Node(tables[rule.id], leaf=rule.id, table=tables[rule.id], negated=negated)]
    below = [_nodes(child, tables, negated or rule.operator == "not") for child in rule.children]
    children = tuple(nodes[-1] for nodes in below)
    node = _Node(f"over_{children[-1].name}", operator=rule.operator, children=children, need=rule.need)
    if rule.operator != "not":
        # agreement with `node` is asked of every leaf below, through the child it stands under
        for child, nodes in zip(children, below, strict=True):
            for leaf in nodes:
                leaf.agreements.append((child, node))
    return [*(one for nodes in below for one in nodes), node]
