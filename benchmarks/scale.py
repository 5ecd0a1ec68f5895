"""Load one million and ten million Observations with a memory limit of 1 GB: `python -m benchmarks.scale`.

Prints time and peak memory of each load, and how many times as long the larger one takes; the limits are 10.5 times
and 1 GB for what DuckDB may use. The Observations are invented: four tests a day of 50,000 patients.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import duckdb

from benchmarks.run import ROUNDS, Figure, machine, program
from cohortfinder.warehouse.connection import WAREHOUSE

SMALL, LARGE = 1_000_000, 10_000_000
PATIENTS = 50_000
MEMORY = "1GB"
TESTS = (
    ("2160-0", "Creatinine", "umol/L", 40, 120),
    ("718-7", "Hemoglobin", "g/L", 70, 110),
    ("777-3", "Platelets", "10*9/L", 50, 400),
    ("1742-6", "ALT", "U/L", 5, 90),
)
_LINE = (
    '{{"resourceType":"Observation","id":"o{number}","meta":{{"versionId":"1","lastUpdated":"2026-01-01T00:00:00Z"}},'
    '"status":"final","category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category",'
    '"code":"laboratory"}}]}}],"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}","display":"{name}"}}]}},'
    '"subject":{{"reference":"Patient/p{patient}"}},"effectiveDateTime":"20{year:02}-{month:02}-{day:02}T08:00:00Z",'
    '"valueQuantity":{{"value":{value},"unit":"{unit}","system":"http://unitsofmeasure.org","code":"{unit}"}}}}\n'
)


def observations() -> Iterator[str]:
    """Yield invented Observations without end."""
    number = 0
    while True:
        for code, name, unit, low, spread in TESTS:
            day = number // PATIENTS
            yield _LINE.format(
                number=number, code=code, name=name, unit=unit, patient=number % PATIENTS, value=low + number % spread,
                year=10 + day // 336, month=1 + day // 28 % 12, day=1 + day % 28,
            )  # fmt: skip
            number += 1


def measured(count: int, scratch: Path) -> tuple[float, float]:
    """Load so many Observations and return the seconds and the peak memory in GB."""
    scratch.mkdir(exist_ok=True)
    file, store = scratch / f"{count}.ndjson", scratch / f"store{count}"
    with file.open("w", encoding="ascii") as out:
        out.writelines(islice(observations(), count))
    spent = program("load", "--store", store, file)
    with duckdb.connect(str(store / WAREHOUSE), read_only=True) as connection:
        (rows,) = connection.execute("SELECT count(DISTINCT id) FROM observation").fetchone() or (0,)
    if rows != count:
        sys.exit(f"{count:,} Observations were given and {rows:,} are in the table")
    file.unlink()
    return spent


def main() -> None:
    """Measure both and print a table."""
    os.environ["COHORTFINDER_MEMORY_LIMIT"] = MEMORY
    with tempfile.TemporaryDirectory() as name:
        # the best of several: the small load varies by a third from one to the next
        small = min(measured(SMALL, Path(name) / str(number)) for number in range(ROUNDS))
        large = measured(LARGE, Path(name))
    figures = [
        Figure(f"load of {LARGE:,} Observations, in times the load of {SMALL:,}", large[0], "s", small[0], 10.5),
        Figure(f"peak memory, {MEMORY} for DuckDB", large[1], "GB"),
    ]
    print(f"{machine()}\n\n| what | measured | limit |\n| --- | --- | --- |")
    print("\n".join(figure.row() for figure in figures))


if __name__ == "__main__":
    main()
