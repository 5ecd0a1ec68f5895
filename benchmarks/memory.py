"""Load and screen the Synthea patients with a memory limit of 512 MB, or BENCH_MEMORY: `python -m benchmarks.memory`.

Prints the time and the peak memory of each command, and how much lay in the spill folder of the store at most. It
fails where a command fails, where a temporary file is made elsewhere, or where one is left.
"""

import os
import sys
import tempfile
import threading
from pathlib import Path

from benchmarks.run import DATA, Figure, machine, program
from cohortfinder.jobs.demo import AS_OF, TRIAL
from cohortfinder.warehouse.connection import SPILL

MEMORY = os.environ.get("BENCH_MEMORY", "512MB")
OTHER_TRIAL = "T2D-EXAMPLE"


def size(folder: Path) -> int:
    """Return how many bytes the files of a folder have now; those that go away meanwhile have none."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(path, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return total


class Watched:
    """The largest size of each folder while the block runs, looked up twenty times a second."""

    def __init__(self, *folders: Path) -> None:
        self.largest = dict.fromkeys(folders, 0)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._ended.wait(0.05):
            for folder, largest in self.largest.items():
                self.largest[folder] = max(largest, size(folder))

    def __enter__(self) -> "Watched":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def measured(what: str, spill: Path, elsewhere: Path, *arguments: str | Path) -> list[Figure]:
    """Run one command and return its seconds, its peak memory and the most that it spilled."""
    with Watched(spill, elsewhere) as watched:
        spent, peak = program(*arguments)
    if watched.largest[elsewhere] or any(elsewhere.iterdir()):
        sys.exit(f"{what}: temporary files were made outside of the store")
    if any(spill.iterdir()):
        sys.exit(f"{what}: {', '.join(path.name for path in spill.iterdir())} stayed in the spill folder")
    return [
        Figure(what, spent, "s"),
        Figure(f"... peak memory of the process, {MEMORY} for DuckDB", peak * 1024, "MB"),
        Figure("... most in the spill folder; nothing left, nothing elsewhere", watched.largest[spill] / 2**20, "MB"),
    ]


def main() -> None:
    """Measure all three commands and print a table."""
    files = sorted(DATA.glob("*.ndjson"))
    if not files:
        sys.exit(f"{DATA}: no patients here; make them first: python -m benchmarks.generate")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        store, elsewhere = scratch / "store", scratch / "elsewhere"
        elsewhere.mkdir()
        os.environ["TMPDIR"] = str(elsewhere)
        configuration = scratch / "cohortfinder.toml"
        configuration.write_text(f'store = "{store}"\nmemory_limit = "{MEMORY}"\n', encoding="utf-8")
        by = ("--config", configuration)
        figures = measured("load", store / SPILL, elsewhere, "load", *by, *files)
        for trial in (TRIAL, OTHER_TRIAL):
            asked = ("screen", trial, *by, "--as-of", AS_OF.isoformat(), "--out", scratch / trial)
            figures += measured(f"screening {trial} with all outputs", store / SPILL, elsewhere, *asked)
    print(f"{machine()}\n\n| what | measured | limit |\n| --- | --- | --- |")
    print("\n".join(figure.row() for figure in figures))


if __name__ == "__main__":
    main()
