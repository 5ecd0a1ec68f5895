"""A SQL on FHIR ViewDefinition to one DuckDB query over FHIR NDJSON files.

    view = compile_view(definition)
    connection.execute(view.select_from_ndjson(strict=True), {"files": ["/data/Patient.ndjson"]})

The strict query fails at the first value of a wrong kind; the robust one (`strict=False`) reads the same
columns with NULL for such values and leaves out lines that are no JSON. Both read only what the view uses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cohortfinder.views.definition import ViewDefinition, read_definition
from cohortfinder.views.elements import ElementTable, r4_elements
from cohortfinder.views.errors import ViewError, nearest
from cohortfinder.views.rows import Chain
from cohortfinder.views.schema import Shape, quote, text
from cohortfinder.views.scope import Raw, Scope
from cohortfinder.views.selection import Column, Output, compile_path, compile_select
from cohortfinder.views.values import REFUSAL, Names, Value, single

# The strict reader uses DuckDB's default of 16 MB a line; a longer one goes to the robust reader.
_LONGEST_LINE = 256 * 1024 * 1024


@dataclass(frozen=True)
class _Plan:
    """A view compiled for one way of reading."""

    shape: Shape
    chain: Chain
    outputs: tuple[Output, ...]
    conditions: tuple[str, ...]
    raw: str

    def over(self, source: str) -> str:
        filtered = f"(SELECT * FROM {source} WHERE {' AND '.join(self.conditions)})"
        selected = ", ".join(f"{output.sql} AS {quote(output.column.name)}" for output in self.outputs)
        return f"SELECT {selected} FROM {self.chain.over(filtered)}"


@dataclass(frozen=True)
class CompiledView:
    """A view as SQL text; `columns` are those of the query, in order."""

    name: str
    resource: str
    columns: tuple[Column, ...]
    _strict: _Plan
    _robust: _Plan

    def select_from_ndjson(self, strict: bool) -> str:
        """Return the query over NDJSON files (plain or gzip); bind the list of paths as `$files`.

        Resources of other types in the files are left out. The strict query raises DuckDB's
        InvalidInputException for a broken line or a value of a wrong kind; the robust one gives NULL for the
        value and leaves the line out. A view that `reads_text` gives NULL for such a value either way.
        """
        if not self.reads_text:
            return (self._strict if strict else self._robust).over(self.relation_from_ndjson(strict))
        plan = self._robust
        lines = f"read_ndjson_objects($files, format = 'newline_delimited'{_options(strict)})"
        struct = f"json_transform(json, {plan.shape.json_text()})"
        rows = f"(SELECT json, {struct} AS resource FROM {lines} WHERE json IS NOT NULL)"
        return plan.over(f"(SELECT json AS {plan.raw}, unnest(resource) FROM {rows})")

    def relation_from_ndjson(self, strict: bool) -> str:
        """Return the part of the files that the view uses, as a relation of typed columns."""
        columns = (self._strict if strict else self._robust).shape.columns()
        read = f"'newline_delimited', auto_detect = false, columns = {{{columns}}}{_options(strict)}"
        return f"read_json($files, format = {read})"

    @property
    def reads_text(self) -> bool:
        """Whether it reads the JSON text: for a repeat, or for the digits of a decimal."""
        return bool(self._strict.raw)

    @property
    def refuses_rows(self) -> bool:
        """Whether the query itself refuses a resource that could be read: one with several values where one may be."""
        return f"{REFUSAL}(" in self.select_from_ndjson(strict=True)

    def select_from_json_column(self, relation: str, column: str) -> str:
        """Return the robust query over a JSON column of a relation, which may hold several types."""
        plan = self._robust
        name = quote(column)
        struct = f"json_transform({name}, {plan.shape.json_text()})"
        own = f"{name} ->> 'resourceType' = {text(self.resource)}"
        rows = f"(SELECT {name} AS text, {struct} AS resource FROM {quote(relation)} WHERE {own})"
        raw = f"text AS {plan.raw}, " if plan.raw else ""
        return plan.over(f"(SELECT {raw}unnest(resource) FROM {rows})")


def _options(strict: bool) -> str:
    return "" if strict else f", ignore_errors = true, maximum_object_size = {_LONGEST_LINE}"


def compile_view(definition: Mapping[str, Any] | str, *, elements: ElementTable | None = None) -> CompiledView:
    """Compile a ViewDefinition (JSON text or its parsed form) with the FHIR R4 elements.

    Raises ViewError naming the view, the column and the position in the path, with the nearest valid element.
    """
    view = read_definition(definition)
    table = elements or r4_elements()
    try:
        strict, robust = (_plan(view, table, robust=robust) for robust in (False, True))
    except ViewError as error:
        raise error.within(view=view.name) from None
    columns = tuple(output.column for output in strict.outputs)
    return CompiledView(view.name, view.resource, columns, strict, robust)


def _plan(view: ViewDefinition, elements: ElementTable, *, robust: bool) -> _Plan:
    if not elements.is_resource(view.resource):
        hint = nearest(view.resource, elements.resources())
        raise ViewError(f"{view.resource!r} is not a FHIR R4 resource type{hint}", where="resource")
    shape = Shape()
    shape.field("resourceType", is_array=False, leaf="VARCHAR")
    raw = Raw(used=any(select.repeats for select in view.selects))
    root = Value("", view.resource, context=view.resource, shape=shape, is_root=True, raw=raw.column)
    scope = Scope(root, root, elements, view.constants, Names(), lambda: "0", robust, raw)
    conditions = [f'"resourceType" = {text(view.resource)}']
    conditions += [_condition(path, scope) for path in view.where]
    chain = Chain()
    outputs = [output for select in view.selects for output in compile_select(select, scope, chain, None)]
    _check_names(outputs)
    return _Plan(shape, chain, tuple(outputs), tuple(conditions), raw.column if raw.used else "")


def _condition(path: str, scope: Scope) -> str:
    _, value = compile_path(path, scope, "where")
    if value.kind != "boolean":
        raise ViewError(f"must be boolean, not {value.fhir_type}", where="where", path=path)
    return f"({single(value)})"


def _check_names(outputs: list[Output]) -> None:
    seen: set[str] = set()
    for output in outputs:
        if output.column.name in seen:
            raise ViewError(f"the name {output.column.name!r} is used by two columns")
        seen.add(output.column.name)
