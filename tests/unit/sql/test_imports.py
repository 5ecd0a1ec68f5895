"""Macros are imported with the context only where they read it: each such import runs their file once more."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment, meta

from cohortfinder.resources import resource_dir

QUERIES = resource_dir("queries")
IMPORT = re.compile(r"\{%-? (?:from|import) '(macros/[^']+)'[^%]*?(with context)? -?%\}")
# what the environment itself tells
GLOBAL = {"dialect"}


def reads_context(name: str, seen: frozenset[str] = frozenset()) -> bool:
    """Say whether a file of macros, or one that it imports, reads what a template was given."""
    text = (QUERIES / name).read_text(encoding="utf-8")
    free = meta.find_undeclared_variables(Environment().parse(_plain(text))) - GLOBAL
    return bool(free) or any(reads_context(one, seen | {name}) for one, _ in IMPORT.findall(text) if one not in seen)


def _plain(text: str) -> str:
    """Leave out our filters, which another environment does not know."""
    return re.sub(r"\| *(bind|file|identifier_list|identifier)\b", "", text)


@pytest.mark.parametrize("file", sorted(QUERIES.rglob("*.jinja")), ids=lambda file: str(file.relative_to(QUERIES)))
def test_macros_are_imported_with_the_context_where_they_read_it(file: Path) -> None:
    found = {name: bool(context) for name, context in IMPORT.findall(file.read_text(encoding="utf-8"))}
    assert found == {name: reads_context(name) for name in found}
