"""Leaf kind `observation`: a laboratory value, vital sign, score or finding."""

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict

from cohortfinder.criteria.question import Concepts, DurationText, NumericQuestion, QuantityText, Remedy, Yes


class ObservationQuestion(NumericQuestion):
    """`{observation: creatinine_serum, at_most: 1.5 ULN}` or `{observation: hbsag, is: positive}`.

    *Which results*: those of the concept whose code decides (role primary, alt, local, component, deprecated; with
    `role: confirm` only the confirming codes), dated on or before the index date. A list of concepts is an order of
    preference: the first concept with a usable result in the window decides, but when a later concept of the list
    has a newer result of the opposite truth, the leaf is unknown (`conflicting_results`).

    *Window*: `within: 28 days`, `ever: yes`, or the look-back of the concept's group (mappings/lookback.csv), both
    ends included; a value inside the prescreen look-back and older than the protocol's carries the flag
    `stale_for_protocol`.

    `ago: 2 months` asks the same as of the day two months before: what was the latest result then?

    *Pick*: `latest` (default): by clinical time, then by issued; results of one time that contradict each other give
    the truth that is adverse to the patient (flag `contradictory_results`), titres of one time their maximum. A newer
    unusable or preliminary result is flagged `newer_unusable`, and `stale` when newer by more than 14 days. `any`:
    true when one usable result in the window is true, false when there is one and none is true or open. `all`: false
    when one is false, true when there is one and none is false or open.

    *Truth*: by interval arithmetic (model.Comparison); `is: positive` by polarity, equivocal gives unknown
    (`equivocal_result`); `is: equivocal` asks for just that, an indeterminate result.
    `screening_dilution: 80` reads an ordinal negative without a titre as (0, 80) and a positive as [80, infinity).
    `below_detection: negative` reads "< limit of detection" as negative (flag `below_detection`).
    A date that may lie outside the window gives unknown (`partial_date`) unless it changes nothing.

    *Confirming tests*: `role: confirm` with `is: negative` or `is: equivocal` speaks for the positive
    screens up to its own day; a later positive result under a deciding code of the concept makes a true answer
    unknown (`conflicting_results`). It names one concept.

    *No usable result*: unknown with the reason of the newest unusable one, else `out_of_window`, else `no_data`;
    `absence: false` turns only `no_data` into false, by the absence rule.
    """

    kind: ClassVar[str] = "observation"
    domain: ClassVar = "observation"

    observation: Concepts
    is_: Literal["positive", "negative", "equivocal"] | None = None
    within: DurationText | None = None
    ever: Yes | None = None
    ago: DurationText | None = None
    pick: Literal["latest", "any", "all"] = "latest"
    role: Literal["confirm"] | None = None
    screening_dilution: QuantityText | None = None
    below_detection: Literal["negative", "unknown"] = "unknown"

    model_config = ConfigDict(alias_generator=lambda name: name.rstrip("_"), populate_by_name=True)

    @property
    def concepts(self) -> tuple[str, ...]:
        return self.observation

    def remedy(self, wanted: bool) -> Remedy | None:
        """A new result decides, but not where one of the old ones is enough to say the opposite."""
        outweighed = (self.pick == "any" and not wanted) or (self.pick == "all" and wanted)
        return None if outweighed else Remedy(after=self.ago)

    def model_post_init(self, context: Any) -> None:
        """Require one comparison and at most one window."""
        super().model_post_init(context)
        if (self.comparison is None) == (self.is_ is None):
            raise ValueError("say one comparison: at_least, at_most, above, below, between, or is: positive")
        if self.role and len(self.observation) > 1:
            raise ValueError("'role' goes with one concept; write one leaf a concept")
        if self.within and self.ever:
            raise ValueError("say one window: within or ever")
