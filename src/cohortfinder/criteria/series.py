"""Leaf kind `series`: readings over time, judged by the day."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from cohortfinder.criteria.question import AT_ONCE, Concepts, DurationText, QuantityText, Question, Remedy, WholeNumber


class Reading(BaseModel):
    """One concept of the series and the limit that its daily mean must pass."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    observation: Concepts
    above: QuantityText | None = None
    below: QuantityText | None = None


class SeriesQuestion(Question):
    """Uncontrolled blood pressure and its like: is the value beyond its limit on the latest day, or on several days?

    A day is *beyond* when the mean of the day's usable readings of one of the concepts is beyond its limit (strictly).
    True: the latest day with readings lies within `recent` and is beyond, or at least `days` days within `within`
    are. False: a reading within `recent`, and no day within `within` is beyond. Otherwise unknown: one day beyond
    (`single_day_beyond`), no reading within `recent` (`out_of_window`), none at all (`no_data`), a partial date or a
    value with a comparator that could change the answer (`partial_date`, `comparator_straddles_threshold`).
    """

    kind: ClassVar[str] = "series"
    hears_silence: ClassVar[bool] = False
    domain: ClassVar = "observation"

    series: tuple[Reading, ...]
    within: DurationText
    recent: DurationText
    days: WholeNumber = 2

    @property
    def concepts(self) -> tuple[str, ...]:
        return tuple(concept for reading in self.series for concept in reading.observation)

    def remedy(self, wanted: bool) -> Remedy | None:
        """One reading beyond its limit is enough; it is denied when the days beyond have left the window."""
        return AT_ONCE if wanted else Remedy(after=self.within, ends=True)

    def model_post_init(self, context: Any) -> None:
        """Require one limit per reading."""
        for reading in self.series:
            if (reading.above is None) == (reading.below is None):
                raise ValueError("each reading of a series needs one limit: above or below")
