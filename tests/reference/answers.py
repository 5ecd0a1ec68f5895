"""What a person has answered: the latest answer decides, one who is not sure decides nothing."""

from collections.abc import Iterable

from cohortfinder.model import Answer, Criterion
from reference.evaluate import Outcome
from reference.truth import VERDICT


def latest(answers: Iterable[Answer], patient_id: str, arm: str, criterion: str) -> Answer | None:
    """Return the latest answer of one patient, arm and criterion; of one time, that of the later line."""
    own = [one for one in answers if (one.patient_id, one.arm, one.criterion_id) == (patient_id, arm, criterion)]
    return max(own, key=lambda one: (one.at, one.line), default=None)


def with_answer(criterion: Criterion, outcome: Outcome, answer: Answer | None) -> str:
    """Return the verdict of a criterion, of which the data say `outcome`."""
    if answer is None or answer.truth is None:
        return outcome.verdict
    return VERDICT[criterion.kind, answer.truth]
