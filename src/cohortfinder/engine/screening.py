"""A trial and the typed tables to verdicts: facts, listing, verdicts, and the day on which each changes by itself.

Leaves behind, as tables that the connection sees: `trial_criterion`, `listing`, `criterion_truth`, `verdict`,
`funnel_truth`, `eligible_from`, and the facts (`result`, `condition_event`, ...).
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import partial
from typing import Any

from duckdb import DuckDBPyConnection

from cohortfinder.engine.duckdb_engine import DuckDBEngine
from cohortfinder.engine.plan import RulePlan, concepts_asked, fact_statements, people_statements, rule_plans
from cohortfinder.engine.questions import Setting
from cohortfinder.model import Trial
from cohortfinder.terminology import Terminology

HORIZON_YEARS = 2
# how often a day of hope may turn out to be none before the search for another one ends
_HOPES = 5


def screen(
    connection: DuckDBPyConnection,
    trial: Trial,
    terminology: Terminology,
    *,
    as_of: date,
    loaded: Mapping[str, bool],
    everyone: bool = False,
    horizon_years: int = HORIZON_YEARS,
) -> None:
    """Evaluate a trial for its listed patients, or for everyone.

    The entry criteria are asked of everyone; what the others need is gathered for those who are then listed.
    `loaded` says for each resource type in the store whether it is complete. `changes_on` looks ahead
    `horizon_years` years.
    """
    engine = DuckDBEngine(connection)
    plans = rule_plans(trial, Setting(terminology, loaded))
    horizon = _years_later(as_of, horizon_years)
    entries = _entries(trial)
    first = None if everyone else entries["entries"]
    engine.run_all(people_statements(trial, as_of))
    made = fact_statements(trial, as_of, first)
    engine.run_all(made)
    told: tuple[str, ...] = ()
    if any(statement.name == "result" for statement in made):
        engine.run_template("quality/result_problem.sql.jinja", told=told)
        told = concepts_asked(trial, first)
    engine.run_template("verdicts/trial_criterion.sql.jinja", **_criterion_rows(trial))
    engine.run_template("verdicts/truth_table.sql.jinja", table="entry_truth", explained=False)
    engine.each(_longest_first(plans, entries["entries"]), partial(_evaluate_entry, as_of=as_of))
    engine.run_template("verdicts/listing.sql.jinja", everyone=everyone, **entries)
    if first is not None:
        engine.run_template("facts/listed_person.sql.jinja")
        engine.run_template("facts/listed_observed.sql.jinja")
        engine.run_all(fact_statements(trial, as_of))
        engine.run_template("quality/result_problem.sql.jinja", told=told)
    engine.run_template("verdicts/truth_table.sql.jinja", table="criterion_truth", explained=True)
    engine.run_template("verdicts/change.sql.jinja", table="change")
    engine.run_template("verdicts/raised_flag.sql.jinja")
    engine.each(_longest_first(plans, plans), partial(_evaluate_listed, as_of=as_of, horizon=horizon))
    engine.run_template("verdicts/verdict.sql.jinja", **_stated_flags(trial))
    engine.run_template("verdicts/funnel_truth.sql.jinja", **entries)
    _find_eligible_from(engine, plans, horizon)


def _longest_first(plans: Mapping[str, RulePlan], criteria: Collection[str]) -> list[RulePlan]:
    """Return the plans of some criteria, those with most leaves first, so that none is left over at the end."""
    chosen = [plan for criterion, plan in plans.items() if criterion in criteria]
    return sorted(chosen, key=lambda plan: -len(plan.bare.leaves))


def _evaluate_entry(worker: DuckDBEngine, plan: RulePlan, *, as_of: date) -> None:
    """Ask an entry criterion of every living person."""
    worker.run_template("verdicts/everyone.sql.jinja", as_of=as_of)
    worker.run_all(plan.bare)
    worker.run_template("verdicts/keep_truth.sql.jinja", table="entry_truth", explained=False)


def _evaluate_listed(worker: DuckDBEngine, plan: RulePlan, *, as_of: date, horizon: date) -> None:
    """Ask a criterion of the listed patients, then find the day on which its truth changes."""
    worker.run_template("verdicts/listed.sql.jinja", as_of=as_of)
    worker.run_all(plan.explained)
    worker.run_template("verdicts/keep_truth.sql.jinja", table="criterion_truth", explained=True)
    worker.run_template("verdicts/watch.sql.jinja")
    for flag, steps in plan.flags.items():
        worker.run_all(steps)
        worker.run_template("verdicts/raise_flag.sql.jinja", flag=flag)
    _follow(worker, plan, "change", horizon, carry=True)


def _follow(worker: DuckDBEngine, plan: RulePlan, table: str, horizon: date, *, carry: bool) -> None:
    """Ask a criterion again and again, each time on the next day on which its truth may change, until it does.

    `carry`: the tables of its leaves hold one row a watched patient, so that a leaf which is not due need not be asked.
    """
    while _has_rows(worker.rows("verdicts/watch_subject.sql.jinja", horizon=horizon)):
        if carry:
            _evaluate_due(worker, plan)
        else:
            worker.run_all(plan.bare)
        worker.run_template("verdicts/watch_changed.sql.jinja", table=table)
        worker.run_template("verdicts/watch_on.sql.jinja")


def _evaluate_due(worker: DuckDBEngine, plan: RulePlan) -> None:
    """Evaluate a criterion on later days: only those of its leaves whose next day of change has come."""
    for leaf in plan.bare.leaves:
        # the day has come because some leaf is due, so a leaf that is alone is
        if len(plan.bare.leaves) == 1 or worker.rows("verdicts/leaf_is_due.sql.jinja", leaf=leaf.name) == [(True,)]:
            worker.run(leaf.rendered)
        else:
            worker.run_template("verdicts/leaf_carried.sql.jinja", leaf=leaf.name)
    worker.run(plan.bare.combination.rendered)


def _find_eligible_from(engine: DuckDBEngine, plans: Mapping[str, RulePlan], horizon: date) -> None:
    """Find for each excluded patient the first day on which no criterion fails.

    It is at the earliest the day on which the last of the failing ones has changed; what fails on that day is
    followed again from there.
    """
    engine.run_template("verdicts/eligible_from.sql.jinja")
    hopeful = engine.rows("verdicts/hopeful.sql.jinja", horizon=horizon)
    for _ in range(_HOPES):
        if not _has_rows(hopeful):
            return
        engine.run_template("verdicts/truth_table.sql.jinja", table="hoped_truth", explained=False)
        engine.run_template("verdicts/hope_known.sql.jinja")
        engine.run_template("verdicts/hope_open.sql.jinja")
        engine.each(_asked(engine, plans, "hope_open"), _evaluate_hope)
        engine.run_template("verdicts/hope_fulfilled.sql.jinja")
        engine.run_template("verdicts/change.sql.jinja", table="later_change")
        engine.run_template("verdicts/watch_again.sql.jinja")
        engine.each(_asked(engine, plans, "watch_again"), partial(_follow_again, horizon=horizon))
        hopeful = engine.rows("verdicts/hopeful_again.sql.jinja", horizon=horizon)


def _asked(engine: DuckDBEngine, plans: Mapping[str, RulePlan], table: str) -> list[RulePlan]:
    """Return the plans of the criteria that a table names."""
    return _longest_first(plans, {criterion for (criterion,) in engine.rows("verdicts/asked.sql.jinja", table=table)})


def _evaluate_hope(worker: DuckDBEngine, plan: RulePlan) -> None:
    """Ask a criterion of those for whom its truth on their day of hope is not known yet."""
    worker.run_template("verdicts/hope_subject.sql.jinja", criterion=plan.name)
    worker.run_all(plan.bare)
    worker.run_template("verdicts/keep_truth.sql.jinja", table="hoped_truth", explained=False)


def _follow_again(worker: DuckDBEngine, plan: RulePlan, *, horizon: date) -> None:
    """Find the day on which a criterion that fails on the day of hope changes."""
    worker.run_template("verdicts/watch_failing.sql.jinja", criterion=plan.name)
    _follow(worker, plan, "later_change", horizon, carry=False)


def _has_rows(made: Iterable[tuple[Any, ...]]) -> bool:
    """Say whether a statement that makes a table gave it rows; it tells their number."""
    return list(made) != [(0,)]


def _criterion_rows(trial: Trial) -> dict[str, list[Any]]:
    rows = [(criterion, arm) for criterion in trial.criteria for arm in criterion.arms]
    return {
        "ids": [criterion.id for criterion, _ in rows],
        "asked": [criterion.asked_as(arm) for criterion, arm in rows],
        "arms": [arm for _, arm in rows],
        "positions": [criterion.position for criterion, _ in rows],
        "kinds": [criterion.kind for criterion, _ in rows],
        "certainties": [criterion.certainty for criterion, _ in rows],
        "computed": [criterion.computed for criterion, _ in rows],
    }


def _entries(trial: Trial) -> dict[str, list[str]]:
    kinds = {criterion.id: str(criterion.kind) for criterion in trial.criteria}
    return {
        "arms": [arm.id for arm in trial.arms],
        "entries": [arm.entry for arm in trial.arms],
        "kinds": [kinds[arm.entry] for arm in trial.arms],
    }


def _stated_flags(trial: Trial) -> dict[str, list[Any]]:
    """Return the flags that the trial file itself puts on a criterion, and those of the parameters its rule uses."""
    flags = {criterion.id: [*criterion.flags] for criterion in trial.criteria}
    return {"flagged": list(flags), "flags": list(flags.values())}


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
