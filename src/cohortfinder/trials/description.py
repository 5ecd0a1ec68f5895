"""A trial in plain English: every criterion, how it is computed, and what is not."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from cohortfinder.criteria.age import AgeQuestion
from cohortfinder.criteria.allergy import AllergyQuestion
from cohortfinder.criteria.change import ChangeQuestion
from cohortfinder.criteria.condition import ConditionQuestion
from cohortfinder.criteria.dose import DoseQuestion
from cohortfinder.criteria.family_history import FamilyHistoryQuestion
from cohortfinder.criteria.formula import FormulaQuestion
from cohortfinder.criteria.immunization import ImmunizationQuestion
from cohortfinder.criteria.judgement import JudgementQuestion
from cohortfinder.criteria.medication import MedicationQuestion
from cohortfinder.criteria.observation import ObservationQuestion
from cohortfinder.criteria.procedure import ProcedureQuestion
from cohortfinder.criteria.series import SeriesQuestion
from cohortfinder.criteria.sex import SexQuestion
from cohortfinder.criteria.study import StudyQuestion
from cohortfinder.criteria.treatment import TreatmentQuestion
from cohortfinder.model import Comparison, Criterion, Duration, Leaf, Quantity, Rule, Trial
from cohortfinder.wording import flag_words, reading_words

_WIDTH = 100


def describe_trial(trial: Trial, labels: Mapping[str, str]) -> str:
    """Say a trial in plain English; `labels` names the concepts."""
    lines = [f"{trial.id}: {trial.title}", f"Time zone {trial.time_zone}."]
    lines += ["", *(f"- {note}" for note in trial.notes)] if trial.notes else []
    lines += ["", "Arms:"]
    lines += [f"  {arm.id}: {arm.name}; a patient is listed by {arm.entry}" for arm in trial.arms]
    if trial.parameters:
        lines += ["", "Parameters:"]
        lines += [f"  {one.name} = {one.value or 'left open'}. {one.why}" for one in trial.parameters]
    for kind in ("inclusion", "exclusion"):
        lines += ["", f"{kind.capitalize()} criteria"]
        for criterion in trial.criteria:
            if criterion.kind == kind:
                lines += ["", *_criterion(trial, criterion, labels)]
    return "\n".join([*lines, "", coverage(trial)]) + "\n"


def coverage(trial: Trial) -> str:
    """Say how much of a trial is computed."""
    judged = [one for one in trial.criteria if one.computed and one.certainty == "judgement"]
    computed = [one for one in trial.criteria if one.computed and one.certainty != "judgement"]
    left = len(trial.criteria) - len(judged) - len(computed)
    return (
        f"Of {len(trial.criteria)} criteria {len(computed)} are computed from data, {len(judged)} only a person "
        f"can judge, and {left} are not computed yet and unknown for everybody."
    )


def _criterion(trial: Trial, criterion: Criterion, labels: Mapping[str, str]) -> Iterator[str]:
    arms = "all arms" if len(criterion.arms) == len(trial.arms) else ", ".join(criterion.arms)
    yield f"{criterion.id} ({arms}; {criterion.certainty})"
    yield textwrap.fill(f'"{criterion.text}"', _WIDTH, initial_indent="  ", subsequent_indent="  ")
    if criterion.rule is None:
        yield "  Not computed yet: unknown for everybody."
    else:
        yield from (f"  {line}" for line in _rule(criterion.rule, labels))
    for arm, rule in criterion.by_arm.items():
        yield f"  In arm {arm} instead:"
        yield from (f"    {line}" for line in _rule(rule, labels))
    for reading in criterion.readings:
        yield f"  {reading_words(reading)}"
    if criterion.note:
        yield textwrap.fill(f"Note: {criterion.note}", _WIDTH, initial_indent="  ", subsequent_indent="  ")
    if criterion.flags:
        yield f"  Flags: {', '.join(criterion.flags)}"
    for flag, rule in criterion.flag_rules.items():
        yield f"  Flag {flag} ({flag_words(flag, trial.flag_words)}) when"
        yield from (f"    {line}" for line in _rule(rule, labels))


def rule_lines(rule: Rule, labels: Mapping[str, str]) -> list[str]:
    """Say a rule in plain English, a line for each leaf and combination."""
    return list(_rule(rule, labels))


def _rule(rule: Rule, labels: Mapping[str, str]) -> Iterator[str]:
    if isinstance(rule, Leaf):
        yield _leaf(rule.question, labels)
        return
    heads = {"all": "all of:", "any": "any of:", "not": "not:", "need": f"at least {rule.need} of:"}
    yield heads[rule.operator]
    for child in rule.children:
        first, *rest = _rule(child, labels)
        yield f"- {first}"
        yield from (f"  {line}" for line in rest)


def _leaf(question: Any, labels: Mapping[str, str]) -> str:
    match question:
        case AgeQuestion():
            return f"age in completed years {_years(question.age.at_least, question.age.at_most)}"
        case SexQuestion():
            return f"sex recorded as {question.sex}"
        case ObservationQuestion():
            what = f"is {question.is_}" if question.is_ else f"is {_comparison(question.comparison)}"
            return f"{_picked(question)}{_names(question.concepts, labels)} {what}{_window(question)}"
        case SeriesQuestion():
            return _series(question, labels)
        case ChangeQuestion():
            return _change(question, labels)
        case ConditionQuestion() | MedicationQuestion() | ProcedureQuestion() | ImmunizationQuestion():
            return f"{question.kind} {_names(question.concepts, labels)}{_window(question)}"
        case DoseQuestion():
            return _dose(question, labels)
        case TreatmentQuestion():
            return _treatment(question, labels)
        case AllergyQuestion():
            return f"{'severe ' if question.severe else ''}allergy to {_names(question.concepts, labels)}"
        case FamilyHistoryQuestion():
            return f"family history of {_names(question.concepts, labels)}"
        case StudyQuestion():
            return _study(question)
        case FormulaQuestion():
            return f"computed {question.formula.replace('_', ' ')} is {_comparison(question.comparison)}"
        case JudgementQuestion():
            return f"a person decides: {question.judgement}"
    raise TypeError(f"no words for a question of kind {type(question).__name__}")


def _picked(question: ObservationQuestion) -> str:
    confirming = "confirming " if question.role == "confirm" else ""
    return {"latest": "the latest ", "any": "any ", "all": "every "}[question.pick] + confirming


def _series(question: SeriesQuestion, labels: Mapping[str, str]) -> str:
    limits = " or ".join(
        f"{_names(one.observation, labels)} {'above' if one.above else 'below'} {_quantity(one.above or one.below)}"
        for one in question.series
    )
    return (
        f"mean of the day: {limits}, on the latest day within {_duration(question.recent)}"
        f" or on {question.days} days within {_duration(question.within)}"
    )


def _change(question: ChangeQuestion, labels: Mapping[str, str]) -> str:
    latest = f", latest within {_duration(question.recent)}" if question.recent else ""
    readings = {
        "relative": " of the earlier value" if question.amount.unit == "%" else "",
        "absolute": " points",
        "both": " of the earlier value and in points alike",
    }
    earlier = "an earlier result" if question.baseline == "any" else "the earliest result"
    return (
        f"{_names(question.change, labels)} {'rises' if question.rises_by else 'falls'} by at least "
        f"{_quantity(question.amount)}{readings[question.reading]} within {_duration(question.over)}{latest}, against "
        f"{earlier} at least {_duration(question.apart)} before"
    )


def _dose(question: DoseQuestion, labels: Mapping[str, str]) -> str:
    counted = f", counted as {question.as_.replace('_', ' ')}," if question.as_ else ""
    days = ""
    if question.within is not None:
        some = f"{_duration(question.for_)} on end" if question.for_ else "some day"
        days = f" on {some} within {_duration(question.within)}"
    return f"dose of {_names(question.concepts, labels)}{counted} is {_comparison(question.comparison)}{days}"


def _treatment(question: TreatmentQuestion, labels: Mapping[str, str]) -> str:
    other = f" together with {_names(question.with_, labels)}" if question.with_ else ""
    how = "in all"
    if question.until:
        how = f"on end, up to {_duration(question.until)} before the index date or later"
    reached = ""
    if question.reaching:
        result = f"{_names(question.reaching.observation, labels)} {_comparison(question.reaching.comparison)}"
        if question.dose_then:
            result += f" while the {_dose(question.dose_then, labels)}"
        reached = f", and from then on under it {result} (never, when {question.results} results show none)"
    return (
        f"treatment with {_names(question.treatment, labels)}{other} for at least {_duration(question.for_)} {how}"
        f" (gaps of up to {_duration(question.gaps)} count){reached}"
    )


def _study(question: StudyQuestion) -> str:
    kind = "an interventional study" if question.study == "interventional" else "a study"
    others = f" other than {', '.join(question.except_)}" if question.except_ else ""
    return f"part in {kind}{others}{_window(question)}"


def _names(concepts: tuple[str, ...], labels: Mapping[str, str]) -> str:
    return " or ".join(labels.get(concept, concept) for concept in concepts)


def _window(question: Any) -> str:
    words = []
    if getattr(question, "active", None):
        words.append("active")
    if getattr(question, "ever", None):
        words.append("ever")
    if within := getattr(question, "within", None):
        words.append(f"within {_duration(within)}")
    if before := getattr(question, "before", None):
        words.append(f"since at least {_duration(before)}")
    if ago := getattr(question, "ago", None):
        words.append(f"as it was {_duration(ago)} ago")
    return (", " + " ".join(words)) if words else ""


def _years(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f"from {low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}"


def _comparison(comparison: Comparison | None) -> str:
    if comparison is None:
        return "recorded"
    if comparison.lower and comparison.upper:
        return f"from {_quantity(comparison.lower)} to {_quantity(comparison.upper)}"
    if comparison.lower:
        return f"{'at least' if comparison.lower_included else 'above'} {_quantity(comparison.lower)}"
    return f"{'at most' if comparison.upper_included else 'below'} {_quantity(comparison.upper)}"


def _quantity(quantity: Quantity | None) -> str:
    if quantity is None:
        return "a limit"
    if quantity.unit == "{titer}":
        return f"1:{quantity.value}"
    if quantity.unit in ("ULN", "LLN"):
        return f"{quantity.value} x {quantity.unit}"
    return f"{quantity.value} {quantity.unit}".strip()


def _duration(duration: Duration) -> str:
    unit = duration.unit if duration.count != 1 else duration.unit.removesuffix("s")
    return f"{duration.count} {unit}"
