"""The leaf `change` to the values of its SQL: for each concept a factor, a difference, or both."""

from decimal import Decimal
from typing import Any

from cohortfinder.criteria.change import ChangeQuestion
from cohortfinder.engine.setting import Setting, Span, span_of
from cohortfinder.errors import InputError
from cohortfinder.terminology import Terminology


def change_values(question: ChangeQuestion, setting: Setting) -> dict[str, Any]:
    """Return the values of queries/criteria/change.sql.jinja, without the roles."""
    terminology = setting.terminology
    group = terminology.lookback[terminology.group_of(question.change[0])]
    by_group = question.recent is None
    return {
        "concepts": list(question.change),
        "span": span_of(question.over),
        "recent": Span(group.prescreen_days, "days") if by_group else span_of(question.recent),
        "protocol_span": Span(group.protocol_days, "days") if by_group else None,
        "apart": span_of(question.apart),
        "rises": question.rises_by is not None,
        "any_baseline": question.baseline == "any",
        "amounts": [_amount(concept, question, terminology) for concept in question.change],
        "searched_words": " or ".join(terminology.observation_concepts[name].label for name in question.change),
    }


def _amount(concept: str, question: ChangeQuestion, terminology: Terminology) -> dict[str, Decimal | None]:
    """Return the factor that the latest result must reach, and the difference in the unit of the concept."""
    amount, unit = question.amount, terminology.observation_concepts[concept].unit
    relative = amount.unit == "%" and not (unit == "%" and question.reading == "absolute")
    absolute = amount.unit != "%" or (unit == "%" and question.reading != "relative")
    part = amount.value / 100
    return {
        "factor": (1 + part if question.rises_by else 1 - part) if relative else None,
        "difference": _difference(concept, question, terminology) if absolute else None,
    }


def _difference(concept: str, question: ChangeQuestion, terminology: Terminology) -> Decimal:
    """Convert a difference: an offset, as between degrees, does not count in it."""
    amount, unit = question.amount, terminology.observation_concepts[concept].unit
    if amount.unit in ("", unit):
        return amount.value
    high = terminology.convert(concept, amount.value, amount.unit, unit)
    zero = terminology.convert(concept, Decimal(0), amount.unit, unit)
    if high is None or zero is None:
        raise InputError(f"{concept} has no unit {amount.unit!r}; write the change in {unit}")
    return high - zero
