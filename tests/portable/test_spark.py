"""Spark itself reads every statement, and resolves it over empty tables: all names, functions and types."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import pytest

from cohortfinder.sql.dialect import Dialect
from cohortfinder.sql.environment import Rendered
from portable.spark_needed import NEEDS_SPARK
from portable.spark_tables import make_typed_tables, resolve
from portable.statements import all_statements, fact_texts, leaf_texts, screening_statements, trials

# how many statements of one kind are resolved: the others differ from them in few words
ENOUGH = 3
# how the name of a statement of several leaves ends
TOGETHER = ", 2"

pytestmark = NEEDS_SPARK


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    started = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    started.sparkContext.setLogLevel("OFF")
    make_typed_tables(started)
    yield started
    started.stop()


def refused(work: Callable[[Rendered], object], statements: Iterable[tuple[str, Rendered]]) -> dict[str, str]:
    """Return the names of the statements that Spark refuses, each with the first line of what it says."""
    problems = {}
    for name, statement in statements:
        try:
            work(statement)
        except Exception as error:  # Spark has a class of its own for each kind of refusal
            problems[name] = str(error).strip().splitlines()[0]
    return problems


def statements() -> Iterator[tuple[str, Rendered]]:
    """Yield what a screening of the first trial runs, and some of each kind of leaf and rule of all of them."""
    yield from ((name, one) for name, one in fact_texts(trials()[0], Dialect.SPARK) if not name.startswith("map_"))
    yield from screening_statements(Dialect.SPARK)
    seen: Counter[str] = Counter()
    for trial in trials():
        for name, one in leaf_texts(trial, Dialect.SPARK):
            kind = name.partition(" ")[0] if name.startswith(("rule", "script")) else name
            seen[kind] += 1
            if seen[kind] <= ENOUGH and not name.endswith(TOGETHER):
                yield name, one


def test_spark_reads_each_statement(session: Any) -> None:
    parser = session._jsparkSession.sessionState().sqlParser()
    problems = refused(lambda one: parser.parsePlan(one.text), all_statements(Dialect.SPARK))
    assert {name: said for name, said in problems.items() if not name.startswith("map_")} == {}


def test_spark_resolves_what_a_screening_runs(session: Any) -> None:
    assert refused(partial(resolve, session), statements()) == {}


def test_spark_does_not_resolve_leaves_together(session: Any) -> None:
    """When it does, strike this from docs/reference/portable-sql.md and resolve them above."""
    name, one = next(found for found in leaf_texts(trials()[0], Dialect.SPARK) if found[0].endswith(TOGETHER))
    assert "[UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY" in refused(partial(resolve, session), [(name, one)])[name]
