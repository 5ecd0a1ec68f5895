"""The job `sql`: the SQL of a trial with parameters shown as values, leaf by leaf, to be read or pasted into a shell.

A screening runs the same questions, those that differ in nothing but values in one statement (see `engine.asking`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from cohortfinder.engine.plan import Statement, fact_statements, people_statements, subject_statements
from cohortfinder.engine.questions import Setting
from cohortfinder.engine.rules import rule_scripts
from cohortfinder.errors import InputError
from cohortfinder.model import Trial
from cohortfinder.terminology import Terminology
from cohortfinder.trials.problems import nearest
from cohortfinder.warehouse.connection import WAREHOUSE

# What is made goes beside the warehouse, as in a screening, so that the script changes nothing in the store.
_SETUP = (
    "ATTACH IF NOT EXISTS ':memory:' AS workspace (READ_WRITE)",
    f"SET search_path = 'workspace.main,{WAREHOUSE.removesuffix('.duckdb')}.main'",
)


@dataclass(frozen=True, slots=True)
class Script:
    """What is asked for a trial: the facts, then the statements of each criterion, the last of them `criterion_at`."""

    facts: tuple[Statement, ...]
    criteria: dict[str, tuple[Statement, ...]]

    def text(self) -> str:
        """Return the whole as text that can be pasted into the DuckDB shell of the store."""
        statements = [*self.facts, *(one for statements in self.criteria.values() for one in statements)]
        shown = [*_SETUP, *(one.rendered.with_values() for one in statements), "FROM criterion_at"]
        return "\n\n".join(f"{statement};" for statement in shown) + "\n"

    def summary(self) -> dict[str, object]:
        """Return the same as one object: each statement with the table that it makes."""
        return {
            "setup": [*_SETUP],
            "facts": [*_named(self.facts)],
            "criteria": [
                {"criterion": criterion, "statements": [*_named(statements)]}
                for criterion, statements in self.criteria.items()
            ],
        }


def _named(statements: tuple[Statement, ...]) -> Iterator[dict[str, str]]:
    for one in statements:
        yield {"name": one.name, "sql": one.rendered.with_values()}


def trial_sql(
    trial: Trial, terminology: Terminology, *, as_of: date, loaded: dict[str, bool], criterion: str | None = None
) -> Script:
    """Return the script of a whole trial, or of the facts and one criterion.

    Raises InputError when the trial has no such criterion, or its rule is not computed.
    """
    scripts = rule_scripts(trial, Setting(terminology, loaded))
    chosen = {name: statements for name, (asked, statements) in scripts.items() if criterion in (None, asked.id)}
    if criterion is not None and not chosen:
        raise InputError(_no_sql(trial, criterion))
    made = (*people_statements(trial, terminology, as_of), *fact_statements(trial, terminology, as_of))
    return Script((*made, *subject_statements(trial, as_of)), chosen)


def _no_sql(trial: Trial, criterion: str) -> str:
    ids = [one.id for one in trial.criteria]
    if criterion in ids:
        return f"{criterion}: {trial.id} has no rule for this criterion yet ('computed: no'), so no SQL runs for it"
    return (
        f"{criterion}: {trial.id} has no such criterion.{nearest(criterion, ids) or ' See the ids in the trial file.'}"
    )
