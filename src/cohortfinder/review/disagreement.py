"""Where people answered against our verdict, for those who keep codes and units right. Pure.

What counts is the verdict that stood before anybody had answered: the next lists repeat what the people have said.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from cohortfinder.engine.plan import concepts_asked
from cohortfinder.model import Criterion, Trial
from cohortfinder.review.store.answers import CLEARED, NOT_SURE, YES, About, Answer

AGREED, PASSED, FAILED, SETTLED, UNSURE = "agreed", "passed", "failed", "settled", "unsure"


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer that holds, beside our verdict, and how the two go together.

    `outcome`: agreed; passed or failed by us and not by the person; settled, where the data did not know; or unsure.
    `codes` are those of the records that the verdict rested on, as system|code.
    """

    answer: Answer
    verdict: str
    outcome: str
    codes: tuple[str, ...] = ()

    @property
    def disagrees(self) -> bool:
        """Whether the person says the opposite of our verdict."""
        return self.outcome in (PASSED, FAILED)


@dataclass(frozen=True, slots=True)
class Group:
    """Answers that belong together, by criterion, concept or code: how many of each outcome."""

    name: str
    agreed: int = 0
    passed: int = 0
    failed: int = 0
    settled: int = 0
    unsure: int = 0

    @property
    def disagreed(self) -> int:
        """How many say the opposite of our verdict."""
        return self.passed + self.failed

    @property
    def share(self) -> float | None:
        """Which share of those on whom the data had an opinion disagrees, None where there are none."""
        known = self.agreed + self.disagreed
        return self.disagreed / known if known else None


def judge(trial: Trial, answers: Iterable[Answer]) -> tuple[Judged, ...]:
    """Return the answers that hold, each beside our verdict; `answers` are all that were ever given, oldest first."""
    criteria = {one.id: one for one in trial.criteria}
    return tuple(
        Judged(last, first.verdict, _outcome(last, first.verdict, criteria[last.about.criterion_id]), first.codes)
        for last, first in _that_hold(answers)
        if last.about.criterion_id in criteria
    )


def _that_hold(answers: Iterable[Answer]) -> Iterator[tuple[Answer, Answer]]:
    """Yield the last answer to each criterion, with the first since it was cleared, which saw the verdict of data."""
    held: dict[About, tuple[Answer, Answer]] = {}
    for one in answers:
        if one.word == CLEARED:
            held.pop(one.about, None)
        else:
            held[one.about] = (one, held[one.about][1] if one.about in held else one)
    yield from held.values()


def _outcome(answer: Answer, verdict: str, criterion: Criterion) -> str:
    if answer.word == NOT_SURE:
        return UNSURE
    if verdict not in ("pass", "fail"):
        return SETTLED
    says = "pass" if (answer.word == YES) == (criterion.kind == "inclusion") else "fail"
    return AGREED if says == verdict else PASSED if verdict == "pass" else FAILED


def by_criterion(judged: Iterable[Judged]) -> tuple[Group, ...]:
    """Return the criteria that were answered, those with the most disagreement first."""
    return _grouped((one.answer.about.criterion_id, one.outcome) for one in judged)


def by_concept(trial: Trial, judged: Iterable[Judged]) -> tuple[Group, ...]:
    """Return the concepts of these criteria; an answer counts for each that its criterion asks for."""
    concepts: Mapping[str, tuple[str, ...]] = {one.id: concepts_asked(trial, (one.id,)) for one in trial.criteria}
    return _grouped((concept, one.outcome) for one in judged for concept in concepts[one.answer.about.criterion_id])


def by_code(judged: Iterable[Judged]) -> tuple[Group, ...]:
    """Return the codes, as system|code, of the records that the verdicts rested on; each counts with every answer."""
    return _grouped((code, one.outcome) for one in judged for code in one.codes)


def _grouped(outcomes: Iterable[tuple[str, str]]) -> tuple[Group, ...]:
    groups: dict[str, Group] = {}
    for name, outcome in outcomes:
        group = groups.get(name, Group(name))
        groups[name] = replace(group, **{outcome: getattr(group, outcome) + 1})
    return tuple(sorted(groups.values(), key=lambda one: (-one.disagreed, -one.settled, one.name)))
