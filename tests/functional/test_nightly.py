"""`cohortfinder nightly`: what was pulled or loaded becomes the list that holds, as a whole or not at all."""

import csv
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from markupsafe import escape

from cohortfinder.jobs.load import load
from cohortfinder.runs.notice import read_notice
from cohortfinder.runs.snapshots import current_run, snapshot_folder
from functional.test_pull import TRIAL, condition, furnish, observation, order, patient
from searched_server import Searched, serving, with_habits

DAY = "2026-11-25"
COMMAND = [sys.executable, "-m", "cohortfinder", "nightly", "--json"]


class Nights:
    """A store, its configuration, and its nights."""

    def __init__(self, folder: Path, run: Callable[..., Any], url: str | None = None) -> None:
        self.folder, self._run, self.store, self.config = folder, run, folder / "store", folder / "site.toml"
        (folder / "trial.yaml").write_text(TRIAL, encoding="utf-8")
        self.configure(url=url)

    def configure(self, *, url: str | None = None, trials: str = '["trial.yaml"]', more: str = "") -> None:
        server = f'[fhir]\nurl = "{url}"\nallow_http = true\npage_size = 7\n' if url else ""
        text = f'store = "{self.store}"\ntrials = {trials}\ntime_zone = "UTC"\n{server}{more}'
        self.config.write_text(text, encoding="utf-8")

    def command(self, name: str, *options: object) -> Any:
        """Run a command on the store."""
        return self._run(name, "--config", self.config, "--json", *options)

    def night(self, *options: object, status: int = 0, day: str = DAY) -> dict[str, Any]:
        """Run a night, and return its record."""
        done = self.command("nightly", "--as-of", day, *options)
        assert done.status == status, done.out + done.err
        told: dict[str, Any] = json.loads(done.out)
        assert told["exit_status"] == status
        kept = json.loads((self.store / "runs" / told["run_id"] / "run.json").read_bytes())
        assert kept == told
        return told

    def refused(self, *codes: str, status: int, options: tuple[object, ...] = (), day: str = DAY) -> dict[str, Any]:
        """Run a night that must not publish, and see that the list that holds stays, with a notice."""
        before = current_run(self.store)
        told = self.night(*options, status=status, day=day)
        assert told["state"] == "refused"
        assert [one["code"] for one in told["refusals"]] == list(codes)
        assert current_run(self.store) == before
        notice = read_notice(self.store)
        assert notice is not None
        assert (notice.run_id, notice.list_of, notice.codes) == (told["run_id"], before, codes)
        assert told["message"] in notice.sentence
        assert str(escape(notice.sentence)) in self.front_page()
        return told

    def front_page(self) -> str:
        """Return the page before the lists, after every link of it was found to lead to the list that holds."""
        page = (self.store / "snapshots" / "index.html").read_text(encoding="utf-8")
        links = re.findall(r'href="([^"]+)"', page)
        held = current_run(self.store)
        assert [link.partition("/")[0] for link in links] == [held] * (3 if held else 0)
        assert all((self.store / "snapshots" / link).is_file() for link in links)
        return page

    def load(self, *resources: dict[str, Any]) -> None:
        """Load resources from a file."""
        file = self.folder / "more.ndjson"
        file.write_text("".join(json.dumps(one) + "\n" for one in resources), encoding="utf-8")
        load([file], self.store)

    def marks(self, told: dict[str, Any]) -> set[str]:
        """Return how the candidates of a run are marked."""
        file = snapshot_folder(self.store, told["run_id"]) / "PULLED" / "candidates.csv"
        with file.open(encoding="utf-8", newline="") as stream:
            return {row["other_studies"] for row in csv.DictReader(stream) if row["status"] != "excluded"}

    def listed(self) -> list[str]:
        """Return who is in the list that holds, read as a reader does: CURRENT, then the folder that it names."""
        run_id = (self.store / "CURRENT").read_text(encoding="utf-8").strip()
        with duckdb.connect(str(self.store / "snapshots" / run_id / "lists.duckdb"), read_only=True) as lists:
            return [one for (one,) in lists.execute("SELECT patient_id FROM candidates ORDER BY patient_id").fetchall()]


@pytest.fixture
def server() -> Iterator[Searched]:
    with serving(Searched()) as one:
        furnish(one)
        yield one


@pytest.fixture
def pulling(tmp_path: Path, server: Searched, run: Callable[..., Any]) -> Nights:
    return Nights(tmp_path, run, server.url)


@pytest.fixture
def loading(tmp_path: Path, run: Callable[..., Any]) -> Nights:
    nights = Nights(tmp_path, run)
    nights.load(
        *(patient(f"p{number}") for number in range(10)),
        *(condition(f"c{number}", f"p{number}") for number in range(10)),
    )
    return nights


