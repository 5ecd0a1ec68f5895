"""Why a verdict changes with no new data, in words: the leaf that turns to "echo grows too old" or "66th birthday"."""

from dataclasses import replace
from datetime import date
from typing import Any

import orjson

from cohortfinder.model import Leaf, Trial, leaves_of
from cohortfinder.ranking.outlook import Turn, TurnedLeaf
from cohortfinder.report.reasons import LeafWords, leaf_words, record_words, sentence
from cohortfinder.wording import Evidence, Language, duration

# what a leaf says when the records that it rested on have left their time
_TOO_OLD = frozenset({"out_of_window", "outside_window", "no_data", "baseline_missing"})
_SILENT = "nothing new is on record for so long that silence proves nothing any more"


# of a change that has more causes the first are told
_CAUSES = 3


class Causes:
    """Tells the causes of turns; the words of each leaf and day are found once, and the same cause is told once."""

    def __init__(self, trial: Trial, language: Language) -> None:
        rules = [rule for one in trial.criteria for rule in (one.rule, *one.by_arm.values()) if rule is not None]
        self._leaves = {leaf.id: leaf for rule in rules for leaf in leaves_of(rule)}
        self._language = language
        self._words: dict[tuple[str, date], LeafWords] = {}
        self._told: dict[tuple[TurnedLeaf, date], str] = {}

    def reason(self, turn: Turn) -> str:
        """Say what makes a turn, each cause once, as a sentence."""
        causes = tuple(dict.fromkeys(self._cause(one, turn.day) for one in turn.leaves))
        more = (f"and {len(causes) - _CAUSES} more",) if len(causes) > _CAUSES else ()
        text = "; ".join((*causes[:_CAUSES], *more))
        return f"{text[:1].upper()}{text[1:]}."

    def _cause(self, turned: TurnedLeaf, day: date) -> str:
        told = self._told.get((turned, day))
        if told is None:
            leaf = self._leaves[turned.leaf]
            if (words := self._words.get((leaf.id, day))) is None:
                words = self._words[leaf.id, day] = leaf_words(leaf, replace(self._language, as_of=day))
            told = self._told[turned, day] = cause(leaf, words, turned, day)
        return told


def cause(leaf: Leaf, words: LeafWords, turned: TurnedLeaf, day: date) -> str:
    """Say what makes the truth of a leaf change on a day, without a full stop."""
    before, after = _evidence(turned.evidence_before), _evidence(turned.evidence)
    if turned.code == "not_observed":
        return _SILENT
    if leaf.kind == "age":
        return _birthday(leaf.question.age, turned)
    if new := tuple(item for item in after if (item.date or "").startswith(day.isoformat())):
        return f"{record_words(words, new)} counts from then on"
    if (span := _span(leaf.question)) and leaf.kind not in ("observation", "formula", "series", "change"):
        return _passed(leaf, span, record_words(words, before or after), turned)
    if turned.was is not None and (turned.code in _TOO_OLD or turned.code.startswith("missing_")):
        counts = f" (it counts for {span})" if span and leaf.kind == "observation" else ""
        return f"{record_words(words, before or after)} grows too old{counts}"
    if turned.code == "partial_date":
        return f"{record_words(words, after or before)} may be too old from then on, as its date is incomplete"
    if turned.code == "open_ended_record":
        return f"{record_words(words, after)} was last confirmed too long ago to be certain"
    if words.clinical and turned.truth is False and turned.code != "recorded_against":
        return f"{record_words(words, before or after)} counts no longer"
    return sentence(words, turned.code, after)


def _passed(leaf: Leaf, span: str, record: str, turned: TurnedLeaf) -> str:
    """Say that a span of time has passed since a record: a wash-out ends, or something is long enough ago."""
    if turned.truth is None:
        return f"{record} may be more than {span} ago"
    ends = leaf.kind in ("medication", "dose") and leaf.adverse and not turned.truth
    passed = f"{record} is more than {span} ago"
    return f"the wash-out ends: {passed}" if ends else passed


def _birthday(bounds: Any, turned: TurnedLeaf) -> str:
    """Name the birthday that makes the change: beyond the upper bound, or the one that reaches the lower."""
    leaves = turned.was is True or (turned.was is None and turned.truth is False)
    years = bounds.at_most + 1 if leaves and bounds.at_most is not None else bounds.at_least
    birthday = f"the {_ordinal(years)} birthday"
    if turned.truth is None:
        return f"{birthday} may have come, as the birth date is incomplete"
    return f"{birthday} has certainly come" if turned.was is None else birthday.removeprefix("the ")


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _span(question: Any) -> str:
    span = getattr(question, "within", None) or getattr(question, "before", None)
    return duration(span) if span else ""


def _evidence(text: str) -> tuple[Evidence, ...]:
    found = tuple(map(Evidence._make, orjson.loads(text)))
    return tuple(item for item in found if item.resource or item.value)
