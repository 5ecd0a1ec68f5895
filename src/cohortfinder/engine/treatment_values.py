"""The leaf `treatment` to the values of its SQL: lengths in days, and the bounds of what must be reached."""

from decimal import Decimal
from typing import Any

from cohortfinder.criteria.treatment import Reached, TreatmentQuestion, in_days
from cohortfinder.engine.dose_values import dose_values
from cohortfinder.engine.record_values import MEDICATION_TYPES, loaded_completely
from cohortfinder.engine.setting import Setting, in_unit_of
from cohortfinder.model import Quantity


def treatment_values(question: TreatmentQuestion, setting: Setting) -> dict[str, Any]:
    """Return the values of queries/criteria/treatment.sql.jinja, without the roles."""
    reached = question.reaching
    return {
        "drugs": list(question.treatment),
        "companions": list(question.with_),
        "length": question.days,
        "until": in_days(question.until) if question.until else None,
        "gaps": in_days(question.gaps),
        "reached": list(reached.observation) if reached else [],
        "bounds": _bounds(reached, setting) if reached else None,
        "dose_then": dose_values(question.dose_then, setting) if question.dose_then else None,
        "dose_absence": question.dose_then.absence if question.dose_then else None,
        "results": question.results,
        "kind": "medication",
        "loaded": loaded_completely(MEDICATION_TYPES, setting),
        "seen_within": None,
        "searched_words": "medication records",
    }


def _bounds(reached: Reached, setting: Setting) -> dict[str, Any]:
    def own(quantity: Quantity | None) -> Decimal | None:
        return None if quantity is None else in_unit_of(reached.observation[0], quantity, setting.terminology)

    return {
        "lower": own(reached.at_least),
        "lower_included": True,
        "upper": own(reached.at_most),
        "upper_included": True,
    }
