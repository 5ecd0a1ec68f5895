"""The FHIRPath functions of SQL on FHIR, each from a target value to a value."""

import re
from collections.abc import Callable
from dataclasses import replace

from cohortfinder.views.errors import ViewError, nearest
from cohortfinder.views.schema import DECIMAL, text
from cohortfinder.views.scope import Scope
from cohortfinder.views.syntax import Binary, Call, Member, Node, This
from cohortfinder.views.values import Value, exists, map_items, single

Compile = Callable[[Node, Scope], Value]
Function = Callable[[Value, Call, Scope, Compile], Value]
_ID = "[A-Za-z0-9.-]{1,64}"


def _take(node: Call, at_least: int, at_most: int) -> tuple[Node, ...]:
    if not at_least <= len(node.arguments) <= at_most:
        raise ViewError(f"{node.name}() does not take {len(node.arguments)} arguments", position=node.position)
    return node.arguments


def _condition(criterion: Node, item: Value, scope: Scope, compile_node: Compile) -> str:
    value = compile_node(criterion, replace(scope, focus=item))
    if value.kind != "boolean":
        raise ViewError(
            f"a condition must be boolean, not {value.fhir_type}", position=getattr(criterion, "position", 0)
        )
    return single(value)


def _where(target: Value, node: Call, scope: Scope, compile_node: Compile) -> Value:
    (criterion,) = _take(node, 1, 1)
    if target.choice is not None:
        raise ViewError(
            f"{target.choice.field} is a choice; write {target.choice.field}.ofType(...) first", position=node.position
        )
    if target.many:
        name = scope.names.fresh("v")
        item = replace(target, sql=name, many=False)
        condition = _condition(criterion, item, scope, compile_node)
        return replace(target, sql=f"list_filter({target.sql}, lambda {name}: {condition})")
    condition = _condition(criterion, target, scope, compile_node)
    if target.is_root:
        return Value(f"CASE WHEN {condition} THEN TRUE END", "boolean")
    return replace(target, sql=f"CASE WHEN {condition} THEN {target.sql} END")


def _alternatives(target: Value, scope: Scope) -> list[Value]:
    """Return the typed values of a choice, or the value itself."""
    if target.choice is None:
        return [target]
    return [_typed(target, name, scope, 0) for name in target.choice.types]


def _exists(target: Value, node: Call, scope: Scope, compile_node: Compile) -> Value:
    if _take(node, 0, 1):
        target = _where(target, node, scope, compile_node)
    if target.is_root and target.choice is None:
        return Value("TRUE", "boolean")
    found = [exists(value) for value in _alternatives(target, scope)]
    return Value(f"({' OR '.join(found)})", "boolean")


def _empty(target: Value, node: Call, scope: Scope, compile_node: Compile) -> Value:
    _take(node, 0, 0)
    return Value(f"(NOT {_exists(target, node, scope, compile_node).sql})", "boolean")


def _not(target: Value, node: Call, scope: Scope, compile_node: Compile) -> Value:
    _take(node, 0, 0)
    if target.kind != "boolean":
        raise ViewError(f"not() needs a boolean, not {target.fhir_type}", position=node.position)
    return Value(f"(NOT {single(target)})", "boolean")


def _pick(index: str) -> Function:
    def pick(target: Value, node: Call, scope: Scope, compile_node: Compile) -> Value:
        _take(node, 0, 0)
        return replace(target, sql=f"{target.sql}[{index}]", many=False) if target.many else target

    return pick


def _count(target: Value, node: Call, scope: Scope, compile_node: Compile) -> Value:
    _take(node, 0, 0)
    if target.many:
        return Value(f"CAST(coalesce(len({target.sql}), 0) AS INTEGER)", "integer")
    return Value(f"CAST({exists(target)} AS INTEGER)", "integer")


def _join(target: Value, node: Call, scope: Scope, compile_node: Compile) -> Value:
    arguments = _take(node, 0, 1)
    separator = compile_node(arguments[0], scope).sql if arguments else "''"
    if not target.many:
        return target
    return Value(f"nullif(array_to_string({target.sql}, {separator}), '')", "string")


