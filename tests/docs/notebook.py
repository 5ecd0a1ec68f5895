"""Run the notebook of docs/notebooks, and keep it with what it printed; `python -m tests.docs.notebook` renews it."""

import os
import sys
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "notebooks" / "screening.ipynb"


def run(target: Path) -> None:
    """Run the notebook and write it into `target`; the kernel imports what stands in this checkout."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    os.environ["PYTHONPATH"] = str(ROOT / "src")
    # the kernel talks through sockets in this folder, not over the network
    NotebookClient(notebook, timeout=300, km=AsyncKernelManager(kernel_name="python3", transport="ipc")).execute()
    for cell in notebook.cells:
        cell.metadata = {}
    nbformat.write(notebook, target)


if __name__ == "__main__":
    run(Path(sys.argv[1]) if len(sys.argv) > 1 else NOTEBOOK)
