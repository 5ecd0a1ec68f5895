"""What a trial's words mean: unknown concepts, units that a concept does not have, windows that never match."""

from typing import Any

from cohortfinder.criteria.age import AgeBounds, AgeQuestion
from cohortfinder.criteria.formula import FormulaQuestion
from cohortfinder.criteria.observation import ObservationQuestion
from cohortfinder.criteria.question import NumericQuestion, Question
from cohortfinder.criteria.series import SeriesQuestion
from cohortfinder.model import Duration, Leaf, Quantity, Trial, leaves_of
from cohortfinder.resources import resource_dir
from cohortfinder.trials.document import Scalar, read_document
from cohortfinder.trials.problems import Problems, nearest
from cohortfinder.trials.vocabulary import Vocabulary

LIMITS = ("ULN", "LLN")
_DAYS = {"days": 1, "weeks": 7, "months": 30, "years": 365}


def check_meaning(trial: Trial, vocabulary: Vocabulary, problems: Problems) -> None:
    """Note every leaf of a trial that cannot be answered as it is written."""
    for criterion in trial.criteria:
        for leaf in leaves_of(criterion.rule) if criterion.rule is not None else ():
            if _concepts_exist(leaf, vocabulary, problems):
                _check_leaf(leaf, vocabulary, problems)


def _concepts_exist(leaf: Leaf, vocabulary: Vocabulary, problems: Problems) -> bool:
    question: Question = leaf.question
    if isinstance(question, FormulaQuestion):
        return _formula_exists(leaf, question, problems)
    known = vocabulary.observation_concepts if question.domain == "observation" else vocabulary.clinical_concepts
    other = vocabulary.clinical_concepts if question.domain == "observation" else vocabulary.observation_concepts
    good = bool(question.concepts) or question.domain == "none"
    if not good:
        problems.add(leaf.line, f"'{leaf.kind}' names no concept")
    for concept in question.concepts:
        if concept in known:
            good = _some_code_decides(leaf, concept, known[concept], problems) and good
            continue
        good = False
        if concept in other:
            problems.add(leaf.line, f"the concept '{concept}' is not for '{leaf.kind}'; see mappings/concepts/")
        else:
            problems.add(leaf.line, f"unknown concept '{concept}'.{nearest(concept, known)}")
    return good


def _some_code_decides(leaf: Leaf, name: str, concept: Any, problems: Problems) -> bool:
    """A concept whose codes are all supporting or excluded is never found, so that its leaf would say nothing."""
    if leaf.kind == "age":
        return True
    question = leaf.question
    if question.domain == "clinical":
        found = any(code.include for code in concept.codes) or bool(concept.terms)
    elif getattr(question, "role", None) == "confirm":
        found = any(code.role == "confirm" for code in concept.codes)
    else:
        found = any(code.decides for code in concept.codes)
    if not found:
        what = "confirming code" if getattr(question, "role", None) else "code that decides"
        problems.add(leaf.line, f"the concept '{name}' has no {what}; add one to mappings/concepts/")
    return found


def _formula_exists(leaf: Leaf, question: FormulaQuestion, problems: Problems) -> bool:
    names = [path.stem for path in (resource_dir("queries") / "formulas").glob("*.yaml")]
    if question.formula not in names:
        problems.add(leaf.line, f"unknown formula '{question.formula}'.{nearest(question.formula, names)}")
    return question.formula in names


def _check_formula_unit(leaf: Leaf, question: FormulaQuestion, problems: Problems) -> None:
    """The result of a formula is compared in the formula's own unit and never converted."""
    path = resource_dir("queries") / "formulas" / f"{question.formula}.yaml"
    declared = read_document(path.read_text(encoding="utf-8"), Problems(path.name)).get("unit")
    unit = declared.text if isinstance(declared, Scalar) else ""
    right = {unit, ""} if unit == "1" or unit.startswith("{") else {unit}
    comparison = question.comparison
    for bound in (comparison.lower, comparison.upper) if comparison else ():
        if bound is not None and bound.unit not in right:
            problems.add(leaf.line, f"'{question.formula}' is compared in {unit or 'no unit'}, not in '{bound.unit}'")


