"""The selects of a view to stages of rows and SQL of columns."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from cohortfinder.views.definition import ColumnDefinition, Select
from cohortfinder.views.errors import UnknownElementError, ViewError
from cohortfinder.views.expressions import compile_node
from cohortfinder.views.json_items import JsonItems, json_items
from cohortfinder.views.rows import Chain, JsonStage, RepeatStage, Stage
from cohortfinder.views.schema import Shape, sql_type
from cohortfinder.views.scope import Scope
from cohortfinder.views.syntax import Call, Index, Member, Node, This, Variable, parse
from cohortfinder.views.values import Value, single

Guard = Callable[[], str] | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a compiled view."""

    name: str
    sql_type: str


@dataclass(frozen=True, slots=True)
class Output:
    """A column with the SQL that fills it."""

    column: Column
    sql: str


def compile_path(path: str, scope: Scope, where: str) -> tuple[Node, Value]:
    """Parse and compile a path. Raises ViewError with the place in the view."""
    try:
        tree = parse(path)
        return tree, compile_node(tree, scope)
    except ViewError as error:
        raise error.within(where=where, path=path) from None


def compile_select(select: Select, scope: Scope, chain: Chain, guard: Guard) -> list[Output]:
    """Add the stages of a select to the chain; return its columns: own, nested, then those of the union."""
    if select.iteration == "repeat":
        scope, guard = _repeat(select, scope, chain, guard)
    elif select.iteration and select.repeats:
        scope, guard = _iterate_json(select, scope, chain, guard)
    elif select.iteration:
        scope, guard = _iterate(select, scope, chain, guard)
    outputs = [_column(column, scope, guard) for column in select.columns]
    for inner in select.selects:
        outputs += compile_select(inner, scope, chain, guard)
    if select.unions:
        outputs += _union(select.unions, scope, chain, guard)
    return outputs


def _iterate(select: Select, scope: Scope, chain: Chain, guard: Guard) -> tuple[Scope, Guard]:
    path, or_null = select.paths[0], select.iteration == "forEachOrNull"
    _, value = compile_path(path, scope, select.iteration)
    if value.choice is not None or value.is_root:
        raise ViewError("needs a path to elements of one type", where=select.iteration, path=path)
    items = value.sql if value.many else _listed(value.sql)
    item, index = scope.names.fresh("x"), scope.names.fresh("i")
    stage = chain.add(Stage(items, item, index, guard, or_null))
    focus = replace(value, sql=item, many=False)
    inner = stage.present if or_null or guard else None
    return replace(scope, focus=focus, row_index=stage.row_index), inner


def _iterate_json(select: Select, scope: Scope, chain: Chain, guard: Guard) -> tuple[Scope, Guard]:
    """Go through elements as JSON, because a repeat below needs their text."""
    items = json_items(select.paths[0], scope, select.iteration)
    or_null = select.iteration == "forEachOrNull"
    names = scope.names
    stage = chain.add(
        JsonStage(
            items.sql, names.fresh("x"), names.fresh("i"), guard, or_null,
            raw=names.fresh("j"),
        )
    )  # fmt: skip
    return _inside(stage, items, scope), stage.present if or_null or guard else None


def _repeat(select: Select, scope: Scope, chain: Chain, guard: Guard) -> tuple[Scope, Guard]:
    """Go through the elements of the paths and, by the same paths, all that is below them."""
    names = scope.names
    item, raw = names.fresh("x"), names.fresh("j")
    first = _of_one_type(select.paths, scope)
    inner = replace(scope, focus=Value(item, first[0].fhir_type, context=first[0].context, shape=Shape(), raw=raw))
    below = [found for path in select.paths if (found := _items_or_none(path, inner))]
    if any(found.context != first[0].context for found in below):
        raise ViewError("the paths lead to elements of different types", where="repeat", path=select.paths[0])
    stage = chain.add(
        RepeatStage(
            _concatenated(first), item, names.fresh("i"), guard, raw=raw,
            children=_concatenated(below), row=names.fresh("r"), path=names.fresh("p"), walk=names.fresh("w"),
        )
    )  # fmt: skip
    return _inside(stage, first[0], scope), stage.present if guard else None


