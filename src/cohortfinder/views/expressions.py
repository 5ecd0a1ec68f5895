"""A FHIRPath syntax tree to typed SQL."""

from dataclasses import replace
from decimal import Decimal

from cohortfinder.views.errors import ViewError, nearest
from cohortfinder.views.functions import FUNCTIONS
from cohortfinder.views.schema import DECIMAL, text
from cohortfinder.views.scope import Scope
from cohortfinder.views.syntax import (
    Binary,
    Call,
    Empty,
    Index,
    Literal,
    Member,
    Negative,
    Node,
    This,
    Variable,
)
from cohortfinder.views.values import Value, single

_COMPARISONS = {"=": "=", "!=": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_ARITHMETIC = frozenset({"+", "-", "*", "/", "div", "mod"})


def compile_node(node: Node, scope: Scope) -> Value:
    """Compile an expression in a scope. Raises ViewError with the position of what is not known."""
    match node:
        case Literal():
            return literal(node)
        case This():
            return scope.focus
        case Empty():
            return Value("NULL", "string")
        case Variable():
            return _variable(node, scope)
        case Member():
            return scope.step(compile_node(node.target, scope), node.name, node.position)
        case Call():
            return _call(node, scope)
        case Index():
            return _index(node, scope)
        case Negative():
            operand = compile_node(node.operand, scope)
            _require(operand, "number", "-", node.position)
            return Value(f"(-{single(operand)})", operand.fhir_type)
        case Binary():
            return _binary(node, scope)


def literal(node: Literal) -> Value:
    """Return a literal as SQL text; strings are quoted, numbers are checked by their Python type."""
    value = node.value
    if isinstance(value, bool):
        return Value("TRUE" if value else "FALSE", "boolean")
    if isinstance(value, Decimal):
        return Value(f"CAST({text(format(value, 'f'))} AS {DECIMAL})", "decimal")
    return Value(str(value) if isinstance(value, int) else text(value), node.fhir_type)


def _variable(node: Variable, scope: Scope) -> Value:
    if node.name == "rowIndex":
        return Value(scope.row_index(), "integer")
    if node.name in ("resource", "context", "rootResource"):
        return scope.root
    constant = scope.constants.get(node.name)
    if constant is None:
        known = ", ".join(sorted(scope.constants)) or "none"
        raise ViewError(f"unknown constant %{node.name}; the view defines: {known}", position=node.position)
    return literal(constant)


def _call(node: Call, scope: Scope) -> Value:
    function = FUNCTIONS.get(node.name)
    if function is None:
        known = ", ".join(sorted(FUNCTIONS))
        hint = f"; known are {known}{nearest(node.name, FUNCTIONS)}"
        raise ViewError(f"unknown function {node.name}(){hint}", position=node.position)
    target = compile_node(node.target, scope)
    return function(target, node, scope, compile_node)


def _index(node: Index, scope: Scope) -> Value:
    target, index = compile_node(node.target, scope), compile_node(node.index, scope)
    _require(index, "number", "[]", node.position)
    if not target.many:
        return replace(target, sql=f"CASE WHEN {index.sql} = 0 THEN {target.sql} END", is_root=False)
    return replace(target, sql=f"{target.sql}[{index.sql} + 1]", many=False)


def _binary(node: Binary, scope: Scope) -> Value:
    left, right = compile_node(node.left, scope), compile_node(node.right, scope)
    operator = node.operator
    if operator in ("and", "or"):
        _require(left, "boolean", operator, node.position)
        _require(right, "boolean", operator, node.position)
        return Value(f"({single(left)} {operator.upper()} {single(right)})", "boolean")
    if operator in _COMPARISONS:
        return _compare(node, left, right)
    if operator == "&":
        return Value(f"(coalesce({single(left)}, '') || coalesce({single(right)}, ''))", "string")
    if operator == "+" and left.kind == right.kind == "text":
        return Value(f"({single(left)} || {single(right)})", "string")
    if operator in _ARITHMETIC:
        return _calculate(node, left, right)
    raise ViewError(f"operator {operator!r} is not supported", position=node.position)


def _compare(node: Binary, left: Value, right: Value) -> Value:
    if left.sql == "NULL" or right.sql == "NULL":
        return Value("CAST(NULL AS BOOLEAN)", "boolean")
    if left.kind != right.kind or left.kind == "object":
        message = f"cannot compare {left.fhir_type} with {right.fhir_type}"
        raise ViewError(message, position=node.position)
    sql = f"({single(left)} {_COMPARISONS[node.operator]} {single(right)})"
    counted = [value.sql for value in (left, right) if value.many]
    if counted and node.operator in ("=", "!="):
        # FHIRPath: collections of different length are not equal.
        uneven = " OR ".join(f"len({item}) > 1" for item in counted)
        sql = f"CASE WHEN {uneven} THEN {'FALSE' if node.operator == '=' else 'TRUE'} ELSE {sql} END"
    return Value(sql, "boolean")


def _calculate(node: Binary, left: Value, right: Value) -> Value:
    for operand in (left, right):
        _require(operand, "number", node.operator, node.position)
    a, b = single(left), single(right)
    whole = left.fhir_type != "decimal" and right.fhir_type != "decimal"
    if node.operator in ("div", "mod"):
        sign = "//" if node.operator == "div" else "%"
        return Value(f"({a} {sign} nullif({b}, 0))", "integer" if whole else "decimal")
    if node.operator == "/":
        return Value(f"TRY_CAST(CAST({a} AS DOUBLE) / nullif({b}, 0) AS {DECIMAL})", "decimal")
    if node.operator == "*" and not whole:
        # A product of two DECIMAL(28,10) can exceed DuckDB's 38 digits.
        return Value(f"TRY_CAST(CAST({a} AS DOUBLE) * {b} AS {DECIMAL})", "decimal")
    return Value(f"({a} {node.operator} {b})", "integer" if whole else "decimal")


def _require(value: Value, kind: str, operator: str, position: int) -> None:
    if value.kind != kind and value.sql != "NULL":
        raise ViewError(f"{operator!r} needs a {kind}, not {value.fhir_type}", position=position)