def tree(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip


def test_a_night_pulls_screens_and_publishes_and_the_next_tells_who_is_new(pulling: Nights, server: Searched) -> None:
    first = pulling.night()
    assert (first["state"], first["index_date"]) == ("published", DAY)
    assert [(one["name"], one["state"]) for one in first["steps"]] == [
        ("pull", "done"), ("check", "done"), ("screen PULLED", "done"), ("compare", "skipped"), ("publish", "done"), ("notify", "done"),
    ]  # fmt: skip
    assert first["types"]["Patient"] == 2
    assert pulling.listed() == ["a"]
    server.sleep(hours=5)
    server.put(condition("c2", "b"))
    second = pulling.night()
    assert pulling.listed() == ["a", "b"]
    assert {name: second["trials"]["PULLED"][name] for name in ("candidates", "new", "left")} == {
        "candidates": 2, "new": 1, "left": 0,
    }  # fmt: skip
    assert second["steps"][0]["counts"]["Condition"] == {"got": 1, "new": 1, "changed": 0, "deleted": 0}
    assert len(second["load_ids"]) == 2
    assert current_run(pulling.store) == second["run_id"]
    assert read_notice(pulling.store) is None


def test_a_night_without_a_server_screens_what_was_loaded(loading: Nights) -> None:
    told = loading.night()
    assert told["steps"][0]["state"] == "skipped"
    assert len(loading.listed()) == 10
    loading.load(patient("late"), condition("c-late", "late"))
    assert loading.night(day="2026-11-26")["trials"]["PULLED"]["new"] == 1
    assert "late" in loading.listed()


def test_a_snapshot_is_read_only_and_is_what_its_manifest_says(loading: Nights) -> None:
    run_id = loading.night()["run_id"]
    folder = snapshot_folder(loading.store, run_id)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert {name: one["sha256"] for name, one in manifest["files"].items()} == {
        name: digest for name, digest in tree(folder).items() if name != "manifest.json"
    }
    assert manifest["tables"]["candidates"] == 10
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o400}
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_dir()} == {0o700}
    assert {"candidates.csv", "verdicts.parquet", "report.html", "run.json"} <= {
        path.name for path in (folder / "PULLED").iterdir()
    }
    everything = [path for name in ("runs", "snapshots") for path in (loading.store / name).rglob("*")]
    assert [path for path in everything if path.is_dir() and path.stat().st_mode & 0o077] == []


def test_no_record_and_no_name_outside_of_the_lists_tells_a_patient(pulling: Nights, server: Searched) -> None:
    server.put(patient("canary-patient", name=[{"family": "Canarybird"}]), condition("canary-record", "canary-patient"))
    told = pulling.night()
    assert "canary-patient" in pulling.listed()
    with_habits(server, failing=frozenset({"Condition", "Patient", "Observation", "Encounter", "MedicationRequest"}))
    server.sleep(hours=5)
    pulling.command("nightly", "--as-of", DAY)
    kept = [path.read_bytes() for path in pulling.store.rglob("run.json") if path.parent.parent.name == "runs"]
    kept.append((pulling.store / "snapshots" / "NOTICE.json").read_bytes())
    assert len(kept) == 3
    assert [one for one in kept if b"canary" in one.lower()] == []
    assert "canary" not in json.dumps(told).lower()


def test_without_a_trial_or_a_store_it_is_said_what_to_do(tmp_path: Path, run: Callable[..., Any]) -> None:
    nights = Nights(tmp_path, run)
    missing = nights.command("nightly")
    assert (missing.status, nights.store.exists()) == (64, False)
    assert "load FHIR files first: cohortfinder load PATH" in missing.err
    nights.configure(trials="[]")
    unconfigured = nights.command("nightly")
    assert unconfigured.status == 78
    assert 'write trials = ["NCT06983964"] into the configuration' in unconfigured.err


def test_a_second_night_is_told_who_runs_the_first(loading: Nights) -> None:
    holder = (
        "import sys; from pathlib import Path; from cohortfinder.runs.lock import only_one\n"
        "with only_one(Path(sys.argv[1]), 'is running a night'):\n    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, loading.store / "nightly.lock"], stdin=-1, stdout=-1, text=True
    ) as first:
        assert first.stdout is not None
        first.stdout.readline()
        second = loading.command("nightly", "--as-of", DAY)
        first.kill()
    assert second.status == 75
    assert f"process {first.pid} (since 20" in second.err
    assert "is running a night; try again when it has finished" in second.err
    assert not (loading.store / "runs").exists()
    loading.night()


def test_a_shell_that_holds_the_warehouse_fails_the_night_with_its_pid(loading: Nights) -> None:
    first = loading.night()["run_id"]
    shell = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", shell, loading.store / "warehouse.duckdb"], stdin=-1, stdout=-1, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        told = loading.night(status=75)
        holder.kill()
    assert told["state"] == "failed"
    assert f"process {holder.pid} is using the warehouse" in told["message"]
    assert current_run(loading.store) == first
    notice = read_notice(loading.store)
    assert notice is not None
    assert (notice.exit_status, notice.nights) == (75, 1)


