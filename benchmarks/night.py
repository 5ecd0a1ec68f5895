"""Evaluate a hospital on the day after, 1 % of its patients changed: `python -m benchmarks.night [PATIENTS [LISTED]]`.

The hospital is that of `benchmarks.hospital`. The first night asks everybody and keeps its evaluation; then one result
of 1 % of the patients comes in, and the second night evaluates twice: asking everybody, and going on from the first.
Prints both times in one run, and how many were asked again; the limit is 5 %.
"""

import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import orjson

from benchmarks.hospital import PATIENTS, hospital
from benchmarks.run import Figure, machine
from cohortfinder.engine.carry import Keeping
from cohortfinder.engine.screening import screen
from cohortfinder.gates import INVENTED
from cohortfinder.jobs.demo import AS_OF, TRIAL
from cohortfinder.jobs.load import load
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.jobs.screened import known_types
from cohortfinder.report.calendar_page import OUTLOOK_WEEKS
from cohortfinder.settings import Settings
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.state import loaded_types

_CHANGED = "SELECT id FROM patient ORDER BY hash(id) LIMIT CAST($count AS INTEGER)"


def one_more_result(store: Path, share: float, folder: Path) -> int:
    """Load a creatinine of the index date for a share of the patients, and return of how many."""
    with open_warehouse(store, read_only=True) as connection:
        (patients,) = connection.execute("SELECT count(*) FROM patient").fetchone() or (0,)
        chosen = connection.execute(_CHANGED, {"count": round(patients * share)}).fetchall()
    lines = [
        orjson.dumps({
            "resourceType": "Observation", "id": f"night-{number}", "status": "final",
            "subject": {"reference": f"Patient/{patient}"},
            "meta": {"lastUpdated": f"{AS_OF}T22:00:00Z"}, "effectiveDateTime": AS_OF.isoformat(),
            "code": {"coding": [{"system": "http://loinc.org", "code": "14682-9"}]},
            "valueQuantity": {"value": 80, "unit": "umol/L", "system": "http://unitsofmeasure.org", "code": "umol/L"},
        })
        for number, (patient,) in enumerate(chosen)
    ]  # fmt: skip
    file = folder / "night.ndjson"
    file.write_bytes(b"\n".join(lines) + b"\n")
    load([file], store)
    return len(lines)


def evaluated(store: Path, as_of: date, keeping: Keeping | None) -> tuple[float, int | None]:
    """Evaluate the trial, and return the seconds and how many patients were asked again (None: everybody)."""
    settings = Settings(store=store)
    terminology = read_terminology(settings)
    trial = read_trial(TRIAL, terminology, settings)
    with open_warehouse(store, read_only=True) as connection:
        known = known_types(loaded_types(connection), frozenset())
        began = time.perf_counter()
        asked = screen(
            connection, trial, terminology, as_of=as_of, loaded=known, gates=INVENTED, outlook_weeks=OUTLOOK_WEEKS,
            keeping=keeping,
        )  # fmt: skip
        return time.perf_counter() - began, asked


def main() -> None:
    """Measure a night and print a table."""
    patients, listed = (*map(int, sys.argv[1:]), *(PATIENTS, PATIENTS // 5)[len(sys.argv) - 1 :])
    with tempfile.TemporaryDirectory() as name:
        folder, store = Path(name), Path(name) / "store"
        hospital(store, patients, listed, folder)
        first, second = store / "first.duckdb", store / "second.duckdb"
        keeping, _ = evaluated(store, AS_OF, Keeping("night", None, first))
        changed = one_more_result(store, 0.01, folder)
        next_day = AS_OF + timedelta(days=1)
        whole, _ = evaluated(store, next_day, None)
        going_on, asked = evaluated(store, next_day, Keeping("night", first, second))
        megabytes = second.stat().st_size / 1e6
    what = (
        f"evaluating {TRIAL} on the day after, {patients:,} patients, {listed:,} invented for it, {changed:,} changed"
    )
    figures = [
        Figure(what, going_on, "s", whole, 0.05),
        Figure("... asking everybody, and keeping it, on the first day", keeping, "s", whole),
    ]
    print(f"{machine()}\n\n| what | measured | limit |\n| --- | --- | --- |")
    print("\n".join(figure.row() for figure in figures))
    print(f"\nasked again: {asked:,}; the kept evaluation has {megabytes:.0f} MB")


if __name__ == "__main__":
    main()
