"""Leaf kind `judgement`: only a person can tell."""

from typing import ClassVar

from cohortfinder.criteria.question import AT_ONCE, Question, Remedy


class JudgementQuestion(Question):
    """`judgement: what to look at`: always unknown (`judgement_required`), and says what to look at."""

    kind: ClassVar[str] = "judgement"
    hears_silence: ClassVar[bool] = False

    judgement: str

    def remedy(self, wanted: bool) -> Remedy | None:
        """A person may judge otherwise."""
        return AT_ONCE
