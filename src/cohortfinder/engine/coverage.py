"""The concepts that each arm asks for, and the narrowest time in which it asks, as rows. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cohortfinder.criteria.dose import WEIGHT, DoseQuestion
from cohortfinder.criteria.formula import FormulaQuestion
from cohortfinder.engine.questions import values_of
from cohortfinder.engine.setting import Setting, Span, first_day
from cohortfinder.model import Leaf, Trial, leaves_of

# an age is that of Patient.birthDate
_OF_THE_PATIENT = frozenset({"age", "birth_date_observation"})


@dataclass(frozen=True, slots=True)
class ConceptWindow:
    """A concept that criteria of an arm ask for; `since` is the first day of the narrowest window (None: for ever)."""

    arm: str
    concept: str
    within: str | None
    since: date | None


def concept_windows(trial: Trial, setting: Setting, as_of: date) -> list[ConceptWindow]:
    """Return a row for each arm and concept, in the arms' order and that of the criteria."""
    narrowest: dict[tuple[str, str], ConceptWindow] = {}
    for arm in trial.arms:
        for criterion in trial.criteria_of(arm.id):
            rule = criterion.rule_in(arm.id)
            for leaf in leaves_of(rule) if rule is not None else ():
                for concept, span in _windows(leaf, setting):
                    row = _row(arm.id, concept, span, as_of)
                    known = narrowest.setdefault((arm.id, concept), row)
                    narrowest[arm.id, concept] = max(known, row, key=lambda one: one.since or date.min)
    return list(narrowest.values())


def window_values(windows: Sequence[ConceptWindow]) -> dict[str, list[Any]]:
    """Return the values of `queries/quality/concept_window.sql.jinja`."""
    return {
        "arms": [row.arm for row in windows],
        "concepts": [row.concept for row in windows],
        "windows": [row.within for row in windows],
        "starts": [row.since for row in windows],
    }


def _row(arm: str, concept: str, span: Span | None, as_of: date) -> ConceptWindow:
    if span is None:
        return ConceptWindow(arm, concept, None, None)
    unit = span.unit if span.count != 1 else span.unit.removesuffix("s")
    return ConceptWindow(arm, concept, f"{span.count} {unit}", first_day(as_of, span))


def _windows(leaf: Leaf, setting: Setting) -> Iterator[tuple[str, Span | None]]:
    """Yield each concept that a leaf reads and the time in which its records count; None: at any time."""
    question = leaf.question
    values = values_of(leaf, setting)
    if isinstance(question, FormulaQuestion):
        # an input that only checks another one has its concept, and comes after it
        first = {entry["concept"]: entry["span"] for entry in reversed(values["inputs"].values())}
        yield from ((concept, span) for concept, span in first.items() if concept not in _OF_THE_PATIENT)
        return
    if isinstance(question, DoseQuestion) and values["per_kg"]:
        yield WEIGHT, values["weight"]["span"]
    # of a change, the newer result is what must be new
    span = None if values.get("mode") == "before" else values.get("recent", values.get("span"))
    yield from ((concept, span) for concept in question.concepts if concept not in _OF_THE_PATIENT)
