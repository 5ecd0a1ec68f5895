"""Serve 5,000 candidates to 20 people who click: `python -m benchmarks.review [SECONDS]`.

The list is that of the sample bundles, each candidate many times under other ids. The application runs in a process of
its own, the people in another one, and this one publishes a newer list every few seconds. Prints the time below which
95 of 100 list and patient pages are, beside that of a static file of the same server in the same run, and every page
that was none.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import orjson

from benchmarks.run import machine
from cohortfinder.jobs import accounts
from cohortfinder.jobs.demo import AS_OF, TRIAL, sample_files
from cohortfinder.jobs.load import load
from cohortfinder.jobs.night.under_way import NightOptions
from cohortfinder.jobs.nightly import nightly
from cohortfinder.review.access.roles import Role
from cohortfinder.runs.snapshots import (
    LISTS,
    current_run,
    list_files,
    make_current,
    read_manifest,
    snapshot_folder,
    write_manifest,
)
from cohortfinder.settings import Settings

CANDIDATES, PEOPLE, SECONDS, PUBLISHES_EVERY = 5000, 20, 60, 10
PASSWORD = "four words make one"
LIMITS = {"list": 0.2, "patient": 0.15}
_WITH_PATIENTS = "SELECT table_name FROM duckdb_columns() WHERE column_name = 'patient_id'"


def published(store: Path) -> Settings:
    """Make a store whose list has CANDIDATES rows and more, and PEOPLE coordinators."""
    settings = Settings(store=store, trials=(TRIAL,))
    load(sample_files(), store)
    nightly(settings, NightOptions(as_of=AS_OF, pull=False))
    run_id = current_run(store) or ""
    multiplied(snapshot_folder(store, run_id))
    for number in range(PEOPLE):
        accounts.add(settings, f"person{number}", f"Person {number}", PASSWORD, must_change=False)
        accounts.grant(settings, f"person{number}", TRIAL, Role.COORDINATOR)
    return settings


def multiplied(folder: Path) -> None:
    """Let every patient of a published list stand in it so often that it has CANDIDATES rows."""
    with duckdb.connect(str(folder / LISTS), read_only=True) as lists:
        (rows,) = lists.execute("SELECT count(*) FROM candidates").fetchone() or (1,)
    times = -(-CANDIDATES // rows)
    for file in folder.glob("*.duckdb"):
        file.chmod(0o600)
        with duckdb.connect(str(file)) as connection:
            for (table,) in connection.execute(_WITH_PATIENTS).fetchall():
                connection.execute(
                    f"CREATE TABLE more AS SELECT t.* REPLACE (patient_id || '-' || n AS patient_id) "
                    f'FROM "{table}" AS t, range({times}) AS copies (n) ORDER BY patient_id'
                )
                connection.execute(f'DROP TABLE "{table}"')
                connection.execute(f'ALTER TABLE more RENAME TO "{table}"')
    write_manifest(folder, replace(read_manifest(folder), files=list_files(folder)))


@contextmanager
def serving(settings: Settings, folder: Path) -> Iterator[str]:
    """Run the application and yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    config = folder / "site.toml"
    config.write_text(f'store = "{settings.store}"\ntrials = ["{TRIAL}"]\n', encoding="utf-8")
    command = [sys.executable, "-m", "cohortfinder", "review", "--config", str(config), "--listen", listen]
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        host, _, port = listen.partition(":")
        while True:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://{listen}"
    finally:
        server.terminate()
        server.wait(timeout=60)


def publish_again(store: Path, number: int) -> None:
    """Publish the same list as that of another run, as a night does: a new folder, then the pointer."""
    run_id = current_run(store) or ""
    old, new = snapshot_folder(store, run_id), snapshot_folder(store, f"{run_id[:15]}-{number:03d}")
    shutil.copytree(old, new, copy_function=os.link)
    (new / "manifest.json").unlink()
    write_manifest(new, replace(read_manifest(old), run_id=new.name))
    make_current(store, new.name)


def main() -> None:
    """Measure, and print a table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = published(folder / "store")
        with serving(settings, folder) as address:
            logins = [f"person{number}" for number in range(PEOPLE)]
            command = [sys.executable, "-m", "benchmarks.review_load", address, TRIAL, str(seconds), PASSWORD, *logins]
            clicking = subprocess.Popen(command, stdout=subprocess.PIPE)
            number = 1
            while clicking.poll() is None:
                try:
                    clicking.wait(timeout=PUBLISHES_EVERY)
                except subprocess.TimeoutExpired:
                    number += 1
                    publish_again(settings.store, number)
            assert clicking.stdout is not None
            told = orjson.loads(clicking.stdout.read())
    print(f"{machine()}; {CANDIDATES} candidates, {PEOPLE} people, {seconds:g} s, {number - 1} lists published\n")
    print("| request | how many | median | 95 of 100 below | limit | times a static file |")
    print("| --- | --- | --- | --- | --- | --- |")
    floor = _p95(told["spent"]["static file"])
    for kind, times in told["spent"].items():
        limit = f"{1000 * LIMITS[kind]:.0f} ms" if kind in LIMITS else ""
        middle, most = 1000 * statistics.median(times), 1000 * _p95(times)
        print(f"| {kind} | {len(times)} | {middle:.0f} ms | {most:.0f} ms | {limit} | {_p95(times) / floor:.1f} |")
    print(f"\nno good pages: {len(told['wrong'])} {sorted(set(told['wrong']))[:5]}")


def _p95(times: list[float]) -> float:
    return sorted(times)[int(0.95 * len(times))]


if __name__ == "__main__":
    main()
