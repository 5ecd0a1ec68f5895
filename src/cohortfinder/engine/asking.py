"""Asks the rules of a trial about people and days: the leaves of all rules first, those of one shape together.

Planning a statement takes longer than running it on the few rows of one leaf, so that many leaves in one statement cost
little more than one. Whom to ask stands in the table `asked` (criterion_id, patient_id, as_of); criterion_id is the
name of a rule.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cohortfinder.engine.duckdb_engine import DuckDBEngine
from cohortfinder.engine.rules import RulePlan, TrialPlan, rules_together
from cohortfinder.sql.environment import Rendered, is_identifier, render
from cohortfinder.sql.together import of_one_shape, one_by_one, together

# of the leaves that are asked together: from which item of a list of values each takes its own
_PLACE = "together.place"
_QUOTED = re.compile(r"'(\w+)'")


class Asker:
    """Puts the questions of a plan to an engine."""

    def __init__(self, engine: DuckDBEngine, plan: TrialPlan, *, counted: bool) -> None:
        """`counted`: the table of that name is there, of records that say nothing of when somebody was seen."""
        self.engine = engine
        self.plan = plan
        self._counted = counted
        gathered = of_one_shape if engine.takes_many else one_by_one
        self._explained = gathered(plan.explained)
        self._bare = gathered(plan.bare)
        rules = [*plan.rules.values(), *plan.flags.values()]
        self._note_leaves("rule_leaf", {rule.name: rule.bare_numbers for rule in rules})
        self._note_leaves("explained_leaf", {rule.name: rule.numbers for rule in plan.rules.values()})
        self._note_places()

    def _note_leaves(self, table: str, leaves: Mapping[str, Sequence[int]]) -> None:
        pairs = [(name, number) for name, numbers in leaves.items() for number in numbers]
        self.engine.run_template(
            "verdicts/rule_leaf.sql.jinja",
            table=table,
            rules=[name for name, _ in pairs],
            numbers=[number for _, number in pairs],
        )

    def _note_places(self) -> None:
        places = [
            (rule.name, place, *leaf)
            for rule in self.plan.rules.values()
            for place, leaf in enumerate(zip(rule.leaves, rule.numbers, rule.bare_numbers, strict=True), start=1)
        ]
        self.engine.run_template(
            "verdicts/rule_place.sql.jinja",
            rules=[name for name, *_ in places],
            places=[place for _, place, *_ in places],
            leaves=[leaf for _, _, leaf, *_ in places],
            numbers=[number for *_, number, _ in places],
            bare_numbers=[bare for *_, bare in places],
        )

    def explain(self, rules: Iterable[RulePlan]) -> None:
        """Answer what is `asked`, with what it rests on: the rules into `criterion_truth`."""
        self.engine.run_template("verdicts/leaf_asked.sql.jinja", leaves="explained_leaf", held=False)
        self.explain_leaves()
        self.combine(rules, "criterion_truth")

    def explain_leaves(self) -> None:
        """Answer what is `leaf_asked`, with what it rests on, into `leaf_answer`."""
        self.engine.run_template("verdicts/leaf_table.sql.jinja", table="leaf_answer", explained=True)
        self.engine.run_template("verdicts/contact.sql.jinja", asked="leaf_asked")
        self.engine.run_template("verdicts/searched.sql.jinja", asked="leaf_asked", counted=self._counted)
        self._ask_leaves(self._explained, "leaf_answer")

    def ask(
        self, rules: Mapping[str, RulePlan], *, held: bool = False, narrow: Callable[[], None] = lambda: None
    ) -> None:
        """Answer what is `asked`: the truths of the leaves into `leaf_truth`, those of the rules into `rule_truth`.

        `held`: the table of that name has an earlier answer of each leaf and patient; those that are not due are kept.
        `narrow` may take rules out of `asked` once their leaves have answered.
        """
        self.engine.run_template("verdicts/truth_table.sql.jinja", table="rule_truth", explained=False)
        self.engine.run_template("verdicts/leaf_table.sql.jinja", table="leaf_truth", explained=False)
        self.engine.run_template("verdicts/leaf_asked.sql.jinja", leaves="rule_leaf", held=held)
        self.engine.run_template("verdicts/contact.sql.jinja", asked="leaf_asked")
        if held:
            self.engine.run_template("verdicts/leaf_carried.sql.jinja")
        self._ask_leaves(self._bare, "leaf_truth")
        narrow()
        names = [name for (name,) in self.engine.rows("verdicts/asked.sql.jinja", table="asked")]
        self.combine((rules[name] for name in names), "rule_truth")

    def _ask_leaves(self, shapes: Iterable[Mapping[int, Rendered]], table: str) -> None:
        due = {number for (number,) in self.engine.rows("verdicts/leaf_due.sql.jinja")}
        statements = [in_one(shape, due.intersection(shape), table) for shape in shapes if not due.isdisjoint(shape)]
        longest_first = sorted(statements, key=lambda one: -len(one.text) * len(one.parameters))
        made = self.engine.rows("engine/result_concept_rows.sql.jinja", workspace=self.engine.workspace)
        concepts = frozenset(concept for (concept,) in made)

        def narrowed(worker: DuckDBEngine, statement: Rendered) -> None:
            """Run it where there are the results of the concepts alone that it names: it would read all of them.

            A view takes no parameters: where the name of a concept of the site may not stand in a query, all are read.
            """
            named = sorted(concepts & names_in(statement))
            if named and all(map(is_identifier, named)):
                worker.run_template("engine/named_result.sql.jinja", workspace=worker.workspace, concepts=named)
            else:
                worker.run_template("engine/every_result.sql.jinja")
            worker.run(statement)

        self.engine.each(longest_first, narrowed)

    def combine(self, rules: Iterable[RulePlan], table: str) -> None:
        """Combine the answers of leaves: `leaf_truth` into `rule_truth`, `leaf_answer` into any other table."""
        shapes: defaultdict[str, list[RulePlan]] = defaultdict(list)
        for rule in rules:
            shapes[rule.shape].append(rule)
        # those with most leaves first, so that none is left over at the end
        longest_first = sorted(shapes.values(), key=lambda shape: -sum(len(rule.numbers) for rule in shape))
        self._run_side_by_side(rules_together(shape, table) for shape in longest_first)

    def _run_side_by_side(self, statements: Iterable[Rendered]) -> None:
        self.engine.each(statements, DuckDBEngine.run)


def names_in(statement: Rendered) -> frozenset[str]:
    """Return every name that a statement has as a value or as a word of its text: all concepts that it can ask for."""
    values = (text for value in statement.parameters.values() for text in _texts(value))
    return frozenset((*values, *_QUOTED.findall(statement.text)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def in_one(shape: Mapping[int, Rendered], numbers: Collection[int], table: str) -> Rendered:
    """Return one statement for leaves of one shape."""
    ordered = sorted(numbers)
    queries = [shape[number] for number in ordered]
    question, parameters = together(queries, _PLACE)
    wrapped = render(
        "verdicts/leaf_together.sql.jinja",
        dialect=queries[0].dialect,
        table=table,
        explained=table == "leaf_answer",
        numbers=ordered,
        question=question,
        alike=_PLACE not in question,
    )
    return replace(wrapped, parameters={**wrapped.parameters, **parameters})
