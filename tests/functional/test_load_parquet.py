"""The typed tables as Parquet: the rows of the store, in the buckets of their patients, of each node its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from cohortfinder.errors import CohortFinderError, InputError, ReadWriteError, StoreError
from cohortfinder.jobs.erase import erase
from cohortfinder.jobs.load import load
from cohortfinder.jobs.parquet import write_parquet
from cohortfinder.resources import resource_dir
from cohortfinder.runs.lock import only_one
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.parquet import NodeManifest, manifest_file, manifest_text, read_layout
from cohortfinder.warehouse.parquet_runs import Target
from cohortfinder.warehouse.parquet_tables import bucket_of, parquet_tables
from cohortfinder.warehouse.state import loaded_types
from portable.parquet_rows import condition, files_of, patient, read, rows_of_files, rows_of_store
from small_disk import small_disk_in

SAMPLES = resource_dir("sample_bundles")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with every sample, the broken ones too."""
    store = tmp_path_factory.mktemp("samples") / "store"
    load([SAMPLES], store)
    return store


def write(store: Path, folder: Path, node: str = "main", buckets: int | None = None) -> NodeManifest:
    return write_parquet(store, Target(folder, node, buckets))


def store_of(folder: Path, *resources: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"{len([*folder.iterdir()])}.ndjson"
    file.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in resources))
    load([file], folder / "store")
    return folder / "store"


def places(folder: Path) -> dict[str, int]:
    """Return every file of a folder with when it was written."""
    return {str(file.relative_to(folder)): file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}


def test_the_files_hold_the_rows_of_the_store(store: Path, tmp_path: Path) -> None:
    write(store, tmp_path / "tables")
    stored, found = rows_of_store(store), rows_of_files(read_layout(tmp_path / "tables"))
    assert {name: rows.total() for name, rows in found.items()} == {name: rows.total() for name, rows in stored.items()}
    assert found == stored
    assert {name for name, rows in stored.items() if rows} >= {
        "observation", "observation_range", "exact_number", "quarantine", "medication_statement_dosage", "medication",
    }  # fmt: skip


def test_the_files_have_the_types_of_the_tables(store: Path, tmp_path: Path) -> None:
    write(store, tmp_path / "tables")
    layout = read_layout(tmp_path / "tables")
    with duckdb.connect() as connection:
        for table in parquet_tables():
            if files := files_of(layout, table.name):
                told = connection.execute("DESCRIBE SELECT * FROM read_parquet($files)", {"files": files}).fetchall()
                assert {name: kind for name, kind, *_ in told if name in table.columns} == table.columns


@pytest.mark.parametrize("buckets", [1, 3, 16])
def test_every_row_lies_in_the_bucket_of_its_patient(store: Path, tmp_path: Path, buckets: int) -> None:
    write(store, tmp_path / "tables", buckets=buckets)
    layout, patients = read_layout(tmp_path / "tables"), {}
    for table in sorted(parquet_tables(), key=lambda one: one.patient is None):
        if table.patient is not None:
            for (own_id, whose, bucket), _ in read(
                files_of(layout, table.name), ["id", table.patient, "bucket"]
            ).items():
                patients[table.name, own_id] = whose
                assert bucket == bucket_of(whose, buckets)
        elif table.parent is not None:
            for (own_id, bucket), _ in read(files_of(layout, table.name), ["id", "bucket"]).items():
                assert bucket == bucket_of(patients[table.parent, own_id], buckets)
    assert layout.buckets == buckets


def test_what_is_of_no_patient_or_of_nobody_known_is_there(tmp_path: Path) -> None:
    store = store_of(tmp_path / "in", patient("a"), condition("c", "a"), condition("nobodys", None))
    write(store, tmp_path / "tables")
    found = read(files_of(read_layout(tmp_path / "tables"), "condition"), ["id", "patient_id", "bucket"])
    assert set(found) == {("c", "a", bucket_of("a", 16)), ("nobodys", None, bucket_of(None, 16))}


def test_the_records_of_one_person_lie_each_in_its_own_bucket(tmp_path: Path) -> None:
    """Who joins them does it by the id: a bucket is where a row lies, and says nothing about it."""
    merged = patient("old", active=False, link=[{"other": {"reference": "Patient/new"}, "type": "replaced-by"}])
    write(store_of(tmp_path / "in", patient("new"), merged), tmp_path / "tables")
    found = read(files_of(read_layout(tmp_path / "tables"), "patient"), ["id", "bucket"])
    assert set(found) == {("new", bucket_of("new", 16)), ("old", bucket_of("old", 16))}


