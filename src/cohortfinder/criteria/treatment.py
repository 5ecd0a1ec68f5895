"""Leaf kind `treatment`: how long a drug was taken, alone or beside another, and what was reached under it."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from cohortfinder.criteria.dose import DoseQuestion
from cohortfinder.criteria.question import Concepts, DurationText, QuantityText, Question, Remedy, WholeNumber
from cohortfinder.model import Comparison, Duration

_IN_DAYS = {"days": 1, "weeks": 7}


class Reached(BaseModel):
    """The value that a result must have, once, while the treatment goes on, and the dose beside it."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        alias_generator=lambda name: name.rstrip("_"),
        populate_by_name=True,
    )

    observation: Concepts
    at_least: QuantityText | None = None
    at_most: QuantityText | None = None
    while_: DoseQuestion | None = None

    @property
    def comparison(self) -> Comparison:
        """The bounds."""
        return Comparison(lower=self.at_least, upper=self.at_most)

    def model_post_init(self, context: Any) -> None:
        """Require a bound."""
        if self.at_least is None and self.at_most is None:
            raise ValueError("'reaching' needs at_least, at_most or both")
        if self.while_ is not None and self.while_.within is not None:
            raise ValueError("'while' asks for the dose of the day of the result; leave 'within' away")


class TreatmentQuestion(Question):
    """`{treatment: rx_azathioprine, for: 90 days}`: was the patient treated with the drug for so long?

    *Which days*: those of the exposures of leaf kind `medication`, orders among them. A record counts for certain from
    the last day on which it may have begun to the first on which it may have ended, and perhaps on all others. Only
    perhaps counts what is tentative, a dispense, and a statement of a single day (`duration_unclear`). A drug of
    mappings/concepts/drug_effects.csv acts so many days after it was given. Days on which a record says that the drug
    was not taken are not certain (`not_taken_recorded`).

    *Eras*: the spans of one concept are one era where at most `gaps` days lie between them. A list of concepts means
    any of them: the days of all, each counted once. `with` asks for the days that lie in an era of both. An era is as
    long as its last day is after its first; it is clipped to the index date.

    *How long*: all eras together last at least `for`. With `until`, one era does, and reaches to within so many days
    of the index date.

    *Reaching*: `reaching: {observation: bvas_v3_total, at_most: 0}` asks for a result that lies in the treated period:
    the days of the eras from the one on which `for` is full; `while` also for a dose, as leaf kind `dose` answers it on
    the day of the result. False when none of at least `results` results does.

    *Truth*: true when the certain days suffice; unknown when only the possible ones do; false when they do not either
    and some exposure is on record; else by the absence rule.
    """

    kind: ClassVar[str] = "treatment"
    domain: ClassVar = "clinical"

    model_config = ConfigDict(alias_generator=lambda name: name.rstrip("_"), populate_by_name=True)

    treatment: Concepts
    with_: Concepts = ()
    for_: DurationText
    until: DurationText | None = None
    gaps: DurationText = Duration(30, "days")
    reaching: Reached | None = None
    results: WholeNumber = 2

    @property
    def concepts(self) -> tuple[str, ...]:
        return (*self.treatment, *self.with_, *(self.reaching.observation if self.reaching else ()))

    @property
    def dose_then(self) -> DoseQuestion | None:
        """What is asked of the dose on the day of a result."""
        return self.reaching.while_ if self.reaching else None

    @property
    def days(self) -> int:
        """How many days the treatment must last."""
        return in_days(self.for_)

    def remedy(self, wanted: bool) -> Remedy | None:
        """The patient may be treated, or no longer; how long it was in all stays."""
        if wanted:
            return Remedy(after=self.for_, happens=True)
        return Remedy(after=self.until, ends=True) if self.until else None

    def model_post_init(self, context: Any) -> None:
        """Require lengths in days, and one question at a time."""
        for word, span in (("for", self.for_), ("until", self.until), ("gaps", self.gaps)):
            if span is not None and span.unit not in _IN_DAYS:
                raise ValueError(f"'{word}' is a number of days or weeks, not of {span.unit}")
        if self.gaps.count == 0:
            raise ValueError("'gaps' is at least 1 day: what ends on one day goes on on the next")
        if set(self.treatment) & set(self.with_):
            raise ValueError("'with' names another drug than 'treatment'")
        if self.until and self.reaching:
            raise ValueError("'until' and 'reaching' are two questions; write two leaves")


def in_days(span: Duration) -> int:
    """Return a span of days or weeks in days."""
    return span.count * _IN_DAYS[span.unit]
