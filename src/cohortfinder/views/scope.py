"""What an expression is compiled in: the focus, the constants, the reading mode and the row's index."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cohortfinder.views.elements import Element, ElementTable
from cohortfinder.views.errors import ViewError
from cohortfinder.views.schema import quote, sql_type
from cohortfinder.views.syntax import Literal
from cohortfinder.views.values import Names, Value, map_items


@dataclass
class Raw:
    """The text of the resource as a column of the source, which is only read when it is used."""

    column: str = '"_raw"'
    used: bool = False

    def sql(self) -> str:
        """Return the SQL of the text."""
        self.used = True
        return self.column


@dataclass(frozen=True)
class Scope:
    """`focus` is what a path starts from; `row_index` gives the SQL of `%rowIndex`.

    With `robust`, leaves are read as text and cast where they are used, so that a wrong value is NULL. `raw` notes
    when the text of the resource is needed.
    """

    focus: Value
    root: Value
    elements: ElementTable
    constants: Mapping[str, Literal]
    names: Names
    row_index: Callable[[], str]
    robust: bool
    raw: "Raw"

    def step(self, value: Value, name: str, position: int) -> Value:
        """Take the elements of a name in a value."""
        if value.choice is not None or not value.context or value.shape is None:
            raise ViewError(_no_children(value, name), position=position)
        if value.is_root and name == value.fhir_type:
            return value
        element = self.elements.child(value.context, name, position)
        if element.is_choice:
            return Value(value.sql, value.fhir_type, value.many, value.context, value.shape, element, value.is_root)
        return self.read(value, element, name, 0)

    def read(self, value: Value, element: Element, field: str, index: int) -> Value:
        """Read a JSON field of a value; `index` says which of the element's types it has."""
        if value.shape is None:
            raise ViewError(f"{field} is not an element of an object")
        fhir_type, context = element.types[index], element.contexts[index]
        primitive = self.elements.is_primitive(fhir_type)
        leaf = ("VARCHAR" if self.robust else sql_type(fhir_type)) if primitive else ""
        shape = value.shape.field(field, is_array=element.is_array, leaf=leaf)

        def take(item: Value) -> Value:
            sql = quote(field) if item.is_root else f"{item.sql}.{quote(field)}"
            if self.robust and primitive and sql_type(fhir_type) != "VARCHAR":
                sql = f"TRY_CAST({sql} AS {sql_type(fhir_type)}{'[]' if element.is_array else ''})"
            return Value(sql, fhir_type, element.is_array, "" if primitive else context, shape)

        return map_items(value, self.names, take)


def _no_children(value: Value, name: str) -> str:
    if value.choice is not None:
        options = ", ".join(value.choice.types[:12])
        name = value.choice.field
        return f"{name} is a choice of types; write {name}.ofType(T), T one of {options}"
    return f"{value.fhir_type} has no element {name!r}"
