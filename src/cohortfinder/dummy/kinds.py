"""The leaf kinds, each with the making of facts by which it is met, missed or left open."""

from collections.abc import Callable, Iterator
from typing import Any

from cohortfinder.dummy.conditions import condition_ways
from cohortfinder.dummy.doses import dose_ways
from cohortfinder.dummy.drugs import medication_ways
from cohortfinder.dummy.events import event_ways
from cohortfinder.dummy.facts import Way
from cohortfinder.dummy.formulas import formula_ways
from cohortfinder.dummy.people import age_ways, sex_ways
from cohortfinder.dummy.results import observation_ways
from cohortfinder.dummy.scene import Scene
from cohortfinder.dummy.series import change_ways, series_ways
from cohortfinder.dummy.statements import allergy_ways, family_ways, study_ways
from cohortfinder.dummy.treatments import treatment_ways
from cohortfinder.model import Truth


def judgement_ways(question: Any, truth: Truth, scene: Scene, *, just: bool) -> Iterator[Way]:
    """Yield nothing to add where it shall be unknown, as it always is; nothing makes it anything else."""
    if truth is None:
        yield ()


WAYS: dict[str, Callable[..., Iterator[Way]]] = {
    "age": age_ways,
    "sex": sex_ways,
    "observation": observation_ways,
    "series": series_ways,
    "change": change_ways,
    "condition": condition_ways,
    "medication": medication_ways,
    "dose": dose_ways,
    "treatment": treatment_ways,
    "procedure": event_ways,
    "immunization": event_ways,
    "allergy": allergy_ways,
    "study": study_ways,
    "family_history": family_ways,
    "formula": formula_ways,
    "judgement": judgement_ways,
}
