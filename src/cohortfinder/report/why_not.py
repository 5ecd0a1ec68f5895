"""Why a patient is no candidate of an arm, in words: what to wait for, what to test, and what never changes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import orjson

from cohortfinder.engine.why_not import LeafAnswer
from cohortfinder.model import Leaf
from cohortfinder.ranking.outlook import TurnedLeaf
from cohortfinder.ranking.ways import subject
from cohortfinder.ranking.why_not import Change, WhyNot
from cohortfinder.report.causes import cause
from cohortfinder.report.reasons import LeafWords, leaf_words, sentence
from cohortfinder.wording import Evidence, Language

_CONTRADICTION = "No set of facts would make the patient a candidate for arm {arm}: its criteria contradict each other."
_NOT_EXACT = "There are too many ways to look at all of them; a smaller one may exist."


@dataclass(frozen=True, slots=True)
class WhyNots:
    """Why a patient is no candidate of some arms; `answers` has what the leaves that have to change say, by day."""

    arms: Mapping[str, WhyNot | None]
    answers: Mapping[tuple[str, date], LeafAnswer]
    language: Language

    def lines(self, arm: str) -> Iterator[str]:
        """Say it for an arm, a fact a line."""
        found = self.arms[arm]
        if found is None:
            yield _CONTRADICTION.format(arm=arm)
            return
        if found.possible:
            later = f" from {found.day} on" if found.day > self._as_of else ""
            yield f"Would be a candidate for arm {arm}{later} if:"
        else:
            yield f"Will be no candidate for arm {arm}, because of what neither time nor a new record changes:"
        yield from (f"  {self._line(one)}" for one in found.of("never"))
        besides = [*map(self._line, found.of("wait")), *map(self._test_line, _together(found.of("test")))]
        if besides and not found.possible:
            yield "Besides, it would take:"
        yield from (f"  {line}" for line in besides)
        yield from _remarks(found)

    def summary(self, arm: str) -> dict[str, Any] | None:
        """Return it for an arm as one object."""
        found = self.arms[arm]
        if found is None:
            return None
        return {
            "possible": found.possible, "from": found.day, "until": found.until, "ending": found.ending,
            "waits": [self._object(one) for one in found.of("wait")],
            "tests": [self._object(one) for one in found.of("test")],
            "never": [self._object(one) for one in found.of("never")],
            "open": found.open, "exact": found.exact,
        }  # fmt: skip

    def _line(self, change: Change) -> str:
        until = f"wait until {change.day}" if change.sort == "wait" else change.sort
        return f"{until}: {self._words(change)} ({', '.join(change.criteria)})"

    def _test_line(self, changes: Sequence[Change]) -> str:
        wanted = " and ".join(dict.fromkeys(self._words(one) for one in changes))
        today = " and ".join(dict.fromkeys(self._today(one.leaf) for one in changes))
        criteria = dict.fromkeys(name for one in changes for name in one.criteria)
        return f"test: {wanted}; today {today} ({', '.join(criteria)})"

    def _object(self, change: Change) -> dict[str, Any]:
        return {
            "criteria": change.criteria, "leaf": change.leaf.id, "wanted": change.wanted, "date": change.day,
            "words": self._words(change), "today": self._today(change.leaf),
        }  # fmt: skip

    def _words(self, change: Change) -> str:
        if change.sort == "test":
            day = change.day or self._as_of
            counts = f" (it counts from {day} on)" if day > self._as_of else ""
            return f"{wanted_words(change.leaf, self._leaf_words(change.leaf, day), wanted=change.wanted)}{counts}"
        if change.day is None:
            return self._today(change.leaf)
        on = f" on {change.day}" if change.sort == "never" else ""
        return f"{self._turn(change.leaf, change.day)}{on}"

    def _today(self, leaf: Leaf) -> str:
        answer = self.answers[leaf.id, self._as_of]
        return sentence(self._leaf_words(leaf, self._as_of), answer.code, _evidence(answer))

    def _turn(self, leaf: Leaf, day: date) -> str:
        """Say why time turns a leaf on a day."""
        was, now = self.answers[leaf.id, day - timedelta(days=1)], self.answers[leaf.id, day]
        turned = TurnedLeaf(leaf.id, was.truth, now.truth, was.code, now.code, was.evidence, now.evidence)
        return cause(leaf, self._leaf_words(leaf, day), turned, day)

    def _leaf_words(self, leaf: Leaf, day: date) -> LeafWords:
        return leaf_words(leaf, replace(self.language, as_of=day))

    @property
    def _as_of(self) -> date:
        assert self.language.as_of is not None
        return self.language.as_of


def _evidence(answer: LeafAnswer) -> tuple[Evidence, ...]:
    return tuple(map(Evidence._make, orjson.loads(answer.evidence)))


def _together(changes: Iterable[Change]) -> list[list[Change]]:
    """Return tests of the same thing together."""
    found: dict[object, list[Change]] = {}
    for change in changes:
        found.setdefault(subject(change.leaf), []).append(change)
    return [*found.values()]


def _remarks(found: WhyNot) -> Iterator[str]:
    if found.until:
        yield f"  only until {found.until}: then {', '.join(found.ending)} fails by time alone"
    if found.open:
        yield f"  still open then: {', '.join(found.open)}"
    if not found.exact:
        yield f"  {_NOT_EXACT}"


def wanted_words(leaf: Leaf, words: LeafWords, *, wanted: bool) -> str:
    """Say what a leaf should find: "SLEDAI of at least 8", "no belimumab within 3 weeks before 2026-12-12"."""
    when = f" {words.when}" if words.when else ""
    if leaf.kind == "judgement":
        return words.judgement
    if leaf.kind == "series":
        return f"{words.name} {'beyond' if wanted else 'within'} the limits ({words.limits})"
    if leaf.kind == "treatment":
        reached = f" with a result {words.needed}" if leaf.question.reaching else ""
        return f"{words.name} {'' if wanted else 'not '}taken{when}{reached}"
    if leaf.kind == "study":
        return f"{'part' if wanted else 'no part'} in {words.name}{when}"
    if words.clinical and leaf.kind != "dose":
        return f"{'a record of' if wanted else 'no'} {words.name}{when}"
    return f"{words.name} {words.needed if wanted else words.opposite}{when}"
