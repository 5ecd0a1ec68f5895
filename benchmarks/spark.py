"""Screen hospitals of growing size with Spark and with DuckDB: `python -m benchmarks.spark [PATIENTS ...]`.

The hospitals are those of `benchmarks.hospital`, a fifth of the patients invented for the trial; the default sizes are
1,000, 10,000 and 100,000. Of each it prints what writing its tables takes, what DuckDB takes for the store, then what
Spark in local mode takes for the tables on one and on two cores: seconds, in times those of DuckDB (the limit is 6),
the most memory of a worker, and what crossed between workers (the limit is 0.3 of the tables). At last one patient gets
100,000 Observations more.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from benchmarks.hospital import hospital
from benchmarks.run import machine, program
from benchmarks.screening import configured
from cohortfinder.gates import GateSettings
from cohortfinder.jobs.demo import AS_OF, TRIAL
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.jobs.screen_spark import SparkRun, screen_tables
from cohortfinder.settings import Settings
from cohortfinder.spark.session import spark_session
from cohortfinder.warehouse.connection import open_warehouse

PATIENTS = (1_000, 10_000, 100_000)
BUCKETS = 64
SKEWED = 100_000
_MORE = """
INSERT INTO observation BY NAME
SELECT observation.* REPLACE (observation.id || '-more' || number AS id)
FROM (SELECT * FROM observation WHERE patient_id = (SELECT min(patient_id) FROM observation) LIMIT 1) AS observation
CROSS JOIN range($rows) AS more(number)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One screening: seconds, the most memory of one process in GB, and of Spark the parts and what crossed in MB."""

    what: str
    patients: int
    seconds: float
    gigabytes: float
    parts: int = 0
    crossed: float = 0.0

    def row(self, floor: float | None = None, tables: float | None = None) -> str:
        """Return it as a row of the table, beside the seconds of DuckDB and the MB of the tables where they tell."""
        times = f"{self.seconds / floor:.2f}" if floor else ""
        crossed = f"{self.crossed:.0f} of {tables:.0f} MB" if tables else ""
        return (
            f"| {self.what} | {self.patients:,} | {self.seconds:.1f} s | {times} | "
            f"{1000 * self.seconds / self.patients:.1f} ms | {self.gigabytes:.1f} GB | {self.parts or ''} | {crossed} |"
        )


def spark_run(tables: str, out: str, cores: int, results: str) -> None:
    """Screen a folder of tables, and write into `results` what it has taken."""
    # the invented patients say that they are for tests
    settings = replace(Settings(threads=cores), gates=GateSettings(test_labels=None))
    terminology = read_terminology(settings)
    trial = read_trial(TRIAL, terminology, settings)
    with spark_session(threads=cores) as session:
        began = time.perf_counter()
        screen_tables(SparkRun(tables), trial, terminology, settings, as_of=AS_OF, out=Path(out), in_full=500)
        seconds = time.perf_counter() - began
        executors = session.sparkContext._jsc.sc().statusStore().executorList(False)
        crossed = sum(int(executors.apply(place).totalShuffleWrite()) for place in range(executors.size()))
    Path(results).write_text(json.dumps({"seconds": seconds, "crossed": crossed / 1e6}))


def with_spark(what: str, patients: int, cores: int, tables: Path, scratch: Path) -> Run:
    """Screen with Spark in a process of its own."""
    out, results = scratch / f"spark{cores}", scratch / "spark.json"
    working = get_context("spawn").Process(target=spark_run, args=(str(tables), str(out), cores, str(results)))
    working.start()
    working.join()
    if working.exitcode:
        sys.exit("Spark has failed; see the message above")
    taken, engine = json.loads(results.read_text()), json.loads((out / "run.json").read_text())["engine"]
    return Run(
        what, patients, taken["seconds"], engine["most_memory_mb"] / 1000, engine["parts"], taken["crossed"]
    )  # fmt: skip


def both(store: Path, patients: int, scratch: Path, cores: tuple[int, ...], what: str = "") -> Iterator[str]:
    """Screen a store with DuckDB and its tables with Spark, and yield the rows of the table."""
    tables = scratch / "tables"
    seconds, gigabytes = program(
        "load", "--store", store, "--config", configured(scratch), "--parquet", tables, "--buckets", str(BUCKETS)
    )
    yield Run(f"writing the tables{what}", patients, seconds, gigabytes).row()
    megabytes = sum(path.stat().st_size for path in tables.rglob("*.parquet")) / 1e6
    day = AS_OF.isoformat()
    seconds, gigabytes = program(
        "screen", TRIAL, "--store", store, "--config", configured(scratch), "--as-of", day, "--out", scratch / "duckdb"
    )
    yield Run(f"DuckDB, 2 cores{what}", patients, seconds, gigabytes).row(seconds, megabytes)
    for count in cores:
        yield with_spark(f"Spark, {count} cores{what}", patients, count, tables, scratch).row(seconds, megabytes)


def measured(patients: int, scratch: Path) -> Iterator[str]:
    """Measure a hospital of so many patients."""
    store = scratch / "store"
    making = get_context("spawn").Process(target=hospital, args=(store, patients, patients // 5, scratch))
    making.start()
    making.join()
    if making.exitcode:
        sys.exit("the hospital could not be made; see the message above")
    yield from both(store, patients, scratch, (1, 2))


def skewed(store: Path, patients: int, scratch: Path) -> Iterator[str]:
    """Measure it once more when one patient has many Observations."""
    with open_warehouse(store) as connection:
        connection.execute(_MORE, {"rows": SKEWED})
    yield from both(store, patients, scratch, (2,), f", one patient with {SKEWED:,} Observations more")


def main() -> None:
    """Measure all sizes, then the skew, and print a table."""
    sizes = tuple(map(int, sys.argv[1:])) or PATIENTS
    print(f"{machine()}\n\n| engine | patients | time | times DuckDB | a patient | memory | parts | crossed |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        for patients in sizes:
            scratch = Path(name) / str(patients)
            scratch.mkdir()
            for row in measured(patients, scratch):
                print(row, flush=True)
        middle = sizes[len(sizes) // 2]
        again = Path(name) / "skewed"
        again.mkdir()
        for row in skewed(Path(name) / str(middle) / "store", middle, again):
            print(row, flush=True)


if __name__ == "__main__":
    main()
