"""The record of a pull: it is noted with the load, comes back when the tables are made anew, and says what is complete."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohortfinder.jobs.load import load, load_pulled, rebuild_tables
from cohortfinder.landing.pulled import Pulled, PulledType
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.state import TypePull, TypeState, loaded_types, pull_tokens, pulled_types
from functional.test_load import observation, write

SERVER = "https://fhir.example/r4"
AT = "2026-11-26T20:00:00.000Z"
LATER = "2026-11-27T20:00:00.000Z"
WHOLE = PulledType("Observation", None, AT, None, 1, complete=True)


def pulled(token: str, *types: PulledType, patients: str = "") -> Pulled:
    return Pulled(token, SERVER, "search", patients, types)


def states(store: Path) -> tuple[dict[str, TypeState], dict[tuple[str, str, str], TypePull]]:
    with open_warehouse(store, read_only=True) as connection:
        return loaded_types(connection), pulled_types(connection)


def test_the_watermark_is_noted_with_the_load_and_survives_a_rebuild(tmp_path: Path) -> None:
    store = tmp_path / "store"
    first = write(tmp_path / "1.ndjson", observation("o", 1, 10))
    load_pulled([first], pulled("a", replace(WHOLE, codes=("718-7", "a,b"), swept=True)), store)
    load_pulled([], pulled("b", replace(WHOLE, since=AT, watermark=LATER, codes=("718-7",), resources=0)), store)
    expected = (
        {"Observation": TypeState(1, True, ("718-7",))},
        {(SERVER, "", "Observation"): TypePull(LATER, frozenset({"718-7"}), True, AT)},
    )
    assert states(store) == expected
    rebuild_tables(store)
    assert states(store) == expected
    with open_warehouse(store, read_only=True) as connection:
        assert pull_tokens(connection) == {"a", "b"}


@pytest.mark.parametrize(
    ("then", "complete"),
    [((True,), True), ((False,), False), ((False, True), True), ((True, False), False)],
)
def test_a_type_is_complete_when_its_last_pull_was(tmp_path: Path, then: tuple[bool, ...], complete: bool) -> None:
    for number, whole in enumerate(then):
        load_pulled([], pulled(str(number), replace(WHOLE, complete=whole)), tmp_path / "store")
    assert states(tmp_path / "store")[0] == {"Observation": TypeState(0, complete)}


def test_a_list_of_patients_does_not_complete_what_everyone_lacks(tmp_path: Path) -> None:
    store = tmp_path / "store"
    load_pulled([], pulled("a", replace(WHOLE, complete=False)), store)
    load_pulled([], pulled("b", WHOLE, patients="f00"), store)
    assert not states(store)[0]["Observation"].complete


def test_of_two_pulls_by_code_both_must_have_asked_for_it(tmp_path: Path) -> None:
    store = tmp_path / "store"
    load_pulled([], pulled("a", replace(WHOLE, codes=("1", "2"))), store)
    load_pulled([], pulled("b", replace(WHOLE, codes=("2", "3")), patients="f00"), store)
    assert states(store)[0]["Observation"].codes == ("2",)


def test_a_file_that_was_cut_is_not_completed_by_a_pull(tmp_path: Path) -> None:
    store = tmp_path / "store"
    load_pulled([], pulled("a", WHOLE), store)
    load([write(tmp_path / "1.ndjson", observation("o", 1, 10))], store)
    with open_warehouse(store) as connection:
        connection.execute("UPDATE store.loaded_type SET complete = FALSE")
    assert states(store)[0] == {"Observation": TypeState(1, False)}


def deletion(path: Path, own_id: str, at: str, status: str = "204") -> Path:
    entry = {
        "request": {"method": "DELETE", "url": f"Observation/{own_id}"},
        "response": {"status": status, "lastModified": at},
    }
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "history", "entry": [entry]}) + "\n")
    return path


def held(store: Path) -> list[tuple[Any, ...]]:
    with open_warehouse(store, read_only=True) as connection:
        return connection.execute("SELECT id FROM observation ORDER BY id").fetchall()


@pytest.mark.parametrize(("status", "comes_back"), [("204", False), ("404 Not Found", True)])
def test_what_the_server_does_not_know_may_come_back_as_it_was(tmp_path: Path, status: str, comes_back: bool) -> None:
    store = tmp_path / "store"
    file = write(tmp_path / "1.ndjson", observation("o", 1, 10), observation("p", 1, 10))
    load_pulled([file], pulled("a", WHOLE), store)
    gone = deletion(tmp_path / "2.ndjson", "o", "2026-11-20T10:00:00Z", status)
    assert load_pulled([gone], pulled("b", WHOLE), store).deleted == {"Observation": 1}
    assert load_pulled([gone], pulled("c", WHOLE), store).deleted == {}
    assert held(store) == [("p",)]
    load_pulled([file], pulled("d", WHOLE), store)
    assert held(store) == ([("o",), ("p",)] if comes_back else [("p",)])


def test_new_and_changed_are_told_apart(tmp_path: Path) -> None:
    store = tmp_path / "store"
    load_pulled([write(tmp_path / "1.ndjson", observation("o", 1, 10))], pulled("a", WHOLE), store)
    file = write(tmp_path / "2.ndjson", observation("o", 2, 11), observation("p", 1, 10), observation("q", 1, 10))
    summary = load_pulled([file], pulled("b", WHOLE), store)
    assert (summary.types["Observation"].loaded, summary.types["Observation"].changed) == (3, 1)


def test_status_tells_up_to_when_each_type_was_pulled(tmp_path: Path, run: Callable[..., Any]) -> None:
    load_pulled([], pulled("a", replace(WHOLE, codes=("1", "2"))), tmp_path / "store")
    told = json.loads(run("status", "--store", tmp_path / "store", "--json").out)
    assert told["pulls"] == [
        {"resource_type": "Observation", "server": SERVER, "patients": "all", "up_to": AT, "codes": 2, "complete": True}
    ]
    assert f"Observation  {SERVER}  all       2      {AT}  yes" in run("status", "--store", tmp_path / "store").out


def test_a_trial_whose_codes_were_not_pulled_is_told(tmp_path: Path, run: Callable[..., Any]) -> None:
    """Silence about a code that nobody asked the server for is no answer."""
    patient = write(
        tmp_path / "p.ndjson", {"resourceType": "Patient", "id": "a", "gender": "female", "birthDate": "1980-01-01"}
    )
    load_pulled(
        [patient],
        pulled("a", replace(WHOLE, resource_type="Patient"), replace(WHOLE, codes=("718-7",))),
        tmp_path / "store",
    )
    done = run("screen", "NCT06983964", "--store", tmp_path / "store", "--out", tmp_path / "out")
    assert done.status == 3
    (warning,) = json.loads((tmp_path / "out" / "run.json").read_text())["warnings"]
    assert warning.startswith("Observation was pulled without ")


def test_a_manifest_of_before_has_no_pull(tmp_path: Path) -> None:
    load([write(tmp_path / "1.ndjson", observation("o", 1, 10))], tmp_path / "store")
    (manifest,) = (tmp_path / "store" / "landing").glob("*/manifest.json")
    content = json.loads(manifest.read_text())
    assert content.pop("pulled") is None
    manifest.write_text(json.dumps(content))
    rebuild_tables(tmp_path / "store")
    with duckdb.connect(str(tmp_path / "store" / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM store.pulled_type").fetchall() == [(0,)]
