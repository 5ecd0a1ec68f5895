"""What is known of a patient in an arm, criterion by criterion: our verdict, its evidence, and what people answered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from cohortfinder.model import Criterion
from cohortfinder.review.store.answers import ALL_ARMS, CLEARED, About, Answer
from cohortfinder.warehouse.published import ListedVerdict

# in the order of the report: what excludes, what data could settle, what a person judges, the rest
GROUPS = ("against", "missing", "judgement", "passed", "not_computed")
# those that somebody has to act on
OPEN_GROUPS = frozenset({"against", "missing", "judgement"})


@dataclass(frozen=True, slots=True)
class Line:
    """A criterion of a patient: the protocol's text, our verdict, and the last answer, None where there is none.

    `evidence` are the objects of verdicts.csv. `answer_arm` is the arm that an answer is about, '' for all.
    """

    criterion: Criterion
    verdict: ListedVerdict
    evidence: tuple[Mapping[str, Any], ...]
    answer_arm: str
    last: Answer | None

    @property
    def answer(self) -> Answer | None:
        """The answer that holds."""
        return None if self.last is None or self.last.word == CLEARED else self.last

    @property
    def previous_id(self) -> int:
        """What the next answer follows."""
        return self.last.id if self.last else 0

    @property
    def records(self) -> list[Mapping[str, Any]]:
        """The records that decided, without what was searched for and not found."""
        return [one for one in self.evidence if "resource" in one]

    @property
    def answers_used(self) -> list[Mapping[str, Any]]:
        """The answers that the list was made with."""
        return [one for one in self.evidence if "answer" in one]

    @property
    def flags(self) -> tuple[str, ...]:
        """What else is to be known of the verdict, as words of the program."""
        return tuple(self.verdict.flags.split(";")) if self.verdict.flags else ()

    @property
    def group(self) -> str:
        """Where it stands on the page."""
        if self.verdict.verdict != "unknown":
            return "against" if self.verdict.verdict == "fail" else "passed"
        if not self.criterion.computed:
            return "not_computed"
        return "judgement" if self.criterion.certainty == "judgement" else "missing"

    @property
    def disagrees(self) -> bool:
        """Say whether the answer that holds is the opposite of our verdict."""
        if self.answer is None or self.verdict.verdict == "unknown":
            return False
        passes = {"yes": self.criterion.kind == "inclusion", "no": self.criterion.kind == "exclusion"}
        return self.answer.word in passes and passes[self.answer.word] != (self.verdict.verdict == "pass")


def arm_of_answer(criterion: Criterion, arm: str) -> str:
    """Return the arm that an answer in some arm is about; '' (all) unless the arm has a rule of its own."""
    return arm if arm in criterion.by_arm else ALL_ARMS


def lines_of(
    criteria: Mapping[str, Criterion], verdicts: Iterable[ListedVerdict], arm: str, patient: tuple[str, str],
    answers: Mapping[About, Answer],
) -> tuple[Line, ...]:  # fmt: skip
    """Return the criteria of an arm in the order of the protocol. `patient` are the trial and the id."""
    lines = []
    for one in verdicts:
        if one.arm == arm and one.criterion_id in criteria:
            criterion = criteria[one.criterion_id]
            about = About(*patient, arm_of_answer(criterion, arm), criterion.id)
            evidence = tuple(orjson.loads(one.evidence))
            lines.append(Line(criterion, one, evidence, about.arm, answers.get(about)))
    return tuple(sorted(lines, key=lambda line: line.criterion.position))


def grouped(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """Return the criteria by group, without groups that have none."""
    found: dict[str, list[Line]] = {group: [] for group in GROUPS}
    for line in lines:
        found[line.group].append(line)
    return {group: own for group, own in found.items() if own}
