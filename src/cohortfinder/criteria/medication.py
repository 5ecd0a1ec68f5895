"""Leaf kind `medication`: exposure to a drug, and wash-out from it."""

from typing import Any, ClassVar

from cohortfinder.criteria.question import AT_ONCE, HAPPENS, Absence, Concepts, DurationText, Question, Remedy, Yes


class MedicationQuestion(Question):
    """`{medication: rx_belimumab, within: 3 weeks}`: was the patient exposed in the window?

    *Which records*: MedicationStatement, Request, Administration and Dispense with the statuses of
    queries/facts/exposure_event; a coding of the product, of its referenced or contained Medication or of one of its
    ingredients, or a text rule of the concept. not-taken and not-done are records against.

    *Interval*: administrations and dispenses are their own days; a statement runs from its start to its end, an open
    active one to the index date but for certain only until 180 days after it was last asserted (the rest is possible,
    reason `open_ended_record`); completed or stopped without an end: certain on its start day, possible until it was
    last updated. An order (MedicationRequest) counts for `ever`; inside `within` or `active` it gives at most unknown
    (`order_unconfirmed`). A record that names no drug at all may be any, in its time (`unnamed_drug`).

    *Truth*: true when a certain day of exposure lies in the window; unknown when only a possible one or a tentative
    code does; false when every exposure ended before the window or a record says not taken; else by the absence rule.
    """

    kind: ClassVar[str] = "medication"
    domain: ClassVar = "clinical"

    medication: Concepts
    ever: Yes | None = None
    within: DurationText | None = None
    active: Yes | None = None
    absence: Absence = "false"

    @property
    def concepts(self) -> tuple[str, ...]:
        return self.medication

    def remedy(self, wanted: bool) -> Remedy | None:
        """It may be given, or stopped and washed out; that it was given once stays."""
        if wanted or self.active:
            return HAPPENS if wanted else AT_ONCE
        return Remedy(after=self.within, ends=True) if self.within else None

    def model_post_init(self, context: Any) -> None:
        """Require one window."""
        if sum(map(bool, (self.ever, self.within, self.active))) != 1:
            raise ValueError("say when, once: ever: yes, active: yes, or within")
