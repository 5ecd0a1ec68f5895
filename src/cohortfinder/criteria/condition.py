"""Leaf kind `condition`: a diagnosis or state on the problem list or at an encounter."""

from typing import Any, ClassVar

from cohortfinder.criteria.question import Absence, Concepts, DurationText, Question, Remedy, Yes


class ConditionQuestion(Question):
    """`{condition: dx_sle, ever: yes}`, `{condition: dx_unstable_angina, within: 6 months}`, `{..., active: yes}`.

    *Which records*: Conditions whose most specific matching row of the concept is an include. entered-in-error never
    counts. A record is *firm* when its code is definite and it is confirmed (or has no verificationStatus);
    *tentative* when its code is only possible, or when it is provisional, differential or unconfirmed; *against* when
    it is refuted.

    *Dates*: start = onset (partial dates and ages are intervals; a string with one four-digit year is that year), else
    any time up to recordedDate, else up to the encounter's start; an inpatient or emergency encounter diagnosis
    without onset starts with its encounter. end = abatement. A record that starts after the index date does not exist.

    *Windows*: `ever: yes`; `within: 6 months` (the start lies in the window); `before: 6 months` (the start is
    at least that long ago); `active: yes` (at the index date); `active: yes` with `within` (active at some time in the
    window). Active: clinicalStatus active, recurrence or relapse and no abatement in the past; without a
    clinicalStatus and abatement, a chronic concept is active, an event is active for 90 days after its start.

    *Truth*: true by a firm record in the window; unknown when only a tentative record (suggested) or a date that may
    lie outside could be in it; a later refuted record against a firm one gives unknown (`contradicted_by_refuted`);
    else false when a record lies outside the window or is refuted; else by the absence rule.
    """

    kind: ClassVar[str] = "condition"
    domain: ClassVar = "clinical"

    condition: Concepts
    ever: Yes | None = None
    within: DurationText | None = None
    before: DurationText | None = None
    active: Yes | None = None
    absence: Absence = "false"

    @property
    def concepts(self) -> tuple[str, ...]:
        return self.condition

    def remedy(self, wanted: bool) -> Remedy | None:
        """It may be diagnosed, and what is active may end; that it was there once stays."""
        if wanted:
            return Remedy(after=self.before, happens=True)
        return Remedy(after=self.within, ends=self.within is not None) if self.active else None

    def model_post_init(self, context: Any) -> None:
        """Require a window."""
        if not (self.ever or self.within or self.before or self.active):
            raise ValueError("say when: ever: yes, active: yes, within or before")
        if (self.ever and (self.within or self.before or self.active)) or (self.within and self.before):
            raise ValueError("these windows do not go together; say one (active may go with within)")
