"""The leaf `dose` to the values of its SQL: bounds in mg a day, or in mg a day and kg."""

from decimal import Decimal
from typing import Any

from cohortfinder.criteria.dose import WEIGHT, DoseQuestion
from cohortfinder.engine.record_values import MEDICATION_TYPES, loaded_completely
from cohortfinder.engine.setting import Setting, Span, seen_within, span_of
from cohortfinder.model import Quantity
from cohortfinder.trials.doses import in_mg

# doses are compared to a millionth of a mg: 20 mg a week are seven times 20/7 mg a day
_PLACES = Decimal("0.000001")


def dose_values(question: DoseQuestion, setting: Setting) -> dict[str, Any]:
    """Return the values of queries/criteria/dose.sql.jinja."""
    comparison = question.comparison
    assert comparison is not None  # the question refuses to be built without one
    some = comparison.lower or comparison.upper
    span, run = span_of(question.within), span_of(question.for_)
    return {
        "concept": question.dose,
        "reference": setting.terminology.doses[question.dose].reference or None,
        "bounds": {
            "lower": _in_mg(comparison.lower),
            "lower_included": comparison.lower_included,
            "upper": _in_mg(comparison.upper),
            "upper_included": comparison.upper_included,
        },
        "per_kg": some is not None and "/kg" in some.unit,
        "weekly": some is not None and some.unit.endswith("/wk"),
        "span": span,
        "run": run.count if run else 1,
        "weight": {"concept": WEIGHT, "span": Span(90, "days"), "protocol_span": Span(90, "days")},
        "kind": "medication",
        "elsewhen": False,
        "loaded": loaded_completely(MEDICATION_TYPES, setting),
        "seen_within": seen_within(span),
        "searched_words": "medication records",
    }


def _in_mg(quantity: Quantity | None) -> Decimal | None:
    if quantity is None:
        return None
    return in_mg(quantity).quantize(_PLACES)
