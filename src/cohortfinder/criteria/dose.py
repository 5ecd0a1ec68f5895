"""Leaf kind `dose`: the daily dose of a drug, as an interval."""

from typing import Any, ClassVar

from pydantic import ConfigDict

from cohortfinder.criteria.question import Absence, DurationText, NumericQuestion, Remedy

# the concept of the body weight by which a dose is counted
WEIGHT = "body_weight"


class DoseQuestion(NumericQuestion):
    """`{dose: rx_glucocorticoid_systemic, as: prednisone, at_most: 20 mg/d}`: is the dose of the index date so high?

    *Which records*: those of `medication`, of a concept whose ingredients stand in mappings/doses.csv. The dose of a
    record is what its dosage says (an amount, how often, by the strength of the product or the body weight), never a
    guess: what cannot be known leaves it open, with the reason. A local route (skin, eye, lung) is a dose of 0.

    *A day*: for each ingredient the most trusted type of record that covers the day counts (administration, dispense,
    statement, order), never a sum across types. Administrations of a day are summed, and so are other records of one
    type unless they say the same dose. `as` counts mg of another drug by mappings/doses.csv, and the ingredients of the
    concept are then summed. A record that is only possible that day may add its dose or not; an order
    (MedicationRequest) is never more than possible. Averages are taken: 40 mg every other day is 20 mg a day.

    *Which days*: the index date; with `within` (for at_least and above) some day of the window; with `for` as well, so
    many consecutive days of it. Where no record covers a day, the dose is 0, if by the rule of absence the silence
    means no exposure; else unknown.

    A bound per kg needs a weight of the 90 days before the index date, and so does a dosage per kg.
    """

    model_config = ConfigDict(alias_generator=lambda name: name.rstrip("_"), populate_by_name=True)

    kind: ClassVar[str] = "dose"
    domain: ClassVar = "clinical"

    dose: str
    as_: str | None = None
    within: DurationText | None = None
    for_: DurationText | None = None
    absence: Absence = "false"

    @property
    def concepts(self) -> tuple[str, ...]:
        return (self.dose,)

    def remedy(self, wanted: bool) -> Remedy | None:
        """The dose may be changed; the days of a window stay as they were."""
        if wanted:
            return Remedy(after=self.for_)
        return Remedy(after=self.within, ends=self.within is not None)

    def model_post_init(self, context: Any) -> None:
        """Require a comparison that means something on the days that are asked for."""
        super().model_post_init(context)
        if self.comparison is None:
            raise ValueError("say what the dose must be: at_least, at_most, above, below or between")
        if self.within is not None and self.comparison.upper is not None:
            raise ValueError("within a window only at_least or above is asked; write 'not' around the opposite")
        if self.for_ is not None and self.within is None:
            raise ValueError("'for' counts consecutive days of a window; add within")
        if self.for_ is not None and self.for_.unit not in ("days", "weeks"):
            raise ValueError("'for' counts days; write for example 'for: 14 days'")
