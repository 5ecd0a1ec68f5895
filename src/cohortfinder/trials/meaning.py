"""What a trial's words mean: unknown concepts, units that a concept does not have, windows that never match."""

from typing import Any

from cohortfinder.criteria.age import AgeBounds, AgeQuestion
from cohortfinder.criteria.change import ChangeQuestion
from cohortfinder.criteria.dose import DoseQuestion
from cohortfinder.criteria.formula import FormulaQuestion
from cohortfinder.criteria.observation import ObservationQuestion
from cohortfinder.criteria.question import NumericQuestion, Question
from cohortfinder.criteria.series import SeriesQuestion
from cohortfinder.criteria.treatment import TreatmentQuestion
from cohortfinder.model import Duration, Leaf, Trial, leaves_of, rules_of
from cohortfinder.resources import resource_dir
from cohortfinder.trials.bounds import bounds_of, check_bounds, check_unit
from cohortfinder.trials.changes import check_change
from cohortfinder.trials.document import Scalar, read_document
from cohortfinder.trials.doses import check_dose
from cohortfinder.trials.problems import Problems, nearest
from cohortfinder.trials.treatments import check_reached, check_treatment
from cohortfinder.trials.vocabulary import Vocabulary

_DAYS = {"days": 1, "weeks": 7, "months": 30, "years": 365}
# the domains whose concepts a leaf of records may name, its own first, and whether it may name a state
_DOMAINS = {
    "condition": (("condition",), True),
    "medication": (("medication", "vaccine"), False),
    "dose": (("medication",), False),
    "treatment": (("medication",), False),
    "procedure": (("procedure",), True),
    "immunization": (("vaccine", "medication"), False),
    "allergy": (("medication", "vaccine"), False),
    "family_history": (("condition",), False),
}


def check_meaning(trial: Trial, vocabulary: Vocabulary, problems: Problems) -> None:
    """Note every leaf of a trial that cannot be answered as it is written."""
    for criterion in (*trial.criteria, *trial.other_readings):
        for leaf in (leaf for rule in rules_of(criterion) for leaf in leaves_of(rule)):
            if _concepts_exist(leaf, vocabulary, problems):
                _check_leaf(leaf, vocabulary, problems)


def _concepts_exist(leaf: Leaf, vocabulary: Vocabulary, problems: Problems) -> bool:
    question: Question = leaf.question
    if isinstance(question, FormulaQuestion):
        return _formula_exists(leaf, question, problems)
    known = vocabulary.observation_concepts if question.domain == "observation" else vocabulary.clinical_concepts
    if isinstance(question, TreatmentQuestion) and not check_reached(leaf, question, vocabulary, problems):
        return False
    good = bool(question.concepts) or question.domain == "none"
    if not good:
        problems.add(leaf.line, f"'{leaf.kind}' names no concept")
    for concept, line in _concept_lines(leaf):
        wrong = _wrong_concept(leaf.kind, concept, known, vocabulary)
        if wrong is not None:
            problems.add(line, wrong)
        good = wrong is None and _some_code_decides(leaf, concept, known[concept], line, problems) and good
    return good


def _concept_lines(leaf: Leaf) -> list[tuple[str, int]]:
    """Return the concepts that a leaf names, each with its line."""
    if isinstance(leaf.question, SeriesQuestion):
        return [
            (concept, leaf.line_of("series", number, "observation", position))
            for number, reading in enumerate(leaf.question.series)
            for position, concept in enumerate(reading.observation)
        ]
    if isinstance(leaf.question, TreatmentQuestion):
        return [
            (concept, leaf.line_of(word, number))
            for word, concepts in (("treatment", leaf.question.treatment), ("with", leaf.question.with_))
            for number, concept in enumerate(concepts)
        ]
    return [(concept, leaf.line_of(leaf.kind, number)) for number, concept in enumerate(leaf.question.concepts)]


def _wrong_concept(kind: str, concept: str, known: Any, vocabulary: Vocabulary) -> str | None:
    """Say why a leaf of this kind cannot ask for a concept, None when it can."""
    if concept not in known:
        if concept in vocabulary.observation_concepts or concept in vocabulary.clinical_concepts:
            return f"the concept '{concept}' is not for '{kind}'; see mappings/concepts/"
        return f"unknown concept '{concept}'.{nearest(concept, known)}"
    if kind not in _DOMAINS:
        return None
    right, states = _DOMAINS[kind]
    domain = known[concept].domain
    if domain in right or (states and known[concept].course == "state"):
        return None
    better = next((name for name, (domains, _) in _DOMAINS.items() if domains[0] == domain), None)
    hint = f"write '{better}: {concept}'" if better else "no leaf asks for it"
    return f"the concept '{concept}' is of the domain {domain} and not for '{kind}'; {hint}"


