"""Leaf kind `immunization`: a vaccine that was given."""

from typing import Any, ClassVar

from cohortfinder.criteria.question import HAPPENS, Concepts, DurationText, Question, Remedy, Yes


class ImmunizationQuestion(Question):
    """`{immunization: vx_live, within: 6 weeks}`: was such a vaccine given in the window?

    Immunizations with status completed count, whoever reported them; not-done is a record against; entered-in-error
    never counts. The day is occurrenceDateTime; a text in its place is no date: `ever` holds, a window is unknown
    (`no_date`). Otherwise as `procedure`, but no record means unknown if not said otherwise: vaccines are given
    elsewhere. Where vaccines are kept as medications, ask `medication` beside it.
    """

    kind: ClassVar[str] = "immunization"
    domain: ClassVar = "clinical"

    immunization: Concepts
    ever: Yes | None = None
    within: DurationText | None = None

    @property
    def concepts(self) -> tuple[str, ...]:
        return self.immunization

    def remedy(self, wanted: bool) -> Remedy | None:
        """It may be given; what was given, only time takes out of a window."""
        return HAPPENS if wanted else None

    def model_post_init(self, context: Any) -> None:
        """Require one window."""
        if bool(self.ever) == bool(self.within):
            raise ValueError("say when, once: ever: yes or within")
