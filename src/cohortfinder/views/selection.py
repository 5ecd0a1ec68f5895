"""The selects of a view to stages of rows and SQL of columns."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from cohortfinder.views.definition import ColumnDefinition, Select
from cohortfinder.views.errors import ViewError
from cohortfinder.views.expressions import compile_node
from cohortfinder.views.rows import Chain, Stage
from cohortfinder.views.schema import sql_type
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
        raise ViewError("'repeat' is not supported; use forEach for each level", where="repeat")
    if select.iteration:
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
    sql = value.sql if definition.collection else single(value)
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
