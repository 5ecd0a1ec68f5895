"""The pages about servers: each example of a configuration is right, each test that shows a behaviour exists."""

import ast
import re
from pathlib import Path

import pytest

from cohortfinder.settings import read_settings

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(
    r"^```toml\n(.*?)^```$", (ROOT / "docs/how-to/connect.md").read_text(encoding="utf-8"), re.M | re.S
)
BEHAVIOURS = (ROOT / "docs/reference/server-behaviours.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", BEHAVIOURS)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_a_connection_is_right(tmp_path: Path, example: str) -> None:
    file = tmp_path / "site.toml"
    file.write_text(example, encoding="utf-8")
    assert read_settings(file, {}).fhir is not None


def test_every_behaviour_names_its_test() -> None:
    rows = [
        line
        for line in BEHAVIOURS.splitlines()
        if line.startswith("| ") and not line.startswith(("| behaviour", "| ---"))
    ]
    assert len(rows) > 20
    assert [row for row in rows if "::test_" not in row] == []


@pytest.mark.parametrize(("file", "name"), sorted(set(SHOWN)))
def test_a_test_that_shows_a_behaviour_exists(file: str, name: str) -> None:
    held = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(held) if isinstance(node, ast.FunctionDef)}
