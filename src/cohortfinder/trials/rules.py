"""The rule of a criterion, as written, to a tree of combinations and leaves."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Literal, cast

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.model import Combination, Leaf, Rule
from cohortfinder.trials import readings
from cohortfinder.trials.document import Mapping, Node, Scalar, Sequence, lines_in
from cohortfinder.trials.leaves import COMBINATIONS, build_question, kinds_in, option_names
from cohortfinder.trials.parameters import Substitution, names_in
from cohortfinder.trials.problems import Problems, nearest

# rules that refer to rules may double at every step
_MOST_PARTS = 2000
RULE_WORDS = (*COMBINATIONS, *LEAF_KINDS)


@dataclass(frozen=True, slots=True)
class NamedRules:
    """The rules that have a name, from `rules:` and every `define:`."""

    by_name: dict[str, Mapping]
    used: set[str]


class RuleBuilder:
    """Builds the rule of one criterion; leaves are numbered in the order in which they are evaluated."""

    def __init__(
        self,
        criterion: str,
        *,
        adverse: bool,
        absence: Scalar | None,
        named: NamedRules,
        fill: Substitution,
        problems: Problems,
    ) -> None:
        self._criterion = criterion
        self._adverse = adverse
        self._absence = absence
        self._named = named
        self._fill = fill
        self._problems = problems
        self._numbers: Iterator[int] = count(1)
        self._open_names: list[str] = []
        self._parts = 0

    def build(self, node: Node) -> Rule | None:
        """Return the rule; None, with the problems noted, when it cannot be read."""
        return self._rule(node, self._adverse)

    def _rule(self, node: Node, adverse: bool) -> Rule | None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            message = f"the rule of '{self._criterion}' has more than {_MOST_PARTS} parts; make it shorter"
            self._problems.add(node.line, message)
            return None
        if not isinstance(node, Mapping):
            self._problems.add(
                node.line, "a rule must be a leaf (for example 'observation: ...') or all, any, not, need"
            )
            return None
        words = [key for key in node.keys if key in RULE_WORDS and key != "of"]
        if len(words) != 1:
            self._problems.add(node.line, _count_problem(node, words))
            return None
        word = words[0]
        if word in LEAF_KINDS:
            return self._leaf(word, node, adverse)
        self._refuse_others(word, node)
        if word == "rule":
            return self._reference(node, adverse)
        if word == readings.WORD:
            return self._chosen(node, adverse)
        return self._combination(word, node, adverse)

    def _refuse_others(self, word: str, node: Mapping) -> None:
        allowed = ("need", "of") if word == "need" else (word,)
        for key, _ in node.entries:
            if key.text not in allowed:
                self._problems.add(key.line, f"'{key.text}' does not go with '{word}'; put it into a leaf below")

    def _combination(self, word: str, node: Mapping, adverse: bool) -> Rule | None:
        body = node.get("of" if word == "need" else word)
        if word == "not":
            child = self._rule(body, not adverse) if body is not None else None
            return Combination("not", (child,)) if child is not None else None
        if not isinstance(body, Sequence) or not body.items:
            self._problems.add(
                node.line_of(word), f"'{word}' needs a list of rules{' under of' if word == 'need' else ''}"
            )
            return None
        items = [item for item in body.items if not self._left_out(item)]
        if not items:
            self._problems.add(node.line_of(word), f"nothing is left of '{word}' with this choice of parameters")
            return None
        children = [self._rule(item, adverse) for item in items]
        need = self._need(node, len(children)) if word == "need" else None
        kept = tuple(child for child in children if child is not None)
        if len(kept) < len(children) or (word == "need" and need is None):
            return None
        return Combination(cast(Literal["all", "any", "need"], word), kept, need)

    def _need(self, node: Mapping, children: int) -> int | None:
        written = node.get("need")
        text = written.text if isinstance(written, Scalar) else ""
        if re.fullmatch(r"\d{1,4}", text) and 1 <= int(text) <= children:
            return int(text)
        self._problems.add(
            node.line_of("need"),
            f"'need' is '{text[:20]}'; it must be a number from 1 to {children}, the rules under 'of'",
        )
        return None

    def _chosen(self, node: Mapping, adverse: bool) -> Rule | None:
        branch = readings.branch_of(node, self._fill, self._problems)
        if isinstance(branch, Scalar) and branch.text == readings.LEFT_OUT:
            self._problems.add(branch.line, "'none' leaves a rule out of a list; here a rule must stand")
            return None
        return self._rule(branch, adverse) if branch is not None else None

    def _left_out(self, node: Node) -> bool:
        """Return whether a parameter says that this rule of a list does not count."""
        if not isinstance(node, Mapping) or not readings.is_choice(node):
            return False
        branch = readings.branch_of(node, self._fill, self._problems)
        if isinstance(branch, Scalar):
            return branch.text == readings.LEFT_OUT
        return branch is not None and self._left_out(branch)

    def _reference(self, node: Mapping, adverse: bool) -> Rule | None:
        written = node.get("rule")
        name = written.text if isinstance(written, Scalar) else ""
        if name not in self._named.by_name:
            self._problems.add(node.line_of("rule"), f"no rule is named '{name}'.{nearest(name, self._named.by_name)}")
            return None
        if name in self._open_names:
            circle = " -> ".join([*self._open_names, name])
            self._problems.add(node.line_of("rule"), f"the rule '{name}' refers to itself: {circle}")
            return None
        self._named.used.add(name)
        self._open_names.append(name)
        rule = self._rule(self._named.by_name[name], adverse)
        self._open_names.pop()
        return rule

    def _leaf(self, kind: str, node: Mapping, adverse: bool) -> Leaf | None:
        number = next(self._numbers)
        names = names_in(node)
        filled = self._fill.fill(node)
        if not self._fill.declares(names):
            return None
        options = filled if isinstance(filled, Mapping) else Mapping((), node.line)
        if not LEAF_KINDS[kind].hears_silence:
            if "absence" in options.keys:
                told = f"'absence' means nothing to '{kind}', which is unknown where nothing is on file; leave it out"
                self._problems.add(options.line_of("absence"), told)
        elif "absence" not in options.keys and self._absence is not None:
            options = Mapping((*options.entries, (Scalar("absence", self._absence.line), self._absence)), options.line)
        question = build_question(kind, options, self._problems)
        if question is None:
            return None
        return Leaf(
            f"{self._criterion}.{number}", kind, question, adverse, node.line_of(kind), names, dict(lines_in(node))
        )


def _count_problem(node: Mapping, words: list[str]) -> str:
    if not words and "of" in node.keys:
        return "'of' needs 'need' beside it: how many of the rules must hold"
    if not words:
        word = next(iter(node.keys), "")
        return f"'{word}' begins no rule.{nearest(word, RULE_WORDS)}"
    return f"{' and '.join(repr(word) for word in words)} stand side by side; put them into 'all:' or 'any:'"


def rule_part(node: Mapping) -> Mapping | None:
    """Return the part of a criterion that is its rule: combination words, or a leaf with its options."""
    kinds = kinds_in(node)
    words = {word for kind in kinds for word in (*option_names(kind), "absence")} | set(RULE_WORDS)
    entries = tuple((key, value) for key, value in node.entries if key.text in words)
    begins = any(key.text in RULE_WORDS for key, _ in entries)
    return Mapping(entries, node.line) if begins else None
