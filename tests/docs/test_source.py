"""The source is documented and readable: docstrings, short functions, SQL in queries/ and not in Python."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
MODULES = {str(path.relative_to(SOURCE)): path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob("*.py"))}
LONGEST = 50
# Where a statement is put together in Python: the view compiler, whose output is SQL, and the few places that wrap a
# query in CREATE TABLE, INSERT or COPY. Names pass `identifier` or `quote` there; values are parameters.
REVIEWED = {
    "cohortfinder/jobs/view.py": 4,
    "cohortfinder/views/compiler.py": 6,
    "cohortfinder/views/rows.py": 7,
    "cohortfinder/warehouse/fill.py": 1,
    "cohortfinder/warehouse/reader.py": 2,
    "cohortfinder/warehouse/tables.py": 2,
}
_STATEMENT = re.compile(r"\b(SELECT|INSERT INTO|CREATE (OR REPLACE )?(TEMP )?TABLE|COPY|DROP|DELETE FROM|UPDATE)\b")

modules = pytest.mark.parametrize("module", MODULES)


def test_there_is_source() -> None:
    assert len(MODULES) > 50


@modules
def test_a_module_says_what_it_is(module: str) -> None:
    text = MODULES[module]
    assert not text.strip() or ast.get_docstring(ast.parse(text))


@modules
def test_what_is_public_has_a_docstring(module: str) -> None:
    silent = [
        node.name
        for node in ast.parse(MODULES[module]).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if not ast.get_docstring(node)
    ]
    assert silent == []


@modules
def test_a_function_fits_on_a_screen(module: str) -> None:
    long = {name: lines for name, lines in function_lengths(MODULES[module]) if lines > LONGEST}
    assert long == {}


def test_sql_stands_in_queries() -> None:
    found = Counter(module for module, text in MODULES.items() for _ in built_statements(text))
    assert dict(found) == REVIEWED


def test_sql_put_together_in_python_is_noticed() -> None:
    assert [*built_statements('x = f"SELECT {name} FROM t"')] == [1]
    assert [*built_statements('x = "SELECT " + name')] == [1]
    assert [*built_statements('x = "SELECT a FROM {}".format(name)')] == [1]
    assert [*built_statements('"""Return what SELECT gives."""')] == []


def function_lengths(text: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def built_statements(text: str) -> Iterator[int]:
    """Yield the lines on which a string with SQL is put together: by an f-string, `+`, `%` or `format`."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.JoinedStr():
                parts: list[ast.expr] = list(node.values)
            case ast.BinOp(op=ast.Add() | ast.Mod()):
                parts = [node.left, node.right]
            case ast.Call(func=ast.Attribute(value=template, attr="format")):
                parts = [template]
            case _:
                continue
        texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        if any(_STATEMENT.search(one) for one in texts):
            yield node.lineno
