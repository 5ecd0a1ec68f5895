"""The bounds of a comparison: units that a concept can be compared in, and bounds that no number keeps."""

from collections.abc import Iterator
from decimal import Decimal

from cohortfinder.criteria.question import NumericQuestion
from cohortfinder.model import Leaf, Quantity
from cohortfinder.trials.problems import Problems, nearest
from cohortfinder.trials.vocabulary import Vocabulary

LIMITS = ("ULN", "LLN")
_WORDS = ("at_least", "above", "at_most", "below")


def bounds_of(leaf: Leaf) -> Iterator[tuple[Quantity, int]]:
    """Yield the bounds of a leaf that compares a number, the lower one first, each with its line."""
    question: NumericQuestion = leaf.question
    for position, bound in enumerate(question.between or ()):
        yield bound, leaf.line_of("between", position)
    for word in _WORDS:
        bound = getattr(question, word)
        if bound is not None:
            yield bound, leaf.line_of(word)


def check_bounds(leaf: Leaf, question: NumericQuestion, vocabulary: Vocabulary, problems: Problems) -> None:
    """Note a lower bound above the upper one, in whatever units they stand."""
    comparison = question.comparison
    if comparison is None or comparison.lower is None or comparison.upper is None:
        return
    lower, upper = comparison.lower, comparison.upper
    *_, (_, line) = bounds_of(leaf)
    if lower.unit in LIMITS or upper.unit in LIMITS:
        problems.add(line, "a multiple of ULN or LLN stands alone; write two leaves under 'all:'")
        return
    for highest in _in_unit_of(lower, upper, question, vocabulary):
        if lower.value > highest:
            message = f"the lower bound {_text(lower)} is above the upper bound {_text(upper)}; swap them"
            problems.add(line, message)
        elif lower.value == highest and not (comparison.lower_included and comparison.upper_included):
            problems.add(line, f"no number is both above and below {_text(lower)}; write at_least and at_most")


def _in_unit_of(
    lower: Quantity, upper: Quantity, question: NumericQuestion, vocabulary: Vocabulary
) -> Iterator[Decimal]:
    """Yield the upper bound in the unit of the lower one, for each concept that has both units."""
    if lower.unit == upper.unit:
        yield upper.value
        return
    for name in question.concepts:
        own = vocabulary.observation_concepts[name].unit
        converted = vocabulary.convert(name, upper.value, upper.unit or own, lower.unit or own) if own else None
        if converted is not None:
            yield converted


def check_unit(line: int, concept: str, bound: Quantity, vocabulary: Vocabulary, problems: Problems) -> None:
    """Note a bound in a unit that the concept cannot be compared in, or without the unit that it needs."""
    if bound.unit in LIMITS:
        return
    units = sorted(vocabulary.units_of(concept))
    dimensionless = any(unit == "1" or unit.startswith("{") for unit in units)
    if bound.unit == "" and not dimensionless:
        problems.add(line, f"'{concept}' needs a unit; it can be compared in {', '.join(units)}")
    elif bound.unit == "{titer}":
        if vocabulary.observation_concepts[concept].value_kind != "titre":
            problems.add(line, f"'{concept}' is no titre; write a number and its unit in place of 1:{bound.value}")
    elif bound.unit and bound.unit not in units:
        hint = nearest(bound.unit, units) or f" It can be compared in {', '.join(units[:8])}."
        problems.add(line, f"'{concept}' has no unit '{bound.unit}'.{hint}")


def _text(quantity: Quantity) -> str:
    return f"{quantity.value} {quantity.unit}".rstrip()