def _of_one_type(paths: tuple[str, ...], scope: Scope) -> list[JsonItems]:
    """Return the elements of those paths that exist here; one that does not may exist further down.

    A view for several resource types may name an element that this type lacks: that gives no rows.
    """
    found = [items for path in paths if (items := _items_or_none(path, scope))]
    if not found:
        element = scope.elements.elsewhere(paths[0].rpartition(".")[2])
        if element is None:
            json_items(paths[0], scope, "repeat")
            return []
        return [JsonItems("CAST([] AS JSON[])", element.types[0], element.contexts[0])]
    if any(items.context != found[0].context for items in found):
        raise ViewError("the paths lead to elements of different types", where="repeat", path=paths[0])
    return found


def _items_or_none(path: str, scope: Scope) -> JsonItems | None:
    try:
        return json_items(path, scope, "repeat")
    except UnknownElementError:
        return None


def _concatenated(items: list[JsonItems]) -> str:
    return " || ".join(one.sql for one in items)


def _inside(stage: JsonStage, items: JsonItems, scope: Scope) -> Scope:
    focus = Value(stage.item, items.fhir_type, context=items.context, shape=stage.shape, raw=stage.raw)
    return replace(scope, focus=focus, row_index=stage.row_index)


def _union(unions: tuple[Select, ...], scope: Scope, chain: Chain, guard: Guard) -> list[Output]:
    branch = scope.names.fresh("b")
    numbers = ", ".join(str(number) for number in range(len(unions)))
    chain.add(Stage(f"[{numbers}]", branch, scope.names.fresh("i"), guard))
    branches = [
        compile_select(union, scope, chain, lambda number=number: f"{branch} = {number}")  # type: ignore[misc]
        for number, union in enumerate(unions)
    ]
    first = [output.column for output in branches[0]]
    for outputs in branches[1:]:
        if [output.column.name for output in outputs] != [column.name for column in first]:
            raise ViewError("the branches need the same columns in the same order", where="unionAll")
    return [
        Output(column, f"CASE {branch} {_whens([outputs[at].sql for outputs in branches])} END")
        for at, column in enumerate(first)
    ]


def _whens(expressions: list[str]) -> str:
    return " ".join(f"WHEN {number} THEN {sql}" for number, sql in enumerate(expressions))


def _column(definition: ColumnDefinition, scope: Scope, guard: Guard) -> Output:
    where = f"column {definition.name!r}"
    tree, value = compile_path(definition.path, scope, where)
    if value.kind == "object" or value.is_root:
        message = f"gives {value.fhir_type}, not a primitive value; go on to one of its elements"
        if value.choice:
            message = f"is a choice; write {value.choice.field}.ofType(...)"
        raise ViewError(message, where=where, path=definition.path)
    wanted = sql_type(definition.fhir_type or value.fhir_type)
    sql = value.sql if definition.collection else single(value, f"the path of column '{definition.name}'")
    if definition.collection:
        wanted = f"{wanted}[]"
        sql = f"coalesce({sql if value.many else _listed(sql)}, [])"
    if wanted != sql_type(value.fhir_type) + ("[]" if definition.collection else ""):
        sql = f"TRY_CAST({sql} AS {wanted})"
    if guard and (definition.collection or not _null_without_focus(tree)):
        sql = f"CASE WHEN {guard()} THEN {sql} END"
    return Output(Column(definition.name, wanted), sql)


def _listed(sql: str) -> str:
    return f"CASE WHEN {sql} IS NOT NULL THEN [{sql}] END"


def _null_without_focus(tree: Node) -> bool:
    """Tell whether a path is NULL by itself in the row of NULLs of forEachOrNull."""
    if isinstance(tree, Call) and tree.name in (
        "first",
        "last",
        "ofType",
        "getReferenceKey",
        "where",
        "join",
    ):
        return _null_without_focus(tree.target)
    if isinstance(tree, Member | Index):
        return _null_without_focus(tree.target)
    # The official cases give %rowIndex 0 there.
    return isinstance(tree, This) or (isinstance(tree, Variable) and tree.name == "rowIndex")
