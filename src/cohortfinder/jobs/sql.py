"""The job `sql`: the text that runs for a trial, with parameters shown as values, to be read or pasted into a shell."""

from datetime import date

from cohortfinder.engine.plan import Statement, fact_statements, rule_plans
from cohortfinder.engine.questions import Setting
from cohortfinder.errors import InputError
from cohortfinder.model import Trial
from cohortfinder.sql.environment import render
from cohortfinder.terminology import Terminology
from cohortfinder.trials.problems import nearest


def trial_sql(
    trial: Trial, terminology: Terminology, *, as_of: date, loaded: dict[str, bool], criterion: str | None = None
) -> str:
    """Return the script of a whole trial, or of the facts and one criterion.

    Raises InputError when the trial has no such criterion, or its rule is not computed.
    """
    plans = rule_plans(trial, Setting(terminology, loaded))
    if criterion is not None and criterion not in plans:
        hint = nearest(criterion, plans) or " See the ids in the trial file."
        raise InputError(f"{criterion}: {trial.id} computes no such criterion.{hint}")
    chosen = [plans[criterion]] if criterion is not None else list(plans.values())
    everyone = Statement("subject", render("verdicts/everyone.sql.jinja", as_of=as_of))
    statements = [*fact_statements(trial, as_of), everyone, *(one for plan in chosen for one in plan.statements)]
    shown = [f"{one.rendered.with_values()};" for one in statements]
    return "\n\n".join([*shown, "FROM criterion_at;"]) + "\n"