def _iif(target: Value, node: Call, scope: Scope, compile_node: Compile) -> Value:
    condition, *results = _take(node, 2, 3)
    test = _condition(condition, target, scope, compile_node)
    values = [compile_node(result, scope) for result in results]
    if any(value.many or value.kind == "object" for value in values):
        raise ViewError("iif() gives single primitive values only", position=node.position)
    otherwise = values[1].sql if len(values) > 1 else "NULL"
    return Value(f"CASE WHEN {test} THEN {values[0].sql} ELSE {otherwise} END", values[0].fhir_type)


def _typed(target: Value, name: str, scope: Scope, position: int) -> Value:
    choice = target.choice
    if choice is None:
        if name not in (target.fhir_type, target.context):
            raise ViewError(f"ofType({name}) never holds: the type is {target.fhir_type}", position=position)
        return target
    if name not in choice.types:
        options = ", ".join(choice.types)
        hint = f"; it is one of {options}{nearest(name, choice.types)}"
        raise ViewError(f"{choice.field} has no type {name}{hint}", position=position)
    field = f"{choice.field}{name[0].upper()}{name[1:]}"
    return scope.read(replace(target, choice=None), choice, field, choice.types.index(name))


def _type_name(argument: Node) -> str:
    if isinstance(argument, Member) and isinstance(argument.target, This | Member):
        return argument.name
    raise ViewError("a type name is expected", position=getattr(argument, "position", 0))


def _of_type(target: Value, node: Call, scope: Scope, compile_node: Compile) -> Value:
    (argument,) = _take(node, 1, 1)
    return _typed(target, _type_name(argument), scope, node.position)


def _extension(target: Value, node: Call, scope: Scope, compile_node: Compile) -> Value:
    (url,) = _take(node, 1, 1)
    here = node.position
    same = Binary("=", Member(This(here), "url", here), url, here)
    all_extensions = scope.step(target, "extension", here)
    return _where(all_extensions, replace(node, arguments=(same,)), scope, compile_node)


def _resource_key(target: Value, node: Call, scope: Scope, compile_node: Compile) -> Value:
    _take(node, 0, 0)
    return scope.step(scope.root, "id", node.position)


def _reference_key(target: Value, node: Call, scope: Scope, compile_node: Compile) -> Value:
    arguments = _take(node, 0, 1)
    if target.context != "Reference":
        message = f"getReferenceKey() needs a Reference, not {target.fhir_type}"
        raise ViewError(message, position=node.position)
    name = _type_name(arguments[0]) if arguments else ""
    if name and not scope.elements.is_resource(name):
        raise ViewError(f"{name} is not a resource type", position=node.position)

    def key(item: Value) -> Value:
        reference = scope.step(item, "reference", node.position).sql
        pattern = f"(?:^|/){name or '[A-Z][A-Za-z]+'}/({_ID})(?:/_history/{_ID})?$"
        slow = f"nullif(regexp_extract({reference}, {text(pattern)}, 1), '')"
        return Value(_plain_key(reference, name, slow) if name else slow, "id")

    return map_items(target, scope.names, key)


def _plain_key(reference: str, name: str, slow: str) -> str:
    """Return the key without a regular expression for the usual `Type/id`."""
    plain = f"starts_with({reference}, {text(name + '/')}) AND NOT contains({reference}, '/_history/')"
    return f"CASE WHEN {plain} THEN nullif(substr({reference}, {len(name) + 2}), '') ELSE {slow} END"


def _boundary(low: bool) -> Function:
    def boundary(target: Value, node: Call, scope: Scope, compile_node: Compile) -> Value:
        _take(node, 0, 0)
        if target.fhir_type == "decimal":
            digits = _digits_sent(target, _field_of(node.target, node.position), scope)
            return replace(target, sql=_decimal_boundary(single(target), digits, low), many=False)
        make = _BOUNDARIES.get(target.fhir_type)
        if make is None:
            message = f"{node.name}() of {target.fhir_type} is not supported"
            raise ViewError(message, position=node.position)
        return map_items(target, scope.names, lambda item: replace(item, sql=make(item.sql, low)))

    return boundary


