"""Measure a bulk export to typed tables against its parts: `python -m benchmarks.export`.

The floor is the download of the same files by a bare loop of requests, as many side by side, plus the load of them. All
three run as processes of their own, in turns; the best of several rounds counts.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests

from benchmarks.export_server import exported
from benchmarks.run import DATA, ROUNDS, Figure, machine, program
from cohortfinder.connection import Connection
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.export import export
from cohortfinder.fhir.export_question import ExportQuestion
from cohortfinder.jobs.load import load

PARALLEL = 4


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run the exporting server as a process of its own and yield its address."""
    command = [sys.executable, "-m", "benchmarks.export_server", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def bare(url: str, folder: Path, target: Path) -> None:
    """Download the files and do nothing else."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        for _ in pool.map(lambda file: _downloaded(f"{url}/{file.name}", target / file.name), exported(folder)):
            pass


def _downloaded(url: str, target: Path) -> None:
    with requests.get(url, stream=True, timeout=600) as response, target.open("wb") as file:
        for chunk in response.iter_content(1 << 16):
            file.write(chunk)


def ours(url: str, types: tuple[str, ...], folder: Path) -> None:
    """Export and load."""
    (folder / "spool").mkdir()
    with FhirClient(Connection(url, parallel=PARALLEL, timeout_seconds=600)) as client:
        found = export(client, ExportQuestion(types), folder / "spool", parallel=PARALLEL)
    assert not found.failed
    load(found.files, folder / "store")


def measured(name: str, *arguments: object) -> float:
    """Run one of the functions above in a process of its own and return its seconds."""
    called = f"from pathlib import Path, PosixPath; from benchmarks.export import {name}; {name}{arguments!r}"
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", called], check=True)
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    files = exported(DATA)
    if not files:
        sys.exit(f"{DATA}: no patients here; make them first: python -m benchmarks.generate")
    types = tuple(file.name.partition(".")[0] for file in files)
    whole, parts = [], []
    with server(DATA) as url:
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as name:
                scratch = Path(name)
                (scratch / "bare").mkdir()
                downloaded = measured("bare", url, DATA, scratch / "bare")
                loaded, _ = program("load", "--store", scratch / "floor", *exported(scratch / "bare"))
                parts.append(downloaded + loaded)
                print(f"bare download {downloaded:.1f} s, load {loaded:.1f} s", file=sys.stderr)
            with tempfile.TemporaryDirectory() as name:
                whole.append(measured("ours", url, types, Path(name)))
                print(f"ours {whole[-1]:.1f} s", file=sys.stderr)
    print(machine())
    print(
        Figure("bulk export to typed tables, against bare download plus load", min(whole), "s", min(parts), 1.2).row()
    )


if __name__ == "__main__":
    main()
