"""What a parameter chooses: the branch of `by_parameter` that holds, and the other readings of a criterion."""

from collections import deque
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Dictionary

from cohortfinder.model import Criterion, Parameter, Reading
from cohortfinder.trials.document import Mapping, Node, Scalar
from cohortfinder.trials.parameters import Substitution
from cohortfinder.trials.problems import Problems, nearest

WORD = "by_parameter"
LEFT_OUT = "none"
# of a criterion; those that differ in one parameter come first
_MOST_READINGS = 64


def is_choice(node: Node) -> bool:
    """Return whether a parameter chooses the rule that stands here."""
    return isinstance(node, Mapping) and node.keys == (WORD,)


def branch_of(node: Mapping, fill: Substitution, problems: Problems) -> Node | None:
    """Return the branch that the value in force chooses; None, with the problems noted, when it cannot be told."""
    section = node.get(WORD)
    if not isinstance(section, Mapping) or len(section.entries) != 1:
        problems.add(node.line_of(WORD), f"'{WORD}' holds one parameter, with a rule for each value it may have")
        return None
    ((name, branches),) = section.entries
    parameter = fill.parameter(name.text, name.line)
    if parameter is None or not _is_complete(name, parameter, branches, problems):
        return None
    assert isinstance(branches, Mapping)  # else it is not complete
    return branches.get(parameter.value or "")


def _is_complete(name: Scalar, parameter: Parameter, branches: Node, problems: Problems) -> bool:
    """Note what is wrong with the branches; every value of the parameter must have one."""
    if not parameter.choices:
        problems.add(name.line, f"the parameter '{name.text}' has no 'choices'; list the values that choose a rule")
    elif not isinstance(branches, Mapping):
        problems.add(name.line, f"'{name.text}' needs a rule for each of its values: {', '.join(parameter.choices)}")
    elif parameter.value is None:
        problems.add(name.line, f"'{name.text}' is left open, so it chooses no rule; give it one of its choices")
    else:
        for key, _ in branches.entries:
            if key.text not in parameter.choices:
                hint = nearest(key.text, parameter.choices)
                problems.add(key.line, f"'{key.text}' is no choice of the parameter '{name.text}'.{hint}")
        for value in parameter.choices:
            if value not in branches.keys:
                problems.add(name.line, f"no rule holds when '{name.text}' is '{value}'; write it, or '{value}: none'")
        return parameter.value in branches.keys
    return False


def readings_of(met: Dictionary[str, Parameter]) -> tuple[Reading, ...]:
    """Return the choices that were made in a criterion."""
    return tuple(Reading(one.name, one.value, _others(one)) for one in met.values())


def other_readings(
    fill: Substitution, met: Dictionary[str, Parameter], read: Callable[[Dictionary[str, str]], Criterion]
) -> Iterator[Criterion]:
    """Read a criterion again for each combination of the other values, which `read` is told.

    A value may lead to parameters that did not come up before.
    """
    waiting: deque[tuple[dict[str, str], Dictionary[str, Parameter]]] = deque([({}, met)])
    seen: set[frozenset[tuple[str, str]]] = set()
    while waiting and len(seen) < _MOST_READINGS:
        before, came_up = waiting.popleft()
        for name, value in [(one.name, value) for one in came_up.values() for value in _others(one)]:
            assumed = {**before, name: value}
            if name in before or frozenset(assumed.items()) in seen or len(seen) >= _MOST_READINGS:
                continue
            seen.add(frozenset(assumed.items()))
            fill.assume(assumed)
            yield read(assumed)
            waiting.append((assumed, fill.met))
    fill.assume({})


def _others(parameter: Parameter) -> tuple[str, ...]:
    return tuple(value for value in parameter.choices if value != parameter.value)
