"""The data of a series of days: invented patients who come, change, are merged with another one, or are deleted."""

import json
import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from cohortfinder.cli.main import status_of

TRIAL = "T2D-EXAMPLE"
FIRST = date(2026, 11, 1)
Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Day:
    """The index date of a night, and the folder of what comes before it."""

    as_of: date
    files: Path


def days_of(folder: Path, count: int, seed: int) -> list[Day]:
    """Write the files of a series of days; the same seed writes the same."""
    invented = folder / "invented"
    # further patients are made at random, so that there are enough to come day by day
    assert status_of(["dummy", TRIAL, "-n", "60", "--as-of", str(FIRST), "--out", str(invented)]) == 0
    bundles = [json.loads(file.read_bytes()) for file in sorted((invented / "fhir").glob("*.json"))]
    charts = [[entry["resource"] for entry in bundle["entry"] if "resource" in entry] for bundle in bundles]
    chance = random.Random(seed)
    here, waiting, series = charts[:30], charts[30:], []
    for number in range(count):
        come = here if number == 0 else [waiting.pop() for _ in range(min(2, len(waiting)))]
        changed = [] if number == 0 else [one for _ in range(4) if (one := _changed(chance, here, number))]
        gone = [] if number == 0 else _gone(chance, here)
        if number:
            here += come
            changed += _merged(chance, here) if number % 3 == 0 else []
        day = Day(FIRST + timedelta(days=number), folder / f"day-{number:02}")
        day.files.mkdir()
        lines = [json.dumps(one) for one in (*(one for chart in come for one in chart), *changed)]
        (day.files / "came.ndjson").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        if gone:
            entries = [{"request": {"method": "DELETE", "url": url}} for url in gone]
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
            (day.files / "gone.json").write_text(json.dumps(bundle), encoding="utf-8")
        series.append(day)
    return series


def _changed(chance: random.Random, here: list[list[Resource]], number: int) -> Resource | None:
    """Change a result of somebody, for good."""
    results = [one for one in chance.choice(here) if "valueQuantity" in one]
    if not results:
        return None
    one = chance.choice(results)
    one["valueQuantity"]["value"] = round(one["valueQuantity"]["value"] * chance.uniform(0.7, 1.4), 1)
    one["effectiveDateTime"] = str(FIRST + timedelta(days=number - 1))
    return one


def _gone(chance: random.Random, here: list[list[Resource]]) -> list[str]:
    """Delete a record of somebody."""
    chart = chance.choice(here)
    records = [one for one in chart if one["resourceType"] in ("Observation", "Condition", "MedicationStatement")]
    if not records:
        return []
    one = chance.choice(records)
    chart.remove(one)
    return [f"{one['resourceType']}/{one['id']}"]


def _merged(chance: random.Random, here: list[list[Resource]]) -> list[Resource]:
    """Let the record of somebody be replaced by that of another one."""
    one, other = chance.sample([chart for chart in here if "link" not in chart[0]], 2)
    one[0]["link"] = [{"type": "replaced-by", "other": {"reference": f"Patient/{other[0]['id']}"}}]
    return [one[0]]
