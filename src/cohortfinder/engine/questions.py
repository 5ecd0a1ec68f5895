"""A leaf of a rule to the values that its SQL template takes: windows, bounds in the unit of the concept, roles."""

import csv
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from ruamel.yaml import YAML

from cohortfinder.criteria.age import AgeQuestion
from cohortfinder.criteria.allergy import NO_KNOWN_ALLERGY, AllergyQuestion
from cohortfinder.criteria.change import ChangeQuestion
from cohortfinder.criteria.dose import WEIGHT, DoseQuestion
from cohortfinder.criteria.formula import FormulaQuestion
from cohortfinder.criteria.observation import ObservationQuestion
from cohortfinder.criteria.question import NumericQuestion, Question
from cohortfinder.criteria.series import SeriesQuestion
from cohortfinder.criteria.sex import SexQuestion
from cohortfinder.criteria.treatment import TreatmentQuestion
from cohortfinder.engine.change_values import change_values
from cohortfinder.engine.dose_values import dose_values
from cohortfinder.engine.record_values import (
    allergy_values,
    condition_values,
    family_history_values,
    immunization_values,
    medication_values,
    procedure_values,
    study_values,
)
from cohortfinder.engine.setting import Setting as Setting
from cohortfinder.engine.setting import Span, in_unit_of, seen_within, span_of
from cohortfinder.engine.treatment_values import treatment_values
from cohortfinder.errors import InputError
from cohortfinder.model import Comparison, Duration, Leaf, Quantity
from cohortfinder.resources import resource_dir

DECIDING_ROLES = ["primary", "alt", "local", "component", "pair_first", "pair_second", "deprecated"]
LIMITS = {"ULN": "uln", "LLN": "lln"}
_PARTS = ("whole", "part", "addend")


def values_of(leaf: Leaf, setting: Setting) -> dict[str, Any]:
    """Return the values of `queries/criteria/<kind>.sql.jinja` for one leaf."""
    own = _VALUES[leaf.kind](leaf.question, setting) if leaf.kind in _VALUES else {}
    return {"leaf": leaf.id, "adverse": leaf.adverse, "absence": leaf.question.absence, **own}


def concepts_of(leaf: Leaf) -> tuple[str, ...]:
    """Return every concept that the leaf reads: the inputs of its formula, and what its results can be derived from."""
    if isinstance(leaf.question, FormulaQuestion):
        inputs = formula_declaration(leaf.question.formula)["inputs"].values()
        return tuple(dict.fromkeys(entry["concept"] for entry in inputs))
    own = tuple(leaf.question.concepts)
    if isinstance(leaf.question, AllergyQuestion):
        return (*own, NO_KNOWN_ALLERGY)
    if isinstance(leaf.question, DoseQuestion):
        return (*own, WEIGHT)
    if isinstance(leaf.question, TreatmentQuestion) and (dose := leaf.question.dose_then):
        return (*own, dose.dose, WEIGHT)
    return own + tuple(source for concept in own for source in derivations().get(concept, ()))


def _derived(question: Question) -> bool:
    """Say whether a result that the question reads may have been made from others."""
    return not derivations().keys().isdisjoint(question.concepts)


@cache
def derivations() -> dict[str, tuple[str, ...]]:
    """Read `mappings/derived.csv`: for each derived concept those that it is made from."""
    with (resource_dir("mappings") / "derived.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {
        concept: tuple(row[part] for row in rows if row["concept"] == concept for part in _PARTS if row[part])
        for concept in {row["concept"] for row in rows}
    }


def formula_declaration(name: str) -> dict[str, Any]:
    """Read `queries/formulas/<name>.yaml`: label, unit, source and inputs.

    Raises InputError when there is no such formula.
    """
    path = resource_dir("queries") / "formulas" / f"{name}.yaml"
    if not path.is_file():
        raise InputError(f"there is no formula {name!r}; queries/formulas/ holds one file a formula")
    declaration: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return declaration


def _age(question: AgeQuestion, _: Setting) -> dict[str, Any]:
    return {
        "concept": question.concepts[0],
        "birth_date": question.concepts[1],
        "at_least": question.age.at_least,
        "at_most": question.age.at_most,
    }


def _sex(question: SexQuestion, _: Setting) -> dict[str, Any]:
    return {"sex": question.sex}


