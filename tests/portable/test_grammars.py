"""Every statement that evaluates a trial is read by the grammar of DuckDB, and in its other form by that of Spark SQL."""

import pytest
import sqlglot
from sqlglot.errors import ErrorLevel, ParseError

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.model import leaves_of, rules_of
from cohortfinder.resources import resource_dir
from cohortfinder.sql.dialect import Dialect
from portable.exceptions import NOT_PORTABLE
from portable.statements import PARTS, SCREENING, all_statements, trials


def refused(text: str, dialect: Dialect) -> str | None:
    """Return what the grammar of a dialect says against a statement; None when it reads it."""
    try:
        sqlglot.parse(text, dialect=str(dialect), error_level=ErrorLevel.IMMEDIATE)
    except ParseError as error:
        return str(error).splitlines()[0]
    return None


@pytest.mark.parametrize("dialect", Dialect)
def test_each_statement_is_read(dialect: Dialect) -> None:
    statements = all_statements(dialect)
    assert len(statements) > 300
    problems = {name: problem for name, one in statements if (problem := refused(one.text, dialect))}
    assert problems == {}


def test_the_trials_have_every_kind_of_leaf() -> None:
    kinds = {
        leaf.kind for trial in trials() for one in trial.criteria for rule in rules_of(one) for leaf in leaves_of(rule)
    }
    assert kinds == set(LEAF_KINDS)


def test_every_template_of_a_screening_is_among_the_statements() -> None:
    folders = ("verdicts", "ranking", "quality")
    files = {
        f"{folder}/{path.name.partition('.')[0]}"
        for folder in folders
        for path in (resource_dir("queries") / folder).glob("*.sql.jinja")
    }
    rendered = {name for name, _ in SCREENING} | {f"verdicts/{name}" for name in PARTS} | NOT_PORTABLE.keys()
    assert files - rendered == set()
