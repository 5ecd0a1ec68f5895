"""The page of the faults: all sixteen cases, and every test that it names is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/faults.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if re.match(r"\| \d", line)]
SHOWN = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def test_every_case_says_which_test_shows_it_or_that_there_is_none() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 17))
    assert [row[0] for row in ROWS if "::test_" not in row[3] and row[3] != "not tested"] == []


@pytest.mark.parametrize(("file", "name"), sorted(set(SHOWN)))
def test_a_test_that_shows_a_case_exists(file: str, name: str) -> None:
    held = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(held) if isinstance(node, ast.FunctionDef)}
