"""The pages that are written from tests/spec are current."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "reference" / "spec"


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}


def test_the_pages_are_what_the_tests_say_today(tmp_path: Path) -> None:
    """Write them again with `make docs`."""
    # a run of the tests may leave some out; the pages are those of all
    whole = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    subprocess.run([sys.executable, "-m", "tests.docs.spec_pages", str(tmp_path)], cwd=ROOT, check=True, env=whole)
    written, told = texts(FOLDER), texts(tmp_path)
    assert sorted(written) == sorted(told), "run make docs"
    assert [name for name in told if written[name] != told[name]] == [], "run make docs"
