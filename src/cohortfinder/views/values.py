"""A compiled FHIRPath expression: SQL with its FHIR type, and steps over one value or a list."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from cohortfinder.views.elements import INTEGER_TYPES, Element
from cohortfinder.views.schema import Shape, text

# The function by which a query refuses a row, and its message.
REFUSAL = "error"
SEVERAL = "gives more than one value where one is expected"
# What a primitive is compared as; everything else is text.
_KINDS = {"boolean": "boolean", "decimal": "number", **dict.fromkeys(INTEGER_TYPES, "number")}


@dataclass(frozen=True, slots=True)
class Value:
    """`sql` gives one value (NULL: none) or, with `many`, a list. Choices wait for ofType() in `choice`.

    `raw` gives the same as JSON text, where a view needs that.
    """

    sql: str
    fhir_type: str
    many: bool = False
    context: str = ""
    shape: Shape | None = None
    choice: Element | None = None
    is_root: bool = False
    raw: str = ""

    @property
    def kind(self) -> str:
        """What it is compared as: boolean, number, text or object."""
        if self.shape is not None and (self.fhir_type[:1].isupper() or self.choice):
            return "object"
        return _KINDS.get(self.fhir_type, "text")


class Names:
    """Fresh names for the parameters of lambdas and for generated columns."""

    def __init__(self) -> None:
        self._count = 0

    def fresh(self, prefix: str) -> str:
        """Return a name that no FHIR element has."""
        self._count += 1
        return f"_{prefix}{self._count}"


def map_items(value: Value, names: Names, step: Callable[[Value], Value]) -> Value:
    """Apply a step to the value, or to every item of a list; the results make one flat list without NULLs."""
    if not value.many:
        return step(value)
    name = names.fresh("v")
    result = step(replace(value, sql=name, many=False))
    if result.sql == name:
        return replace(result, sql=value.sql, many=True)
    sql = f"list_transform({value.sql}, lambda {name}: {result.sql})"
    if result.many:
        sql = f"flatten({sql})"
    rest = names.fresh("v")
    sql = f"list_filter({sql}, lambda {rest}: {rest} IS NOT NULL)"
    return replace(result, sql=sql, many=True)


def single(value: Value, what: str = "a path") -> str:
    """Return the SQL of the only item; more than one is an error when the query runs, which names `what`."""
    if not value.many:
        return value.sql
    guard = f"{REFUSAL}({text(f'{what} {SEVERAL}')})"
    return f"CASE WHEN len({value.sql}) > 1 THEN {guard} ELSE {value.sql}[1] END"


def exists(value: Value) -> str:
    """Return the SQL of whether there is any item."""
    return f"(coalesce(len({value.sql}), 0) > 0)" if value.many else f"({value.sql} IS NOT NULL)"
