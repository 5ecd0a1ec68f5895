"""Leaf kind `procedure`: something done to the patient."""

from typing import Any, ClassVar

from cohortfinder.criteria.question import HAPPENS, Absence, Concepts, DurationText, Question, Remedy, Yes


class ProcedureQuestion(Question):
    """`{procedure: px_pci, within: 6 months}`: was it done in the window?

    Procedures with status completed or in-progress count; stopped and unknown are tentative; not-done is a record
    against; preparation, on-hold and entered-in-error never count. The date is performed[x], a period its whole span;
    without one the record has no date: `ever` holds, a window is unknown (`no_date`). Otherwise as `condition`.
    """

    kind: ClassVar[str] = "procedure"
    domain: ClassVar = "clinical"

    procedure: Concepts
    ever: Yes | None = None
    within: DurationText | None = None
    absence: Absence = "false"

    @property
    def concepts(self) -> tuple[str, ...]:
        return self.procedure

    def remedy(self, wanted: bool) -> Remedy | None:
        """It may be done; what was done, only time takes out of a window."""
        return HAPPENS if wanted else None

    def model_post_init(self, context: Any) -> None:
        """Require one window."""
        if bool(self.ever) == bool(self.within):
            raise ValueError("say when, once: ever: yes or within")
