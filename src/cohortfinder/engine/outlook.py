"""The changes of truths that were found to what they mean: verdicts, statuses, and the leaves that make each change.

Leaves behind `verdict_turn`, `status_turn`, `stop` and `turned_leaf`, all empty where nobody looks ahead.
"""

from collections.abc import Iterable
from datetime import date

from cohortfinder.engine.asking import Asker
from cohortfinder.engine.rules import RulePlan

# the day of a change and the one before it
_BOTH_DAYS = (0, 1)


def tell_turns(asker: Asker, until: date | None) -> None:
    """Tell which verdicts and statuses change, and on which leaves the changes until a day rest.

    Where a status ends or begins later than that, its changes are told as well. None: nothing is told.
    """
    engine = asker.engine
    for table in ("verdict_turn", "status_turn", "stop"):
        engine.run_template(f"verdicts/{table}.sql.jinja")
    engine.run_template("verdicts/turned_leaf_table.sql.jinja")
    engine.run_template("verdicts/told_turn.sql.jinja", until=until)
    if until is None:
        return
    rules = {rule.name: rule for rule in asker.plan.rules.values()}
    for (number,) in engine.rows("verdicts/parts.sql.jinja"):
        engine.run_template("verdicts/asked_turned.sql.jinja", part=number, days=_BOTH_DAYS)
        asked = [rules[name] for (name,) in engine.rows("verdicts/asked.sql.jinja", table="asked")]
        if asked:
            _explain_turns(asker, asked)


def _explain_turns(asker: Asker, rules: Iterable[RulePlan]) -> None:
    """Ask some rules, with what they rest on, on both days of each change."""
    rules = list(rules)
    leaves = [
        (rule.name, number, place, leaf)
        for rule in rules
        for place, (number, leaf) in enumerate(zip(rule.numbers, rule.leaves, strict=True), start=1)
    ]
    asker.engine.run_template("verdicts/truth_table.sql.jinja", table="turned_truth", explained=True)
    asker.explain(rules, "turned_truth")
    asker.engine.run_template(
        "verdicts/turned_leaf.sql.jinja",
        **dict(zip(("criteria", "numbers", "places", "leaves"), map(list, zip(*leaves, strict=True)), strict=True)),
    )
