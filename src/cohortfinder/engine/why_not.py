"""One patient to the course of each leaf of some arms: its truth today, and on each day on which time alone changes it.

Every leaf is asked as a rule of its own, by the templates of a screening, so that nothing is told of it that a
screening on that day would not say.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from duckdb import DuckDBPyConnection

from cohortfinder.dates import months_back
from cohortfinder.engine.asking import Asker
from cohortfinder.engine.duckdb_engine import DuckDBEngine
from cohortfinder.engine.plan import counts_apart
from cohortfinder.engine.questions import Setting
from cohortfinder.engine.rules import plan_rules, plan_variants, same_question
from cohortfinder.engine.screening import follow
from cohortfinder.model import Criterion, Leaf, Trial, Truth, leaves_of
from cohortfinder.terminology import Terminology
from cohortfinder.wording import ANSWER, Evidence

# nobody waits longer, but a birthday may be that far
_YEARS_AHEAD = 100


@dataclass(frozen=True, slots=True)
class Course:
    """A leaf for one patient: its truth from the index date on, and from each later day on which time changes it."""

    leaf: Leaf
    truths: tuple[tuple[date, Truth], ...]

    @property
    def today(self) -> Truth:
        """The truth of the index date."""
        return self.truths[0][1]

    def on(self, day: date) -> Truth:
        """Return the truth of a day on which there are no new data."""
        return self._until(day)[-1][1]

    def held_on(self, day: date) -> Truth:
        """Return the last truth that was known up to a day: that records grow old says nothing new."""
        return next((truth for _, truth in reversed(self._until(day)) if truth is not None), None)

    def since(self, day: date) -> date:
        """Return the day from which on what is held on a day was known without a break by another answer."""
        begun, held = day, self.held_on(day)
        for turned, truth in reversed(self._until(day)):
            if truth is not None and truth != held:
                break
            begun = turned if truth is not None else begun
        return begun

    @property
    def begin(self) -> date:
        """The index date."""
        return self.truths[0][0]

    def comes_to(self, truth: bool, *, after: date) -> bool:
        """Say whether time alone makes it so on a day after another one."""
        return any(later == truth for day, later in self.truths if day > after)

    def _until(self, day: date) -> tuple[tuple[date, Truth], ...]:
        return tuple(one for one in self.truths if one[0] <= day)


class LeafAnswer(NamedTuple):
    """What a leaf says of the patient on a day: its truth, the code of the reason, and the evidence as JSON."""

    truth: Truth
    code: str
    evidence: str


def ask_courses(
    connection: DuckDBPyConnection,
    trial: Trial,
    terminology: Terminology,
    *,
    as_of: date,
    loaded: Mapping[str, bool],
    patient: str,
    arms: Collection[str],
) -> dict[object, Course]:
    """Return the course of each leaf of the criteria of some arms, by its question.

    It comes after `screen` on the same connection, whose facts it reads and whose other tables it does not leave as
    they were.
    """
    leaves = {leaf.id: (leaf, criterion) for leaf, criterion in _leaves(trial, arms).values()}
    rules = ((name, criterion, leaf) for name, (leaf, criterion) in leaves.items())
    plan = plan_variants(rules, Setting(terminology, loaded))
    asker = Asker(DuckDBEngine.of(connection), plan, counted=counts_apart(trial))
    _ask_of(asker, patient, [(leaf, as_of) for leaf, _ in leaves.values()])
    asker.ask(plan.rules)
    truths = {name: [(as_of, truth)] for name, truth in asker.engine.rows("verdicts/rule_truth_rows.sql.jinja")}
    _find_turns(asker, months_back(as_of, -12 * _YEARS_AHEAD))
    for name, day, truth in asker.engine.rows("verdicts/turn_rows.sql.jinja"):
        truths[name].append((day, truth))
    return {same_question(leaf): Course(leaf, tuple(truths[name])) for name, (leaf, _) in leaves.items()}


def explain_leaves(
    connection: DuckDBPyConnection,
    trial: Trial,
    terminology: Terminology,
    *,
    loaded: Mapping[str, bool],
    patient: str,
    asked: Iterable[tuple[Leaf, date]],
) -> dict[tuple[str, date], LeafAnswer]:
    """Return what some leaves say on some days, by the id of the leaf and the day."""
    pairs = [(leaf, day) for leaf, day in asked]
    if not pairs:
        return {}
    plan = plan_rules(_of_leaves(trial, {leaf.id: leaf for leaf, _ in pairs}), Setting(terminology, loaded))
    asker = Asker(DuckDBEngine.of(connection), plan, counted=counts_apart(trial))
    _ask_of(asker, patient, pairs)
    asker.engine.run_template("verdicts/truth_table.sql.jinja", table="criterion_truth", explained=True)
    asker.explain(plan.rules.values())
    rows = asker.engine.rows("verdicts/leaf_answer_rows.sql.jinja")
    return {(leaf, day): LeafAnswer(*answer) for leaf, day, *answer in rows}


def _ask_of(asker: Asker, patient: str, asked: Sequence[tuple[Leaf, date]]) -> None:
    rules, days = [leaf.id for leaf, _ in asked], [day for _, day in asked]
    asker.engine.run_template("verdicts/asked_days.sql.jinja", rules=rules, days=days, patient=patient)


def _find_turns(asker: Asker, horizon: date) -> None:
    asker.engine.run_template("verdicts/watch_table.sql.jinja")
    asker.engine.run_template("verdicts/watch.sql.jinja", table="rule_truth")
    asker.engine.run_template("verdicts/change.sql.jinja", table="turn")
    follow(asker, "turn", horizon, carry=False, until=horizon)


def _leaves(trial: Trial, arms: Collection[str]) -> dict[object, tuple[Leaf, Criterion]]:
    """Return the first leaf of each question, with its criterion."""
    rules = [(rule, one) for one in trial.criteria for arm in one.arms if arm in arms and (rule := one.rule_in(arm))]
    found: dict[object, tuple[Leaf, Criterion]] = {}
    for rule, criterion in rules:
        for leaf in leaves_of(rule):
            found.setdefault(same_question(leaf), (leaf, criterion))
    return found


def _of_leaves(trial: Trial, leaves: Mapping[str, Leaf]) -> Trial:
    """Return a trial whose criteria are leaves, by their ids."""
    arms = tuple(arm.id for arm in trial.arms)
    criteria = (
        Criterion(name, "inclusion", name, arms, "exact", leaf, place, leaf.line)
        for place, (name, leaf) in enumerate(leaves.items(), start=1)
    )
    return replace(trial, criteria=tuple(criteria))


def answers_of(connection: DuckDBPyConnection, patient: str) -> dict[tuple[str, str], LeafAnswer]:
    """Return the answers of people that decide criteria of a patient, by arm and criterion."""
    rows = DuckDBEngine.rows_of(connection, "verdicts/answer_rows.sql.jinja", patient=patient)
    return {(arm, criterion): _said(truth, *words) for arm, criterion, truth, *words in rows}


def _said(truth: bool, person: str, at: str, note: str | None) -> LeafAnswer:
    code = "answered_yes" if truth else "answered_no"
    said = Evidence("", person, at, "yes" if truth else "no", note, concept=ANSWER)
    return LeafAnswer(truth, code, json.dumps([said]))
