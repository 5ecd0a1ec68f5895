"""Evaluate a trial for patients: verdicts, listing, and when a verdict changes with no new data."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from cohortfinder.model import Criterion, Leaf, Rule, Trial
from reference.change import change
from reference.clinical import allergy, condition, family_history, immunization, medication, procedure, study
from reference.dose import dose
from reference.formulas import formula
from reference.gates import gates_of
from reference.mappings import Mappings
from reference.observation import observation
from reference.people import age, judgement, sex
from reference.series import series
from reference.site import Answer, Site
from reference.treatment import treatment
from reference.truth import NOT, VERDICT, Truth, all_of, any_of, need_of

LEAVES: dict[str, Callable[[Site, Leaf, str, date], Answer]] = {
    "age": age, "sex": sex, "observation": observation, "series": series, "change": change, "condition": condition,
    "medication": medication, "dose": dose, "treatment": treatment, "procedure": procedure, "judgement": judgement,
    "formula": formula, "immunization": immunization, "allergy": allergy, "study": study, "family_history": family_history,
}  # fmt: skip

# a record of these suggests what it says
RECORDS = ("condition", "procedure", "medication", "treatment", "immunization", "allergy", "study", "family_history")


@dataclass(frozen=True)
class Outcome:
    """A verdict with what decided it."""

    verdict: str
    reasons: tuple[tuple[str, str], ...]
    flags: frozenset[str]
    evidence_resources: frozenset[str]
    suggested: bool = False
    open_flags: frozenset[str] = frozenset()
    open_reasons: frozenset[tuple[str, str]] = frozenset()


def site_of(trial: Trial, resources: list[dict[str, Any]], mappings_dir: Path) -> Site:
    """Gather what an evaluation needs."""
    return Site(resources, Mappings(mappings_dir), trial.time_zone, trial.profile)


def truth_of_leaf(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Answer one leaf."""
    return LEAVES[leaf.kind](site, leaf, patient_id, as_of)


def _deciding(rule: Rule, site: Site, patient_id: str, as_of: date) -> tuple[Truth, list[tuple[Leaf, Answer]]]:
    """Return the truth of a rule and the leaves that decide it."""
    if isinstance(rule, Leaf):
        answer = truth_of_leaf(site, rule, patient_id, as_of)
        return answer.truth, [(rule, answer)]
    children = [_deciding(child, site, patient_id, as_of) for child in rule.children]
    truths = [truth for truth, _ in children]
    if rule.operator == "not":
        return NOT[truths[0]], children[0][1]
    fold = {"all": all_of, "any": any_of}
    truth = need_of(rule.need or 0, truths) if rule.operator == "need" else fold[rule.operator](truths)
    strongest: Truth = rule.operator != "all"
    order = (truth, None) if rule.operator == "need" else (strongest, None)
    chosen = next((wanted for wanted in order if wanted in truths), "every")
    return truth, [pair for own, pairs in children if chosen in ("every", own) for pair in pairs]


def _suggests(rule: Rule, site: Site, patient_id: str, as_of: date) -> bool:
    """Say whether some record suggests the rule: a met or tentative clinical leaf that is not negated."""
    if isinstance(rule, Leaf):
        answer = truth_of_leaf(site, rule, patient_id, as_of)
        return answer.suggested or (answer.truth is True and rule.kind in RECORDS)
    return rule.operator != "not" and any(_suggests(child, site, patient_id, as_of) for child in rule.children)


def outcome_of(site: Site, criterion: Criterion, patient_id: str, as_of: date, arm: str = "") -> Outcome:
    """Return the verdict of one criterion in an arm; a sentence that is not computed is unknown."""
    rule = criterion.rule_in(arm)
    if rule is None:
        return Outcome("unknown", (), frozenset(criterion.flags), frozenset())
    truth, leaves = _deciding(rule, site, patient_id, as_of)
    return Outcome(
        VERDICT[criterion.kind, truth],
        tuple((leaf.id, answer.reason) for leaf, answer in leaves if answer.reason),
        frozenset(criterion.flags).union(*(answer.flags for _, answer in leaves)),
        frozenset[str]().union(*(answer.evidence for _, answer in leaves)),
        truth is None and _suggests(rule, site, patient_id, as_of),
        frozenset[str]().union(*(answer.open_flags for _, answer in leaves)),
        frozenset((leaf.id, reason) for leaf, answer in leaves for reason in answer.open_reasons),
    )


def evaluate(
    trial: Trial,
    resources: list[dict[str, Any]],
    mappings_dir: Path,
    as_of: date,
    *,
    patients: list[str] | None = None,
) -> dict[tuple[str, str, str], Outcome]:
    """Return the outcome of every (patient, arm, criterion)."""
    site = site_of(trial, resources, mappings_dir)
    return {
        (patient, arm.id, criterion.id): outcome_of(site, criterion, patient, as_of, arm.id)
        for patient in (patients if patients is not None else sorted(site.by_patient))
        for arm in trial.arms
        for criterion in trial.criteria_of(arm.id)
    }


def listed(trial: Trial, resources: list[dict[str, Any]], mappings_dir: Path, as_of: date) -> set[tuple[str, str]]:
    """Return (patient, arm) whose entry criterion passes or is suggested; never who is behind a gate."""
    site = site_of(trial, resources, mappings_dir)
    entries = {c.id: c for c in trial.criteria}
    kept_off = {patient for patient, _ in gates_of(site, mappings_dir, as_of)}
    found = set()
    for patient in {*site.by_patient} - kept_off:
        for arm in trial.arms:
            entry = outcome_of(site, entries[arm.entry], patient, as_of)
            if entry.verdict == "pass" or entry.suggested:
                found.add((patient, arm.id))
    return found


def changes_on(
    site: Site, criterion: Criterion, patient_id: str, as_of: date, horizon: date, arm: str = ""
) -> date | None:
    """Return the first day up to the horizon on which the verdict differs, by asking on each day."""
    now, day = outcome_of(site, criterion, patient_id, as_of, arm).verdict, as_of
    while day < horizon:
        day += timedelta(days=1)
        if outcome_of(site, criterion, patient_id, day, arm).verdict != now:
            return day
    return None
