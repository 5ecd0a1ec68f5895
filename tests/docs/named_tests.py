"""Pages with a table whose rows are numbered and name the tests that show them."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def numbered_rows(page: str) -> list[list[str]]:
    """Return the cells of each numbered row of the table of a page of docs/reference."""
    text = (ROOT / "docs/reference" / page).read_text(encoding="utf-8")
    return [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| \d", line)]


def named_tests(rows: list[list[str]]) -> list[tuple[str, str]]:
    """Return file and name of each test in the last cells of the rows, each once."""
    return sorted({one for row in rows for one in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row[-1])})


def is_there(file: str, name: str) -> bool:
    """Say whether a file of the repository holds a function of this name."""
    held = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return name in {node.name for node in ast.walk(held) if isinstance(node, ast.FunctionDef)}
