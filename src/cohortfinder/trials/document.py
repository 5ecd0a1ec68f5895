"""YAML text to a tree of nodes that know their line, every scalar as the text that was written."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from cohortfinder.errors import Problem, TrialError
from cohortfinder.trials.problems import Problems

MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Scalar:
    """One word or sentence, as written."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple["Node", ...]
    line: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order of the file."""

    entries: tuple[tuple[Scalar, "Node"], ...]
    line: int

    def get(self, key: str) -> "Node | None":
        """Return the value of `key`, None when it is not written."""
        return next((value for name, value in self.entries if name.text == key), None)

    def line_of(self, key: str) -> int:
        """Return the line of `key`, the mapping's own when it is not written."""
        return next((name.line for name, _ in self.entries if name.text == key), self.line)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys, in the order of the file."""
        return tuple(name.text for name, _ in self.entries)


Node = Scalar | Sequence | Mapping


def read_document(text: str, problems: Problems) -> Mapping:
    """Read one YAML 1.2 document whose top level is a mapping.

    Scalars stay text: 0.5 is "0.5", yes is "yes". Raises TrialError at once where the text is no YAML; anchors,
    aliases, tags, duplicate keys and further documents are put into `problems`.
    """
    lines = len(text.splitlines()) or 1
    try:
        return _Reader(YAML(typ="safe", pure=True).parse(text), problems, lines).read()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        # what is missing at the end is missed after the last line
        line = min(mark.line + 1, lines) if mark is not None else 1
        raise TrialError((Problem(problems.file, line, _explain(str(error.problem))),)) from error
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"the character U+{error.character:04X} is damage, or not text; remove it"
        raise TrialError((Problem(problems.file, line, message),)) from error
    except YAMLError as error:
        raise TrialError((Problem(problems.file, 1, f"this is not YAML: {str(error).splitlines()[0]}"),)) from error


def _explain(problem: str) -> str:
    if "\\t" in problem:
        return "a tab stands where YAML allows only blanks; indent with blanks"
    if "mapping values are not allowed" in problem:
        return "a second colon stands in this line; put the text in quotes"
    return f"this is not YAML: {problem}; check quotes, brackets and indentation"


class _Reader:
    """Builds the tree from the parser's events, so that nothing is ever interpreted."""

    def __init__(self, events: Iterator[Any], problems: Problems, lines: int) -> None:
        self._events = events
        self._lines = lines
        self._problems = problems

    def read(self) -> Mapping:
        documents = 0
        top: Node | None = None
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._stop(event, "a second document begins here; one file holds one trial")
                self._refuse_directives(event)
            elif isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent | AliasEvent):
                top = self._node(event, depth=1)
        if isinstance(top, Mapping):
            return top
        raise TrialError((Problem(self._problems.file, 1, "this is no trial; a trial file begins with 'trial: <id>'"),))

    def _refuse_directives(self, event: Any) -> None:
        if event.version is not None or event.tags:
            self._stop(event, "a trial file is YAML 1.2 without directives; remove the line that begins with '%'")

    def _stop(self, event: Any, message: str) -> None:
        raise TrialError((Problem(self._problems.file, event.start_mark.line + 1, message),))

    def _node(self, event: Any, depth: int) -> Node:
        line = min(event.start_mark.line + 1, self._lines)
        if depth > MAX_DEPTH:
            self._stop(event, f"more than {MAX_DEPTH} levels of nesting; name parts of the rule under 'rules:'")
        if isinstance(event, AliasEvent):
            self._problems.add(
                line,
                f"the alias '*{event.anchor}' is not allowed; name a rule under 'rules:' and refer to it",
            )
            return Scalar("", line)
        self._refuse_decoration(event, line)
        if isinstance(event, ScalarEvent):
            return Scalar(str(event.value), line)
        if isinstance(event, SequenceStartEvent):
            return Sequence(tuple(self._items(depth)), line)
        return Mapping(tuple(self._entries(depth)), line)

    def _refuse_decoration(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            self._problems.add(
                line,
                f"the anchor '&{event.anchor}' is not allowed; name a rule under 'rules:' and refer to it",
            )
        if event.tag not in (None, "!"):
            self._problems.add(line, f"the tag '{event.tag}' is not allowed; write plain words")

    def _items(self, depth: int) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                return
            yield self._node(event, depth + 1)

    def _entries(self, depth: int) -> Iterator[tuple[Scalar, Node]]:
        seen: dict[str, int] = {}
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                return
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if isinstance(key, Scalar) and value == Scalar("", value.line):
                # what is left out is found where the next word stands
                value = Scalar("", key.line)
            if not isinstance(key, Scalar):
                self._problems.add(key.line, "a key must be one word")
            elif key.text in seen:
                self._problems.add(key.line, f"'{key.text}' stands twice; it is already said in line {seen[key.text]}")
            else:
                seen[key.text] = key.line
                yield key, value


def plain(node: Node) -> Any:
    """Return the node as text, lists and dicts."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.entries}


def line_at(node: Node, path: tuple[str | int, ...]) -> int:
    """Return the line of the deepest part of `path` that is written; list positions are numbers."""
    if not path:
        return node.line
    step, rest = path[0], path[1:]
    if isinstance(node, Mapping):
        value = node.get(str(step))
        if value is None:
            return node.line
        return line_at(value, rest) if rest else node.line_of(str(step))
    if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
        return line_at(node.items[step], rest)
    return node.line


def lines_in(node: Node, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """Yield the path of every part of a node with its line: that of its key, in a list that of the item."""
    if isinstance(node, Mapping):
        for key, value in node.entries:
            yield (*path, key.text), key.line
            yield from lines_in(value, (*path, key.text))
    if isinstance(node, Sequence):
        for number, item in enumerate(node.items):
            yield (*path, number), item.line
            yield from lines_in(item, (*path, number))