def _some_code_decides(leaf: Leaf, name: str, concept: Any, line: int, problems: Problems) -> bool:
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
        problems.add(line, f"the concept '{name}' has no {what}; add one to mappings/concepts/")
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
    for bound, line in bounds_of(leaf):
        if bound.unit not in right:
            problems.add(line, f"'{question.formula}' is compared in {unit or 'no unit'}, not in '{bound.unit}'")


def _check_leaf(leaf: Leaf, vocabulary: Vocabulary, problems: Problems) -> None:
    question = leaf.question
    if isinstance(question, DoseQuestion):
        check_dose(leaf, question, vocabulary, problems)
    elif isinstance(question, NumericQuestion):
        check_bounds(leaf, question, vocabulary, problems)
    if isinstance(question, FormulaQuestion):
        _check_formula_unit(leaf, question, problems)
    if isinstance(question, ObservationQuestion):
        _check_observation(leaf, question, vocabulary, problems)
    if isinstance(question, SeriesQuestion):
        _check_series(leaf, question, vocabulary, problems)
    if isinstance(question, ChangeQuestion):
        check_change(leaf, question, vocabulary, problems)
    if isinstance(question, TreatmentQuestion):
        check_treatment(leaf, question, problems)
    if isinstance(question, AgeQuestion):
        _check_age(leaf, question.age, problems)
    for word in ("within", "ago"):
        span = getattr(question, word, None)
        if isinstance(span, Duration) and span.count == 0:
            problems.add(leaf.line_of(word), "a window of length 0 can never match; write at least 1 day")


def _check_series(leaf: Leaf, question: SeriesQuestion, vocabulary: Vocabulary, problems: Problems) -> None:
    for number, reading in enumerate(question.series):
        for word, limit in (("above", reading.above), ("below", reading.below)):
            if limit is not None:
                for concept in reading.observation:
                    check_unit(leaf.line_of("series", number, word), concept, limit, vocabulary, problems)
    if _days(question.recent) > _days(question.within):
        message = "'recent' is longer than 'within', so it can never be filled; make it shorter"
        problems.add(leaf.line_of("recent"), message)
    if not 1 <= question.days <= _days(question.within) + 1:
        message = f"'days' is {question.days}, which 'within' can never hold; write 1 or more days"
        problems.add(leaf.line_of("days"), message)


def _check_age(leaf: Leaf, age: AgeBounds, problems: Problems) -> None:
    if age.at_least is None and age.at_most is None:
        problems.add(leaf.line, "'age' needs a bound: at_least, at_most or both")
    elif age.at_least is not None and age.at_most is not None and age.at_least > age.at_most:
        message = f"the lower bound {age.at_least} is above the upper bound {age.at_most}; swap them"
        problems.add(leaf.line_of("age", "at_most"), message)


def _check_observation(leaf: Leaf, question: ObservationQuestion, vocabulary: Vocabulary, problems: Problems) -> None:
    concepts = [vocabulary.observation_concepts[name] for name in question.observation]
    if question.is_ is not None:
        for name, concept in zip(question.observation, concepts, strict=True):
            if not _has_polarity(concept):
                message = f"'{name}' is a number and neither positive nor negative; compare it"
                problems.add(leaf.line_of("is"), message)
        return
    if all(concept.value_kind == "ordinal" for concept in concepts):
        message = f"'{question.observation[0]}' is positive or negative; write 'is: positive'"
        problems.add(next((line for _, line in bounds_of(leaf)), leaf.line), message)
        return
    for bound, line in bounds_of(leaf):
        for name, concept in zip(question.observation, concepts, strict=True):
            if concept.value_kind != "ordinal":
                check_unit(line, name, bound, vocabulary, problems)


def _has_polarity(concept: Any) -> bool:
    return (
        concept.value_kind in ("ordinal", "titre") or concept.detection == "any" or concept.negative_below is not None
    )


def _days(duration: Duration) -> int:
    return duration.count * _DAYS[duration.unit]
