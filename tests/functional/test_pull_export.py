"""`cohortfinder pull --bulk` from a small server in memory: what it exports is what the store holds, killed or not."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.jobs.pulling.exports import shrunk
from exported_server import ExportedServer
from functional.test_pull import Site, furnish, observation, patient
from searched_server import serving, with_habits


@pytest.fixture
def server() -> Iterator[ExportedServer]:
    with serving(ExportedServer()) as one:
        assert isinstance(one, ExportedServer)
        furnish(one)
        yield one


@pytest.fixture
def site(tmp_path: Path, server: ExportedServer, run: Callable[..., Any]) -> Site:
    return Site(tmp_path, server, run, page_size=7)


def configured(site: Site, *lines: str) -> None:
    """Add lines to [fhir]."""
    file = site.folder / "site.toml"
    file.write_text(file.read_text() + "\n".join(lines) + "\n", encoding="utf-8")


def test_what_the_server_exports_is_in_the_store_and_the_spool_is_empty(site: Site) -> None:
    told = site.pulled("--bulk")
    site.agrees()
    assert site.spool() == []
    assert {kind: (one["got"], one["complete"]) for kind, one in told["types"].items() if one["got"]} == {
        "Condition": (1, True), "Medication": (1, True), "MedicationRequest": (1, True), "Observation": (30, True),
        "Patient": (2, True),
    }  # fmt: skip


def test_the_next_night_asks_for_what_has_changed(site: Site, server: ExportedServer) -> None:
    site.pulled("--bulk")
    server.put(observation("o00", value=1.0), patient("c"))
    server.sleep(hours=24)
    told = site.pulled("--bulk")
    site.agrees()
    assert server.exports()[-1]["_since"] == "2026-11-20T08:40:32.000Z"
    assert (told["types"]["Observation"]["changed"], told["types"]["Patient"]["new"]) == (1, 1)


def test_the_night_after_knows_up_to_when_was_exported(site: Site, server: ExportedServer) -> None:
    site.pulled("--bulk")
    rows = site.rows("SELECT DISTINCT mode, strftime(watermark, '%H:%M:%S') FROM store.pulled_type")
    assert rows == [("export", server.jobs["1"].at[11:19])]


@pytest.mark.parametrize("history", [True, False])
def test_what_was_deleted_goes(site: Site, server: ExportedServer, history: bool) -> None:
    """By the history of each type, or by what the export tells."""
    with_habits(server, history=history)
    server.tells_deletions = not history
    site.pulled("--bulk")
    server.delete("Observation", "o00")
    server.sleep(hours=24)
    told = site.pulled("--bulk")
    site.agrees()
    assert told["types"]["Observation"]["deleted"] == 1


def test_only_the_codes_of_the_trials_come(site: Site, server: ExportedServer) -> None:
    server.put(observation("glucose", code="2345-7"))
    site.pulled("--bulk")
    assert ("glucose", "1") not in site.held()
    assert server.exports()[0]["_typeFilter"].startswith("Observation?combo-code=")
    site.pulled("--bulk", "--all-codes", "--full")
    assert ("glucose", "1") in site.held()


def test_a_group_and_its_medications(site: Site, server: ExportedServer) -> None:
    """Medications belong to no patient: they are read by reference."""
    configured(site, 'export = "Group/few"')
    site.pulled()
    site.agrees()
    assert server.asked[1].startswith("/fhir/Group/few/$export?")
    assert "Medication" not in server.exports()[0]["_type"].split(",")
    assert site.held("medication") == [("m1", "1")]


def test_an_export_that_is_not_ready_is_gone_on_with(site: Site, server: ExportedServer) -> None:
    configured(site, "export_minutes = 1", "poll_seconds = 1")
    server.polls = 1
    server.before_answer = lambda _: None
    site.pulled("--bulk")
    assert server.begun == 1


def test_an_export_that_takes_too_long_ends_with_75_and_goes_on(
    site: Site, server: ExportedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cohortfinder.fhir.client.FhirClient.pause", lambda *_: None)
    configured(site, "poll_seconds = 1", "export_minutes = 1")
    server.polls = 10**9
    with monkeypatch.context() as patch:
        patch.setattr("cohortfinder.jobs.pulling.exports.Patience", lambda *_: _Impatient)
        done = site.pull("--bulk")
    assert (done.status, done.out) == (75, "")
    assert "is still exporting; run again, and this export goes on" in done.err
    server.jobs["1"].polls = 0
    told = site.pulled("--bulk")
    site.agrees()
    assert (server.begun, told["continued"]) == (1, True)


class _Impatient:
    between_seconds, run_seconds = 1, 0


def test_a_type_that_the_server_could_not_export_is_not_complete(site: Site, server: ExportedServer) -> None:
    issue = {"severity": "error", "code": "processing", "diagnostics": "could not read some Condition"}
    server.errors = [{"resourceType": "OperationOutcome", "issue": [issue]}]
    told = site.pulled("--bulk", status=3)
    assert {kind for kind, one in told["types"].items() if not one["complete"]} == {"Condition"}
    assert "Condition: the server reports an error in its export." in told["problems"]
    site.agrees()
    server.errors = []
    server.sleep(hours=24)
    told = site.pulled("--bulk")
    assert all(one["complete"] for one in told["types"].values())
    assert "_since" not in server.exports()[1]


def test_far_less_than_the_last_time_is_not_loaded(site: Site, server: ExportedServer) -> None:
    """The next pull exports anew; --accept-shrink takes what was refused."""
    site.pulled("--bulk")
    server.sleep(hours=24)
    server.part = 0.4
    for _ in range(2):
        done = site.pull("--bulk", "--full")
        assert (done.status, done.out) == (65, "")
        assert "exported far less than the last time (Observation 12 after 30), and nothing was loaded" in done.err
    assert server.begun == 3
    assert site.rows("SELECT count(*) FROM store.load") == [(1,)]
    site.pulled("--bulk", "--full", "--accept-shrink")
    assert server.begun == 3
    server.part = 1.0
    site.pulled("--bulk", "--full")
    site.agrees()


@pytest.mark.parametrize(
    ("before", "now", "less"),
    [(100, 79, True), (100, 80, False), (12, 1, True), (12, 3, False), (10, 0, True), (9, 0, False), (0, 5, False)],
)
def test_what_counts_as_far_less(before: int, now: int, less: bool) -> None:
    """More than a fifth, and more than a handful."""
    assert shrunk({"Observation": now}, {"Observation": before}) == (("Observation",) if less else ())


def test_single_patients_are_not_exported(site: Site) -> None:
    (site.folder / "ids").write_text("a\n")
    done = site.pull("--bulk", "--patients", site.folder / "ids")
    assert done.status == 2
    assert "single patients cannot be exported; pull them with --search" in done.err


def test_a_server_that_does_not_export_says_so(site: Site, server: ExportedServer) -> None:
    server._begin = lambda _: (
        400,
        {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": "no"}]},
    )  # type: ignore[method-assign]
    done = site.pull("--bulk")
    assert done.status == 76
    assert "$export: the server does not accept the question" in done.err
    site.pulled("--search")
    site.agrees()
