"""FHIRPath text to a syntax tree, for the subset that SQL on FHIR uses.

Source: https://sql-on-fhir.org/ig/latest/StructureDefinition-ViewDefinition.html (supported FHIRPath),
https://hl7.org/fhirpath/N1/ (grammar and precedence).
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from cohortfinder.views.errors import ViewError


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, number or boolean; `fhir_type` is the type that it has in a comparison."""

    value: str | int | Decimal | bool
    fhir_type: str
    position: int = 0


@dataclass(frozen=True, slots=True)
class Empty:
    """The empty collection `{}`."""

    position: int


@dataclass(frozen=True, slots=True)
class This:
    """The focus: `$this`, or what a path starts from."""

    position: int


@dataclass(frozen=True, slots=True)
class Variable:
    """A constant of the view, or `%rowIndex`."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Member:
    """The elements of a name in `target`."""

    target: "Node"
    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function applied to `target`."""

    target: "Node"
    name: str
    arguments: tuple["Node", ...]
    position: int


@dataclass(frozen=True, slots=True)
class Index:
    """The item at an index (from 0)."""

    target: "Node"
    index: "Node"
    position: int


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and an operator."""

    operator: str
    left: "Node"
    right: "Node"
    position: int


@dataclass(frozen=True, slots=True)
class Negative:
    """A number with its sign changed."""

    operand: "Node"
    position: int


Node = Literal | Empty | This | Variable | Member | Call | Index | Binary | Negative

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
      | (?P<date>@[0-9T][0-9T:.+\-Z]*)
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<string>'(?:[^'\\]|\\.)*')
      | (?P<quoted>`[^`]+`)
      | (?P<variable>%(?:[A-Za-z_]\w*|'[^']*'|`[^`]*`))
      | (?P<this>\$this)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<symbol><=|>=|!=|[=<>+\-*/&|.()\[\]{},])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
_PRECEDENCE = {
    "or": 1, "xor": 1, "and": 2, "=": 4, "!=": 4, "<": 5, ">": 5, "<=": 5, ">=": 5,
    "|": 6, "+": 7, "-": 7, "&": 7, "*": 8, "/": 8, "div": 8, "mod": 8,
}  # fmt: skip
_POSTFIX = 10


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text with its kind and position."""

    kind: str
    text: str
    position: int


def tokens(text: str) -> list[Token]:
    """Cut a FHIRPath text into tokens. Raises ViewError at the first character that fits nowhere."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ViewError(f"unexpected {text[position]!r}", position=position)
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), position))
        position = match.end()
    return [*found, Token("end", "", len(text))]


def parse(text: str) -> Node:
    """Parse a FHIRPath expression. Raises ViewError with the position of what was not expected."""
    parser = _Parser(tokens(text))
    tree = parser.expression(0)
    if parser.current.kind != "end":
        raise parser.unexpected()
    return tree


class _Parser:
    """A Pratt parser: each operator binds as tight as its precedence says."""

    def __init__(self, items: list[Token]) -> None:
        self._items = items
        self._at = 0

    @property
    def current(self) -> Token:
        return self._items[self._at]

    def unexpected(self, expected: str = "") -> ViewError:
        token = self.current
        what = "the expression ends too early" if token.kind == "end" else f"unexpected {token.text!r}"
        return ViewError(what + (f", expected {expected}" if expected else ""), position=token.position)

    def advance(self) -> Token:
        token = self.current
        self._at += 1
        return token

    def expect(self, symbol: str) -> None:
        if self.current.text != symbol or self.current.kind != "symbol":
            raise self.unexpected(repr(symbol))
        self.advance()

    def expression(self, binding: int) -> Node:
        left = self._prefix()
        while True:
            token = self.current
            if token.kind == "symbol" and token.text in (".", "["):
                left = self._postfix(left)
                continue
            precedence = _PRECEDENCE.get(token.text, 0) if token.kind in ("symbol", "name") else 0
            if precedence == 0 or precedence <= binding:
                return left
            self.advance()
            left = Binary(token.text, left, self.expression(precedence), token.position)

    def _postfix(self, left: Node) -> Node:
        token = self.advance()
        if token.text == "[":
            index = self.expression(0)
            self.expect("]")
            return Index(left, index, token.position)
        return self._invocation(left)

    def _invocation(self, target: Node) -> Node:
        token = self.advance()
        if token.kind not in ("name", "quoted"):
            self._at -= 1
            raise self.unexpected("a name")
        if token.kind == "name" and self.current.text == "(":
            return Call(target, token.text, self._arguments(), token.position)
        return Member(target, token.text.strip("`"), token.position)

    def _arguments(self) -> tuple[Node, ...]:
        self.expect("(")
        found: list[Node] = []
        while self.current.text != ")":
            found.append(self.expression(0))
            if self.current.text != ")":
                self.expect(",")
        self.advance()
        return tuple(found)

    def _prefix(self) -> Node:
        token = self.current
        if token.kind == "symbol":
            return self._symbol(token)
        if token.kind in ("quoted", "name") and token.text not in ("true", "false"):
            return self._invocation(This(token.position))
        if token.kind == "end":
            raise self.unexpected()
        self.advance()
        return _atom(token)

    def _symbol(self, token: Token) -> Node:
        if token.text not in ("(", "-", "+", "{"):
            raise self.unexpected()
        self.advance()
        if token.text == "(":
            inner = self.expression(0)
            self.expect(")")
            return inner
        if token.text == "{":
            self.expect("}")
            return Empty(token.position)
        operand = self.expression(_POSTFIX)
        return operand if token.text == "+" else Negative(operand, token.position)


def _atom(token: Token) -> Node:
    text, at = token.text, token.position
    if token.kind == "number":
        return Literal(Decimal(text), "decimal", at) if "." in text else Literal(int(text), "integer", at)
    if token.kind == "string":
        return Literal(_unescape(text[1:-1]), "string", at)
    if token.kind == "date":
        kind = "time" if text.startswith("@T") else "dateTime" if "T" in text else "date"
        return Literal(text[1:].removeprefix("T").removesuffix("T"), kind, at)
    if token.kind == "variable":
        return Variable(text[1:].strip("'`"), at)
    return This(at) if token.kind == "this" else Literal(text == "true", "boolean", at)


def _unescape(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        code = match.group(1)
        return chr(int(code[1:], 16)) if len(code) == 5 else _ESCAPES.get(code, code)

    return re.sub(r"\\(u[0-9A-Fa-f]{4}|.)", character, text, flags=re.DOTALL)
