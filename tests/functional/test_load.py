"""Loading: the good ones load, the bad ones are put aside with file, line and reason, and nothing depends on the order."""

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohortfinder.errors import InputError
from cohortfinder.jobs.load import load, rebuild_tables
from cohortfinder.resources import resource_dir
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.state import loaded_types
from cohortfinder.warehouse.tables import typed_tables

SAMPLES = resource_dir("sample_bundles")
BAD = SAMPLES / "bad"


def tables(store: Path) -> dict[str, list[tuple[Any, ...]]]:
    with open_warehouse(store, read_only=True) as connection:
        return {
            table.name: sorted(connection.execute(f"SELECT * FROM {table.name}").fetchall(), key=repr)
            for table in typed_tables()
        }


def observation(number: str, version: int, value: float) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": number,
        "meta": {"versionId": str(version), "lastUpdated": f"2026-11-0{version}T10:00:00Z"},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        "subject": {"reference": "Patient/a"},
        "valueQuantity": {"value": value, "unit": "g/L"},
    }


def write(path: Path, *resources: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(resource) + "\n" for resource in resources), encoding="utf-8")
    return path


def test_loading_twice_changes_nothing(tmp_path: Path) -> None:
    files = sorted(SAMPLES.glob("sle-*.json"))
    load(files, tmp_path / "store")
    before = tables(tmp_path / "store")
    again = load(files, tmp_path / "store")
    assert again.loaded == 0
    assert tables(tmp_path / "store") == before


def test_the_order_of_files_changes_nothing(tmp_path: Path) -> None:
    files = sorted(SAMPLES.glob("aav-*.json"))
    load(files, tmp_path / "one")
    load(files[::-1], tmp_path / "other")
    assert tables(tmp_path / "one") == tables(tmp_path / "other")


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_the_newest_version_wins_in_whatever_order_it_comes(tmp_path: Path, order: tuple[int, ...]) -> None:
    for version in order:
        load([write(tmp_path / f"{version}.ndjson", observation("o", version, version * 10.0))], tmp_path / "store")
    assert [str(row[0]) for row in values(tmp_path / "store")] == ["30.0000000000"]


def values(store: Path) -> list[tuple[Any, ...]]:
    with open_warehouse(store, read_only=True) as connection:
        return connection.execute("SELECT value FROM observation ORDER BY id").fetchall()


def test_the_same_resource_twice_in_one_load_is_there_once(tmp_path: Path) -> None:
    path = write(tmp_path / "o.ndjson", observation("o", 1, 10), observation("o", 1, 10), observation("p", 1, 20))
    summary = load([path], tmp_path / "store")
    assert summary.types["Observation"].superseded == 1
    assert len(values(tmp_path / "store")) == 2


def test_a_bad_line_is_put_aside_and_never_stops_the_rest(tmp_path: Path) -> None:
    good = json.dumps(observation("good", 1, 10))
    wrong = {**observation("wrong", 1, 10), "code": "a text where an object belongs"}
    path = tmp_path / "mixed.ndjson"
    path.write_bytes(
        b"\xef\xbb\xbf" + good.encode() + b"\r\n\n" + json.dumps(wrong).encode() + b'\n{"resourceType": "Observation", "id": \n'
        + b'{"resourceType":"Observation","status":"final"}\n' + json.dumps(observation("last", 1, 20)).encode()
    )  # fmt: skip
    summary = load([path], tmp_path / "store")
    assert summary.exit_status == 3
    assert len(values(tmp_path / "store")) == 2
    with open_warehouse(tmp_path / "store", read_only=True) as connection:
        rows = connection.execute("SELECT line, reason FROM store.quarantine ORDER BY line").fetchall()
    assert [line for line, _ in rows] == [3, 4, 5]
    assert rows[2][1] == "no id"
    kept = (tmp_path / "store" / "quarantine").glob("*.ndjson")
    assert sum(len(file.read_text().splitlines()) for file in kept) == 3


def test_a_store_is_rebuilt_from_its_landing_files_alone(tmp_path: Path) -> None:
    load(sorted(SAMPLES.glob("iim-*.json")), tmp_path / "store")
    load(
        [BAD / name for name in ("bom-crlf.ndjson",) if (BAD / name).exists()] or sorted(SAMPLES.glob("ss-*.json")),
        tmp_path / "store",
    )
    before = tables(tmp_path / "store")
    rebuild_tables(tmp_path / "store")
    assert tables(tmp_path / "store") == before