def _field_of(node: Node, position: int) -> str:
    """Return the JSON field that a path ends in."""
    if isinstance(node, Member):
        return node.name
    if isinstance(node, Call) and node.name == "ofType" and isinstance(node.target, Member):
        name = _type_name(node.arguments[0])
        return f"{node.target.name}{name[0].upper()}{name[1:]}"
    raise ViewError("the boundary of a decimal needs a path that ends in an element", position=position)


def _digits_sent(target: Value, field: str, scope: Scope) -> str:
    """Return the SQL of how many decimals a number was sent with.

    DuckDB reads JSON numbers through doubles, so that 1.00 becomes 1.0; the digits are only in the text of the
    resource. Of several spellings of the same number in one resource the shortest counts: its bounds are the widest.
    """
    number = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
    pattern = text(f'"{re.escape(field)}"\\s*:\\s*({number})\\s*[,}}\\]]')
    sent, one = f"regexp_extract_all({scope.raw.sql()}, {pattern}, 1)", scope.names.fresh("v")
    same = f"list_filter({sent}, lambda {one}: TRY_CAST({one} AS {DECIMAL}) = {single(target)})"
    return f"list_min(list_transform({same}, lambda {one}: {_decimals(one)}))"


def _decimals(number: str) -> str:
    # 1.20E2 is 120: the exponent moves the point
    mantissa, exponent = f"split_part(lower({number}), 'e', 1)", f"split_part(lower({number}), 'e', 2)"
    return f"length(split_part({mantissa}, '.', 2)) - coalesce(TRY_CAST({exponent} AS INTEGER), 0)"


def _decimal_boundary(value: str, digits: str, low: bool) -> str:
    """Half a unit of the last place below or above, as FHIRPath has it; Source: https://hl7.org/fhirpath/#lowboundary."""
    half = f"CAST(5 * pow(10::DOUBLE, -1 - {digits}) AS {DECIMAL})"
    return f"CAST({value} {'-' if low else '+'} {half} AS {DECIMAL})"


def _date_boundary(sql: str, low: bool) -> str:
    year = f"{sql} || '{'-01-01' if low else '-12-31'}'"
    month = f"{sql} || '-01'" if low else f"CAST(last_day(TRY_CAST({sql} || '-01' AS DATE)) AS VARCHAR)"
    return f"CASE length({sql}) WHEN 4 THEN {year} WHEN 7 THEN {month} ELSE {sql} END"


def _time_boundary(sql: str, low: bool) -> str:
    rest = ":00.000" if low else ":59.999"
    fraction = rest[3:]
    return f"CASE length({sql}) WHEN 5 THEN {sql} || '{rest}' WHEN 8 THEN {sql} || '{fraction}' ELSE {sql} END"


def _datetime_boundary(sql: str, low: bool) -> str:
    day = _date_boundary(sql, low)
    rest = "T00:00:00.000+14:00" if low else "T23:59:59.999-12:00"
    return f"CASE WHEN contains({sql}, 'T') THEN {sql} ELSE ({day}) || '{rest}' END"


_BOUNDARIES: dict[str, Callable[[str, bool], str]] = {
    "date": _date_boundary,
    "dateTime": _datetime_boundary,
    "time": _time_boundary,
}

FUNCTIONS: dict[str, Function] = {
    "where": _where,
    "exists": _exists,
    "empty": _empty,
    "not": _not,
    "first": _pick("1"),
    "last": _pick("-1"),
    "count": _count,
    "join": _join,
    "iif": _iif,
    "ofType": _of_type,
    "extension": _extension,
    "getResourceKey": _resource_key,
    "getReferenceKey": _reference_key,
    "lowBoundary": _boundary(True),
    "highBoundary": _boundary(False),
}
