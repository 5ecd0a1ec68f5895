"""The elements of a path as JSON texts, for what goes down to any depth and so has no fixed type."""

from dataclasses import dataclass, replace

from cohortfinder.views.errors import ViewError
from cohortfinder.views.expressions import compile_node
from cohortfinder.views.schema import Shape, text
from cohortfinder.views.scope import Scope
from cohortfinder.views.syntax import Member, Node, This, parse
from cohortfinder.views.values import Value


@dataclass(frozen=True, slots=True)
class JsonItems:
    """`sql` gives the list of JSON objects; `fhir_type` and `context` say what they are."""

    sql: str
    fhir_type: str
    context: str


def json_items(path: str, scope: Scope, where: str) -> JsonItems:
    """Return the elements of a path of names from the focus. Raises ViewError where it is more than names."""
    try:
        tree = parse(path)
        names = _names(tree)
        # the types only: nothing is read of what the path goes through
        value = compile_node(tree, replace(scope, focus=replace(scope.focus, shape=Shape())))
    except ViewError as error:
        raise error.within(where=where, path=path) from None
    if value.kind != "object" or value.choice is not None:
        raise ViewError("needs a path to elements of one type", where=where, path=path)
    return JsonItems(_extracted(names, scope, value), value.fhir_type, value.context)


def _names(tree: Node) -> tuple[str, ...]:
    if isinstance(tree, This):
        return ()
    if isinstance(tree, Member):
        return (*_names(tree.target), tree.name)
    raise ViewError("where a repeat is, a path is of names only", position=getattr(tree, "position", 0))


def _extracted(names: tuple[str, ...], scope: Scope, value: Value) -> str:
    steps, focus = "$", replace(scope.focus, shape=Shape())
    for name in names:
        before = focus
        focus = replace(scope.step(focus, name, 0), many=False, sql="x")
        many = scope.elements.child(before.context, name, 0).is_array
        steps += f'."{name}"{"[*]" if many else ""}'
    found = f"json_extract({scope.focus.raw}, {text(steps)})"
    listed = found if value.many else f"[{found}]"
    item = scope.names.fresh("v")
    return f"list_filter({listed}, lambda {item}: json_type({item}) = 'OBJECT')"
