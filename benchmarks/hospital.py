"""Screen a whole hospital, and one of a tenth: `python -m benchmarks.hospital [PATIENTS [LISTED]]`.

A fifth of the patients, or LISTED, are invented by `cohortfinder dummy` for the trial, with a year of history; the
others are the Synthea patients of `benchmarks.generate` (or of the folder that BENCH_DATA names), their rows repeated
under other ids, each copy a day earlier than the one before. Prints time and peak memory of a screening as a process of
its own, with all outputs, and how many times as long the larger hospital takes; the limits are 60 s, 4 GB and 12 times.
"""

import re
import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path

from benchmarks.run import DATA, Figure, machine, program
from benchmarks.screening import configured, invented
from cohortfinder.jobs.demo import AS_OF, TRIAL
from cohortfinder.jobs.load import load
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.tables import typed_tables

PATIENTS = 100_000
# products are shared by everybody
_SHARED = ("medication", "research_study")
_NAMES = ("id", "patient_id", "encounter_id")
_DAY = re.compile(r"(_(datetime|start|end|at|on|date|asserted)|^date|^issued)$")
_COPY = """
CREATE TEMP TABLE copy AS
SELECT copy.number, patient.id AS patient_id
FROM patient
CROSS JOIN range(1, $copies + 1) AS copy(number)
QUALIFY row_number() OVER (ORDER BY copy.number, patient.id) <= $more
"""
# of a month or a year, which stays, there is no such day
_EARLIER = """coalesce(
    strftime(TRY_CAST(substr({column}, 1, 10) AS DATE) - CAST(copy.number AS INTEGER), '%Y-%m-%d')
        || substr({column}, 11),
    {column}
) AS {name}"""


def hospital(store: Path, patients: int, listed: int, scratch: Path) -> None:
    """Make a store of so many patients, of whom so many were invented for the trial."""
    load(sorted(DATA.glob("*.ndjson")), store)
    repeat_rows(store, patients - listed)
    load([invented(scratch / f"invented{listed}", listed)], store)


def repeat_rows(store: Path, patients: int) -> None:
    """Repeat the rows of all patients until there are so many, under other ids and on earlier days."""
    with open_warehouse(store) as connection:
        (own,) = connection.execute("SELECT count(*) FROM patient").fetchone() or (0,)
        copies = -(-patients // own)
        connection.execute(_COPY, {"copies": copies, "more": max(patients - own, 0)})
        for table in typed_tables():
            if table.name not in _SHARED:
                connection.execute(_repeated(table.name, {column.name for column in table.view.columns}))
        connection.execute("CHECKPOINT")


def _repeated(table: str, columns: set[str]) -> str:
    """Return the statement that repeats a table; rows that do not name their patient have the id of one that does."""
    renamed = [f"{table}.{name} || '-x' || copy.number AS {name}" for name in _NAMES if name in columns]
    earlier = [_EARLIER.format(column=f"{table}.{name}", name=name) for name in sorted(columns) if _DAY.search(name)]
    selected = f"INSERT INTO {table} BY NAME SELECT {table}.* REPLACE ({', '.join([*renamed, *earlier])}) FROM {table}"
    if table == "patient" or "patient_id" in columns:
        return f"{selected} JOIN copy ON copy.patient_id = {table}.{'id' if table == 'patient' else 'patient_id'}"
    owner = f"(SELECT DISTINCT id, patient_id FROM {table.rpartition('_')[0]})"
    return f"{selected} JOIN {owner} AS owner ON owner.id = {table}.id JOIN copy ON copy.patient_id = owner.patient_id"


def measured(patients: int, listed: int, scratch: Path) -> tuple[float, float]:
    """Screen a hospital of so many patients and return the seconds and the peak memory in GB."""
    scratch.mkdir()
    # In a process of its own: the system counts the peak of a process from that of its parent on.
    making = get_context("spawn").Process(target=hospital, args=(scratch / "store", patients, listed, scratch))
    making.start()
    making.join()
    if making.exitcode:
        sys.exit("the hospital could not be made; see the message above")
    day = AS_OF.isoformat()
    config = configured(scratch)
    return program(
        "screen", TRIAL, "--store", scratch / "store", "--config", config, "--as-of", day, "--out", scratch / "out"
    )


def main() -> None:
    """Measure both hospitals and print a table."""
    patients, listed = (*map(int, sys.argv[1:]), *(PATIENTS, PATIENTS // 5)[len(sys.argv) - 1 :])
    with tempfile.TemporaryDirectory() as name:
        small = measured(patients // 10, listed // 10, Path(name) / "small")
        large = measured(patients, listed, Path(name) / "large")
    what = f"screening {TRIAL} over {patients:,} patients, {listed:,} of them invented for it"
    figures = [
        Figure(what, large[0], "s", limit=60),
        Figure("... peak memory", large[1], "GB", limit=4),
        Figure("... in times a tenth of the patients", large[0], "s", small[0], 12),
    ]
    print(f"{machine()}\n\n| what | measured | limit |\n| --- | --- | --- |")
    print("\n".join(figure.row() for figure in figures))


if __name__ == "__main__":
    main()