def test_several_trials_are_published_together(loading: Nights) -> None:
    other = TRIAL.replace("trial: PULLED", "trial: OTHER").replace("at_least: 80 g/L", "at_least: 90 g/L")
    (loading.folder / "other.yaml").write_text(other, encoding="utf-8")
    loading.configure(trials='["trial.yaml", "other.yaml"]')
    told = loading.night()
    assert [*told["trials"]] == ["PULLED", "OTHER"]
    with duckdb.connect(str(snapshot_folder(loading.store, told["run_id"]) / "lists.duckdb"), read_only=True) as lists:
        counts = lists.execute("SELECT trial, count(*) FROM candidates GROUP BY trial ORDER BY trial").fetchall()
        assert counts == [("OTHER", 10), ("PULLED", 10)]
        assert lists.execute("SELECT count(DISTINCT trial) FROM funnel").fetchone() == (2,)


def test_who_is_listed_for_another_trial_is_marked_from_the_next_night_on(loading: Nights) -> None:
    """The lists that were published before tell it; a replay marks whom the night has marked."""
    other = TRIAL.replace("trial: PULLED", "trial: OTHER").replace("at_least: 80 g/L", "at_least: 90 g/L")
    (loading.folder / "other.yaml").write_text(other, encoding="utf-8")
    loading.configure(trials='["trial.yaml", "other.yaml"]')
    first, second = loading.night(), loading.night(day="2026-11-26")
    assert loading.marks(first) == {""}
    found = loading.marks(second)
    assert found
    assert found <= {"OTHER (listed as possible)", "OTHER (listed as eligible)"}
    report = snapshot_folder(loading.store, second["run_id"]) / "PULLED" / "report.html"
    assert "listed for another trial" in report.read_text(encoding="utf-8")
    assert loading.command("replay", second["run_id"]).status == 0


def test_the_next_night_asks_again_only_whom_it_must(loading: Nights) -> None:
    first = loading.night()
    loading.load(condition("one-more", "p1"))
    second = loading.night(day="2026-11-26")
    counts = [
        next(step["counts"] for step in one["steps"] if step["name"] == "screen PULLED") for one in (first, second)
    ]
    assert "asked_again" not in counts[0]
    assert 1 <= counts[1]["asked_again"] < 10
    assert loading.command("replay", second["run_id"]).status == 0


def test_answers_of_people_count_and_are_kept_for_a_replay(loading: Nights) -> None:
    rows = "patient_id,arm,criterion_id,answer,by,at,note\np1,A,I-HB,no,Dr. Li,2026-11-24,\n"
    (loading.folder / "answers.csv").write_text(rows, encoding="utf-8")
    loading.configure(more='[nightly]\nanswers = "answers.csv"\n')
    told = loading.night()
    assert told["trials"]["PULLED"]["excluded"] == 1
    kept = loading.store / "runs" / told["run_id"] / "trials" / "PULLED" / "inputs" / "answers.csv"
    assert kept.read_text(encoding="utf-8") == rows
    assert "inputs" not in {path.name for path in (snapshot_folder(loading.store, told["run_id"]) / "PULLED").iterdir()}


def test_as_many_lists_as_configured_stay(loading: Nights) -> None:
    loading.configure(more="[nightly]\nkeep = 2\n")
    ids = [loading.night()["run_id"] for _ in range(3)]
    assert sorted(path.name for path in (loading.store / "snapshots").iterdir() if path.is_dir()) == ids[1:]
    assert sorted(path.name for path in (loading.store / "runs").iterdir()) == ids
    assert {path.name for path in (loading.store / "runs" / ids[0]).iterdir()} == {"run.json"}


def test_what_could_not_be_loaded_is_told_once(loading: Nights) -> None:
    loading.load(patient("more"), {"resourceType": "Patient", "gender": "female"})
    told = loading.night(status=3)
    assert told["state"] == "published"
    assert [one.partition(" of load")[0] for one in told["warnings"]] == ["1 resource"]
    assert loading.night()["warnings"] == []


def test_an_interrupted_load_is_taken_up_by_the_night(loading: Nights) -> None:
    """A load that reached landing and not the tables, as a kill between the two leaves it."""
    other = Nights.__new__(Nights)
    other.folder, other.store = loading.folder / "other", loading.folder / "other" / "store"
    other.folder.mkdir()
    other.load(patient("landed"), condition("c-landed", "landed"))
    (folder,) = (other.store / "landing").iterdir()
    shutil.copytree(folder, loading.store / "landing" / folder.name.replace("-001", "-009"))
    manifest = loading.store / "landing" / folder.name.replace("-001", "-009") / "manifest.json"
    manifest.write_bytes(
        manifest.read_bytes().replace(folder.name.encode(), folder.name.replace("-001", "-009").encode())
    )
    loading.night()
    assert "landed" in loading.listed()


@pytest.mark.parametrize("bad", ["prevented", "shrink", "shrunk", "lost-codes:"])
def test_only_codes_that_there_are_can_be_accepted(loading: Nights, bad: str) -> None:
    done = loading.command("nightly", "--accept", bad)
    assert done.status == 2
    assert f"--accept {bad}: there is no such code; known are clock, pull-failed," in done.err


def test_an_order_of_a_drug_is_part_of_the_list(pulling: Nights, server: Searched) -> None:
    server.put(order("r2", "Medication/m1", "b"), observation("o-b", "b"), condition("c9", "b"))
    pulling.night()
    assert pulling.listed() == ["a", "b"]
