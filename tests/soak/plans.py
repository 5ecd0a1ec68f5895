"""What a series of nights is tried over: invented patients, and the Synthea patients of `benchmarks.generate`."""

import json
import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cohortfinder.cli.main import status_of
from length import AT_LENGTH
from soak.days import FIRST, Pace

TRIAL = "T2D-EXAMPLE"
NIGHTS = int(os.environ.get("SOAK_NIGHTS", 14 if AT_LENGTH else 2))


@dataclass(frozen=True, slots=True)
class Plan:
    """A series: its patients (NDJSON in a folder), trials, pace, and how it is disturbed.

    `kills`: how often each command of a night is killed. `disk`: the size of the disk in MB. `room`: how many KB are
    left when it is full.
    """

    patients: Callable[[Path], Path]
    trials: tuple[str, ...]
    pace: Pace
    kills: int
    disk: int
    room: tuple[int, ...]


def _invented(folder: Path) -> Path:
    """Invent patients for the trial; beyond those of its rules they are made at random, so that enough may come."""
    made, by_type = folder / "invented", defaultdict(list)
    assert status_of(["dummy", TRIAL, "-n", "60", "--as-of", str(FIRST), "--out", str(made)]) == 0
    for file in sorted((made / "fhir").glob("*.json")):
        for entry in json.loads(file.read_bytes())["entry"]:
            by_type[entry["resource"]["resourceType"]].append(json.dumps(entry["resource"]))
    for name, lines in by_type.items():
        (made / f"{name}.ndjson").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return made


PLANS = {
    "invented": Plan(
        _invented, (TRIAL,), Pace(2, 4, 1), kills=8 if AT_LENGTH else 1, disk=600, room=(0, 4, 64, 512, 2048, 8192)
    )
}  # fmt: skip
if AT_LENGTH and "BENCH_DATA" in os.environ:
    # 3 % of the patients in a night
    PLANS["Synthea"] = Plan(
        lambda _: Path(os.environ["BENCH_DATA"]), (TRIAL,), Pace(3, 100, 6), kills=1, disk=4000,
        room=(0, 64, 2048, 16384, 65536, 131072, 262144),
    )  # fmt: skip
