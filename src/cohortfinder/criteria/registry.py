"""The leaf kinds of the trial language, one line each."""

from cohortfinder.criteria.age import AgeQuestion
from cohortfinder.criteria.allergy import AllergyQuestion
from cohortfinder.criteria.change import ChangeQuestion
from cohortfinder.criteria.condition import ConditionQuestion
from cohortfinder.criteria.dose import DoseQuestion
from cohortfinder.criteria.family_history import FamilyHistoryQuestion
from cohortfinder.criteria.formula import FormulaQuestion
from cohortfinder.criteria.immunization import ImmunizationQuestion
from cohortfinder.criteria.judgement import JudgementQuestion
from cohortfinder.criteria.medication import MedicationQuestion
from cohortfinder.criteria.observation import ObservationQuestion
from cohortfinder.criteria.procedure import ProcedureQuestion
from cohortfinder.criteria.question import Question
from cohortfinder.criteria.series import SeriesQuestion
from cohortfinder.criteria.sex import SexQuestion
from cohortfinder.criteria.study import StudyQuestion
from cohortfinder.criteria.treatment import TreatmentQuestion

LEAF_KINDS: dict[str, type[Question]] = {
    kind.kind: kind
    for kind in (
        AgeQuestion,
        SexQuestion,
        ObservationQuestion,
        SeriesQuestion,
        ChangeQuestion,
        ConditionQuestion,
        MedicationQuestion,
        DoseQuestion,
        TreatmentQuestion,
        ProcedureQuestion,
        ImmunizationQuestion,
        AllergyQuestion,
        StudyQuestion,
        FamilyHistoryQuestion,
        FormulaQuestion,
        JudgementQuestion,
    )
}
