"""A bulk export against a server that does what servers do: each behaviour with what becomes of it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from cohortfinder.connection import BearerAccess, Connection, Secret
from cohortfinder.errors import BusyError, GoneError, ProtocolError, QuestionError, RefusedError, ServerError
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.export import Exported, export
from cohortfinder.fhir.export_job import Patience
from cohortfinder.fhir.export_question import CodeFilter, ExportQuestion, kick_offs
from unit.fhir.exporting import AT, Exporting, Waiting, exporting_server

LOINC = "http://loinc.org"
TYPES = ("Condition", "Observation", "Patient")
ASKED = ExportQuestion(TYPES)


@pytest.fixture
def server() -> Iterator[Exporting]:
    """A server with three patients, each with an Observation."""
    with exporting_server() as held:
        held.held = [
            ("output", "Patient", [patient(number) for number in "ab"]),
            ("output", "Observation", [observation(number, "1988-5") for number in "ab"]),
            ("output", "Patient", [patient("c")]),
        ]
        yield held


def patient(own_id: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": own_id}


def observation(own_id: str, code: str, **more: Any) -> dict[str, Any]:
    coding = [{"system": LOINC, "code": code}]
    return {"resourceType": "Observation", "id": own_id, "code": {"coding": coding}, **more}


def exported(
    server: Exporting, folder: Path, question: ExportQuestion = ASKED, *, waiting: Waiting | None = None,
    patience: Patience | None = None, log: list[str] | None = None, token: bool = False,
) -> Exported:  # fmt: skip
    """Export with a clock of our own, each request once: a failure is meant to be one."""
    access = BearerAccess(Secret("abc")) if token else None
    clock = (waiting or Waiting()).clock()
    with FhirClient(Connection(server.base, access), clock=clock, tries=1) as client:
        return export(
            client, question, folder, patience=patience or Patience(),
            log=[].append if log is None else log.append,
        )  # fmt: skip


def lines(found: Exported) -> list[str]:
    """What the files hold, by type and id."""
    held = [json.loads(line) for file in found.files for line in file.read_bytes().splitlines()]
    return sorted(f"{one['resourceType']}/{one.get('id', '')}" for one in held)


EVERYTHING = ["Observation/a", "Observation/b", "Patient/a", "Patient/b", "Patient/c"]


def test_an_export_ends_in_files_with_their_counts(server: Exporting, tmp_path: Path) -> None:
    found = exported(server, tmp_path)
    assert lines(found) == EVERYTHING
    assert [str(file.relative_to(tmp_path)) for file in found.files] == [
        "Observation.000.ndjson", "Patient.000.ndjson", "Patient.001.ndjson",
    ]  # fmt: skip
    assert (found.counts, found.failed, found.left_out) == ({"Observation": 2, "Patient": 3}, {}, {})
    assert found.watermark == AT


def test_the_log_is_one_that_other_tools_read(server: Exporting, tmp_path: Path) -> None:
    server.running = 1
    exported(server, tmp_path)
    events = [json.loads(line) for line in (tmp_path / "log.ndjson").read_bytes().splitlines()]
    assert [event["eventId"] for event in events] == [
        "kickoff", "status_complete", "manifest_complete", *["download_complete"] * 3, "export_complete",
    ]  # fmt: skip
    assert len({event["exportId"] for event in events}) == 1
    assert events[1]["eventDetail"] == {"transactionTime": AT}
    assert events[-1]["eventDetail"].items() >= {"files": 3, "resources": 5}.items()


def test_the_job_is_deleted_at_the_end(server: Exporting, tmp_path: Path) -> None:
    exported(server, tmp_path)
    assert (server.paths("DELETE"), server.jobs) == (["job/1"], {})


@pytest.mark.parametrize("status", [404, 405, 500])
def test_whether_the_job_can_be_deleted_changes_nothing(server: Exporting, tmp_path: Path, status: int) -> None:
    """HAPI has done so itself."""
    listed = server._listed(1)
    server.tell("job/1", 200, listed)
    server.tell("job/1", status)
    assert lines(exported(server, tmp_path)) == EVERYTHING


@pytest.mark.parametrize(
    ("level", "path"), [("", "$export"), ("Patient", "Patient/$export"), ("Group/g-1", "Group/g-1/$export")]
)
def test_each_level_has_its_address(server: Exporting, tmp_path: Path, level: str, path: str) -> None:
    exported(server, tmp_path, ExportQuestion(TYPES, level, since="2026-11-01T00:00:00+01:00"))
    asked = server.asked[0]
    assert (asked.method, asked.path.partition("?")[0], asked.headers["Prefer"]) == ("GET", path, "respond-async")
    assert parse_qsl(urlsplit(asked.path).query) == [("_type", "Condition,Observation,Patient"), ("_since", "2026-11-01T00:00:00+01:00")]  # fmt: skip


@pytest.mark.parametrize("status", [400, 405])
def test_a_server_that_knows_no_get_is_asked_by_post(server: Exporting, tmp_path: Path, status: int) -> None:
    """With a list first: HAPI takes only the first of several parameters of a name, without a word."""
    server.tell("$export?", status)
    exported(server, tmp_path)
    assert [one.method for one in server.asked[:2]] == ["GET", "POST"]
    assert server.asked[1].body["parameter"] == [{"name": "_type", "valueString": "Condition,Observation,Patient"}]


def test_a_server_of_the_next_guide_knows_no_lists(server: Exporting, tmp_path: Path) -> None:
    server.tell("$export", 405)
    server.tell("$export", 400)
    exported(server, tmp_path)
    assert server.asked[2].body["parameter"] == [{"name": "_type", "valueString": kind} for kind in TYPES]


def test_a_server_that_does_not_export_says_so(server: Exporting, tmp_path: Path) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": "unknown operation"}]}
    server.tell("$export", 400, outcome, times=2)
    with pytest.raises(QuestionError, match="unknown operation"):
        exported(server, tmp_path)


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("1988-5", "1988-5"), ("a,b", r"a\%2Cb"), ("a&b=c", "a%26b=c"), ("a%b", "a%25b"), ("a+b", "a%2Bb"),
        ("a|b", r"a\|b"), ("a b", "a%20b"),
    ],
)  # fmt: skip
def test_a_comma_inside_a_filter_does_not_separate_filters(code: str, written: str) -> None:
    question = ExportQuestion(TYPES, filters={"Observation": CodeFilter((code, "2"))})
    path = next(kick_offs(question)).path
    (value,) = [value for name, value in parse_qsl(urlsplit(path).query) if name == "_typeFilter"]
    assert value == f"Observation?combo-code={written}%2C2"


def test_a_long_filter_goes_into_a_body(server: Exporting, tmp_path: Path) -> None:
    codes = tuple(f"{number:09}-0" for number in range(200))
    exported(server, tmp_path, ExportQuestion(TYPES, filters={"Observation": CodeFilter(codes)}))
    assert server.asked[0].method == "POST"
    assert server.asked[0].body["parameter"][-1]["name"] == "_typeFilter"


def test_what_a_filter_should_have_left_out_is_left_out_here(server: Exporting, tmp_path: Path) -> None:
    """The codes of components count as well."""
    component = {"component": [{"code": {"coding": [{"system": "urn:oid:x", "code": "8480-6"}]}}]}
    told = [observation("a", "1988-5"), observation("b", "other"), observation("c", "85354-9", **component)]
    server.held = [("output", "Observation", told)]
    asked = CodeFilter(("1988-5", "8480-6"))
    found = exported(server, tmp_path, ExportQuestion(TYPES, filters={"Observation": asked}))
    assert lines(found) == ["Observation/a", "Observation/c"]
    assert (found.counts, found.left_out, found.failed) == ({"Observation": 2}, {"Observation": 1}, {})


def test_a_server_that_refuses_a_filter_is_asked_for_everything(server: Exporting, tmp_path: Path) -> None:
    server.tell("$export", 400, times=2)
    asked = ExportQuestion(TYPES, filters={"Observation": CodeFilter(("none",))})
    log: list[str] = []
    found = exported(server, tmp_path, asked, log=log)
    assert [("_typeFilter" in one.path, one.method) for one in server.asked[:3]] == [(True, "GET"), (False, "POST"), (False, "GET")]  # fmt: skip
    assert found.left_out == {"Observation": 2}
    assert log[0].startswith("the server does not filter an export by code")


def test_what_must_not_be_stored_is_dropped(server: Exporting, tmp_path: Path) -> None:
    secret = {**patient("b"), "meta": {"security": [{"code": "V"}]}}
    server.held = [
        ("output", "Patient", [patient("a"), secret, {**patient("c"), "meta": {"security": [{"code": "N"}]}}])
    ]
    found = exported(server, tmp_path)
    assert (lines(found), found.counts, found.dropped) == (["Bundle/", "Patient/a", "Patient/c"], {"Patient": 2}, 1)
    (told,) = [json.loads(line) for line in found.files[0].read_bytes().splitlines() if b"Bundle" in line]
    assert [one["request"] for one in told["entry"]] == [{"method": "DELETE", "url": "Patient/b"}]


def test_types_that_nobody_asked_for_are_not_downloaded(server: Exporting, tmp_path: Path) -> None:
    found = exported(server, tmp_path, ExportQuestion(("Patient",)))
    assert found.counts == {"Patient": 3}
    assert "file/1/1" not in server.paths()


def test_the_first_waits_are_short_whatever_the_server_says(server: Exporting, tmp_path: Path) -> None:
    server.running = 9
    waiting = Waiting()
    exported(server, tmp_path, waiting=waiting)
    assert waiting.waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize(
    ("told", "wait"),
    [("0.5", 0.5), ("soon", 1), ("", 1), ("-3", 0.2), ("18000", 1), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.2)],
)
def test_retry_after_is_read_in_every_form(server: Exporting, tmp_path: Path, told: str, wait: float) -> None:
    server.tell("job/1", 202, Retry_After=told)
    waiting = Waiting()
    exported(server, tmp_path, waiting=waiting)
    assert waiting.waits == [wait]


def test_who_asks_too_often_waits_longer(server: Exporting, tmp_path: Path) -> None:
    server.tell("job/1", 429, Retry_After="100")
    server.tell("job/1", 429, Retry_After="90000")
    waiting = Waiting()
    exported(server, tmp_path, waiting=waiting)
    assert waiting.waits == [100, 300]


def test_progress_is_told_in_one_line(server: Exporting, tmp_path: Path) -> None:
    server.running, log = 1, []
    exported(server, tmp_path, log=log)
    assert log[0] == "the server is exporting (half way)"


def test_an_export_that_takes_longer_than_a_run_goes_on_in_the_next(server: Exporting, tmp_path: Path) -> None:
    server.running = 10**6
    waiting = Waiting()
    with pytest.raises(BusyError, match=r"is still exporting \(half way\); run again, and this export goes on$"):
        exported(server, tmp_path, waiting=waiting, patience=Patience(run_seconds=600))
    assert sum(waiting.waits) <= 600
    server.jobs[1] = 2
    assert lines(exported(server, tmp_path)) == EVERYTHING
    assert server.begun == 1


def test_another_export_that_runs_is_waited_for(server: Exporting, tmp_path: Path) -> None:
    server.tell("$export", 429)
    with pytest.raises(BusyError, match="is busy with another export; run again later"):
        exported(server, tmp_path)
    assert lines(exported(server, tmp_path)) == EVERYTHING


def outcome(code: str, severity: str = "error", said: str = "it broke") -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, "diagnostics": said}]}


def test_a_failure_that_passes_is_asked_again(server: Exporting, tmp_path: Path) -> None:
    for status, body in ((500, outcome("transient")), (503, b""), (502, b"<html>")):
        server.tell("job/1", status, body)
    assert lines(exported(server, tmp_path)) == EVERYTHING


def test_a_server_that_never_answers_sensibly_is_left(server: Exporting, tmp_path: Path) -> None:
    server.tell("job/1", 502, times=100)
    with pytest.raises(ServerError, match=r"does not tell how its export stands \(502\); run again later"):
        exported(server, tmp_path)


def test_an_export_that_failed_is_begun_anew_by_the_next_run(server: Exporting, tmp_path: Path) -> None:
    server.tell("job/1", 500, outcome("exception"))
    with pytest.raises(ServerError, match=r"could not export \(500: it broke\); ask who runs it"):
        exported(server, tmp_path)
    assert lines(exported(server, tmp_path)) == EVERYTHING
    assert server.begun == 2


def test_a_job_that_is_lost_is_begun_once_more_in_a_night(server: Exporting, tmp_path: Path) -> None:
    server.tell("job/1", 404)
    assert lines(exported(server, tmp_path)) == EVERYTHING
    (tmp_path / "2").mkdir()
    for number in (3, 4, 5):
        server.tell(f"job/{number}", 404)
    waiting = Waiting()
    with pytest.raises(GoneError, match="does not know its export any longer"):
        exported(server, tmp_path / "2", waiting=waiting)
    assert server.begun == 4
    with pytest.raises(GoneError):
        exported(server, tmp_path / "2", waiting=waiting)
    assert server.begun == 5
    waiting.at += timedelta(hours=20)
    assert lines(exported(server, tmp_path / "2", waiting=waiting)) == EVERYTHING


@pytest.mark.parametrize("status", [403, 404, 410])
def test_addresses_that_have_expired_are_asked_for_anew(server: Exporting, tmp_path: Path, status: int) -> None:
    server.tell("file/1/1", status)
    assert lines(exported(server, tmp_path)) == EVERYTHING
    assert (server.begun, server.paths().count("job/1"), server.paths().count("file/1/0")) == (1, 2, 1)


def test_files_that_are_gone_for_good_mean_a_new_export(server: Exporting, tmp_path: Path) -> None:
    server.tell("file/1/1", 404, times=9)
    assert lines(exported(server, tmp_path)) == EVERYTHING
    assert server.begun == 2


def test_what_may_not_be_read_is_told_in_the_end(server: Exporting, tmp_path: Path) -> None:
    server.tell("file", 403, times=99)
    with pytest.raises(RefusedError):
        exported(server, tmp_path)
    assert server.begun == 2


def test_an_interruption_while_downloading_costs_only_what_was_not_there(server: Exporting, tmp_path: Path) -> None:
    """A failing server raises at once what it is; what came is kept, and the job is gone on with."""
    server.tell("file/1/1", 500)
    with pytest.raises(ServerError):
        exported(server, tmp_path)
    server.asked.clear()
    assert lines(exported(server, tmp_path)) == EVERYTHING
    assert server.paths()[:2] == ["job/1", "file/1/1"]
    assert "file/1/0" not in server.paths()


def test_a_file_that_was_changed_on_the_disk_is_fetched_again(server: Exporting, tmp_path: Path) -> None:
    server.tell("file/1/1", 500)
    with pytest.raises(ServerError):
        exported(server, tmp_path)
    (tmp_path / "Patient.000.ndjson").write_text("cut")
    assert lines(exported(server, tmp_path)) == EVERYTHING


def test_a_log_that_was_cut_loses_its_last_event_only(server: Exporting, tmp_path: Path) -> None:
    server.tell("file/1/1", 500)
    with pytest.raises(ServerError):
        exported(server, tmp_path)
    log = tmp_path / "log.ndjson"
    log.write_bytes(log.read_bytes() + b'{"exportId": "half')
    assert lines(exported(server, tmp_path)) == EVERYTHING
    assert server.begun == 1


def test_a_finished_export_asks_nothing_any_more(server: Exporting, tmp_path: Path) -> None:
    before = exported(server, tmp_path)
    server.asked.clear()
    assert exported(server, tmp_path) == before
    assert server.asked == []


def test_files_in_another_order_are_told_apart(server: Exporting, tmp_path: Path) -> None:
    """A second manifest may list them otherwise: what was fetched under a name belongs to its address."""
    server.held = [("output", "Patient", [patient(own_id)]) for own_id in "ab"]
    server.tell("file/1/1", 500)
    with pytest.raises(ServerError):
        exported(server, tmp_path)
    listed = server._listed(1)
    server.tell("job/1", 200, {**listed, "output": listed["output"][::-1]})
    assert lines(exported(server, tmp_path)) == ["Patient/a", "Patient/b"]


def test_another_count_than_told_makes_the_type_fail(server: Exporting, tmp_path: Path) -> None:
    """After a second download; the rest is kept."""
    server.manifest = {"output": [{"type": "Patient", "url": f"{server.base}/file/1/0", "count": 5}, {"type": "Observation", "url": f"{server.base}/file/1/1", "count": 2}]}  # fmt: skip
    found = exported(server, tmp_path)
    assert found.failed == {"Patient": "a file should hold 5 resources and holds 2"}
    assert server.paths().count("file/1/0") == 2
    assert lines(found) == EVERYTHING[:-1]


def test_a_file_that_was_cut_is_fetched_again(server: Exporting, tmp_path: Path) -> None:
    server.tell("file/1/0", 200, json.dumps(patient("a")).encode())
    found = exported(server, tmp_path)
    assert (lines(found), found.failed) == (EVERYTHING, {})


def test_another_type_inside_makes_the_type_fail(server: Exporting, tmp_path: Path) -> None:
    """What was asked for is taken all the same, what was not is left out."""
    server.held.append(("output", "Condition", [observation("x", "1988-5"), {"resourceType": "Binary", "id": "y"}]))
    found = exported(server, tmp_path)
    assert found.failed == {"Condition": "a file holds Binary as well"}
    assert (found.counts["Observation"], found.left_out) == (3, {"Condition": 1})


@pytest.mark.parametrize(
    ("severity", "said", "failed"),
    [
        ("warning", "Observation", ()), ("information", "", ()),
        ("error", "could not read some Observation", ("Observation",)), ("fatal", "no idea", TYPES),
    ],
)  # fmt: skip
@pytest.mark.parametrize("part", ["error", "outcome"])
def test_errors_that_the_server_reports_make_types_fail(
    server: Exporting, tmp_path: Path, part: str, severity: str, said: str, failed: tuple[str, ...]
) -> None:
    server.held.append((part, "OperationOutcome", [outcome("processing", severity, said)]))
    found = exported(server, tmp_path)
    assert found.failed == dict.fromkeys(failed, "the server reports an error in its export")
    assert (tmp_path / "error" / "OperationOutcome.000.ndjson").exists()


def test_a_filter_by_two_parameters_is_two_filters() -> None:
    asked = CodeFilter(("1",), ("code", "component-code"))
    path = next(kick_offs(ExportQuestion(("Observation",), filters={"Observation": asked}))).path
    assert dict(parse_qsl(urlsplit(path).query))["_typeFilter"] == "Observation?code=1,Observation?component-code=1"


def test_deletions_come_first(server: Exporting, tmp_path: Path) -> None:
    entry = {"request": {"method": "DELETE", "url": "Patient/z"}}
    server.held.append(("deleted", "Bundle", [{"resourceType": "Bundle", "type": "transaction", "entry": [entry]}]))
    found = exported(server, tmp_path)
    assert found.files[0] == tmp_path / "deleted" / "Bundle.000.ndjson"


def test_a_manifest_of_several_pages_is_read_to_its_end(server: Exporting, tmp_path: Path) -> None:
    listed = server._listed(1)
    more = {"relation": "next", "url": f"{server.base}/job/1?page=2"}
    server.tell("job/1?page=2", 202)
    server.tell("job/1?page=2", 200, {**listed, "output": listed["output"][1:]})
    server.tell("job/1", 200, {**listed, "output": listed["output"][:1], "link": [more]})
    assert lines(exported(server, tmp_path)) == EVERYTHING


def test_a_manifest_that_leads_in_circles_is_an_error(server: Exporting, tmp_path: Path) -> None:
    server.manifest = {"link": [{"relation": "next", "url": f"{server.base}/job/1"}]}
    with pytest.raises(ProtocolError, match="in circles"):
        exported(server, tmp_path)


@pytest.mark.parametrize(("required", "told"), [(True, "Bearer abc"), (False, None)])
def test_a_token_is_sent_only_where_it_is_wanted(
    server: Exporting, tmp_path: Path, required: bool, told: str | None
) -> None:
    server.manifest = {"requiresAccessToken": required}
    exported(server, tmp_path, token=True)
    files = [one for one in server.asked if one.path.startswith("file")]
    assert {one.headers.get("Authorization") for one in files} == {told}
    assert {one.headers["Accept"] for one in files} == {"application/fhir+ndjson"}
    assert {one.headers["Authorization"] for one in server.asked if one not in files} == {"Bearer abc"}


@pytest.mark.parametrize(
    "manifest",
    [
        [], b"<html>", {"transactionTime": AT}, {"output": [{"type": "Patient"}]}, {"output": [{"url": "x"}]},
        {"output": [{"type": "../x", "url": "x"}]},
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_refused(server: Exporting, tmp_path: Path, manifest: object) -> None:
    told = (
        manifest if not isinstance(manifest, dict) or "output" not in manifest else {"transactionTime": AT, **manifest}
    )
    server.tell("job/1", 200, told)
    with pytest.raises(ProtocolError, match="manifest"):
        exported(server, tmp_path)
    assert lines(exported(server, tmp_path)) == EVERYTHING


def test_an_empty_export_is_one(server: Exporting, tmp_path: Path) -> None:
    server.held = []
    found = exported(server, tmp_path)
    assert (found.files, found.counts, found.failed) == ((), {}, {})


def test_no_server_is_ahead_of_its_clock(server: Exporting, tmp_path: Path) -> None:
    """Some tell the time of the end: what changed while it ran may be missing."""
    server.manifest = {"transactionTime": "2999-01-01T00:00:00Z"}
    server.tell("$export", 202, Content_Location=f"{server.base}/job/1", Date="Fri, 20 Nov 2026 08:00:00 GMT")
    server.jobs[1] = 0
    assert exported(server, tmp_path).watermark == "2026-11-20T08:00:00+00:00"
    (tmp_path / "2").mkdir()
    server.manifest = {}
    server.jobs.clear()
    assert exported(server, tmp_path / "2").watermark == AT


@pytest.mark.parametrize(
    ("total", "failed"), [(7, {"Condition": "the export holds none, and the server counts 7"}), (0, {})]
)
def test_a_type_of_which_nothing_came_is_counted_by_a_search(
    server: Exporting, tmp_path: Path, total: int, failed: dict[str, str]
) -> None:
    server.tell("Condition?", 200, {"resourceType": "Bundle", "total": total})
    assert exported(server, tmp_path).failed == failed
    asked = [one.path for one in server.asked if one.path.startswith("Condition")]
    assert asked == [f"Condition?_lastUpdated=lt{quote(AT, safe='')}&_summary=count"]
    assert exported(server, tmp_path).failed == failed


def test_a_group_is_not_compared_with_a_search(server: Exporting, tmp_path: Path) -> None:
    assert exported(server, tmp_path, ExportQuestion(TYPES, "Group/g")).failed == {}
    assert not [path for path in server.paths() if path == "Condition"]


def test_a_job_without_an_address_is_no_job(server: Exporting, tmp_path: Path) -> None:
    server.tell("$export", 202)
    with pytest.raises(ProtocolError, match="without the address of its job"):
        exported(server, tmp_path)
