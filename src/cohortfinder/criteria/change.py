"""Leaf kind `change`: how much a number has risen or fallen between two results."""

from typing import Any, ClassVar, Literal

from cohortfinder.criteria.question import AT_ONCE, Concepts, DurationText, QuantityText, Question, Remedy
from cohortfinder.model import Duration, Quantity


class ChangeQuestion(Question):
    """`{change: mrss, over: 6 months, rises_by: 10 %}`: is the latest result at least so much above an earlier one?

    *Which results*: usable ones of the concept (as `observation`) from the last `over`. A list of concepts is an order
    of preference: two results are always of one concept, and the first one that has both decides.

    *Latest*: the newest one, not older than `recent`, else than the look-back of the concept's group (then with the
    flag `stale_for_protocol` as in `observation`). *Baseline*: one that is at least `apart` older (28 days).
    `baseline: earliest` takes the earliest of these; when it says no and a later one does not, the answer is unknown
    (`baseline_dependent`). `baseline: any` is true when one of them says yes, false when all say no.

    *How much*: `rises_by` or `falls_by`, so much or more. In percent it is relative to the baseline, otherwise a
    difference in the unit of the concept. Of a concept that is itself in percent, `reading: relative` (default) takes
    10 % as a tenth of the baseline, `absolute` as ten points, and `both` is unknown where the two disagree
    (`relative_vs_absolute`). A baseline of 0 has no tenth: unknown (`undefined_change`), unless nothing rose or fell.

    *Unknown*: no baseline (`baseline_missing`), intervals that leave it open (`comparator_straddles_threshold`),
    results of one time that say the opposite (`conflicting_results`), a partial date that matters (`partial_date`):
    a result dated to a month or year may be the latest where it may be as new, and a baseline where it may be old
    enough, and all of them must agree. No latest result: as in `observation`.
    """

    kind: ClassVar[str] = "change"
    hears_silence: ClassVar[bool] = False
    domain: ClassVar = "observation"

    change: Concepts
    over: DurationText
    rises_by: QuantityText | None = None
    falls_by: QuantityText | None = None
    reading: Literal["relative", "absolute", "both"] = "relative"
    baseline: Literal["earliest", "any"] = "earliest"
    recent: DurationText | None = None
    apart: DurationText = Duration(28, "days")

    @property
    def concepts(self) -> tuple[str, ...]:
        return self.change

    @property
    def amount(self) -> Quantity:
        """How much it must rise or fall."""
        amount = self.rises_by or self.falls_by
        assert amount is not None  # the question refuses to be built without one
        return amount

    def remedy(self, wanted: bool) -> Remedy | None:
        """A new result is the latest one."""
        return AT_ONCE

    def model_post_init(self, context: Any) -> None:
        """Require one direction and an amount above 0."""
        if (self.rises_by is None) == (self.falls_by is None):
            raise ValueError("say how much, once: rises_by or falls_by")
        if self.amount.value <= 0:
            raise ValueError("the amount of a change is above 0; say the direction by rises_by or falls_by")
