"""What is checked of a trial, and how, as one self-contained HTML page for those who sign off its parameters."""

from collections.abc import Mapping

from cohortfinder import wording
from cohortfinder.model import Criterion, Rule, Trial
from cohortfinder.report.html import page_environment
from cohortfinder.trials.description import coverage, rule_lines

# How far data can tell, in the order in which they are counted.
KINDS = {
    "exact": "computed from the very data that the protocol names",
    "proxy": "computed from something weaker, which a person confirms",
    "judgement": "only a person can tell",
    "not_computed": "not computed yet: unknown for everybody",
}


def ledger_html(trial: Trial, labels: Mapping[str, str]) -> bytes:
    """Return the page: parameters, then each criterion with its rule, reading and flags; `labels` names concepts."""
    page = (
        page_environment()
        .get_template("ledger.html.jinja")
        .render(
            trial=trial,
            coverage=coverage(trial),
            kinds=KINDS,
            sections=[
                (f"{kind.capitalize()} criteria", [one for one in trial.criteria if one.kind == kind])
                for kind in ("inclusion", "exclusion")
            ],
            kind_of=kind_of,
            rules=lambda criterion: [(where, rule_lines(rule, labels)) for where, rule in rules_of(criterion)],
            wording=wording,
        )
    )
    return page.encode("utf-8")


def kind_of(criterion: Criterion) -> str:
    """Return how far data can tell of a criterion, a key of KINDS."""
    return criterion.certainty if criterion.computed else "not_computed"


def rules_of(criterion: Criterion) -> list[tuple[str, Rule]]:
    """Return the rules of a criterion, each with the words that say where it holds, '' for everywhere."""
    own = [("", criterion.rule)] if criterion.rule is not None else []
    by_arm = [(f"In arm {arm} instead", rule) for arm, rule in criterion.by_arm.items()]
    flags = [(f"Flagged {flag} when", rule) for flag, rule in criterion.flag_rules.items()]
    return [*own, *by_arm, *flags]