def test_the_manifest_tells_what_is_there(store: Path, tmp_path: Path) -> None:
    written = write(store, tmp_path / "tables")
    content = json.loads((tmp_path / "tables" / manifest_file(written)).read_text())
    assert {name: content[name] for name in ("layout", "node", "engine", "buckets", "bucketed_by", "duckdb")} == {
        "layout": 1, "node": "main", "engine": "duckdb", "buckets": 16, "bucketed_by": "sha256-8",
        "duckdb": duckdb.__version__,
    }  # fmt: skip
    assert content["schema"]["observation"]["value"] == "DECIMAL(28,10)"
    with open_warehouse(store, read_only=True) as connection:
        states = loaded_types(connection)
    assert content["types"] == {name: asdict(state) for name, state in states.items()}
    assert read_layout(tmp_path / "tables").types == states


def test_only_the_owner_reads_the_files(store: Path, tmp_path: Path) -> None:
    write(store, tmp_path / "a" / "tables")
    modes = {
        path.is_dir(): oct(path.stat().st_mode & 0o777)
        for path in ((tmp_path / "a"), *(tmp_path / "a").rglob("*"))
    }  # fmt: skip
    assert modes == {True: "0o700", False: "0o600"}


def test_a_run_again_takes_the_place_of_what_the_node_has_written(tmp_path: Path) -> None:
    store = store_of(tmp_path / "in", patient("a"), condition("c", "a"))
    write(store, tmp_path / "tables")
    before = read_layout(tmp_path / "tables")
    store_of(tmp_path / "in", patient("b"), condition("d", "b"))
    write(store, tmp_path / "tables")
    assert rows_of_files(read_layout(tmp_path / "tables")) == rows_of_store(store)
    # who reads what was there before can end
    assert set(read(files_of(before, "patient"), ["id"])) == {("a",)}
    last = write(store, tmp_path / "tables")
    assert files_of(before, "patient") == []
    assert len([*(tmp_path / "tables" / "patient" / "node=main").iterdir()]) == 2
    assert read_layout(tmp_path / "tables").nodes == (last,)


def test_nodes_write_side_by_side(tmp_path: Path) -> None:
    one = store_of(tmp_path / "one", patient("a"), condition("c", "a"))
    two = store_of(tmp_path / "two", patient("b"), condition("c2", "b"), condition("c3", "b"))
    write(one, tmp_path / "tables", "one")
    write(two, tmp_path / "tables", "two")
    others = {file: time for file, time in places(tmp_path / "tables").items() if "two" in file}
    write(one, tmp_path / "tables", "one")
    write(one, tmp_path / "tables", "one")
    assert {file: time for file, time in places(tmp_path / "tables").items() if "two" in file} == others
    layout, both = read_layout(tmp_path / "tables"), (rows_of_store(one), rows_of_store(two))
    assert rows_of_files(layout) == {name: both[0][name] + both[1][name] for name in both[0]}
    assert [node.node for node in layout.nodes] == ["one", "two"]
    assert layout.types["Condition"].resources == 3


def test_a_type_that_one_node_lacks_is_not_complete(tmp_path: Path) -> None:
    write(store_of(tmp_path / "one", patient("a"), condition("c", "a")), tmp_path / "tables", "one")
    assert read_layout(tmp_path / "tables").types["Condition"].complete
    write(store_of(tmp_path / "two", patient("b")), tmp_path / "tables", "two")
    types = read_layout(tmp_path / "tables").types
    assert (types["Patient"].complete, types["Condition"].complete) == (True, False)


def test_nodes_at_the_same_time(tmp_path: Path) -> None:
    stores = {node: store_of(tmp_path / node, patient(node), condition("c" + node, node)) for node in ("a", "b", "c")}
    command = [sys.executable, "-m", "cohortfinder", "load", "--parquet", str(tmp_path / "tables"), "--node"]
    running = [subprocess.Popen([*command, node, "--store", str(store)]) for node, store in stores.items()]
    assert [one.wait(timeout=120) for one in running] == [0, 0, 0]
    assert set(read(files_of(read_layout(tmp_path / "tables"), "patient"), ["id"])) == {("a",), ("b",), ("c",)}


