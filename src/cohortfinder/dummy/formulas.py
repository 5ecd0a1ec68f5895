"""The leaf `formula`: inputs are tried out, and the engine says which meet the bound, miss it, or leave it open.

What a formula computes stands in its template alone, so that there is no way to solve it here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import combinations, product

from cohortfinder.criteria.formula import FormulaQuestion
from cohortfinder.dates import years_back
from cohortfinder.dummy.facts import BEGINNING, Born, Gender, Result, Results, Way
from cohortfinder.dummy.numbers import NONE, Span, Values, outside
from cohortfinder.dummy.scene import Scene
from cohortfinder.model import Comparison, Truth

# so many inputs beside the first one are given at a time
_BESIDE = 2
_RUNGS = tuple(map(Decimal, ("0.5", "0.4", "0.6", "0.3", "0.7", "0.8", "0.2", "0", "1")))
# so many numbers are tried of an input that is not the first one
_FEW = 4
_DEMOGRAPHIC = "demographic"


@dataclass(frozen=True, slots=True)
class Probe:
    """Inputs of a formula that were tried, and the inputs that were left out."""

    given: Way
    left_out: Way


# what the engine said of the inputs that were tried for each question
Tries = Mapping[FormulaQuestion, list[tuple[Probe, Truth]]]


def probes(formula: str, scene: Scene) -> Iterator[Probe]:
    """Yield inputs of a formula: the first one alone, with others beside it, then none at all."""
    concepts = list(inputs_of(formula, scene))
    first, *others = concepts
    for count in range(min(_BESIDE, len(others)) + 1):
        for beside in combinations(others, count):
            options = [list(_options(concept, formula, scene, first=concept == first)) for concept in (first, *beside)]
            left = [concept for concept in others if concept not in beside]
            yield from (Probe(chosen, _left_out(left, scene)) for chosen in product(*options))
    yield Probe((), _left_out(concepts, scene))


def extremes(scene: Scene) -> tuple[Way, ...]:
    """Return two people for whom a number that depends on age and sex differs most: what holds for both, holds."""
    young, old = (years_back(scene.as_of, years) for years in (20, 64))
    return (Born(young, young, young), Gender("male")), (Born(old, old, old), Gender("female"))


def inputs_of(formula: str, scene: Scene) -> tuple[str, ...]:
    """Return the observation concepts that a formula is computed from; age and sex are those of the patient."""
    declared: Mapping[str, Mapping[str, str]] = scene.formulas[formula]["inputs"]
    known = scene.terminology.observation_concepts
    names = (one["concept"] for one in declared.values())
    return tuple(dict.fromkeys(name for name in names if name in known and known[name].group != _DEMOGRAPHIC))


def _left_out(concepts: list[str], scene: Scene) -> Way:
    return tuple(Results(concept, BEGINNING, scene.as_of, NONE) for concept in concepts)


def _options(concept: str, formula: str, scene: Scene, *, first: bool) -> Iterator[Result]:
    if scene.terminology.observation_concepts[concept].value_kind == "ordinal":
        for word in ("negative", "positive"):
            yield Result(concept, scene.recent, frozenset({word}))
        return
    numbers = (*_bounds(concept, formula, scene), *scene.landmarks(concept), *_ladder(concept, scene))
    lowest, highest = scene.plausible(concept)
    kept = [number for number in dict.fromkeys(numbers) if lowest <= number <= highest]
    for number in kept if first else kept[:_FEW]:
        exactly: Values = (Span(number, number),)
        yield Result(concept, scene.recent, exactly, number)


def _bounds(concept: str, formula: str, scene: Scene) -> Iterator[Decimal]:
    """Yield numbers on both sides of the bounds of formulas, where they are in the unit of the input."""
    if scene.formulas[formula]["unit"] != scene.terminology.observation_concepts[concept].unit:
        return
    for question in scene.computed:
        span = scene.span_of(question.comparison or Comparison(), concept)
        for part in () if span is None else (span, *outside(span)):
            yield scene.unremarkable(concept, part)


def _ladder(concept: str, scene: Scene) -> Iterator[Decimal]:
    """Yield numbers of the plausible range, from its middle outwards."""
    lowest, highest = scene.plausible(concept)
    step = scene.step(concept, Span())
    for part in _RUNGS:
        ratio = (highest / lowest) ** part if lowest > 0 else None
        number = lowest * ratio if ratio is not None else lowest + (highest - lowest) * part
        yield min(max((number / step).quantize(Decimal(1), ROUND_HALF_EVEN) * step, lowest), highest)


def formula_ways(question: FormulaQuestion, truth: Truth, scene: Scene, *, just: bool) -> Iterator[Way]:
    """Yield the inputs that were found to give this truth, the fewest first."""
    tried = scene.tried.get(question, ())
    for probe, found in tried:
        if found is truth:
            yield (*probe.given, *probe.left_out) if truth is None else probe.given
