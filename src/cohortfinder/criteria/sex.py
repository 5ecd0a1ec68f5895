"""Leaf kind `sex`: the administrative gender of the patient record."""

from typing import ClassVar, Literal

from cohortfinder.criteria.question import Question


class SexQuestion(Question):
    """`sex: male`: is Patient.gender this one?

    `other` is a recorded gender that is not the asked one: false. Missing or `unknown`: unknown (`no_gender`), or
    false with `absence: false`. A gender that the sex at birth (us-core-birthsex) contradicts counts as unknown.
    """

    kind: ClassVar[str] = "sex"

    sex: Literal["male", "female"]
