"""The words of a leaf `treatment`: lengths that can be reached, and a result that can be compared."""

from cohortfinder.criteria.dose import DoseQuestion
from cohortfinder.criteria.treatment import TreatmentQuestion
from cohortfinder.model import Leaf
from cohortfinder.trials.bounds import LIMITS, check_unit
from cohortfinder.trials.doses import check_dose
from cohortfinder.trials.problems import Problems, nearest
from cohortfinder.trials.vocabulary import Vocabulary


def check_reached(leaf: Leaf, question: TreatmentQuestion, vocabulary: Vocabulary, problems: Problems) -> bool:
    """Note a concept under `reaching` that is no number; return whether there is none."""
    names = question.reaching.observation if question.reaching else ()
    known, good = vocabulary.observation_concepts, True
    for number, name in enumerate(names):
        line = leaf.line_of("reaching", "observation", number)
        if name not in known:
            problems.add(line, f"unknown concept '{name}'.{nearest(name, known)}")
        elif known[name].value_kind == "ordinal":
            problems.add(line, f"'{name}' is no number, so no value of it can be reached")
        elif not any(code.decides for code in known[name].codes):
            problems.add(line, f"the concept '{name}' has no code that decides; add one to mappings/concepts/")
        else:
            good = _check_bounds(leaf, question, name, vocabulary, problems) and good
            continue
        good = False
    if question.dose_then is not None and names:
        good = _check_dose(leaf, question.dose_then, vocabulary, problems) and good
    return good


def _check_dose(leaf: Leaf, dose: DoseQuestion, vocabulary: Vocabulary, problems: Problems) -> bool:
    """Check the dose as the leaf that it would be, whose words stand below `while`."""
    before, place = len(problems.found), ("reaching", "while")
    lines = {path[2:]: line for path, line in leaf.lines.items() if path[:2] == place}
    if dose.dose not in vocabulary.clinical_concepts:
        known = vocabulary.clinical_concepts
        problems.add(leaf.line_of(*place, "dose"), f"unknown concept '{dose.dose}'.{nearest(dose.dose, known)}")
    else:
        check_dose(Leaf(leaf.id, "dose", dose, False, leaf.line_of(*place), (), lines), dose, vocabulary, problems)
    return len(problems.found) == before


def _check_bounds(
    leaf: Leaf, question: TreatmentQuestion, name: str, vocabulary: Vocabulary, problems: Problems
) -> bool:
    assert question.reaching is not None  # it has a concept
    before = len(problems.found)
    for word in ("at_least", "at_most"):
        if (bound := getattr(question.reaching, word)) is not None:
            line = leaf.line_of("reaching", word)
            check_unit(line, name, bound, vocabulary, problems)
            if bound.unit in LIMITS:
                problems.add(line, f"'reaching' compares with a value, not with a multiple of {bound.unit}")
    return len(problems.found) == before


def check_treatment(leaf: Leaf, question: TreatmentQuestion, problems: Problems) -> None:
    """Note lengths that mean nothing, and a number of results that nothing asks for."""
    if question.for_.count == 0:
        problems.add(leaf.line_of("for"), "a treatment of 0 days is none; write at least 1 day")
    if question.results < 1:
        problems.add(leaf.line_of("results"), f"'results' is {question.results}; write 1 or more")
    if question.reaching is None and "results" in question.model_fields_set:
        problems.add(leaf.line_of("results"), "'results' goes with 'reaching': how many show that it was never reached")
