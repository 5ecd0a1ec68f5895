"""Leaf kind `family_history`: a condition of a relative."""

from typing import ClassVar

from cohortfinder.criteria.question import HAPPENS, Concepts, Question, Remedy


class FamilyHistoryQuestion(Question):
    """`{family_history: dx_myopathy_other_non_iim}`: has or had a relative this condition?

    Conditions of FamilyMemberHistories with status partial or completed whose code belongs to the concept; a code that
    is only possible, or status health-unknown, leaves it open; entered-in-error never counts. The code of another
    condition on the same one of the relative leaves it open too (`conflicting_codes`). Every relative counts, and when
    it was recorded does not matter. No record means unknown if not said otherwise.
    """

    kind: ClassVar[str] = "family_history"
    domain: ClassVar = "clinical"

    family_history: Concepts

    @property
    def concepts(self) -> tuple[str, ...]:
        return self.family_history

    def remedy(self, wanted: bool) -> Remedy | None:
        """It may become known; what is known of a relative stays."""
        return HAPPENS if wanted else None
