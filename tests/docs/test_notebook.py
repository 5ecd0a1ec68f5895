"""The notebook of docs/notebooks runs, and prints what it shows."""

import json
import subprocess
import sys
from pathlib import Path

from docs import notebook


def printed(path: Path) -> list[str]:
    """Return what the cells print; tables are drawn differently by each version of pandas."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = (output for cell in cells for output in cell.get("outputs", ()))
    return ["".join(output["text"]) for output in outputs if output["output_type"] == "stream"]


def test_the_notebook_runs_and_prints_what_it_shows(tmp_path: Path) -> None:
    # a process of its own: sockets of the kernel are closed late
    ran = subprocess.run(
        [sys.executable, notebook.__file__, str(tmp_path / "ran.ipynb")], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    shown = printed(notebook.NOTEBOOK)
    assert printed(tmp_path / "ran.ipynb") == shown
    assert len(shown) > 4