def test_the_same_patient_at_two_nodes_is_refused(tmp_path: Path) -> None:
    one, two = (store_of(tmp_path / name, patient("both"), patient(name)) for name in ("one", "two"))
    write(one, tmp_path / "tables", "one")
    before = places(tmp_path / "tables")
    with pytest.raises(InputError, match=r"1 patients of node two have ids that node one has, too") as told:
        write(two, tmp_path / "tables", "two")
    assert "both" not in str(told.value)
    assert {file: at for file, at in places(tmp_path / "tables").items() if not file.endswith(".lock")} == {
        file: at for file, at in before.items() if not file.endswith(".lock")
    }


def test_after_an_erasure_nothing_of_before_is_kept(tmp_path: Path) -> None:
    store = store_of(tmp_path / "in", patient("a"), patient("b"), condition("c", "b"))
    write(store, tmp_path / "tables")
    erase(store, "b")
    write(store, tmp_path / "tables")
    left = [str(file) for file in (tmp_path / "tables" / "patient").rglob("*.parquet")]
    assert set(read(left, ["id"])) == {("a",)}
    assert [*(tmp_path / "tables" / "condition").rglob("*.parquet")] == []


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda folder: folder.symlink_to("/"), "this is no folder, or a link to one"),
        (lambda folder: folder.write_text(""), "this is no folder, or a link to one"),
        (lambda folder: (folder / "letters").mkdir(parents=True), "there are other files in this folder"),
    ],
)
def test_a_folder_that_is_none_for_tables_is_refused(
    store: Path, tmp_path: Path, made: Callable[[Path], object], said: str
) -> None:
    made(tmp_path / "tables")
    with pytest.raises(InputError, match=said):
        write(store, tmp_path / "tables")


def test_a_link_within_the_folder_is_refused(tmp_path: Path) -> None:
    store = store_of(tmp_path / "in", patient("a"))
    write(store, tmp_path / "tables")
    shutil.rmtree(tmp_path / "tables" / "patient")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "tables" / "patient").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="this is a link and not a folder"):
        write(store, tmp_path / "tables")
    assert [*(tmp_path / "elsewhere").iterdir()] == []


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (Target(Path("tables"), "Charité"), "use lower-case letters"),
        (Target(Path("tables"), "../a"), "use lower-case letters"),
        (Target(Path("tables"), buckets=0), "give a number from 1 to 65536"),
        (Target(Path("tables[1]")), "Spark reads no folder with"),
        (Target(Path("store/tables")), "this is in the store"),
    ],
)
def test_a_target_that_cannot_be_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: Target, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said):
        write_parquet(Path("store"), target)
    assert [*tmp_path.iterdir()] == []


def test_all_nodes_have_as_many_buckets(tmp_path: Path) -> None:
    one, two = (store_of(tmp_path / name, patient(name)) for name in ("one", "two"))
    write(one, tmp_path / "tables", "one", 4)
    assert write(two, tmp_path / "tables", "two").buckets == 4
    with pytest.raises(InputError, match=r"node one has 4 buckets here, and all nodes have as many"):
        write(two, tmp_path / "tables", "two", 8)
    assert write(one, tmp_path / "alone", "one", 4).buckets == 4
    assert write(one, tmp_path / "alone", "one", 8).buckets == 8
    assert write(one, tmp_path / "alone", "one").buckets == 8


