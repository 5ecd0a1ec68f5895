"""The words of a leaf `dose`: a drug that has one, a unit of mass a day, bounds that a dose can keep."""

from decimal import Decimal

from cohortfinder.criteria.dose import DoseQuestion
from cohortfinder.model import Leaf, Quantity
from cohortfinder.trials.bounds import bounds_of
from cohortfinder.trials.problems import Problems, nearest
from cohortfinder.trials.vocabulary import Vocabulary

# mg and days
MASSES = {"ug": Decimal("0.001"), "mg": Decimal(1), "g": Decimal(1000)}
DAYS = {"d": 1, "wk": 7}
UNITS = tuple(f"{mass}{weight}/{time}" for weight in ("", "/kg") for time in DAYS for mass in MASSES)


def check_dose(leaf: Leaf, question: DoseQuestion, vocabulary: Vocabulary, problems: Problems) -> None:
    """Note a concept without a dose, another drug that it is not counted in, and bounds in no unit of a dose."""
    drugs = vocabulary.doses.get(question.dose)
    if drugs is None:
        message = f"'{question.dose}' has no dose that can be counted; see mappings/doses.csv"
        problems.add(leaf.line_of("dose"), message)
    elif question.as_ not in (None, drugs.reference):
        right = f"write 'as: {drugs.reference}'" if drugs.reference else "leave 'as' away"
        message = f"mappings/doses.csv does not count '{question.dose}' as {question.as_}; {right}"
        problems.add(leaf.line_of("as"), message)
    bounds = list(bounds_of(leaf))
    for bound, line in bounds:
        if bound.unit not in UNITS:
            hint = nearest(bound.unit, UNITS) if bound.unit else ""
            message = f"a dose is compared in mass a day or week, for example '20 mg/d', not in '{bound.unit}'."
            problems.add(line, f"{message}{hint}")
    if len(bounds) > 1 and all(bound.unit in UNITS for bound, _ in bounds):
        _check_order(question, bounds, problems)
    _check_run(leaf, question, problems)


def _check_order(question: DoseQuestion, bounds: list[tuple[Quantity, int]], problems: Problems) -> None:
    (lower, _), (upper, line) = bounds
    comparison = question.comparison
    assert comparison is not None  # there are two bounds
    if ("/kg" in lower.unit) != ("/kg" in upper.unit):
        problems.add(line, "one bound is by body weight and the other is not; write two leaves under 'all:'")
    elif in_mg(lower) > in_mg(upper):
        problems.add(line, "the lower bound is above the upper one; swap them")
    elif in_mg(lower) == in_mg(upper) and not (comparison.lower_included and comparison.upper_included):
        problems.add(line, "no dose is both above and below the same bound; write at_least and at_most")


def _check_run(leaf: Leaf, question: DoseQuestion, problems: Problems) -> None:
    if question.for_ is None or question.within is None:
        return
    length = {"days": 1, "weeks": 7, "months": 31, "years": 365}
    run, window = (span.count * length[span.unit] for span in (question.for_, question.within))
    if run == 0:
        problems.add(leaf.line_of("for"), "a run of 0 days is always there; write at least 1 day")
    elif run > window + 1:
        problems.add(leaf.line_of("for"), "'for' is longer than 'within', so it can never be filled; make it shorter")


def in_mg(quantity: Quantity) -> Decimal:
    """Return a bound in mg a day, or mg a day and kg."""
    mass, *_, time = quantity.unit.split("/")
    return quantity.value * MASSES[mass] / DAYS[time]
