"""A trial and the typed tables to verdicts: facts, listing, verdicts, and the day on which each changes by itself.

Leaves behind, as TEMP tables of the connection: `trial_criterion`, `listing`, `verdict`, `funnel_truth`,
`eligible_from`, and the facts (`result`, `condition_event`, ...).
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from duckdb import DuckDBPyConnection

from cohortfinder.engine.duckdb_engine import DuckDBEngine
from cohortfinder.engine.plan import RulePlan, fact_statements, rule_plans
from cohortfinder.engine.questions import Setting
from cohortfinder.model import Trial
from cohortfinder.terminology import Terminology

HORIZON_YEARS = 2


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

    `loaded` says for each resource type in the store whether it is complete. `changes_on` looks ahead
    `horizon_years` years.
    """
    engine = DuckDBEngine(connection)
    plans = rule_plans(trial, Setting(terminology, loaded))
    engine.run_all(fact_statements(trial, as_of))
    engine.run_template("verdicts/trial_criterion.sql.jinja", **_criterion_rows(trial))
    entries = _entries(trial)
    engine.run_template("verdicts/everyone.sql.jinja", as_of=as_of)
    _evaluate(engine, "entry_truth", (plans[criterion] for criterion in dict.fromkeys(entries["entries"])))
    connection.execute("CREATE OR REPLACE TEMP TABLE criterion_truth AS FROM entry_truth")
    engine.run_template("verdicts/listing.sql.jinja", everyone=everyone, **entries)
    engine.run_template("verdicts/listed.sql.jinja", as_of=as_of)
    _evaluate(engine, "criterion_truth", plans.values())
    _find_changes(engine, plans, _years_later(as_of, horizon_years))
    engine.run_template("verdicts/verdict.sql.jinja", **_stated_flags(trial))
    engine.run_template("verdicts/funnel_truth.sql.jinja", **entries)
    _find_eligible_from(engine, plans, _years_later(as_of, horizon_years))


def _evaluate(engine: DuckDBEngine, table: str, plans: Iterable[RulePlan]) -> None:
    """Evaluate criteria for the rows of `subject` into a table of truths."""
    engine.run_template("verdicts/truth_table.sql.jinja", table=table)
    for plan in plans:
        engine.run_all(plan.statements)
        engine.run_template("verdicts/keep_truth.sql.jinja", table=table)


def _find_changes(engine: DuckDBEngine, plans: Mapping[str, RulePlan], horizon: date) -> None:
    """Follow each truth from one possible day of change to the next, until it changes or the horizon is reached."""
    engine.run_template("verdicts/change.sql.jinja")
    engine.run_template("verdicts/watch.sql.jinja")
    for criterion, plan in plans.items():
        _follow(engine, criterion, plan, horizon, carry=True)


def _follow(engine: DuckDBEngine, criterion: str, plan: RulePlan, horizon: date, *, carry: bool) -> None:
    """Ask one criterion again and again, each time on the next day on which its truth may change.

    `carry`: the tables of its leaves hold one row a watched patient, so that a leaf which is not due need not be asked.
    """
    while True:
        engine.run_template("verdicts/watch_subject.sql.jinja", criterion=criterion, horizon=horizon)
        if engine.is_empty("subject"):
            return
        if carry:
            _evaluate_due(engine, plan)
        else:
            engine.run_all(plan.statements)
        engine.run_template("verdicts/watch_changed.sql.jinja")
        engine.run_template("verdicts/watch_on.sql.jinja", criterion=criterion)


def _evaluate_due(engine: DuckDBEngine, plan: RulePlan) -> None:
    """Evaluate a criterion on later days: only those of its leaves whose next day of change has come."""
    for leaf in plan.leaves:
        if engine.holds("verdicts/leaf_is_due.sql.jinja", leaf=leaf.name):
            engine.run(leaf.rendered)
        else:
            engine.run_template("verdicts/leaf_carried.sql.jinja", leaf=leaf.name)
    engine.run(plan.combination.rendered)


def _find_eligible_from(engine: DuckDBEngine, plans: Mapping[str, RulePlan], horizon: date) -> None:
    """Find for each excluded patient the first day on which no criterion fails.

    It is at the earliest the day on which the last of the failing ones has changed; what fails on that day is
    followed again from there, at most five times.
    """
    engine.run_template("verdicts/eligible_from.sql.jinja")
    engine.run_template("verdicts/hopeful.sql.jinja", horizon=horizon)
    for _ in range(5):
        if engine.is_empty("hopeful"):
            return
        _evaluate_hopes(engine, plans)
        engine.run_template("verdicts/hope_fulfilled.sql.jinja")
        engine.run_template("verdicts/change.sql.jinja")
        engine.run_template("verdicts/watch_again.sql.jinja")
        for criterion, plan in plans.items():
            _follow(engine, criterion, plan, horizon, carry=False)
        engine.run_template("verdicts/hopeful_again.sql.jinja", horizon=horizon)


def _evaluate_hopes(engine: DuckDBEngine, plans: Mapping[str, RulePlan]) -> None:
    engine.run_template("verdicts/truth_table.sql.jinja", table="hoped_truth")
    for criterion, plan in plans.items():
        engine.run_template("verdicts/hopeful_subject.sql.jinja", criterion=criterion)
        if not engine.is_empty("subject"):
            engine.run_all(plan.statements)
            engine.run_template("verdicts/keep_truth.sql.jinja", table="hoped_truth")


def _criterion_rows(trial: Trial) -> dict[str, list[Any]]:
    rows = [(criterion, arm) for criterion in trial.criteria for arm in criterion.arms]
    return {
        "ids": [criterion.id for criterion, _ in rows],
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
