"""One leaf of a rule, as written, to the frozen question of its kind."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from cohortfinder.criteria.question import Question
from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.trials.document import Mapping, Node, line_at, plain
from cohortfinder.trials.problems import Problems, nearest

# how a word is written, where it is written otherwise
_SHAPES = {
    "string_type": "is one word",
    "tuple_type": "is one word or a list, as [first, second]",
    "model_type": "holds words in braces, as {word: value}",
    "too_long": "has too many items",
    "too_short": "has too few items",
    "missing_argument": "has too few items",
}

COMBINATIONS = ("all", "any", "not", "need", "of", "rule", "by_parameter")


def option_names(kind: str) -> tuple[str, ...]:
    """Return the words that a leaf of this kind may hold, as written in a trial file."""
    model = LEAF_KINDS[kind]
    return tuple(name for name in _field_names(model) if model.hears_silence or name != "absence")


def _field_names(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(info.alias or name for name, info in model.model_fields.items())


def build_question(kind: str, options: Mapping, problems: Problems) -> Question | None:
    """Build the question; None, with the problems noted, when an option is wrong."""
    try:
        return LEAF_KINDS[kind].model_validate(plain(options))
    except ValidationError as error:
        for detail in error.errors():
            _note(kind, options, dict(detail), problems)
        return None


def _note(kind: str, options: Mapping, detail: dict[str, Any], problems: Problems) -> None:
    path = tuple(detail["loc"])
    line = line_at(options, path) if path else options.line_of(kind)
    word = str(path[-1]) if path else kind
    problems.add(line, _sentence(kind, word, path, detail))


def _sentence(kind: str, word: str, path: tuple[Any, ...], detail: dict[str, Any]) -> str:
    what = detail["type"]
    if what == "extra_forbidden":
        known = option_names(kind) if len(path) == 1 else _names_below(kind, path)
        owner = path[0] if len(path) > 1 else kind
        return f"'{word}' is no option of '{owner}'.{nearest(word, known) or _listed(known)}"
    if what == "missing":
        return f"'{kind}' needs '{word}'"
    if what == "value_error":
        return f"'{word}': {detail['ctx']['error']}"
    if what == "literal_error":
        expected = str(detail["ctx"]["expected"])
        return f"{detail['input']!r} is not possible for '{word}'; write {expected}"
    if what in _SHAPES:
        return f"'{word}' {_SHAPES[what]}"
    return f"'{word}' is not written as '{kind}' expects it ({detail['msg']})"


def _names_below(kind: str, path: Iterable[Any]) -> tuple[str, ...]:
    field = LEAF_KINDS[kind].model_fields.get(str(next(iter(path))))
    models = _models_in(field.annotation) if field is not None else []
    return tuple(name for model in models for name in _field_names(model))


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]


def _listed(words: Iterable[str]) -> str:
    return f" It may hold: {', '.join(words)}."


def kinds_in(node: Node) -> tuple[str, ...]:
    """Return the leaf-kind words among the keys of a mapping."""
    return tuple(key for key in node.keys if key in LEAF_KINDS) if isinstance(node, Mapping) else ()
