"""Measure the main job and print ratios: `python -m benchmarks.run`.

The data are those of `benchmarks.generate`, or the folder that BENCH_DATA names. Each pair is measured in one run, the
floor and ours in turn; the best of several counts.
"""

import gzip
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from cohortfinder.jobs.demo import sample_files
from cohortfinder.jobs.load import load
from cohortfinder.jobs.screen import read_terminology, read_trial, screen_store
from cohortfinder.landing.land import land
from cohortfinder.landing.manifest import Manifest
from cohortfinder.landing.quarantine import Quarantine
from cohortfinder.settings import Settings

DATA = Path(os.environ.get("BENCH_DATA", Path(__file__).parent / "data" / "fhir"))
LISTED = 2000
_REFERENCE = re.compile(r'"reference": ?"([A-Za-z]+)/([^"]+)"')


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def landing_ratio(files: list[Path], scratch: Path, rounds: int = 2) -> tuple[float, float]:
    """Return the best seconds of landing and of `gzip -1` over the same bytes."""
    ours, floor = [], []
    for number in range(rounds):
        folder = scratch / f"landing{number}"
        folder.mkdir()
        quarantine = Quarantine(scratch / f"quarantine{number}.ndjson")
        manifest = Manifest("benchmark", "2026-01-01T00:00:00")
        ours.append(seconds(lambda: land(files, folder, manifest, quarantine, log=lambda _: None)))  # noqa: B023
        names = " ".join(f"'{path}'" for path in files)
        floor.append(seconds(lambda: subprocess.run(f"cat {names} | gzip -1 > '{folder}.gz'", shell=True, check=True)))  # noqa: B023
    return min(ours), min(floor)


def multiplied(target: Path, patients: int) -> Path:
    """Write the sample patients again and again under new ids, until so many are listed; one NDJSON file a type."""
    with tempfile.TemporaryDirectory() as scratch:
        load(sample_files(), Path(scratch) / "store")
        landed = sorted((Path(scratch) / "store" / "landing").glob("*/*.ndjson.gz"))
        lines = {path.name.split(".")[0]: gzip.decompress(path.read_bytes()).decode().splitlines() for path in landed}
    copies = -(-patients // 169)
    target.mkdir()
    for name, resources in lines.items():
        with (target / f"{name}.ndjson").open("w", encoding="utf-8") as out:
            for copy in range(copies):
                out.writelines(_renamed(line, copy) for line in resources)
    return target


def _renamed(line: str, copy: int) -> str:
    parsed = json.loads(_REFERENCE.sub(rf'"reference": "\1/\2-x{copy}"', line))
    parsed["id"] += f"-x{copy}"
    return json.dumps(parsed, ensure_ascii=False, separators=(",", ":")) + "\n"


def main() -> None:
    """Run all measurements and print a table."""
    files = sorted(DATA.glob("*.ndjson"))
    if not files:
        sys.exit(f"{DATA}: no patients here; make them first: python -m benchmarks.generate")
    terminology = read_terminology()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        ours, floor = landing_ratio(files, scratch)
        print(f"landing: {ours:.1f} s, gzip -1 of the same bytes {floor:.1f} s, ratio {ours / floor:.2f} (limit 1.3)")
        store = scratch / "store"
        print(f"load of {len(files)} files: {seconds(lambda: load(files, store)):.1f} s")
        settings = Settings(store=store)
        diabetes = read_trial("T2D-EXAMPLE", terminology, settings)
        spent = seconds(lambda: screen_store(diabetes, terminology, settings, as_of=date(2026, 11, 1)))
        print(f"screening T2D-EXAMPLE: {spent:.1f} s")
        load([multiplied(scratch / "samples", LISTED)], store)
        trial = read_trial("NCT06983964", terminology, settings)
        result = screen_store(trial, terminology, settings, as_of=date(2026, 11, 20))
        spent = result.screening.run["seconds"]["screen_and_rank"]
        print(f"screening NCT06983964, {len(result.screening.candidates)} listed: {spent:.1f} s (limit 10)")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory of all this: {peak:.2f} GB (limit of the load 2)")


if __name__ == "__main__":
    main()
