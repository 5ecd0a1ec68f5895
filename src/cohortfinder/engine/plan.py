"""A trial to the SQL that evaluates it: facts once, then each criterion as its leaves and their combination. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Any

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.engine.questions import Setting, concepts_of, values_of
from cohortfinder.model import Combination, Criterion, Leaf, Rule, Trial, leaves_of
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
    "map_interpretation": "interpretations.csv",
    "map_reference_range": "reference_ranges.csv",
    "map_sex_code": "sex_codes.csv",
}
FACTS = (
    "facts/person",
    "facts/individual",
    "results/reading",
    "results/measure",
    "results/reference_limit",
    "results/result",
    "facts/code_match",
    "facts/condition_event",
    "facts/procedure_event",
    "facts/exposure_event",
    "facts/observed",
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the script; `name` is the table that it makes."""

    name: str
    rendered: Rendered


@dataclass(frozen=True, slots=True)
class RulePlan:
    """One criterion: a statement for each leaf, then the one that combines them into `criterion_at`."""

    criterion: Criterion
    leaves: tuple[Statement, ...]
    combination: Statement

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All statements in the order in which they run."""
        return (*self.leaves, self.combination)


def fact_statements(trial: Trial, as_of: date) -> tuple[Statement, ...]:
    """Return the statements that turn typed tables and mappings into the facts of one trial, on one index date."""
    mappings = resource_dir("mappings")
    maps = tuple(
        Statement(table, render("facts/map.sql.jinja", table=table, path=str(mappings / file)))
        for table, file in MAPPING_TABLES.items()
    )
    concepts = sorted(
        {
            concept
            for criterion in trial.criteria
            if criterion.rule
            for leaf in leaves_of(criterion.rule)
            for concept in concepts_of(leaf)
        }
    )
    values: Mapping[str, Any] = {"zone": trial.time_zone, "as_of": as_of, "concepts": concepts}
    return maps + tuple(Statement(name.split("/")[1], render(f"{name}.sql.jinja", **values)) for name in FACTS)


def rule_plans(trial: Trial, setting: Setting) -> dict[str, RulePlan]:
    """Return the plan of every computed criterion, by its id."""
    numbers = count(1)
    return {
        criterion.id: _plan(criterion, criterion.rule, setting, numbers)
        for criterion in trial.criteria
        if criterion.rule is not None
    }


def _plan(criterion: Criterion, rule: Rule, setting: Setting, numbers: "count[int]") -> RulePlan:
    tables = {leaf.id: f"leaf_{next(numbers)}" for leaf in leaves_of(rule)}
    leaves = tuple(_leaf_statement(tables[leaf.id], leaf, setting) for leaf in leaves_of(rule))
    nodes: list[dict[str, Any]] = []
    root = _number_nodes(rule, tables, nodes)
    combined = _as_table(
        "criterion_at",
        render("verdicts/rule.sql.jinja", criterion=criterion.id, nodes=nodes, root=root["name"], last=_chain(nodes)),
    )
    return RulePlan(criterion, leaves, Statement("criterion_at", combined))


def _chain(nodes: list[dict[str, Any]]) -> str:
    """Let each combination read the step before it, and return the name of the last step."""
    before = "leaves"
    for node in nodes:
        if node["leaf"] is None:
            node["before"] = before
            before = f"{node['name']}_step"
    return before


def _leaf_statement(table: str, leaf: Leaf, setting: Setting) -> Statement:
    kind = LEAF_KINDS[leaf.kind].kind
    return Statement(table, _as_table(table, render(f"criteria/{kind}.sql.jinja", **values_of(leaf, setting))))


def _as_table(table: str, query: Rendered) -> Rendered:
    return Rendered(f"CREATE OR REPLACE TEMP TABLE {table} AS\n{query.text}", query.parameters)


def _number_nodes(rule: Rule, tables: Mapping[str, str], nodes: list[dict[str, Any]]) -> dict[str, Any]:
    """Append the nodes of a rule to `nodes`, children first, and return the node of the rule itself."""
    if isinstance(rule, Combination):
        children = [_number_nodes(child, tables, nodes) for child in rule.children]
        node: dict[str, Any] = {"leaf": None, "operator": rule.operator, "children": children, "need": rule.need}
    else:
        node = {"leaf": rule.id, "table": tables[rule.id]}
    node["name"] = f"n{len(nodes) + 1}"
    nodes.append(node)
    return node
