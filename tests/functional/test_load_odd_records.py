"""What is odd and not wrong is loaded as it was sent: ids, versions and times that FHIR does not foresee."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.jobs.load import load, rebuild_tables
from cohortfinder.warehouse.connection import open_warehouse
from functional.test_load import observation, put_aside, values, write


def with_meta(number: str, value: float, **meta: str) -> dict[str, Any]:
    return {**observation(number, 1, value), "meta": meta}


def test_an_id_that_fhir_does_not_allow_is_a_text_and_one_that_is_no_text_is_put_aside(tmp_path: Path) -> None:
    odd = ["x" * 70, "a/b"]
    path = write(tmp_path / "o.ndjson", *(observation(one, 1, 10) for one in odd), {**observation("", 1, 10), "id": 7})
    load([path], tmp_path / "store")
    assert put_aside(tmp_path / "store") == [(str(path), 3, "id is not a string")]
    with open_warehouse(tmp_path / "store", read_only=True) as connection:
        assert connection.execute("SELECT id FROM observation ORDER BY id").fetchall() == [
            (one,) for one in sorted(odd)
        ]


def test_a_time_of_change_that_nobody_believes_loses_no_data(tmp_path: Path) -> None:
    times = {"ahead": "2999-01-01T00:00:00Z", "old": "1970-01-01T00:00:00Z", "words": "yesterday"}
    resources = [with_meta(name, 10, lastUpdated=time) for name, time in times.items()]
    assert load([write(tmp_path / "o.ndjson", *resources, with_meta("none", 10))], tmp_path / "store").exit_status == 0
    assert len(values(tmp_path / "store")) == 4


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_versions_that_are_no_numbers_leave_it_to_the_time(tmp_path: Path, order: tuple[int, int]) -> None:
    newer = with_meta("o", 10, versionId="0f9a", lastUpdated="2026-11-02T00:00:00Z")
    older = with_meta("o", 20, versionId="f00d", lastUpdated="2026-11-01T00:00:00Z")
    for place in order:
        load([write(tmp_path / f"{place}.ndjson", (newer, older)[place])], tmp_path / "store")
    assert [str(row[0]) for row in values(tmp_path / "store")] == ["10.0000000000"]


AHEAD = "2999-01-01T00:00:00Z"


@pytest.mark.parametrize("loads", [((0, 1),), ((0,), (1,)), ((1,), (0,))], ids=["together", "in order", "reversed"])
@pytest.mark.parametrize("ahead", ["older", "newer", "both"])
def test_of_versions_of_a_time_ahead_the_higher_number_wins(
    tmp_path: Path, loads: tuple[tuple[int, ...], ...], ahead: str
) -> None:
    """A clock that once was wrong must not keep a record as it was for years."""
    older = with_meta("o", 10, versionId="1", lastUpdated="2026-11-01T00:00:00Z" if ahead == "newer" else AHEAD)
    newer = with_meta("o", 20, versionId="2", lastUpdated="2026-11-02T00:00:00Z" if ahead == "older" else AHEAD)
    for number, places in enumerate(loads):
        load([write(tmp_path / f"{number}.ndjson", *((older, newer)[place] for place in places))], tmp_path / "store")
    assert [str(row[0]) for row in values(tmp_path / "store")] == ["20.0000000000"]


def test_where_no_number_tells_what_comes_later_wins_against_a_time_ahead(tmp_path: Path) -> None:
    for number, (value, at) in enumerate(((10, AHEAD), (20, "2026-11-02T00:00:00Z"))):
        resource = with_meta("o", value, versionId="f00d", lastUpdated=at)
        load([write(tmp_path / f"{number}.ndjson", resource)], tmp_path / "store")
    assert [str(row[0]) for row in values(tmp_path / "store")] == ["20.0000000000"]


def test_a_time_that_is_ahead_by_less_than_a_day_is_believed(tmp_path: Path) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=12)).isoformat()
    for number, (value, at) in enumerate(((10, soon), (20, "2026-11-02T00:00:00Z"))):
        resource = with_meta("o", value, versionId=str(number), lastUpdated=at)
        load([write(tmp_path / f"{number}.ndjson", resource)], tmp_path / "store")
    assert [str(row[0]) for row in values(tmp_path / "store")] == ["10.0000000000"]


def test_what_claims_a_time_ahead_can_be_deleted_and_stays_so(tmp_path: Path) -> None:
    store = tmp_path / "store"
    line = write(tmp_path / "o.ndjson", with_meta("o", 10, versionId="1", lastUpdated=AHEAD), with_meta("p", 5))
    load([line], store)
    response = {"status": "204", "lastModified": "2026-11-02T00:00:00Z"}
    entry = {"request": {"method": "DELETE", "url": "Observation/o"}, "response": response}
    (tmp_path / "gone.json").write_text(json.dumps({"resourceType": "Bundle", "type": "history", "entry": [entry]}))
    load([tmp_path / "gone.json"], store)
    assert [str(row[0]) for row in values(store)] == ["5.0000000000"]
    load([line], store)
    rebuild_tables(store)
    assert [str(row[0]) for row in values(store)] == ["5.0000000000"]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_json_has_no_number_for_is_put_aside(tmp_path: Path, number: float) -> None:
    path = write(tmp_path / "o.ndjson", observation("o", 1, number), observation("p", 1, 10))
    assert load([path], tmp_path / "store").exit_status == 3
    assert put_aside(tmp_path / "store") == [(str(path), 1, "not valid JSON")]


@pytest.mark.parametrize("closed", [True, False])
def test_a_line_of_100_000_levels_is_put_aside(tmp_path: Path, closed: bool) -> None:
    deep = '{"resourceType":"Observation","id":"deep","extension":' + "[" * 100_000 + "]" * 100_000 * closed + "}"
    path = tmp_path / "o.ndjson"
    path.write_text(deep + "\n" + json.dumps(observation("p", 1, 10)) + "\n")
    assert load([path], tmp_path / "store").exit_status == 3
    assert put_aside(tmp_path / "store") == [(str(path), 1, "nested too deep")]
    assert len(values(tmp_path / "store")) == 1
