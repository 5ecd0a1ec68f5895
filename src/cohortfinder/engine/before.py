"""How screenings ended to the truths of the day before a person first looked, as the data of that day have them.

Leaves behind `outcome` and `truth_before`.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from cohortfinder.engine.asking import Asker
from cohortfinder.model import Answer, Outcome


def ask_before(asker: Asker, answers: Sequence[Answer], outcomes: Sequence[Outcome], as_of: date) -> None:
    """Ask all criteria of those whose screening ended, each as of the day before the first answer or outcome.

    What was found because somebody looked is mostly of that day or later.
    """
    engine, rules = asker.engine, asker.plan.rules
    engine.run_template("verdicts/outcome.sql.jinja", as_of=as_of, **_said(answers, outcomes))
    engine.run_template("verdicts/asked_before.sql.jinja", rules=list(rules))
    asker.ask(rules)
    engine.run_template("verdicts/truth_before.sql.jinja")


def _said(answers: Sequence[Answer], outcomes: Sequence[Outcome]) -> dict[str, list[Any]]:
    given: tuple[Answer | Outcome, ...] = (*answers, *outcomes)
    return {
        "places": [*range(len(given))],
        "patients": [one.patient_id for one in given],
        "arms": [one.arm for one in given],
        "ended": [isinstance(one, Outcome) for one in given],
        "passed": [one.passed if isinstance(one, Outcome) else None for one in given],
        "days": [one.at.date() for one in given],
    }