def test_decimals_stay_as_they_were_sent_in_landing(tmp_path: Path) -> None:
    text = json.dumps(observation("o", 1, 10)).replace('"value": 10', '"value": 0.010')
    (tmp_path / "o.json").write_text(text)
    load([tmp_path / "o.json"], tmp_path / "store")
    landed = next((tmp_path / "store" / "landing").glob("*/Observation.*.gz"))
    assert b"0.010" in gzip.decompress(landed.read_bytes())


def digits(store: Path) -> list[tuple[Any, ...]]:
    with open_warehouse(store, read_only=True) as connection:
        return connection.execute("SELECT id, version_id, value_sent FROM exact_number ORDER BY ALL").fetchall()


def test_digits_are_kept_once_by_version_and_survive_a_rebuild(tmp_path: Path) -> None:
    for version, number in ((1, "0.010"), (2, "0.0100"), (3, "0.01")):
        text = json.dumps(observation("o", version, 10)).replace('"value": 10', f'"value": {number}')
        (tmp_path / f"{version}.ndjson").write_text(f"{text}\n{text}\n")
        for _ in range(2):
            load([tmp_path / f"{version}.ndjson"], tmp_path / "store")
    kept = [("o", "1", "0.010"), ("o", "2", "0.0100")]
    assert digits(tmp_path / "store") == kept
    rebuild_tables(tmp_path / "store")
    assert digits(tmp_path / "store") == kept


OUTCOMES = re.findall(
    r"\| `(\S+)` \|.*\| status (\d+), (\d+|nothing) loaded; (?:line (\d+): )?(.+) \|",
    (BAD / "README.md").read_text("utf-8"),
)


def put_aside(store: Path) -> list[tuple[str, int, str]]:
    """File, line and reason of what is kept in quarantine/."""
    files = sorted((store / "quarantine").iterdir())
    records = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    return [(record["file"], record["line"], record["reason"]) for record in records]


def test_every_broken_file_is_described() -> None:
    assert {name for name, *_ in OUTCOMES} == {path.name for path in BAD.iterdir()} - {"README.md"}


@pytest.mark.parametrize(("name", "status", "loaded", "line", "reason"), OUTCOMES)
def test_a_broken_file_ends_as_described(
    tmp_path: Path, run: Callable[..., Any], name: str, status: str, loaded: str, line: str, reason: str
) -> None:
    done = run("load", BAD / name, "--store", tmp_path / "store", "--json")
    assert done.status == int(status), done.err
    kept = put_aside(tmp_path / "store")
    assert [(file, number) for file, number, _ in kept] == ([(str(BAD / name), int(line))] if line else [])
    assert all(why.startswith(reason) for *_, why in kept)
    with open_warehouse(tmp_path / "store", read_only=True) as connection:
        held = connection.execute("SELECT count(*) FROM store.resource").fetchall()
    assert held == [(0 if loaded == "nothing" else int(loaded),)]
    if loaded == "nothing":
        assert len(done.err.strip().splitlines()) == 1 or "Traceback" not in done.err
        assert reason in done.err
        assert [file.name in done.err for file in (tmp_path / "store" / "quarantine").iterdir()] == [True] * len(kept)
        assert books(tmp_path / "store") == [[], [], []]
        assert list((tmp_path / "store" / "landing").iterdir()) == []


WRONG = {**observation("wrong", 1, 10), "code": "a text where an object belongs"}


def mixed(path: Path) -> Path:
    """A line that landing refuses, one that the tables refuse, one that is good."""
    write(path, observation("good", 1, 10), WRONG)
    path.write_text(path.read_text() + "{no json\n")
    return path


def quarantined(store: Path) -> list[tuple[Any, ...]]:
    with open_warehouse(store, read_only=True) as connection:
        return connection.execute("SELECT load_id, line, reason FROM store.quarantine ORDER BY ALL").fetchall()


def books(store: Path) -> list[list[tuple[Any, ...]]]:
    with open_warehouse(store, read_only=True) as connection:
        return [
            connection.execute(f"SELECT * FROM store.{name} ORDER BY ALL").fetchall()
            for name in ("load", "loaded_type", "quarantine")
        ]


