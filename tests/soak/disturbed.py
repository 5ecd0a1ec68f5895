"""A store of which the nights are disturbed: processes that are killed, a disk that is full, somebody who holds it."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cohortfinder.landing.manifest import landed
from cohortfinder.runs.snapshots import current_run, differences, read_manifest, snapshot_folder
from cohortfinder.sql.environment import render
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.tables import typed_tables
from soak.days import Day

# how the list before was left: by a night that was published twice it is that same list
OF_ITS_OWN = "diff.csv"
DONE = (0, 3)
# a process that ended by a signal, of itself or as a shell tells it
ENDED = {signal.SIGKILL: (-9,), signal.SIGTERM: (143,)}
Lists = dict[str, bytes]
Tables = dict[str, list[tuple[int | str, ...]]]


@dataclass
class Store:
    """A store and its configuration; what was acknowledged is kept in mind."""

    folder: Path
    trials: tuple[str, ...]
    acknowledged: list[str] = field(default_factory=list)
    # how long a command of a day took where nothing happened, and how many times as long it takes now
    seconds: dict[tuple[str, Day], float] = field(default_factory=dict)
    pace: float = 1.0

    def __post_init__(self) -> None:
        self.store, self.config = self.folder / "store", self.folder / "site.toml"
        self.config.write_text(
            f'store = "{self.store}"\ntrials = {json.dumps(self.trials)}\ntime_zone = "UTC"\n'
            '[gates]\ntest_labels = "none"\n[nightly]\nkeep = 2\ncompact_percent = 5\n',
            encoding="utf-8",
        )

    def command(self, name: str, day: Day) -> list[str]:
        given = [str(day.files)] if name == "load" else ["--as-of", str(day.as_of), "--no-pull"]
        return [sys.executable, "-m", "cohortfinder", name, *given, "--json", "--config", str(self.config)]

    def run(self, name: str, day: Day) -> subprocess.CompletedProcess[str]:
        """Load, or run a night; what was acknowledged is noted."""
        began = time.monotonic()
        done = subprocess.run(self.command(name, day), capture_output=True, text=True, check=False)
        if done.returncode in DONE:
            took = time.monotonic() - began
            self.pace = took / self.seconds.setdefault((name, day), took)
            self.acknowledge(name, done.stdout)
        return done

    def part(self, name: str, day: Day, share: float) -> float:
        """Return the seconds after which a command has probably done such a share of its work."""
        return self.seconds[name, day] * self.pace * share

    def acknowledge(self, name: str, out: str) -> None:
        if name == "load":
            self.acknowledged.append(json.loads(out)["load_id"])

    def lists(self) -> Lists:
        """The tables of the list that holds, which must be what its manifest says; nothing before the first one."""
        run_id = current_run(self.store)
        if run_id is None:
            return {}
        folder = snapshot_folder(self.store, run_id)
        assert differences(folder, read_manifest(folder)) == ()
        files = [file for trial in self.trials for file in sorted((folder / trial).glob("*.csv"))]
        return {f"{file.parent.name}/{file.name}": file.read_bytes() for file in files if file.name != OF_ITS_OWN}

    def tables(self) -> Tables:
        """The rows of each table, and one number for all that is in them; one for the versions of all resources."""
        names = [*(table.name for table in typed_tables()), "exact_number"]
        asked = {name: render("warehouse/table_sum.sql.jinja", table=name) for name in names}
        asked["versions"] = render("warehouse/resource_sum.sql.jinja")
        with open_warehouse(self.store, read_only=True) as connection:
            return {name: connection.execute(query.text).fetchall() for name, query in asked.items()}

    def lost(self) -> list[str]:
        """The loads that were acknowledged and are not in the tables, or not in landing."""
        with open_warehouse(self.store, read_only=True) as connection:
            held = {load_id for (load_id,) in connection.execute("SELECT load_id FROM store.load").fetchall()}
        kept = {load_id for _, manifest in landed(self.store / "landing") for load_id in manifest.load_ids}
        return [load_id for load_id in self.acknowledged if load_id not in held & kept]


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[bool]:
    """Mount a small disk in memory at a folder, where that is permitted; yields whether it is."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "soak", folder], capture_output=True, check=False
    )  # fmt: skip
    try:
        yield mounted.returncode == 0
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "--lazy", folder], check=True)


class Disturber:
    """What happens to the processes of a store, at random moments."""

    def __init__(self, store: Store, seed: str, room: Sequence[int]) -> None:
        """`room`: how many KB are left on a full disk, some time; nothing where the disk cannot be filled."""
        self.store, self.chance, self.tried, self.room = store, random.Random(seed), Counter[str](), room
        self.kinds: dict[str, Callable[[str, Day], None]] = {
            "kill -9": lambda name, day: self._ended(name, day, signal.SIGKILL),
            "SIGTERM": lambda name, day: self._ended(name, day, signal.SIGTERM),
            "a second night": self._second,
            "a shell that holds the file": self._held,
        }
        if room:
            self.kinds["a full disk"] = self._full

    def disturb(self, name: str, day: Day, kind: str) -> None:
        """Run a command on which one thing happens, and see that it ends as it should."""
        self.tried[f"{kind}, {name}"] += 1
        self.kinds[kind](name, day)

    def _ended(self, name: str, day: Day, sent: signal.Signals) -> None:
        with subprocess.Popen(self.store.command(name, day), stdout=-1, stderr=-1, text=True) as process:
            try:
                out, err = process.communicate(timeout=self.store.part(name, day, self.chance.uniform(0.05, 1.05)))
            except subprocess.TimeoutExpired:
                process.send_signal(sent)
                out, err = process.communicate()
        assert process.returncode in (*DONE, *ENDED[sent], -sent), (process.returncode, err)
        if process.returncode in DONE:
            self.store.acknowledge(name, out)

    def _second(self, name: str, day: Day) -> None:
        with subprocess.Popen(self.store.command(name, day), stdout=-1, stderr=-3, text=True) as process:
            time.sleep(self.store.part(name, day, self.chance.uniform(0.2, 0.6)))
            second = subprocess.run(self.store.command("nightly", day), capture_output=True, text=True, check=False)
            out, _ = process.communicate()
        assert {process.returncode, second.returncode} <= {*DONE, 75}
        # one of both gets through
        assert process.returncode in DONE or second.returncode in DONE
        if process.returncode in DONE:
            self.store.acknowledge(name, out)

    def _held(self, name: str, day: Day) -> None:
        if not (self.store.store / "warehouse.duckdb").exists():
            return
        with open_warehouse(self.store.store):
            refused = self.store.run(name, day)
        assert refused.returncode == 75, refused.stderr
        assert str(os.getpid()) in refused.stderr + refused.stdout

    def _full(self, name: str, day: Day) -> None:
        ballast = self.store.folder / "ballast"
        left = int(self.chance.choice(self.room) * self.chance.uniform(0.5, 1.5)) * 1024
        with ballast.open("wb") as target:
            size = max(shutil.disk_usage(self.store.folder).free - left, 1)
            os.posix_fallocate(target.fileno(), 0, size)
        try:
            ended = self.store.run(name, day)
        finally:
            ballast.unlink()
        assert ended.returncode in (*DONE, 74), (left, ended.returncode, ended.stderr[-600:])
