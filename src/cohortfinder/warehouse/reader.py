"""The strict reader of one resource type: whether files can be read as its tables need it, without keeping anything."""

import tempfile
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from cohortfinder.landing.lines import examine
from cohortfinder.sql.environment import render
from cohortfinder.views import CompiledView
from cohortfinder.warehouse.misfit import Shape, misfit, shape_of
from cohortfinder.warehouse.tables import TypedTable

# What DuckDB raises when a file holds what a strict query cannot read. Its message quotes the value, and may cut it in
# the middle of a character: then it is the message that cannot be read.
REFUSALS = (duckdb.InvalidInputException, duckdb.ConversionException, UnicodeDecodeError)


class NoIdError(Exception):
    """A line without an id is among those that were read."""


class Reader:
    """Reads NDJSON files of one type with the columns of all its tables; `scratch` is a folder for small files.

    With `any_resource` a resource without an id is taken as well, and so is one that only the view itself refuses.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, tables: Sequence[TypedTable], scratch: Path, *,
        any_resource: bool = False,
    ) -> None:  # fmt: skip
        self._connection, self._scratch, self._any_resource = connection, scratch, any_resource
        self._views = [(table.name, table.view) for table in tables]

    @cached_property
    def _shapes(self) -> tuple[Shape, ...]:
        return tuple(self._shape(view) for _, view in self._views)

    def read(self, files: list[str]) -> None:
        """Read files from end to end. Raises one of REFUSALS, which names a file, or NoIdError."""
        if not files:
            return
        if not self._views and self._connection.execute(*_without_id(files)).fetchone() != (0,):
            raise NoIdError
        for _, view in self._views:
            self._read(view, files)

    def refuses(self, lines: Iterable[bytes]) -> bool:
        """Say whether some of the lines cannot be read."""
        return self._refused([view for _, view in self._views], lines)

    def reason_against(self, line: bytes) -> str:
        """Say why a line that is refused when it is alone cannot be read, naming no value of it."""
        known = examine(line, needs_id=not self._any_resource).reason
        if known:
            return known
        table = next((name for name, view in self._views if self._refused([view], [line])), "resource")
        return f"a field has a value of the wrong kind for the table {table}"

    def misfit(self, resource: Any) -> str | None:
        """Return what is wrong with the kinds of a parsed line, None when nothing is as far as they tell."""
        found = (misfit(resource, shape) for shape in self._shapes)
        wrong = next((one for one in found if one), None)
        if wrong or not isinstance(resource, dict):
            return wrong or "not a resource"
        return "no id" if not self._any_resource and resource.get("id") in (None, "") else None

    def valid_json(self, lines: list[bytes]) -> list[bool]:
        """Say of each line whether it is JSON to the reader, which is more lenient than the standard."""
        asked = render("warehouse/valid_json.sql.jinja", lines=[line.decode(errors="replace") for line in lines])
        return [valid for (valid,) in self._connection.execute(asked.text, asked.parameters).fetchall()]

    def _refused(self, views: Sequence[CompiledView], lines: Iterable[bytes]) -> bool:
        with tempfile.NamedTemporaryFile(dir=self._scratch, suffix=".ndjson") as file:
            file.writelines(line + b"\n" for line in lines)
            file.flush()
            try:
                if not self._views:
                    self.read([file.name])
                for view in views:
                    self._read(view, [file.name])
            except (*REFUSALS, NoIdError):
                return True
        return False

    def _read(self, view: CompiledView, files: list[str]) -> None:
        # for a view that refuses rows itself the files alone do not tell
        whole = f"({view.select_from_ndjson(strict=True)})"
        by_rows = view.refuses_rows and not self._any_resource
        relation = whole if by_rows else view.relation_from_ndjson(strict=True)
        nameless = "0" if self._any_resource else "count(*) FILTER (WHERE coalesce(id, '') = '')"
        # the hashes make it read every column to its end
        query = f"SELECT {nameless}, max(hash(COLUMNS(*))) FROM {relation}"
        found = self._connection.execute(query, {"files": files}).fetchone()
        if found and found[0]:
            raise NoIdError

    def _shape(self, view: CompiledView) -> Shape:
        with tempfile.NamedTemporaryFile(dir=self._scratch, suffix=".ndjson") as file:
            query = f"SELECT * FROM {view.relation_from_ndjson(strict=True)} LIMIT 0"
            columns = self._connection.execute(query, {"files": [file.name]}).description or []
        return Shape({name: shape_of(sql_type) for name, sql_type, *_ in columns})


def _without_id(files: list[str]) -> tuple[str, dict[str, Any]]:
    asked = render("warehouse/lines_without_id.sql.jinja", files=files)
    return asked.text, asked.parameters
