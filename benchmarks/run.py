"""Measure the main job and print ratios: `python -m benchmarks.run`.

The data are those of `benchmarks.generate`, or the folder that BENCH_DATA names. Where there is a floor, ours and the
floor take turns in one run; the best of several rounds counts.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.flat_view import flat_view
from benchmarks.floor import differing, each_view, fill_by_hand
from benchmarks.leaf import leaves
from benchmarks.screening import Timed, invented, timed_screening
from cohortfinder.jobs.demo import AS_OF, TRIAL
from cohortfinder.jobs.load import load
from cohortfinder.landing.land import land
from cohortfinder.landing.manifest import Manifest
from cohortfinder.landing.quarantine import Quarantine
from cohortfinder.warehouse.connection import WAREHOUSE, open_warehouse
from cohortfinder.warehouse.fill import fill

HERE = Path(__file__).parent
DATA = Path(os.environ.get("BENCH_DATA", HERE / "data" / "fhir"))
INVENTED = 2000
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure; `floor` is the same work without us, `limit` is of the ratio if there is one."""

    what: str
    ours: float
    unit: str
    floor: float | None = None
    limit: float | None = None

    @property
    def compared(self) -> float:
        """What is held against the limit: the ratio to the floor, or the figure itself."""
        return self.ours / self.floor if self.floor else self.ours

    def row(self) -> str:
        """Return the figure as a row of the table."""
        shown = f"{self.ours:.1f} {self.unit}"
        if self.floor:
            shown = f"{self.ours:.1f} {self.unit} / {self.floor:.1f} {self.unit} = {self.compared:.2f}"
        limit = "" if self.limit is None else f"{self.limit:g}"
        missed = self.limit is not None and self.compared > self.limit
        return f"| {self.what} | {shown} | {f'**{limit}: missed**' if missed else limit} |"


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def landed(files: Iterable[Path], folder: Path) -> Manifest:
    """Bring files into landing as `load` does."""
    folder.mkdir()
    quarantine = Quarantine(folder.with_suffix(".rejected"))
    manifest = land(files, folder, Manifest("benchmark", "2026-01-01T00:00:00"), quarantine, log=lambda _: None)
    quarantine.close()
    return manifest


def landing(files: list[Path], scratch: Path) -> Figure:
    """Measure landing against `gzip -1` of the same bytes."""
    ours, floor = [], []
    for number in range(ROUNDS):
        folder = scratch / f"landing{number}"
        ours.append(seconds(lambda: landed(files, folder)))  # noqa: B023
        floor.append(seconds(lambda: _gzip(files, folder.with_suffix(".gz"))))  # noqa: B023
    return Figure("landing, against `gzip -1` of the same bytes", min(ours), "s", min(floor), 1.3)


def _gzip(files: list[Path], target: Path) -> None:
    with target.open("wb") as out, subprocess.Popen(["gzip", "-1"], stdin=subprocess.PIPE, stdout=out) as packer:
        subprocess.run(["cat", *files], stdout=packer.stdin, check=True)
        packer.communicate()


def typed_tables(files: list[Path], scratch: Path) -> list[Figure]:
    """Measure landing files to typed tables against hand-written SQL, then with the audit of every line."""
    folder = scratch / "for tables"
    manifest = landed(files, folder)
    by_type = {kind.resource_type: [str(folder / part.file) for part in kind.parts] for kind in manifest.types}
    broken = scratch / "broken.ndjson"
    # meta and code are no objects: landing takes such a line and no view can read it, so that it has to be searched for
    line = '{{"resourceType":"{}","id":"broken","meta":"none","code":"none"}}\n'
    broken.write_text("".join(line.format(name) for name in by_type))
    doubtful = scratch / "doubtful"
    with_broken = landed([*files, broken], doubtful)
    ours, audited, floor, views = [], [], [], []
    for number in range(ROUNDS):
        views.append(each_view(by_type))
        store, by_hand = scratch / f"tables{number}", scratch / f"floor{number}.duckdb"
        ours.append(_fill(store, folder, manifest))
        audited.append(_fill(scratch / f"audited{number}", doubtful, with_broken))
        floor.append(seconds(lambda: fill_by_hand(by_hand, by_type)))  # noqa: B023
    different = differing(store / WAREHOUSE, by_hand)
    if different:
        sys.exit(f"the floor makes other rows than the views in {', '.join(different)}; correct benchmarks/floors")
    flat, flat_audited, flat_floor = flat_view(folder, manifest, (doubtful, with_broken), ROUNDS)
    views_ours, views_floor = (min(one) for one in zip(*views, strict=True))
    return [
        Figure("flat Observation view, against hand-written SQL", flat, "s", flat_floor, 1.11),
        Figure("the same with audit and quarantine: one broken line", flat_audited, "s", flat_floor, 2.22),
        Figure("all views of the product, against hand-written SQL", views_ours, "s", views_floor, 1.2),
        Figure("landing to typed tables, against hand-written SQL", min(ours), "s", min(floor), 1.5),
        Figure("the same with audit and quarantine: one broken line in every type", min(audited), "s", min(floor), 2.5),
    ]


