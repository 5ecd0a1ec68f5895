"""The leaves over records with a time (diagnoses, drugs, procedures and their like) to the values of their SQL."""

from typing import Any

from cohortfinder.criteria.allergy import NO_KNOWN_ALLERGY, AllergyQuestion
from cohortfinder.criteria.condition import ConditionQuestion
from cohortfinder.criteria.family_history import FamilyHistoryQuestion
from cohortfinder.criteria.immunization import ImmunizationQuestion
from cohortfinder.criteria.medication import MedicationQuestion
from cohortfinder.criteria.procedure import ProcedureQuestion
from cohortfinder.criteria.study import StudyQuestion
from cohortfinder.engine.setting import Setting, Span, seen_within, span_of

MEDICATION_TYPES = (
    "MedicationStatement",
    "MedicationRequest",
    "MedicationAdministration",
    "MedicationDispense",
)


def condition_values(question: ConditionQuestion, setting: Setting) -> dict[str, Any]:
    """Return the values of queries/criteria/condition.sql.jinja."""
    mode = "overlaps" if question.active else "ever" if question.ever else "starts" if question.within else "before"
    span = span_of(question.within or question.before)
    return _values(question.condition, mode, span, "condition", ("Condition",), "conditions", setting)


def procedure_values(question: ProcedureQuestion, setting: Setting) -> dict[str, Any]:
    """Return the values of queries/criteria/procedure.sql.jinja."""
    mode, span = _overlapping(question), span_of(question.within)
    return _values(question.procedure, mode, span, "procedure", ("Procedure",), "procedures", setting)


def medication_values(question: MedicationQuestion, setting: Setting) -> dict[str, Any]:
    """Return the values of queries/criteria/medication.sql.jinja."""
    mode, span = _overlapping(question), span_of(question.within)
    return _values(question.medication, mode, span, "medication", MEDICATION_TYPES, "medication records", setting)


def immunization_values(question: ImmunizationQuestion, setting: Setting) -> dict[str, Any]:
    """Return the values of queries/criteria/immunization.sql.jinja."""
    mode, span = _overlapping(question), span_of(question.within)
    return _values(question.immunization, mode, span, "immunization", ("Immunization",), "immunizations", setting)


def allergy_values(question: AllergyQuestion, setting: Setting) -> dict[str, Any]:
    """Return the values of queries/criteria/allergy.sql.jinja: that no allergy is known is asked for with every one."""
    concepts = (*question.allergy, NO_KNOWN_ALLERGY)
    values = _values(concepts, "ever", None, "allergy", ("AllergyIntolerance",), "allergy records", setting)
    return {**values, "severe": bool(question.severe)}


def study_values(question: StudyQuestion, setting: Setting) -> dict[str, Any]:
    """Return the values of queries/criteria/study.sql.jinja."""
    mode, span = _overlapping(question), span_of(question.within)
    values = _values((question.study,), mode, span, "study", ("ResearchSubject",), "study records", setting)
    return {**values, "but_for": [identifier.lower() for identifier in question.except_] or None}


def family_history_values(question: FamilyHistoryQuestion, setting: Setting) -> dict[str, Any]:
    """Return the values of queries/criteria/family_history.sql.jinja."""
    types = ("FamilyMemberHistory",)
    return _values(question.family_history, "ever", None, "family_history", types, "family history records", setting)


def loaded_completely(types: tuple[str, ...], setting: Setting) -> bool:
    """Return whether resources of one of the types are loaded, and no pull of any of them is incomplete."""
    found = [setting.loaded.get(name) for name in types]
    return any(found) and False not in found


def _overlapping(question: ProcedureQuestion | MedicationQuestion | ImmunizationQuestion | StudyQuestion) -> str:
    return "ever" if question.ever else "overlaps"


def _values(
    concepts: tuple[str, ...],
    mode: str,
    span: Span | None,
    kind: str,
    types: tuple[str, ...],
    records: str,
    setting: Setting,
) -> dict[str, Any]:
    return {
        "concepts": list(concepts),
        "mode": mode,
        "span": span,
        "orders_count": mode == "ever",
        "kind": kind,
        "loaded": loaded_completely(types, setting),
        "seen_within": None if mode == "ever" else seen_within(span),
        "searched_words": records,
    }
