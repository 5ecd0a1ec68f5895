"""The one Jinja environment: a template of queries/ and values in, SQL text and its parameters out.

Nothing reaches the text of a query unless it passed `| bind` (then it is a parameter) or `| identifier` (then it is a
checked name). Anything else stops the rendering.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cohortfinder.resources import resource_dir
from cohortfinder.sql.dialect import Dialect, SqlSafetyError

_IDENTIFIER = re.compile(r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$")
_PARAMETER = re.compile(r"[$:]([pq]\d+)\b")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A query as it runs: its text, with `$p1` (in Spark `:p1`) where a value stands, and the values."""

    text: str
    parameters: dict[str, Any]
    dialect: Dialect = Dialect.DUCKDB

    def with_values(self) -> str:
        """Return the text with the values written in, to be read or pasted into a shell; never to be run by us."""
        return _PARAMETER.sub(lambda found: self.dialect.literal(self.parameters[found[1]]), self.text)


@dataclass(slots=True)
class _Binder:
    dialect: Dialect
    parameters: dict[str, Any] = field(default_factory=dict)
    apart: bool = False

    def bind(self, value: Any) -> Markup:
        for name, known in () if self.apart else self.parameters.items():
            if type(known) is type(value) and known == value:
                return Markup(self.dialect.parameter(name))
        name = f"p{len(self.parameters) + 1}"
        self.parameters[name] = value
        return Markup(self.dialect.parameter(name))


_binder: ContextVar[_Binder] = ContextVar("binder")


def is_identifier(value: object) -> bool:
    """Say whether a name (`name` or `relation.name`) has nothing but lower-case letters, digits and underscores."""
    return _IDENTIFIER.match(str(value)) is not None


def identifier(value: object) -> Markup:
    """Let such a name through."""
    if not is_identifier(value):
        raise SqlSafetyError(f"{str(value)!r} is not a name that may stand in a query")
    return Markup(str(value))


def _identifier_list(names: Iterable[object]) -> Markup:
    """Let several names through, as in a list of columns."""
    return Markup(", ".join(identifier(name) for name in names))


def _file(value: object) -> Markup:
    """Let the path of a file of ours through, as a text: where the older DuckDB takes no parameter."""
    text = str(value)
    if not isinstance(value, Path) or not text.isprintable():
        raise SqlSafetyError(f"{text!r} is not a file that may stand in a query")
    quoted = text.replace("'", "''")
    return Markup(f"'{quoted}'")


def _bind(value: Any) -> Markup:
    return _binder.get().bind(list(value) if isinstance(value, tuple) else value)


def _only_checked(value: Any) -> Any:
    if isinstance(value, Markup):
        return value
    raise SqlSafetyError(f"a template wrote {value!r} into a query without `| bind` or `| identifier`")


@cache
def _environment(dialect: Dialect) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(resource_dir("queries")),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=_only_checked,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        auto_reload=False,
    )
    filters: dict[str, Callable[..., Markup]] = {
        "bind": _bind,
        "file": _file,
        "identifier": identifier,
        "identifier_list": _identifier_list,
    }
    environment.filters.update(filters)
    environment.globals["dialect"] = str(dialect)
    return environment


def render(template: str, /, *, dialect: Dialect = Dialect.DUCKDB, **values: Any) -> Rendered:
    """Render `queries/<template>` with values.

    Raises SqlSafetyError when the template would put an unchecked value into the text.
    """
    return _render(template, values, _Binder(dialect))


def render_apart(template: str, /, *, dialect: Dialect = Dialect.DUCKDB, **values: Any) -> Rendered:
    """Render so that every place has a parameter of its own: the text then does not tell which values are the same."""
    return _render(template, values, _Binder(dialect, apart=True))


def _render(template: str, values: Mapping[str, Any], binder: _Binder) -> Rendered:
    token = _binder.set(binder)
    try:
        text = _environment(binder.dialect).get_template(template).render(**values)
    finally:
        _binder.reset(token)
    return Rendered(_tidy(text), binder.parameters, binder.dialect)


def _tidy(text: str) -> str:
    """Drop the blank lines that block tags leave behind."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return "\n".join(line for index, line in enumerate(lines) if line or (index and lines[index - 1]))