def _fill(store: Path, folder: Path, manifest: Manifest) -> float:
    with open_warehouse(store) as connection, tempfile.TemporaryDirectory() as name:
        quarantine = Quarantine(store / "rejected.ndjson")
        started = time.perf_counter()
        fill(connection, folder, manifest, quarantine, Path(name))
        connection.execute("CHECKPOINT")
        spent = time.perf_counter() - started
        quarantine.close()
    return spent


def program(*arguments: str | Path) -> tuple[float, float]:
    """Run the program as a process of its own and return its seconds and its peak memory in GB."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "cohortfinder", *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):
        sys.exit(f"cohortfinder {arguments[0]} ended with status {process.returncode}; see its message above")
    return time.perf_counter() - started, usage.ru_maxrss / 2**20


def single_leaves(store: Path) -> list[Figure]:
    """Measure a leaf at a time, as its SQL is compiled, against hand-written SQL over the same facts."""
    patients, asked = leaves(store)
    return [
        figure
        for one in asked
        for figure in (
            Figure(f"leaf {one.name} of {patients:,} patients, same columns by hand", one.ours, "s", one.by_hand, 2),
            Figure(f"leaf {one.name}, truth alone by hand", one.ours, "s", one.truth_by_hand, 5),
            Figure(
                f"leaf {one.name} compiled for its truth, truth alone by hand", one.our_truth, "s", one.truth_by_hand
            ),
        )
    ]


def screenings(store: Path, scratch: Path) -> tuple[list[Figure], Timed]:
    """Measure the two trials on the Synthea patients, the second with 2,000 patients who were invented for it."""
    diabetes = min((timed_screening("T2D-EXAMPLE", store, date(2026, 11, 1)) for _ in range(2)), key=_seconds)
    load([invented(scratch / "invented", INVENTED)], store)
    many = min((timed_screening(TRIAL, store, AS_OF, scratch / "out") for _ in range(2)), key=_seconds)
    figures = [
        Figure(f"screening T2D-EXAMPLE, {diabetes.listed:,} listed", diabetes.seconds, "s"),
        Figure(f"screening {TRIAL} with all outputs, {many.listed:,} listed", many.seconds, "s", limit=10),
    ]
    return figures + [Figure(f"... {name}", spent, "s") for name, spent in many.phases.items()], many


def _seconds(timed: Timed) -> float:
    return timed.seconds


def machine() -> str:
    """Describe what was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    python = platform.python_version()
    return f"{date.today()}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {python}, DuckDB {duckdb.__version__}"


def main() -> None:
    """Run all measurements, print a table and keep it in benchmarks/results."""
    files = sorted(DATA.glob("*.ndjson"))
    if not files:
        sys.exit(f"{DATA}: no patients here; make them first: python -m benchmarks.generate")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        store = scratch / "store"
        # First, while this process is small: the system counts the peak of a process from that of its parent on.
        spent, peak = program("load", "--store", store, *files)
        figures = [landing(files, scratch), *typed_tables(files, scratch)]
        figures += [Figure("whole load", spent, "s"), Figure("peak memory of the load", peak, "GB", limit=2)]
        figures += single_leaves(store)
        screened, many = screenings(store, scratch)
        figures += screened
        demo = min(program("demo", "--store", scratch / f"demo{number}")[0] for number in range(2))
        figures.append(Figure("`cohortfinder demo`, once installed", demo, "s", limit=15))
    report(figures, many)


def report(figures: list[Figure], many: Timed) -> None:
    """Print the figures and write them as JSON."""
    print(f"{machine()}\n\n| what | measured | limit |\n| --- | --- | --- |")
    print("\n".join(figure.row() for figure in figures))
    print("\nStatements of the screening, by the table that they make:\n\n| table | times | s |\n| --- | --- | --- |")
    print("\n".join(f"| {table} | {times} | {spent:.2f} |" for table, times, spent in many.tables[:12]))
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    record = {"machine": machine(), "figures": [asdict(one) for one in figures], "statements": many.tables}
    (results / f"{date.today()}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
