"""What is checked of a trial, and how: each criterion with its rule, reading and how far data can tell."""

from starlette.responses import Response

from cohortfinder.model import Criterion
from cohortfinder.report.ledger import KINDS, kind_of, rules_of
from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.routing import Page
from cohortfinder.trials.description import coverage, rule_lines


def show(asked: Asked) -> Response:
    """Show the ledger of the trial."""
    trial, labels = asked.listed.trial, asked.application.labels

    def rules(criterion: Criterion) -> list[tuple[str, list[str]]]:
        return [(where, rule_lines(rule, labels)) for where, rule in rules_of(criterion)]

    counts = {kind: sum(kind_of(one) == kind for one in trial.criteria) for kind in KINDS}
    return asked.page(
        "criteria.html.jinja", trial=trial, coverage=coverage(trial), kinds=KINDS, kind_of=kind_of, rules=rules,
        counts=counts,
    )  # fmt: skip


PAGES = (Page("/trials/{trial}/criteria", show, Right.LIST, "criteria"),)
