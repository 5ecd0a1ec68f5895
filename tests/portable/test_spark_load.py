"""Typed tables by Spark: the rows that `load` makes, whatever the files are and however Spark cuts them."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from cohortfinder.errors import CohortFinderError, ConfigurationError, InputError, ReadWriteError, StoreError
from cohortfinder.jobs.load import load
from cohortfinder.jobs.parquet import write_parquet
from cohortfinder.landing.people import Erased
from cohortfinder.resources import resource_dir
from cohortfinder.spark.hadoop import HadoopFiles
from cohortfinder.spark.load import SparkLoad, load_by_spark
from cohortfinder.spark.session import spark_session
from cohortfinder.warehouse.parquet import Layout, read_layout
from cohortfinder.warehouse.parquet_runs import Target
from cohortfinder.warehouse.parquet_tables import bucket_of, parquet_tables
from portable.parquet_rows import condition, files_of, patient, read, rows_of_files, rows_of_store
from portable.spark_needed import NEEDS_SPARK
from small_disk import small_disk_in

SAMPLES = resource_dir("sample_bundles")
NOBODY = Erased("00" * 32)

pytestmark = NEEDS_SPARK


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    with spark_session(threads=2) as session:
        yield session


def by_spark(session: Any, folder: Path | str, *places: Path | str, node: str = "main", **more: Any) -> SparkLoad:
    target = Target(folder, node, more.pop("buckets", None))
    return load_by_spark(session, [str(place) for place in places], target, erased=more.pop("erased", NOBODY))


def observation(
    number: str, version: int | None = 1, value: str = "10", updated: str | None = "2026-11-01T10:00:00Z"
) -> bytes:
    meta = {"versionId": None if version is None else str(version), "lastUpdated": updated}
    said = json.dumps({name: one for name, one in meta.items() if one is not None})
    return (
        f'{{"resourceType":"Observation","id":"{number}","meta":{said},"status":"final","subject":{{"reference":"Patient/a"}},'
        f'"code":{{"coding":[{{"system":"http://loinc.org","code":"718-7"}}]}},"valueQuantity":{{"value":{value},"unit":"g/L"}}}}'
    ).encode()


@pytest.fixture(scope="module")
def samples(session: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, SparkLoad]:
    """A store with every sample, and the tables that Spark makes of them."""
    folder = tmp_path_factory.mktemp("samples")
    load([SAMPLES], folder / "store")
    return folder / "store", folder / "spark", by_spark(session, folder / "spark", SAMPLES)


def test_the_samples_become_the_rows_that_load_makes(samples: tuple[Path, Path, SparkLoad]) -> None:
    store, folder, _ = samples
    stored, found = rows_of_store(store), rows_of_files(read_layout(folder))
    assert {name: rows.total() for name, rows in found.items()} == {name: rows.total() for name, rows in stored.items()}
    assert found == stored
    assert {name for name, rows in stored.items() if rows} >= {
        "observation", "observation_range", "exact_number", "quarantine", "medication_statement_dosage", "medication",
    }  # fmt: skip


def test_what_became_of_them_is_told_as_load_tells_it(samples: tuple[Path, Path, SparkLoad], tmp_path: Path) -> None:
    _, folder, done = samples
    told = load([SAMPLES], tmp_path / "store")
    assert dict(done.types) == told.types
    assert dict(done.reasons) == told.reasons
    lines = [
        orjson.loads(line) for file in Path(done.rejected).glob("*.json") for line in file.read_bytes().splitlines()
    ]
    assert len(lines) == sum(told.reasons.values()) > 0
    assert {"file", "line", "reason", "raw"} <= lines[0].keys()
    layout = read_layout(folder)
    assert {name: state.resources for name, state in layout.types.items()} == {
        name: one.loaded for name, one in told.types.items() if one.loaded
    }
    assert (layout.nodes[0].engine, layout.buckets) == ("spark", 16)


@pytest.mark.parametrize("maker", ["duckdb", "spark"])
def test_spark_reads_the_types_that_are_declared(
    session: Any, samples: tuple[Path, Path, SparkLoad], tmp_path: Path, maker: str
) -> None:
    store, folder, _ = samples
    if maker == "duckdb":
        folder = tmp_path / "tables"
        write_parquet(store, Target(folder))
    layout = read_layout(folder)
    for table in parquet_tables():
        declared = session.createDataFrame([], table.spark_schema).schema
        if paths := layout.paths[table.name]:
            found = session.read.parquet(*paths).select(*table.columns)
            assert [(one.name, one.dataType) for one in found.schema] == [(one.name, one.dataType) for one in declared]
    values = session.read.parquet(*layout.paths["observation"]).select("id", "value").collect()
    held = rows_of_files(layout)["observation"]
    place = [*next(one.columns for one in parquet_tables() if one.name == "observation")].index("value")
    assert sorted((str(one["id"]), one["value"]) for one in values if one["value"] is not None) == sorted(
        (str(row[0]), row[place]) for row, count in held.items() for _ in range(count) if row[place] is not None
    )


def test_the_bucket_is_the_same_in_spark(session: Any, samples: tuple[Path, Path, SparkLoad]) -> None:
    asked = "CAST(conv(substring(sha2(coalesce(patient_id, ''), 256), 1, 8), 16, 10) AS BIGINT) % 16 AS said, bucket, patient_id"
    paths = read_layout(samples[1]).paths["condition"]
    found = session.read.parquet(*paths).selectExpr(*(one.strip() for one in asked.rsplit(", ", 2))).collect()
    assert {(one["said"], one["bucket"]) for one in found} == {
        (bucket_of(one["patient_id"], 16), bucket_of(one["patient_id"], 16)) for one in found
    }


def hostile(folder: Path) -> list[Path]:
    """Files with everything that a task could take for something else, if it did not do as `load` does."""
    folder.mkdir()
    versions = [observation("v", number, f"{number}0.0", f"2026-11-0{number}T10:00:00Z") for number in (1, 2, 3)]
    ties = [observation("tie", 1, value) for value in ("1", "2", "3.5", "4")]
    ahead = [
        observation("ahead", number, f"{number}1.5", at)
        for number, at in ((1, "2099-01-01T00:00:00Z"), (2, "2026-11-02T10:00:00Z"))
    ]
    nothing = [observation("bare", None, value, None) for value in ("5", "6", "7")]
    people = [json.dumps(patient(name)).encode() for name in "abc"]
    contained = {
        "resourceType": "MedicationStatement", "id": "m", "status": "active", "subject": {"reference": "Patient/a"},
        "medicationReference": {"reference": "#1"},
        "contained": [{"resourceType": "Medication", "id": "1", "code": {"text": "belimumab"}}],
        "dosage": [{"text": "200 mg weekly"}],
    }  # fmt: skip
    gone = {
        "resourceType": "Bundle", "type": "history", "entry": [
            {"request": {"method": "DELETE", "url": "Condition/c1"}, "response": {"status": "200", "lastModified": "2026-11-10T00:00:00Z"}},
            {"resource": condition("c3", "b"), "request": {"method": "PUT", "url": "Condition/c3"}},
        ],
    }  # fmt: skip
    conditions = [json.dumps(condition(f"c{number}", "a")).encode() for number in (1, 2)]
    wrong = [
        b'{"resourceType":"Observation","id":"w","valueQuantity":{"value":{"no":1}}}',
        b'{"resourceType":"Patient"}',
        b"{",
        b"\xff",
    ]
    files = {
        "one [1].ndjson": b"\n".join([people[0], versions[2], ties[0], nothing[0], ahead[0], b"", wrong[0], conditions[0]]),
        "two#%+.ndjson": b"\r\n".join([versions[0], people[1], ties[2], nothing[2], ahead[1], wrong[1], json.dumps(contained).encode()]) + b"\r\n",
        "three.ndjson.gz": gzip.compress(b"\n".join([versions[1], ties[1], ties[3], nothing[1], wrong[2], conditions[1]])),
        "bundle.ndjson": json.dumps(gone).encode() + b"\n" + wrong[3] + b"\n" + people[2] + b"\n",
        "pretty.json": json.dumps(patient("d", gender="female"), indent=2).encode(),
        "_ours.ndjson": people[0],
    }  # fmt: skip
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files if not name.startswith("_")]


@pytest.mark.parametrize("part", ["1500b", "128MB"])
def test_odd_files_become_the_rows_that_load_makes(session: Any, tmp_path: Path, part: str) -> None:
    files = hostile(tmp_path / "in")
    told = load(files, tmp_path / "store")
    session.conf.set("spark.sql.files.maxPartitionBytes", part)
    try:
        done = by_spark(session, tmp_path / "spark", tmp_path / "in")
    finally:
        session.conf.unset("spark.sql.files.maxPartitionBytes")
    assert rows_of_files(read_layout(tmp_path / "spark")) == rows_of_store(tmp_path / "store")
    assert dict(done.reasons) == told.reasons
    assert dict(done.deleted) == told.deleted == {"Condition": 1}
    assert {name: one.read for name, one in done.types.items()} == {name: one.read for name, one in told.types.items()}
    assert [said for said in done.skipped if "_ours.ndjson: Spark passes over files" in said]


def test_a_bad_line_far_down_is_told_with_its_number(session: Any, tmp_path: Path) -> None:
    lines = [json.dumps(patient(str(number))).encode() for number in range(200)]
    lines[150] = b"{broken"
    lines[20] = b""
    (tmp_path / "in.ndjson").write_bytes(b"\n".join(lines))
    session.conf.set("spark.sql.files.maxPartitionBytes", "3000b")
    try:
        done = by_spark(session, tmp_path / "spark", tmp_path / "in.ndjson")
    finally:
        session.conf.unset("spark.sql.files.maxPartitionBytes")
    assert set(read(files_of(read_layout(tmp_path / "spark"), "quarantine"), ["file", "line", "reason"])) == {
        (str(tmp_path / "in.ndjson"), 151, "not valid JSON")
    }
    assert done.manifest.tables["patient"].rows == 198


def test_chunks_change_nothing(session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that has more than it takes at a time: here in this process, as a worker would."""
    from cohortfinder.spark import chunk

    rows = [("file:/in.ndjson", 0, json.dumps(patient(str(number))).encode()) for number in range(30)]
    rows[17] = ("file:/in.ndjson", 0, b"{")
    whole = [*chunk.packets(chunk.Plan(16, NOBODY, "2026-11-27T00:00:00"), rows, 3)]
    monkeypatch.setattr(chunk, "CHUNK_BYTES", 300)
    parts = [*chunk.packets(chunk.Plan(16, NOBODY, "2026-11-27T00:00:00"), rows, 3)]
    assert sum(one.rows for one in parts if one.kind == "patient") == 29
    assert len({one.chunk for one in whole}) == 1 < len({one.chunk for one in parts})
    (bad,) = (one for one in parts if one.kind == chunk.REJECTED)
    import pyarrow

    assert [row["line"] for row in pyarrow.ipc.open_stream(bad.payload).read_all().to_pylist()] == [18]


