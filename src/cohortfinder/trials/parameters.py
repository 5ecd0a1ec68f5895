"""The `parameters:` section of a trial file: declaration, the site's overrides, and `${name}` in rules."""

import re
from collections.abc import Callable, Iterable
from collections.abc import Mapping as Dictionary
from dataclasses import replace
from decimal import Decimal
from operator import ge, le

from cohortfinder.criteria.question import parse_quantity
from cohortfinder.errors import ConfigurationError
from cohortfinder.model import Override, Parameter, Quantity
from cohortfinder.trials.document import Mapping, Node, Scalar, Sequence
from cohortfinder.trials.problems import Problems, nearest

UNSET = ("", "unset")
KEYS = ("default", "why", "at_least", "at_most", "choices")
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_USE = re.compile(r"\$\{([^}]*)\}")
_SPANS = {"day": ("days", 1), "week": ("days", 7), "month": ("months", 1), "year": ("months", 12)}
_BOUNDS: Dictionary[str, Callable[[Decimal, Decimal], bool]] = {"at_least": ge, "at_most": le}


def read_parameters(
    node: Node | None, problems: Problems, overrides: Dictionary[str, Override]
) -> dict[str, Parameter]:
    """Read the section; `overrides` are the site's values for this trial. Raises ConfigurationError for a wrong one."""
    if node is not None and not isinstance(node, Mapping):
        problems.add(node.line, "'parameters' holds names, each with 'default' and 'why'")
        node = None
    return {name.text: _read_one(name, body, problems, overrides) for name, body in (node.entries if node else ())}


def _read_one(name: Scalar, body: Node, problems: Problems, overrides: Dictionary[str, Override]) -> Parameter:
    if not _NAME.match(name.text):
        problems.add(name.line, f"'{name.text}' is no parameter name; use small letters, digits and '_'")
    if not isinstance(body, Mapping):
        problems.add(name.line, f"the parameter '{name.text}' needs 'default' and 'why'")
        body = Mapping((), name.line)
    for key, _ in body.entries:
        if key.text not in KEYS:
            problems.add(key.line, f"unknown word '{key.text}' in a parameter.{nearest(key.text, KEYS)}")
    _check_limits(name, body, problems)
    default, why = _text(body.get("default")), _text(body.get("why"))
    if default is None:
        problems.add(
            name.line,
            f"the parameter '{name.text}' has no 'default'; write 'default: unset' to leave it open",
        )
    if not why:
        problems.add(name.line, f"the parameter '{name.text}' does not say 'why'")
    default = None if default in UNSET else default
    if (wrong := _breach(default, body)) is not None:
        problems.add(body.line_of("default"), f"the default of '{name.text}' {wrong}")
    value = _overridden(name.text, default, body, overrides)
    return Parameter(name.text, value, default, why or "", _choices(body) or ())


def _overridden(name: str, default: str | None, body: Mapping, overrides: Dictionary[str, Override]) -> str | None:
    if (override := overrides.get(name)) is None:
        return default
    value = None if override.value in UNSET else override.value
    if (wrong := _breach(value, body)) is not None:
        raise ConfigurationError(f"{override.place}: the parameter '{name}' {wrong}")
    return value


def _text(node: Node | None) -> str | None:
    return node.text if isinstance(node, Scalar) else None


def _breach(value: str | None, body: Mapping) -> str | None:
    """Return in words how a value leaves its bounds, None when it keeps them."""
    if value is None:
        return None
    if (words := _choices(body)) is not None:
        hint = nearest(value, words)
        return None if value in words else f"is '{value}'; it must be one of {', '.join(words)}{hint and '.' + hint}"
    for word, holds in _BOUNDS.items():
        bound = _text(body.get(word))
        limit = None if bound is None else _number(bound)
        if limit is None:
            continue
        number = _number(value)
        if number is None:
            return f"is '{value}'; it must be a number, {word} {bound}"
        if number.unit != limit.unit:
            return f"is '{value}'; it must be in the unit of its bound, {word} {bound}"
        if not holds(number.value, limit.value):
            return f"is '{value}'; it must be {word} {bound}"
    return None


