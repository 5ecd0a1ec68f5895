"""The log for a collector: one object a line on standard error, of every command, and nothing of a record in it."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.cli.logs import LOGS, Logs
from functional.conftest import Ran
from small_server import Habits, small_server

# what the records of these tests say, and no log may repeat
CANARIES = ("CANARYFAMILY", "CANARYID", "CANARYCODE", "CANARYTEXT")


def lines(err: str) -> list[dict[str, Any]]:
    """The objects of a log; fails where a line is none."""
    found = [json.loads(line) for line in err.splitlines()]
    for one in found:
        assert one["level"] in ("info", "error")
        assert datetime.now(UTC) - datetime.fromisoformat(one["time"]) < timedelta(minutes=10)
        assert isinstance(one["message"], str)
    return found


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A patient with a name, a result, and lines that are put aside."""
    folder = tmp_path / "files"
    folder.mkdir()
    patient = {
        "resourceType": "Patient",
        "id": "CANARYID",
        "birthDate": "1980-01-01",
        "name": [{"family": "CANARYFAMILY"}],
    }
    result = {
        "resourceType": "Observation", "id": "o1", "status": "final", "subject": {"reference": "Patient/CANARYID"},
        "code": {"text": "CANARYTEXT", "coding": [{"system": "http://loinc.org", "code": "CANARYCODE"}]},
    }  # fmt: skip
    broken = {**patient, "id": "bad", "deceasedBoolean": "CANARYTEXT"}
    text = "\n".join([json.dumps(patient), json.dumps(result), json.dumps(broken), '{"resourceType": "CANARYTEXT'])
    (folder / "all.ndjson").write_text(text, encoding="utf-8")
    return folder


def test_load_and_screen_say_nothing_of_a_record(run: Callable[..., Ran], files: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    loaded = run("--log-format", "json", "load", files, "--store", store)
    screened = run(
        "--log-format",
        "json",
        "screen",
        "NCT06983964",
        "--store",
        store,
        "--as-of",
        "2026-11-20",
        "--out",
        tmp_path / "out",
    )
    assert loaded.status == 3
    assert {one["command"] for one in lines(loaded.err)} <= {"load"}
    assert {one["command"] for one in lines(screened.err)} == {"screen"}
    assert "screening NCT06983964 as of 2026-11-20" in [one["message"] for one in lines(screened.err)]
    assert not any(canary in loaded.err + screened.err for canary in CANARIES)


def test_a_pull_from_a_server_that_fails_says_nothing_of_a_record(run: Callable[..., Ran], tmp_path: Path) -> None:
    patient = {"resourceType": "Patient", "id": "CANARYID", "meta": {"lastUpdated": "2026-11-01T00:00:00Z"}}
    habits = Habits(
        resources={"Patient": [patient], "Condition": []},
        statuses={"Condition": 404},
        refusal="no such code for Patient/CANARYID",
    )
    config = tmp_path / "site.toml"
    with small_server(habits) as url:
        config.write_text(f'store = "{tmp_path}/store"\nlog_format = "json"\n[fhir]\nurl = "{url}"\n', encoding="utf-8")
        ran = run("pull", "--config", config, "--trial", "NCT06983964")
        # an id in a question, and a refusal of everything
        (tmp_path / "ids").write_text("CANARYID\n", encoding="utf-8")
        habits.refusal = "CANARYID is not yours"
        habits.statuses = {"Patient": 403, "Condition": 403}
        refused = run("pull", "--config", config, "--trial", "NCT06983964", "--patients", tmp_path / "ids")
    assert (ran.status, refused.status) == (3, 77)
    assert {one["command"] for one in lines(ran.err) + lines(refused.err)} == {"pull"}
    assert (lines(refused.err)[-1]["level"], lines(refused.err)[-1]["exit_status"]) == ("error", 77)
    assert not any(canary in ran.err + refused.err for canary in CANARIES)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["screen"], 2, "Missing argument 'TRIAL'."),
        (["nothing"], 2, "No such command 'nothing'."),
        (["check", "no-such-trial"], 64, "no-such-trial"),
        (["load", "no-such-file"], 64, "no-such-file"),
    ],
)
def test_an_error_is_an_object_with_its_status(
    run: Callable[..., Ran], tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    ran = run("--log-format", "json", *arguments)
    (said,) = lines(ran.err)
    assert (ran.status, said["level"], said["exit_status"]) == (status, "error", status)
    assert message in said["message"]


def test_a_traceback_is_part_of_the_object(run: Callable[..., Ran]) -> None:
    (said,) = lines(run("--log-format", "json", "check", "no-such-trial", "--debug").err)
    assert said["traceback"].startswith("Traceback")


def test_the_variable_and_the_configuration_count_and_the_command_line_wins(
    run: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "site.toml"
    config.write_text(f'store = "{tmp_path}/store"\nlog_format = "json"\n', encoding="utf-8")
    assert lines(run("status", "--config", config).err)[0]["exit_status"] == 64
    assert run("--log-format", "text", "status", "--config", config).err.startswith("cohortfinder: ")
    # each command line begins anew
    assert run("status", "--store", tmp_path / "store").err.startswith("cohortfinder: ")
    monkeypatch.setenv("COHORTFINDER_LOG_FORMAT", "json")
    assert lines(run("status", "--store", tmp_path / "store").err)[0]["exit_status"] == 64
    monkeypatch.setenv("COHORTFINDER_LOG_FORMAT", "xml")
    assert run("status", "--store", tmp_path / "store").status == 2


def test_a_process_of_its_own_writes_whole_lines(files: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "cohortfinder",
        "--log-format",
        "json",
        "screen",
        "NCT06983964",
        "--store",
        tmp_path,
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, lines(ran.stderr)[-1]["exit_status"]) == (64, 64)


def test_a_run_is_named_in_each_line(capsys: pytest.CaptureFixture[str]) -> None:
    log = Logs()
    log.begin("json")
    log.of_command("nightly")
    log.say("before")
    log.of_run("20261127T020000-001")
    log.say("after", level="error", exit_status=65)
    before, after = lines(capsys.readouterr().err)
    assert "run_id" not in before
    assert {name: value for name, value in after.items() if name != "time"} == {
        "level": "error", "message": "after", "command": "nightly", "run_id": "20261127T020000-001", "exit_status": 65,
    }  # fmt: skip


def test_nothing_is_drawn_between_the_objects(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    LOGS.begin("json")
    assert not LOGS.moves
    LOGS.begin("text")
    assert LOGS.moves