def test_a_run_again_and_another_node(session: Any, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text(json.dumps(patient("a")) + "\n" + json.dumps(condition("c", "a")))
    (tmp_path / "b.ndjson").write_text(json.dumps(patient("b")))
    by_spark(session, tmp_path / "tables", tmp_path / "a.ndjson", node="one", buckets=4)
    before = read_layout(tmp_path / "tables")
    load([tmp_path / "b.ndjson"], tmp_path / "store")
    write_parquet(tmp_path / "store", Target(tmp_path / "tables", "two"))
    by_spark(session, tmp_path / "tables", tmp_path / "a.ndjson", node="one")
    layout = read_layout(tmp_path / "tables")
    assert [(node.node, node.engine, node.buckets) for node in layout.nodes] == [
        ("one", "spark", 4),
        ("two", "duckdb", 4),
    ]
    assert set(read(files_of(layout, "patient"), ["id", "bucket"])) == {
        ("a", bucket_of("a", 4)),
        ("b", bucket_of("b", 4)),
    }
    assert files_of(before, "patient"), "who reads the run before can end"
    again = by_spark(session, tmp_path / "tables", tmp_path / "a.ndjson", node="one")
    assert files_of(before, "patient") == []
    assert not [*(tmp_path / "tables" / "staging").glob("node=one")]
    with pytest.raises(InputError, match="1 patients of node two have ids that node one has, too"):
        by_spark(session, tmp_path / "tables", tmp_path / "a.ndjson", node="two")
    assert {node.run for node in read_layout(tmp_path / "tables").nodes} == {again.manifest.run, layout.nodes[1].run}


def test_only_the_owner_reads_the_files(samples: tuple[Path, Path, SparkLoad]) -> None:
    modes = {(path.is_dir(), oct(path.stat().st_mode & 0o777)) for path in (samples[1], *samples[1].rglob("*"))}
    assert modes == {(True, "0o700"), (False, "0o600")}


def test_who_was_erased_stays_out(session: Any, tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_text(
        "\n".join(json.dumps(one) for one in (patient("a"), patient("b"), condition("c", "b")))
    )
    erased = Erased(NOBODY.key, frozenset({NOBODY.hash_of("b")}))
    done = by_spark(session, tmp_path / "tables", tmp_path / "in.ndjson", erased=erased)
    layout = read_layout(tmp_path / "tables")
    assert (set(read(files_of(layout, "patient"), ["id"])), layout.paths["condition"]) == ({("a",)}, ())
    assert done.skipped == ("2 resources of people who were erased were left out",)


def test_urls_are_read_and_written(session: Any, tmp_path: Path) -> None:
    """Through the file systems of Hadoop, as HDFS and object stores are."""
    folder = tmp_path / "in"
    hostile(folder)
    (folder / "more").mkdir()
    (folder / "more" / "p.ndjson").write_text(json.dumps(patient("z")))
    (folder / "letter.pdf").write_bytes(b"%PDF")
    done = by_spark(session, f"file://{tmp_path}/tables", f"file://{folder}")
    by_spark(session, tmp_path / "plain", folder)
    found = read_layout(f"file://{tmp_path}/tables", HadoopFiles(session))
    assert rows_of_files(found) == rows_of_files(read_layout(tmp_path / "plain"))
    assert [said.rpartition("/")[2] for said in done.skipped] == [
        "_ours.ndjson: Spark passes over files whose name begins with _", "letter.pdf: not a kind of file that holds FHIR",
    ] or len(done.skipped) == 2  # fmt: skip
    assert session.read.parquet(*found.paths["patient"]).count() == 5
    again = by_spark(session, f"file://{tmp_path}/tables", f"file://{folder}")
    assert read_layout(f"file://{tmp_path}/tables", HadoopFiles(session)).nodes == (again.manifest,)


def refused(work: Callable[[], object]) -> tuple[type[CohortFinderError], str]:
    with pytest.raises(CohortFinderError) as told:
        work()
    assert "\n" not in str(told.value)
    return type(told.value), str(told.value)


def test_what_cannot_be_is_one_sentence_and_leaves_what_was_there(session: Any, tmp_path: Path) -> None:
    tables = tmp_path / "tables"
    (tmp_path / "good.ndjson").write_text(json.dumps(patient("a")))
    good = by_spark(session, tables, tmp_path / "good.ndjson")
    (tmp_path / "bad.ndjson").write_text("{\n[]\n")
    (tmp_path / "cut.ndjson.gz").write_bytes(gzip.compress((json.dumps(patient("x")) + "\n").encode() * 90_000)[:-900])
    (tmp_path / "empty").mkdir()
    kind, said = refused(lambda: by_spark(session, tables, tmp_path / "bad.ndjson"))
    assert (kind, "nothing here can be loaded (" in said) == (InputError, True)
    kind, said = refused(lambda: by_spark(session, tables, tmp_path / "cut.ndjson.gz"))
    assert (kind, "cut.ndjson.gz: this file cannot be read to its end" in said) == (ReadWriteError, True)
    assert refused(lambda: by_spark(session, tables, tmp_path / "none"))[0] is InputError
    assert refused(lambda: by_spark(session, tables, tmp_path / "empty"))[0] is InputError
    assert refused(lambda: by_spark(session, tables, f"file://{tmp_path}/none"))[0] is InputError
    kind, said = refused(lambda: by_spark(session, tables, "nosuch://host/folder"))
    assert (kind, "nosuch" in said) == (ConfigurationError, True)
    kind, said = refused(lambda: by_spark(session, "nosuch://host/folder", tmp_path / "good.ndjson"))
    assert (kind, "nosuch" in said) == (ConfigurationError, True)
    assert refused(lambda: by_spark(session, tables, tmp_path / "good.ndjson", node="A b"))[0] is InputError
    assert read_layout(tables).nodes == (good.manifest,)
    assert {path.name for path in tables.rglob("run=*")} == {f"run={good.manifest.run}"}


def test_what_lies_elsewhere_is_looked_through_as_here(session: Any, tmp_path: Path) -> None:
    (tmp_path / "good.ndjson").write_text(json.dumps(patient("a")))
    files, url = HadoopFiles(session), f"file://{tmp_path}/tables"
    assert refused(lambda: read_layout(url, files))[0] is InputError
    written = by_spark(session, url, tmp_path / "good.ndjson").manifest
    (lost,) = (tmp_path / "tables" / written.folder("patient")).glob("bucket=*/*.parquet")
    lost.unlink()
    kind, said = refused(lambda: read_layout(url, files))
    assert (kind, "1 files with" in said) == (StoreError, True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MB, where this may be made."""
    with small_disk_in(tmp_path, 6) as disk:
        yield disk


def test_a_full_disk_leaves_what_was_there(session: Any, small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "good.ndjson").write_text(json.dumps(patient("a")))
    good = by_spark(session, small_disk / "tables", tmp_path / "good.ndjson")
    (tmp_path / "large.ndjson").write_bytes(
        b"\n".join(observation(os.urandom(16).hex(), 1, str(number)) for number in range(150_000))
    )
    kind, said = refused(lambda: by_spark(session, small_disk / "tables", tmp_path / "large.ndjson"))
    assert kind is ReadWriteError
    assert str(small_disk / "tables") in said
    assert read_layout(small_disk / "tables").nodes == (good.manifest,)
    assert {path.name for path in (small_disk / "tables").rglob("run=*")} == {f"run={good.manifest.run}"}


def test_the_command_loads_by_spark(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "cohortfinder",
        "load",
        "--engine",
        "spark",
        "--json",
        "--store",
        tmp_path / "store",
    ]
    done = subprocess.run(
        [*command, "--parquet", tmp_path / "tables", SAMPLES / "aav-age-66-today.json"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["parquet"]["tables"]["patient"]["rows"] == 1
    assert rows_of(read_layout(tmp_path / "tables"), "patient") == 1
    assert not (tmp_path / "store").exists()
    for wrong in (["--parquet", tmp_path / "tables"], [SAMPLES]):
        assert subprocess.run([*command, *wrong], capture_output=True).returncode == 2


def rows_of(layout: Layout, table: str) -> int:
    return read(files_of(layout, table), ["id"]).total()
