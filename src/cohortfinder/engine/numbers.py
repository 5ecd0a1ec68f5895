"""The numbers and spans of time that a criterion is written with, and its rules with another one instead. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from cohortfinder import wording
from cohortfinder.model import Combination, Criterion, Duration, Leaf, Quantity, Rule, leaves_of

Value = Quantity | Duration | int
Path = tuple[str | int, ...]

# how records are read, and not what the protocol asks of them
_READING = frozenset({"screening_dilution", "gaps", "apart"})


@dataclass(frozen=True, slots=True)
class Written:
    """A number or span of time that stands once in the trial file, in a rule of a criterion.

    `leaves` are those that have it: a rule that several arms share is in each of them. `path` leads to it in their
    question: ("at_most",), ("between", 1), ("age", "at_least").
    """

    criterion: Criterion
    leaves: tuple[Leaf, ...]
    path: Path
    value: Value

    @property
    def word(self) -> str:
        """The words before it in the trial file: "at_most", "between.1"."""
        return ".".join(map(str, self.path))

    @property
    def about(self) -> str:
        """What it is a number of: the concepts, the formula or the kind of the leaf."""
        question = self.leaves[0].question
        named = getattr(question, "formula", None) or " or ".join(question.concepts)
        return self.leaves[0].kind if self.leaves[0].kind in ("age", "study") else named

    def rules(self, value: Value) -> dict[str, Rule]:
        """Return the rules that have it, by the names under which they are evaluated, with another value.

        Raises ValueError where the question would make no sense with it.
        """
        ids = {leaf.id for leaf in self.leaves}
        return {
            name: _with_value(rule, ids, self.path, value)
            for name, rule in _named_rules(self.criterion)
            if ids.intersection(leaf.id for leaf in leaves_of(rule))
        }


def written_in(criterion: Criterion) -> tuple[Written, ...]:
    """Return the numbers and spans of a criterion, in the order of its rules."""
    found: defaultdict[Any, list[Leaf]] = defaultdict(list)
    for _, rule in _named_rules(criterion):
        for leaf in leaves_of(rule):
            for path, value in _values(leaf.question):
                found[leaf.line_of(*path), leaf.question, path, value].append(leaf)
    return tuple(Written(criterion, tuple(leaves), path, value) for (_, _, path, value), leaves in found.items())


def _named_rules(criterion: Criterion) -> Iterator[tuple[str, Rule]]:
    if criterion.rule is not None:
        yield criterion.id, criterion.rule
    for arm, rule in criterion.by_arm.items():
        yield criterion.asked_as(arm), rule


def _values(part: Any, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Yield what is written in a question; what stands there by default is not."""
    match part:
        case Quantity() | Duration():
            yield path, part
        case bool():
            return
        case int():
            yield path, part
        case tuple():
            for place, item in enumerate(part):
                yield from _values(item, (*path, place))
        case BaseModel():
            for name in type(part).model_fields:
                if name in part.model_fields_set and name not in _READING:
                    yield from _values(getattr(part, name), (*path, name.rstrip("_")))


def _with_value(rule: Rule, leaves: set[str], path: Path, value: Value) -> Rule:
    if isinstance(rule, Combination):
        return replace(rule, children=tuple(_with_value(child, leaves, path, value) for child in rule.children))
    if rule.id not in leaves:
        return rule
    return replace(rule, question=_sensible(_replaced(rule.question, path, value)))


def _replaced(part: Any, path: Path, value: Value) -> Any:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(part, tuple):
        return tuple(_replaced(item, rest, value) if place == step else item for place, item in enumerate(part))
    own = {name: getattr(part, name) for name in part.model_fields_set}
    name = next(name for name in own if name.rstrip("_") == step)
    # built anew, so that a question which makes no sense is refused as it would be in a trial file
    return type(part).model_validate({**own, name: _replaced(own[name], rest, value)})


def _sensible(question: Any) -> Any:
    """Return a question whose bounds do not contradict each other, as the trial file would refuse it.

    Raises ValueError for another one.
    """
    if bounds := getattr(question, "comparison", None):
        _check(bounds.lower, bounds.upper)
    if years := getattr(question, "age", None):
        _check(*(None if bound is None else Quantity(bound) for bound in (years.at_least, years.at_most)))
    return question


def _check(lower: Quantity | None, upper: Quantity | None) -> None:
    if lower and upper and lower.unit == upper.unit and lower.value >= upper.value:
        raise ValueError("the lower bound is not below the upper one")


def written_text(value: Value) -> str:
    """Write a value as a trial file has it: "1.5 ULN", "1:80", "3 weeks"."""
    if isinstance(value, Duration):
        return wording.duration(value)
    if isinstance(value, int):
        return str(value)
    return f"1:{value.value:f}" if value.unit == "{titer}" else f"{value.value:f} {value.unit}".strip()
