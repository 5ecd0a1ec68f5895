"""Values of a JSON text together with the characters they were written as, so that 0.010 stays 0.010."""

import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import orjson

_SPACE = re.compile(r"[ \t\r\n]*")
_LINE_BREAK = re.compile(r"\s*[\r\n]\s*")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def skip_space(text: str, position: int) -> int:
    """Return the position of the next character that is no white space."""
    found = _SPACE.match(text, position)
    return found.end() if found else position


def value_at(text: str, position: int) -> tuple[Any, int]:
    """Decode the value that starts at `position`; return it and where it ends. Raises ValueError."""
    try:
        return _DECODER.raw_decode(text, position)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


class Members(dict[str, Any]):
    """A JSON object that knows which of its keys stood there more than once."""

    def __init__(self, members: list[tuple[str, Any]]) -> None:
        super().__init__(members)
        counted = Counter(key for key, _ in members) if len(members) > len(self) else Counter()
        self.doubled = frozenset(key for key, times in counted.items() if times > 1)


def has_duplicate_key(raw: bytes, parsed: Any) -> bool:
    """Say whether a key stands twice in one object of a JSON text, of which `parsed` is the usual parsed form.

    Parsing keeps one of two equal keys: then the text has more quotation marks than what was kept. Only where a
    quotation mark is written as its code is the text read once more.
    """
    if b"\\u0022" not in raw:
        with suppress(TypeError):  # a number beyond 64 bits, half of a surrogate pair
            return orjson.dumps(parsed).count(b'"') != raw.count(b'"')
    found: list[bool] = []
    json.loads(raw, object_pairs_hook=lambda members: found.append(bool(Members(members).doubled)))
    return any(found)


def walk_object(text: str, position: int, visit: Callable[[str, int], int]) -> int:
    """Call `visit(key, start)` for each member of the object at `position`; it returns where the value ends.

    Returns the end of the object. Raises ValueError when the text is not a JSON object.
    """
    position = _open(text, position, "{")
    while text[position : position + 1] != "}":
        key, position = value_at(text, position)
        if not isinstance(key, str):
            raise ValueError("a key is not a string")
        position = visit(key, _expect(text, position, ":"))
        position = _next(text, position, "}")
    return position + 1


def walk_array(text: str, position: int, visit: Callable[[int], int]) -> int:
    """Call `visit(start)` for each element of the array at `position`; it returns where the element ends."""
    position = _open(text, position, "[")
    while text[position : position + 1] != "]":
        position = visit(position)
        position = _next(text, position, "]")
    return position + 1


def one_line(text: str) -> str:
    """Put a JSON text on one line. A line break never stands inside a JSON string, so only layout is lost."""
    return _LINE_BREAK.sub("", text) if "\n" in text or "\r" in text else text


def _open(text: str, position: int, bracket: str) -> int:
    return _expect(text, skip_space(text, position), bracket)


def _expect(text: str, position: int, character: str) -> int:
    position = skip_space(text, position)
    if text[position : position + 1] != character:
        raise ValueError(f"expected {character!r}")
    return skip_space(text, position + 1)


def _next(text: str, position: int, closing: str) -> int:
    position = skip_space(text, position)
    if text[position : position + 1] == closing:
        return position
    return _expect(text, position, ",")