def _check_leaf(leaf: Leaf, vocabulary: Vocabulary, problems: Problems) -> None:
    question = leaf.question
    if isinstance(question, NumericQuestion):
        _check_bounds(leaf, question, problems)
    if isinstance(question, FormulaQuestion):
        _check_formula_unit(leaf, question, problems)
    if isinstance(question, ObservationQuestion):
        _check_observation(leaf, question, vocabulary, problems)
    if isinstance(question, SeriesQuestion):
        _check_series(leaf, question, vocabulary, problems)
    if isinstance(question, AgeQuestion):
        _check_age(leaf, question.age, problems)
    within = getattr(question, "within", None)
    if isinstance(within, Duration) and within.count == 0:
        problems.add(leaf.line, "a window of length 0 can never match; write at least 1 day")


def _check_series(leaf: Leaf, question: SeriesQuestion, vocabulary: Vocabulary, problems: Problems) -> None:
    for reading in question.series:
        for concept in reading.observation:
            _check_unit(leaf, concept, reading.above or reading.below, vocabulary, problems)
    if _days(question.recent) > _days(question.within):
        problems.add(leaf.line, "'recent' is longer than 'within', so it can never be filled; make it shorter")
    if not 1 <= question.days <= _days(question.within) + 1:
        problems.add(leaf.line, f"'days' is {question.days}, which 'within' can never hold; write 1 or more days")


def _check_age(leaf: Leaf, age: AgeBounds, problems: Problems) -> None:
    if age.at_least is None and age.at_most is None:
        problems.add(leaf.line, "'age' needs a bound: at_least, at_most or both")
    elif age.at_least is not None and age.at_most is not None and age.at_least > age.at_most:
        problems.add(leaf.line, f"the lower bound {age.at_least} is above the upper bound {age.at_most}; swap them")


def _check_bounds(leaf: Leaf, question: NumericQuestion, problems: Problems) -> None:
    comparison = question.comparison
    if comparison is None or comparison.lower is None or comparison.upper is None:
        return
    lower, upper = comparison.lower, comparison.upper
    if lower.unit in LIMITS or upper.unit in LIMITS:
        problems.add(leaf.line, "a multiple of ULN or LLN stands alone; write two leaves under 'all:'")
    elif lower.unit == upper.unit and lower.value > upper.value:
        problems.add(leaf.line, f"the lower bound {lower.value} is above the upper bound {upper.value}; swap them")
    elif lower == upper and not (comparison.lower_included and comparison.upper_included):
        problems.add(leaf.line, f"no number is both above and below {lower.value}; write at_least and at_most")


def _check_observation(leaf: Leaf, question: ObservationQuestion, vocabulary: Vocabulary, problems: Problems) -> None:
    concepts = [vocabulary.observation_concepts[name] for name in question.observation]
    if question.is_ is not None:
        for name, concept in zip(question.observation, concepts, strict=True):
            if not _has_polarity(concept):
                problems.add(leaf.line, f"'{name}' is a number and neither positive nor negative; compare it")
        return
    comparison = question.comparison
    bounds = [bound for bound in (comparison.lower, comparison.upper) if bound] if comparison else []
    if all(concept.value_kind == "ordinal" for concept in concepts):
        problems.add(leaf.line, f"'{question.observation[0]}' is positive or negative; write 'is: positive'")
        return
    numeric = next(
        name for name in question.observation if vocabulary.observation_concepts[name].value_kind != "ordinal"
    )
    for bound in bounds:
        _check_unit(leaf, numeric, bound, vocabulary, problems)


def _has_polarity(concept: Any) -> bool:
    return (
        concept.value_kind in ("ordinal", "titre") or concept.detection == "any" or concept.negative_below is not None
    )


def _check_unit(leaf: Leaf, concept: str, bound: Quantity | None, vocabulary: Vocabulary, problems: Problems) -> None:
    if bound is None or bound.unit in LIMITS:
        return
    units = sorted(vocabulary.units_of(concept))
    dimensionless = any(unit == "1" or unit.startswith("{") for unit in units)
    if bound.unit == "" and not dimensionless:
        problems.add(leaf.line, f"'{concept}' needs a unit; it can be compared in {', '.join(units)}")
    elif bound.unit == "{titer}":
        if not _is_titre(concept, vocabulary):
            problems.add(leaf.line, f"'{concept}' is no titre; write a number and its unit in place of 1:{bound.value}")
    elif bound.unit and bound.unit not in units:
        hint = nearest(bound.unit, units) or f" It can be compared in {', '.join(units[:8])}."
        problems.add(leaf.line, f"'{concept}' has no unit '{bound.unit}'.{hint}")


def _is_titre(concept: str, vocabulary: Vocabulary) -> bool:
    return bool(vocabulary.observation_concepts[concept].value_kind == "titre")


def _days(duration: Duration) -> int:
    return duration.count * _DAYS[duration.unit]