def changed(folder: Path, **changes: Any) -> None:
    """Write other values into the manifest of the only run."""
    (file,) = folder.glob("manifests/*.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_tables_that_are_not_there_or_not_right_are_one_sentence(tmp_path: Path) -> None:
    tables = tmp_path / "tables"
    said: dict[str, tuple[type[CohortFinderError], str]] = {}

    def refused(case: str) -> None:
        with pytest.raises(CohortFinderError) as told:
            read_layout(tables)
        said[case] = (type(told.value), str(told.value))

    refused("no folder")
    tables.mkdir()
    refused("no tables")
    write(store_of(tmp_path / "in", patient("a"), condition("c", "a")), tables)
    changed(tables, layout=7)
    refused("other layout")
    changed(tables, layout=1, schema={"patient": {"id": "VARCHAR"}})
    refused("other tables")
    current = {table.name: dict(table.columns) for table in parquet_tables()}
    changed(tables, schema={**current, "observation": {**current["observation"], "value": "DOUBLE"}})
    refused("other columns")
    changed(tables, schema={**current, "patient": {**current["patient"], "shoe_size": "INTEGER"}})
    refused("more columns")
    changed(tables, schema=current)
    (lost,) = [*tables.glob("condition/*/*/bucket=*")]
    shutil.rmtree(lost)
    refused("lost bucket")
    shutil.rmtree(tables / "condition")
    refused("lost table")
    (tables / manifest_file(read_one(tables))).write_text("{")
    refused("damaged")
    assert {case: kind for case, (kind, _) in said.items()} == {
        "no folder": InputError, "no tables": InputError, "other layout": StoreError, "other tables": StoreError,
        "other columns": StoreError, "more columns": StoreError, "lost bucket": StoreError, "lost table": StoreError,
        "damaged": StoreError,
    }  # fmt: skip
    assert "has written these tables with layout 7, this version reads 1; write them again: " in said["other layout"][1]
    assert "observation.value is DOUBLE and not DECIMAL(28,10); write them again: " in said["other columns"][1]
    assert "patient has a column shoe_size; write them again: " in said["more columns"][1]
    assert "were written here and 0 with 0 are left; write the tables again: " in said["lost bucket"][1]
    assert not [text for _, text in said.values() if "\n" in text]


def read_one(tables: Path) -> NodeManifest:
    (file,) = tables.glob("manifests/*.json")
    content = json.loads(file.read_text())
    return NodeManifest(**{**content, "tables": {}, "types": {}})


def test_tables_of_an_older_layout_are_written_again(tmp_path: Path) -> None:
    store = store_of(tmp_path / "in", patient("a"))
    write(store, tmp_path / "tables")
    changed(tmp_path / "tables", layout=0)
    write(store, tmp_path / "tables")
    assert rows_of_files(read_layout(tmp_path / "tables")) == rows_of_store(store)
    assert len([*(tmp_path / "tables" / "manifests").glob("*.json")]) == 1


def test_two_numbers_of_buckets_are_one_sentence(tmp_path: Path) -> None:
    written = write(store_of(tmp_path / "in", patient("a")), tmp_path / "tables", "one")
    text = json.loads(manifest_text(written))
    (tmp_path / "tables" / "manifests" / f"two.{written.run}.json").write_text(
        json.dumps({**text, "node": "two", "buckets": 5})
    )
    with pytest.raises(StoreError, match="node one has 16 buckets and node two 5; write one of them again"):
        read_layout(tmp_path / "tables")


@pytest.fixture
def as_nobody() -> Iterator[Callable[[], None]]:
    """Give up the rights of root until the test ends: root may read everything."""
    mine = os.geteuid()
    yield lambda: os.seteuid(65_534) if mine == 0 else None
    os.seteuid(mine)


def test_a_folder_that_may_not_be_read_is_one_sentence(tmp_path: Path, as_nobody: Callable[[], None]) -> None:
    """Of the folder that is closed by mistake, and not: there is nothing here."""
    write(store_of(tmp_path / "in", patient("a")), tmp_path / "tables")
    for folder in (*tmp_path.parents, tmp_path, *tmp_path.rglob("*")):
        folder.chmod(folder.stat().st_mode | 0o755)
    (closed,) = (tmp_path / "tables" / "patient").glob("*/*/bucket=*")
    closed.chmod(0)
    as_nobody()
    with pytest.raises(
        ReadWriteError, match=r"bucket=\d+: this part of the tables cannot be read \(Permission denied\)"
    ):
        read_layout(tmp_path / "tables")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB, where this may be made."""
    with small_disk_in(tmp_path, 4) as disk:
        yield disk


@pytest.mark.parametrize("free", [0, 8_192, 60_000, 300_000])
def test_a_full_disk_leaves_what_was_there(store: Path, small_disk: Path, free: int) -> None:
    write(store, small_disk / "tables", buckets=2)
    before = read_layout(small_disk / "tables")
    filler = small_disk / "filler"
    filler.write_bytes(b"0" * (shutil.disk_usage(small_disk).free - free))
    done = subprocess.run(
        [sys.executable, "-m", "cohortfinder", "load", "--store", store, "--parquet", small_disk / "tables"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 74, done.stderr
    assert str(small_disk / "tables") in done.stderr
    assert "then run again" in done.stderr
    assert read_layout(small_disk / "tables").nodes == before.nodes
    assert len([*(small_disk / "tables" / "patient" / "node=main").iterdir()]) == 1
    filler.unlink()
    write(store, small_disk / "tables")
    assert rows_of_files(read_layout(small_disk / "tables")) == rows_of_store(store)


@pytest.mark.parametrize("table", ["allergy", "observation", "research_subject"])
def test_a_kill_leaves_what_was_there(store: Path, tmp_path: Path, table: str) -> None:
    write(store, tmp_path / "tables")
    before = read_layout(tmp_path / "tables")
    running = subprocess.Popen(
        [sys.executable, "-m", "cohortfinder", "load", "--store", str(store), "--parquet", str(tmp_path / "tables")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    written = tmp_path / "tables" / table / "node=main"
    while len([*written.iterdir()]) < 2 and running.poll() is None:
        time.sleep(0.001)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert read_layout(tmp_path / "tables").nodes == before.nodes
    assert rows_of_files(before) == rows_of_store(store)
    again = write(store, tmp_path / "tables")
    assert {one.name for one in written.iterdir()} == {f"run={before.nodes[0].run}", f"run={again.run}"}
    assert rows_of_files(read_layout(tmp_path / "tables")) == rows_of_store(store)


def test_a_second_run_of_a_node_has_to_wait(tmp_path: Path) -> None:
    store = store_of(tmp_path / "in", patient("a"))
    write(store, tmp_path / "tables")
    with only_one(tmp_path / "tables" / "manifests" / "main.lock", "is writing"):
        done = subprocess.run(
            [sys.executable, "-m", "cohortfinder", "load", "--store", store, "--parquet", tmp_path / "tables"],
            capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 75, done.stderr


def test_the_command_loads_and_writes(run: Callable[..., Any], tmp_path: Path) -> None:
    done = run(
        "load", SAMPLES / "aav-age-66-today.json", "--store", tmp_path / "store", "--parquet", tmp_path / "tables"
    )
    assert done.status == 0, done.err
    assert f"The tables of node main are in {tmp_path / 'tables'}, in 16 buckets" in done.out
    assert rows_of_files(read_layout(tmp_path / "tables")) == rows_of_store(tmp_path / "store")
    told = run("load", "--store", tmp_path / "store", "--parquet", tmp_path / "tables", "--node", "x", "--json")
    assert told.status == 64, "both nodes have the same patient"
    told = run("load", "--store", tmp_path / "store", "--parquet", tmp_path / "more", "--node", "x", "--json")
    assert json.loads(told.out)["parquet"]["tables"]["patient"] == {
        "rows": 1,
        "files": 1,
        "bytes": told_bytes(tmp_path),
    }


def told_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in (folder / "more" / "patient").rglob("*.parquet"))


def test_the_command_needs_something_to_do(run: Callable[..., Any], tmp_path: Path) -> None:
    assert run("load", "--store", tmp_path / "store").status == 2
    assert run("load", "--store", tmp_path / "store", "--parquet", tmp_path / "tables").status == 64
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("java", "said"), [("", "Spark needs Java 17, and there is none here"), ("11.0.2", "this is Java 11")]
)
def test_without_what_spark_needs_the_command_says_what_is_missing(tmp_path: Path, java: str, said: str) -> None:
    """Of whatever is missing first: PySpark, or Java of the right version."""
    if java:
        (tmp_path / "java").write_text(f"#!/bin/sh\necho 'openjdk version \"{java}\"' >&2\n")
        (tmp_path / "java").chmod(0o755)
    command = [
        sys.executable,
        "-m",
        "cohortfinder",
        "load",
        SAMPLES,
        "--engine",
        "spark",
        "--store",
        tmp_path / "store",
    ]
    environment = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    done = subprocess.run(
        [*command, "--parquet", tmp_path / "tables"], capture_output=True, text=True,
        env={**environment, "PATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 78, done.stderr
    if find_spec("pyspark") is None:
        said = "Spark is not installed; install it: pip install 'cohortfinder[spark]'"
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert not (tmp_path / "tables").exists()
