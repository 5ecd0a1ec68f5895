"""The changes of truths that were found to what they mean: verdicts, statuses, and the leaves that make each change.

Leaves behind `verdict_turn`, `status_turn`, `stop` and `turned_leaf`, all empty where nobody looks ahead.
"""

from datetime import date

from cohortfinder.engine.asking import Asker

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
    engine.run_template("verdicts/untold_turn.sql.jinja")
    for (number,) in engine.rows("verdicts/parts.sql.jinja"):
        _explain_turns(asker, number)


def _explain_turns(asker: Asker, part: int) -> None:
    """Ask on both days of each change what it rests on: the leaves that turn where they are known, else all."""
    engine = asker.engine
    engine.run_template("verdicts/known_turn.sql.jinja", part=part)
    engine.run_template("verdicts/asked_turned.sql.jinja", part=part, days=_BOTH_DAYS)
    engine.run_template("verdicts/leaf_asked_turned.sql.jinja", days=_BOTH_DAYS)
    asker.explain_leaves()
    engine.run_template("verdicts/leaf_same.sql.jinja", days=_BOTH_DAYS)
    engine.run_template("verdicts/truth_table.sql.jinja", table="turned_truth", explained=True)
    names = [name for (name,) in engine.rows("verdicts/rules_turned.sql.jinja")]
    asker.combine([asker.plan.rules[name] for name in names], "turned_truth")
    engine.run_template("verdicts/turned_leaf.sql.jinja")