def _observation(question: ObservationQuestion, setting: Setting) -> dict[str, Any]:
    group = setting.terminology.lookback[setting.terminology.group_of(question.observation[0])]
    by_group = question.within is None and question.ever is None
    span = Span(group.prescreen_days, "days") if by_group else span_of(question.within)
    limit, bounds = _limit_and_bounds(question, setting)
    return {
        "concepts": list(question.observation),
        "derived": _derived(question),
        "roles": [question.role] if question.role else DECIDING_ROLES,
        "outdated_by_positive": question.role == "confirm" and question.is_ in ("negative", "equivocal"),
        "screening_roles": DECIDING_ROLES,
        "span": span,
        "ago": span_of(question.ago),
        "protocol_span": Span(group.protocol_days, "days") if by_group else None,
        "pick": question.pick,
        "polarity": question.is_,
        "below_detection": question.below_detection,
        "screening_dilution": question.screening_dilution.value if question.screening_dilution else None,
        "limit": limit,
        "bounds": bounds,
        "assumed_flag": f"assumed_{limit['kind']}" if limit else "",
        "loaded": setting.loaded.get("Observation", False),
        "seen_within": None if question.ever else seen_within(span),
        "searched_words": " or ".join(_label(concept, setting) for concept in question.observation),
    }


def _limit_and_bounds(
    question: NumericQuestion, setting: Setting
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    comparison = question.comparison
    if comparison is None:
        return None, None
    bound = comparison.upper or comparison.lower
    if bound is not None and bound.unit in LIMITS:
        return {
            "kind": LIMITS[bound.unit],
            "name": bound.unit.lower(),
            "multiple": bound.value,
            "side": "upper" if comparison.upper else "lower",
            "included": comparison.upper_included if comparison.upper else comparison.lower_included,
        }, None
    concept = next(
        (name for name in question.concepts if setting.terminology.observation_concepts[name].unit),
        question.concepts[0],
    )
    return None, _bounds(comparison, lambda quantity: in_unit_of(concept, quantity, setting.terminology))


def _bounds(comparison: Comparison, convert: Callable[[Quantity], Decimal]) -> dict[str, Any]:
    return {
        "lower": convert(comparison.lower) if comparison.lower else None,
        "lower_included": comparison.lower_included,
        "upper": convert(comparison.upper) if comparison.upper else None,
        "upper_included": comparison.upper_included,
    }


def _series(question: SeriesQuestion, setting: Setting) -> dict[str, Any]:
    def limit(concept: str, quantity: Quantity | None) -> Decimal | None:
        return None if quantity is None else in_unit_of(concept, quantity, setting.terminology)

    readings = [
        {
            "concepts": list(reading.observation),
            "above": limit(reading.observation[0], reading.above),
            "below": limit(reading.observation[0], reading.below),
        }
        for reading in question.series
    ]
    return {
        "readings": readings,
        "concepts": list(question.concepts),
        "roles": DECIDING_ROLES,
        "span": span_of(question.within),
        "recent": span_of(question.recent),
        "days": question.days,
        "searched_words": " and ".join(_label(concept, setting) for concept in question.concepts),
    }


def _change(question: ChangeQuestion, setting: Setting) -> dict[str, Any]:
    return {"roles": DECIDING_ROLES, "derived": _derived(question), **change_values(question, setting)}


def _treatment(question: TreatmentQuestion, setting: Setting) -> dict[str, Any]:
    return {"roles": DECIDING_ROLES, **treatment_values(question, setting)}


def _formula(question: FormulaQuestion, setting: Setting) -> dict[str, Any]:
    declaration = formula_declaration(question.formula)
    comparison = question.comparison
    assert comparison is not None  # the question refuses to be built without one
    if question.assume is not None and question.assume not in declaration.get("assume", ()):
        raise InputError(f"{question.formula} cannot assume {question.assume!r}; see queries/formulas/")
    return {
        "template": f"formulas/{question.formula}.sql.jinja",
        "assume": question.assume,
        "inputs": {name: _input(entry, setting) for name, entry in declaration["inputs"].items()},
        "bounds": _bounds(comparison, lambda quantity: quantity.value),
        "searched_words": declaration["label"],
    }


def _input(entry: Mapping[str, str], setting: Setting) -> dict[str, Any]:
    concept = entry["concept"]
    if "within" in entry:
        span = _declared_span(entry["within"])
        return {
            "concept": concept,
            "span": span,
            "protocol_span": _declared_span(entry.get("protocol", entry["within"])),
        }
    group = setting.terminology.lookback[setting.terminology.group_of(concept)]
    return {
        "concept": concept,
        "span": Span(group.prescreen_days, "days"),
        "protocol_span": Span(group.protocol_days, "days"),
    }


def _declared_span(words: str) -> Span | None:
    """Read "180 days" of a declaration."""
    count, unit = words.split()
    return span_of(Duration(int(count), unit))  # type: ignore[arg-type]


def _label(concept: str, setting: Setting) -> str:
    return setting.terminology.observation_concepts[concept].label


_VALUES: dict[str, Callable[[Any, Setting], dict[str, Any]]] = {
    "age": _age,
    "sex": _sex,
    "observation": _observation,
    "series": _series,
    "change": _change,
    "condition": condition_values,
    "treatment": _treatment,
    "procedure": procedure_values,
    "medication": medication_values,
    "dose": dose_values,
    "immunization": immunization_values,
    "allergy": allergy_values,
    "study": study_values,
    "family_history": family_history_values,
    "formula": _formula,
}
