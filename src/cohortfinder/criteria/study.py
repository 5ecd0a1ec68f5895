"""Leaf kind `study`: taking part in another study."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, WithJsonSchema

from cohortfinder.criteria.question import AT_ONCE, HAPPENS, DurationText, Question, Remedy, Yes, as_list

Identifiers = Annotated[
    tuple[str, ...],
    BeforeValidator(as_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class StudyQuestion(Question):
    """`{study: interventional, within: 3 months, except: NCT06983964}`: does or did the patient take part in one?

    *Which records*: ResearchSubjects of the patient. on-study and follow-up are a part that goes on until its period
    ends; off-study and withdrawn one that is over; screening and pending-on-study are only planned (unknown,
    `planned_participation`); any other status is none. A part that is over counts for its period; without a period it
    is unknown (`no_date`), without an end it may have gone on until it was last updated (`participation_end_unknown`).

    *Which studies*: `any`, or `interventional` by the category of the ResearchStudy, else its phase or primary purpose
    (mappings/study_kinds.csv). One that only observes does not count; one of which nothing is known is unknown
    (`study_kind_unclear`). `except` names studies by an identifier or the id of the ResearchStudy: this trial itself.

    *Windows*: `within` (some day of it lies in the window), `active: yes`, `ever: yes`. A part that is over before the
    window is false; no record means unknown if not said otherwise.
    """

    kind: ClassVar[str] = "study"

    study: Literal["interventional", "any"]
    ever: Yes | None = None
    within: DurationText | None = None
    active: Yes | None = None
    except_: Identifiers = ()

    model_config = ConfigDict(alias_generator=lambda name: name.rstrip("_"), populate_by_name=True)

    def remedy(self, wanted: bool) -> Remedy | None:
        """The patient may join one or leave it; that it was so once stays."""
        if wanted or self.active:
            return HAPPENS if wanted else AT_ONCE
        return Remedy(after=self.within, ends=True) if self.within else None

    def model_post_init(self, context: Any) -> None:
        """Require one window."""
        if sum(map(bool, (self.ever, self.within, self.active))) != 1:
            raise ValueError("say when, once: ever: yes, active: yes, or within")