def _check_limits(name: Scalar, body: Mapping, problems: Problems) -> None:
    """Note bounds that are no numbers or that no value keeps, and choices that leave nothing to choose."""
    limits = {word: _number(_text(node) or "") for word in _BOUNDS if (node := body.get(word)) is not None}
    for word, limit in limits.items():
        if limit is None:
            problems.add(body.line_of(word), f"'{word}' of '{name.text}' must be a number, with its unit if it has one")
    low, high = limits.get("at_least"), limits.get("at_most")
    if low and high and (low.unit != high.unit or low.value > high.value):
        problems.add(body.line_of("at_most"), f"no value of '{name.text}' is within its bounds; write the lower first")
    choices, words = body.get("choices"), set(_choices(body) or ())
    if choices is not None and (not words or len(words) < len(getattr(choices, "items", ()))):
        line = body.line_of("choices")
        problems.add(line, f"'choices' of '{name.text}' is a list of different values, as [first, second]")


def _choices(body: Mapping) -> tuple[str, ...] | None:
    """Return the values that a parameter may have, None when it does not list them."""
    section = body.get("choices")
    if not isinstance(section, Sequence):
        return None
    return tuple(item.text for item in section.items if isinstance(item, Scalar))


def _number(text: str) -> Quantity | None:
    """Read a number or a span of time, weeks as days and years as months."""
    try:
        quantity = parse_quantity(text)
    except ValueError:
        return None
    assert isinstance(quantity, Quantity)
    unit, times = _SPANS.get(quantity.unit.removesuffix("s"), (quantity.unit, 1))
    return Quantity(quantity.value * times, unit)


def uses(text: str) -> tuple[str, ...]:
    """Return the names of the parameters that a text uses."""
    return tuple(_USE.findall(text))


class Substitution:
    """Fills `${name}` in the options of a leaf and remembers which parameters were used, and in which lines.

    `met` are the parameters with choices that came up since the last `assume`.
    """

    def __init__(self, declared: Dictionary[str, Parameter], problems: Problems) -> None:
        self._declared = declared
        self._problems = problems
        self._assumed: Dictionary[str, str] = {}
        self.met: dict[str, Parameter] = {}
        self.used: set[str] = set()
        self.used_in: dict[int, set[str]] = {}

    def assume(self, values: Dictionary[str, str]) -> None:
        """Take these values in place of those in force, from now on."""
        self._assumed, self.met = values, {}

    def fill(self, node: Node) -> Node | None:
        """Return the node with values in place of names; None where a parameter that is left open stands."""
        if isinstance(node, Scalar):
            return self._fill_text(node)
        if isinstance(node, Sequence):
            items = (self.fill(item) for item in node.items)
            return Sequence(tuple(item for item in items if item is not None), node.line)
        filled = [(key, value, self.fill(value)) for key, value in node.entries]
        for name in (name for _, value, kept in filled if kept is None for name in names_in(value)):
            # what is missed for want of it is told in the line of another word, or where the part begins
            for line in (node.line, *(key.line for key, _ in node.entries)):
                self.used_in.setdefault(line, set()).add(name)
        return Mapping(tuple((key, kept) for key, _, kept in filled if kept is not None), node.line)

    def declares(self, names: Iterable[str]) -> bool:
        """Return whether every one of the names is a declared parameter."""
        return all(name in self._declared for name in names)

    def parameter(self, name: str, line: int) -> Parameter | None:
        """Return a parameter that is used in a line, with the value that holds; None, noted, when there is none."""
        self.used.add(name)
        self.used_in.setdefault(line, set()).add(name)
        declared = self._declared.get(name)
        if declared is None:
            hint = nearest(name, self._declared)
            self._problems.add(line, f"the parameter '{name}' is not declared under 'parameters:'.{hint}")
            return None
        if declared.choices:
            self.met[name] = declared
        return replace(declared, value=self._assumed.get(name, declared.value))

    def _fill_text(self, node: Scalar) -> Scalar | None:
        text = node.text
        for name in uses(text):
            parameter = self.parameter(name, node.line)
            if parameter is None or parameter.value is None:
                return None
            text = text.replace(f"${{{name}}}", parameter.value)
        return Scalar(text, node.line)


def names_in(node: Node) -> tuple[str, ...]:
    """Return the parameters that a part of a rule uses, in the order of the file, each once."""
    if isinstance(node, Scalar):
        found: tuple[str, ...] = uses(node.text)
    elif isinstance(node, Sequence):
        found = tuple(name for item in node.items for name in names_in(item))
    else:
        found = tuple(name for _, value in node.entries for name in names_in(value))
    return tuple(dict.fromkeys(found))
