"""Measure a bulk export to typed tables against its parts: `python -m benchmarks.export`.

The floor is the download of the same files by a bare loop of requests, as many side by side, plus the load of them. All
three run as processes of their own, in turns, for several rounds.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import requests

from benchmarks.export_server import exported
from benchmarks.run import DATA, ROUNDS, Figure, machine
from cohortfinder.connection import Connection
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.export import Exported, export
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


def alone(url: str, types: tuple[str, ...], folder: Path) -> Exported:
    """Export."""
    with FhirClient(Connection(url, parallel=PARALLEL, timeout_seconds=600)) as client:
        found = export(client, ExportQuestion(types), folder, parallel=PARALLEL)
    assert not found.failed
    return found


def ours(url: str, types: tuple[str, ...], folder: Path) -> None:
    """Export and load."""
    (folder / "spool").mkdir()
    load(alone(url, types, folder / "spool").files, folder / "store")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds on the clock and of the processors, and the most memory at a time in MB."""

    wall: float
    processor: float
    peak: float


def measured(*command: str | Path) -> Spent:
    """Run Python as a process of its own and return what it took."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[:2]} ended with status {process.returncode}; see its message above")
    return Spent(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def calling(module: str, name: str, *arguments: object) -> tuple[str, str]:
    """Return the command that calls a function of a benchmark."""
    known = "from pathlib import Path, PosixPath; from cohortfinder.landing.spool import Slice"
    return "-c", f"{known}; from {module} import {name}; {name}{arguments!r}"


def in_turns(url: str, types: tuple[str, ...]) -> tuple[list[Spent], list[tuple[Spent, Spent]]]:
    """Measure ours and its parts, in turns."""
    whole, parts = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            scratch = Path(name)
            (scratch / "bare").mkdir()
            downloaded = measured(*calling("benchmarks.export", "bare", url, DATA, scratch / "bare"))
            loaded = measured("-m", "cohortfinder", "load", "--store", scratch / "store", *exported(scratch / "bare"))
            parts.append((downloaded, loaded))
        with tempfile.TemporaryDirectory() as name:
            whole.append(measured(*calling("benchmarks.export", "ours", url, types, Path(name))))
        print(f"download and load: {parts[-1]}; export to tables: {whole[-1]}", file=sys.stderr)
    return whole, parts


def main() -> None:
    """Measure and print."""
    files = exported(DATA)
    if not files:
        sys.exit(f"{DATA}: no patients here; make them first: python -m benchmarks.generate")
    types = tuple(file.name.partition(".")[0] for file in files)
    with server(DATA) as url:
        with tempfile.TemporaryDirectory() as name:
            peak = measured(*calling("benchmarks.export", "alone", url, types, Path(name))).peak
        whole, parts = in_turns(url, types)
    print(machine())
    for unit, of in (("s", attrgetter("wall")), ("s of the processors", attrgetter("processor"))):
        # ours and its parts took turns: the pair that was disturbed least counts
        ours, floor = min(
            ((of(one), of(downloaded) + of(loaded)) for one, (downloaded, loaded) in zip(whole, parts, strict=True)),
            key=lambda pair: pair[0] / pair[1],
        )
        what = "bulk export to typed tables, against a bare download plus the load"
        print(Figure(what, ours, unit, floor, 1.2).row())
    print(Figure("peak memory of the export alone", peak, "MB", limit=400).row())


if __name__ == "__main__":
    main()
