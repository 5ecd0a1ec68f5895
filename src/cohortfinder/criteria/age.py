"""Leaf kind `age`: completed years on the index date."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from cohortfinder.criteria.question import Question, parse_whole

_YEARS = WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 130})
Years = Annotated[int, BeforeValidator(parse_whole), _YEARS]


class AgeBounds(BaseModel):
    """Both bounds are included: `at_most: 65` holds until the day before the 66th birthday."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_least: Years | None = None
    at_most: Years | None = None


class AgeQuestion(Question):
    """`age: {at_least: 18, at_most: 65}`: is the patient that many completed years old?

    The age comes from Patient.birthDate; a partial birth date is an interval, and a bound inside it gives unknown
    (reason `partial_birth_date`). Without a birth date it comes from the latest usable `age` Observation, aged
    forward: n years on day d mean a birth date in [d - (n+1) years + 1 day, d - n years]. An Observation of the birth
    date itself goes before one of an age. Without any of them: unknown (`no_birth_date`). A birthday on 29 February
    falls on 28 February in other years.
    """

    kind: ClassVar[str] = "age"
    hears_silence: ClassVar[bool] = False
    domain: ClassVar = "observation"

    age: AgeBounds

    @property
    def concepts(self) -> tuple[str, ...]:
        return ("age", "birth_date_observation")