def test_a_rebuild_keeps_every_line_that_was_put_aside(tmp_path: Path) -> None:
    summary = load([mixed(tmp_path / "o.ndjson")], tmp_path / "store")
    assert summary.quarantined == sum(summary.reasons.values()) == 2
    before = quarantined(tmp_path / "store"), books(tmp_path / "store")
    files = {path.name: path.read_bytes() for path in (tmp_path / "store" / "quarantine").iterdir()}
    for _ in range(2):
        rebuild_tables(tmp_path / "store")
        assert (quarantined(tmp_path / "store"), books(tmp_path / "store")) == before
        assert {path.name: path.read_bytes() for path in (tmp_path / "store" / "quarantine").iterdir()} == files


def test_a_rebuild_leaves_a_store_alone_that_another_process_holds(tmp_path: Path) -> None:
    load([write(tmp_path / "o.ndjson", observation("o", 1, 10))], tmp_path / "store")
    held = "from cohortfinder.jobs.load import rebuild_tables as r; from pathlib import Path; import sys; r(Path(sys.argv[1]))"
    with duckdb.connect(str(tmp_path / "store" / "warehouse.duckdb")):
        done = subprocess.run([sys.executable, "-c", held, str(tmp_path / "store")], capture_output=True, text=True)
    assert "LockedError" in done.stderr
    assert len(values(tmp_path / "store")) == 1


def test_a_type_of_which_everything_was_refused_is_not_loaded(tmp_path: Path) -> None:
    path = write(tmp_path / "o.ndjson", WRONG, {"resourceType": "Patient", "id": "a"})
    load([path], tmp_path / "store")
    with open_warehouse(tmp_path / "store", read_only=True) as connection:
        assert set(loaded_types(connection)) == {"Patient"}
        rows = connection.execute("SELECT resource_type, resources FROM store.loaded_type ORDER BY ALL").fetchall()
    assert rows == [("Observation", 0), ("Patient", 1)]


def test_messages_between_systems_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "parameters.json", {"resourceType": "Parameters", "parameter": []})
    write(tmp_path / "in" / "o.ndjson", observation("o", 1, 10), {"resourceType": "OperationOutcome", "issue": []})
    summary = load([tmp_path / "in"], tmp_path / "store")
    assert (summary.exit_status, summary.loaded, set(summary.types)) == (0, 1, {"Observation"})


def test_when_the_tables_refuse_everything_the_message_says_why_and_where(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="code is text where an object belongs") as caught:
        load([write(tmp_path / "o.ndjson", WRONG)], tmp_path / "store")
    (kept,) = (tmp_path / "store" / "quarantine").iterdir()
    assert str(kept) in str(caught.value)


def test_what_a_load_left_that_died_while_landing_is_cleared(tmp_path: Path) -> None:
    store = tmp_path / "store"
    load([write(tmp_path / "o.ndjson", observation("o", 1, 10))], store)
    (store / "landing" / "20200101T000000-001.partial").mkdir()
    (store / "quarantine" / "20200101T000000-001.ndjson").write_text("{}\n")
    load([write(tmp_path / "p.ndjson", observation("p", 1, 20))], store)
    assert not list((store / "landing").glob("*.partial"))
    assert not list((store / "quarantine").iterdir())


def test_a_store_of_another_layout_is_refused(tmp_path: Path, run: Callable[..., Any]) -> None:
    load(sorted(SAMPLES.glob("ss-g*.json*")), tmp_path / "store")
    with duckdb.connect(str(tmp_path / "store" / "warehouse.duckdb")) as connection:
        connection.execute("UPDATE store.layout SET version = 99")
    done = run("status", "--store", tmp_path / "store")
    assert done.status == 65
    assert "layout 99" in done.err


def test_a_store_that_another_process_holds_is_locked(tmp_path: Path, run: Callable[..., Any]) -> None:
    load(sorted(SAMPLES.glob("ss-g*.json*")), tmp_path / "store")
    warehouse = tmp_path / "store" / "warehouse.duckdb"
    holder = subprocess.Popen(
        [sys.executable, "-c", f"import duckdb, sys; held = duckdb.connect({str(warehouse)!r}); print('held', flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        done = run("load", SAMPLES / "ss-typical.json", "--store", tmp_path / "store")
    finally:
        holder.communicate()
    assert done.status == 75
    assert str(holder.pid) in done.err
