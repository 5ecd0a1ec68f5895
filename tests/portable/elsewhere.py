"""The same patients screened by DuckDB on this machine and by Spark where URLs say, and what differs."""

from pathlib import Path

import orjson

from cohortfinder.cli.main import status_of
from cohortfinder.jobs.parts.elsewhere import send
from cohortfinder.resources import resource_dir

TRIAL = "T2D-EXAMPLE"
# each table is some jobs of Spark: of three types there are a few
_TYPES = {"Patient", "Condition", "Observation"}
_SETTINGS = '[gates]\ntest_labels = "none"\n'


def export(folder: Path) -> Path:
    """Write a file with some sample patients, and a line that is none of them."""
    sample = Path(resource_dir("sample_bundles")) / "other-arms.ndjson"
    lines = [line for line in sample.read_bytes().splitlines() if orjson.loads(line)["resourceType"] in _TYPES]
    file = folder / "export.ndjson"
    file.write_bytes(b"".join(line + b"\n" for line in (*lines, b'{"resourceType":"Patient"}')))
    return file


def asked(folder: Path, url: str) -> list[list[str]]:
    """Return the two commands of Spark: what lies in `url`/exports becomes tables in `url`/registry and a list in out/spark."""
    (folder / "cohortfinder.toml").write_text(_SETTINGS)
    load = ["load", "--engine", "spark", f"{url}/exports", "--parquet", f"{url}/registry", "--buckets", "2"]
    screen = ["--engine", "spark", "--tables", f"{url}/registry", "--results", f"{url}/results"]
    return [[*load, "--store", str(folder / "store")], [*_screen(folder, "spark"), *screen]]


def screened_here(folder: Path) -> None:
    """Screen the same patients with DuckDB, into out/duckdb."""
    (folder / "cohortfinder.toml").write_text(_SETTINGS)
    assert status_of(["load", str(export(folder)), "--store", str(folder / "store")]) == 3
    assert status_of([*_screen(folder, "duckdb"), "--store", str(folder / "store")]) == 0


def put(folder: Path, url: str) -> None:
    """Put the file of the patients where Spark reads it."""
    send(export(folder), f"{url}/exports/export.ndjson")


def _screen(folder: Path, out: str) -> list[str]:
    given = ["--config", str(folder / "cohortfinder.toml"), "--as-of", "2026-11-20", "--all"]
    return ["screen", TRIAL, *given, "--out", str(folder / "out" / out)]


def differing(folder: Path) -> list[str]:
    """Return the tables that differ; other numbers are not tried by Spark."""
    ours = sorted(file for file in (folder / "out" / "duckdb").glob("*.csv") if file.name != "whatif.csv")
    assert len((folder / "out" / "duckdb" / "verdicts.csv").read_bytes().splitlines()) > 50
    return [file.name for file in ours if file.read_bytes() != (folder / "out" / "spark" / file.name).read_bytes()]
