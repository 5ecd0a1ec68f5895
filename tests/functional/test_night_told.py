"""Who is told of a night, and what the log says of it: numbers, and nothing of a record."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functional.test_logs import lines
from functional.test_nightly import DAY, Nights
from functional.test_pull import condition, furnish, patient
from listeners import hooked, mail_server
from searched_server import Searched, serving, with_habits


@pytest.fixture
def nights(tmp_path: Path, run: Callable[..., Any]) -> Nights:
    nights = Nights(tmp_path, run)
    name = [{"family": "Canarybird"}]
    nights.load(patient("canary-patient", name=name), condition("canary-record", "canary-patient"), patient("q"))
    return nights


def told(nights: Nights, url: str, port: int) -> None:
    nights.configure(
        more=f'[nightly]\nlink = "https://lists.hospital.example"\nwebhook = "{url}"\nmail_to = "a@hospital.example"\n'
        f'mail_from = "b@hospital.example"\nsmtp = "127.0.0.1:{port}"\nsmtp_tls = "none"\nmetrics_file = "c.prom"\n'
    )


def test_a_night_that_publishes_and_one_that_refuses_are_told(nights: Nights) -> None:
    with hooked() as hook, mail_server() as (port, mails):
        told(nights, hook.url, port)
        done = nights.night()
        first = (nights.folder / "c.prom").read_text(encoding="utf-8")
        refused = nights.refused("clock", status=65, day="2026-11-24")
    second = (nights.folder / "c.prom").read_text(encoding="utf-8")
    (_, _, published), (_, _, stopped) = hook.got
    assert (published["run_id"], published["state"], published["exit_status"]) == (done["run_id"], "published", 0)
    assert published["trials"]["PULLED"]["candidates"] == 1
    assert published["link"] == "https://lists.hospital.example"
    assert (stopped["run_id"], stopped["exit_status"], stopped["refusals"]) == (refused["run_id"], 65, ["clock"])
    assert [one["state"] for one in done["steps"] if one["name"] == "notify"] == ["done"]
    assert "cohortfinder_last_run_published 1\n" in first
    assert 'cohortfinder_last_run_refused{code="clock"} 1\n' in second
    published_at = [line for line in first.splitlines() if line.startswith("cohortfinder_last_published")]
    assert len(published_at) == 1
    assert published_at[0] in second.splitlines()
    assert [mail[3].splitlines()[0] for mail in mails] == [
        f"Subject: cohortfinder {DAY}: a new list is published",
        "Subject: cohortfinder 2026-11-24: no new list: the night refused to publish",
    ]
    everything = json.dumps([hook.got, mails]) + first + second
    assert "canary" not in everything.lower()


def test_a_night_of_which_nobody_can_be_told_is_published_all_the_same(nights: Nights) -> None:
    with hooked() as gone:
        pass
    port = int(gone.url.split(":")[2].split("/")[0])
    told(nights, gone.url, port)
    done = nights.night()
    (step,) = [one for one in done["steps"] if one["name"] == "notify"]
    assert (done["state"], step["state"]) == ("published", "failed")
    assert step["message"].startswith(f"webhook: http://127.0.0.1:{port} refuses the connection")
    assert "; mail: the mail server" in step["message"]
    assert "secret" not in json.dumps(done)
    assert "cohortfinder_last_run_published 1\n" in (nights.folder / "c.prom").read_text(encoding="utf-8")


def test_the_log_of_a_night_names_its_run_and_no_patient(tmp_path: Path, run: Callable[..., Any]) -> None:
    with serving(Searched()) as server:
        furnish(server)
        server.put(
            patient("canary-patient", name=[{"family": "Canarybird"}]), condition("canary-record", "canary-patient")
        )
        nights = Nights(tmp_path, run, server.url)
        nights.configure(url=server.url)
        nights.config.write_text('log_format = "json"\n' + nights.config.read_text(encoding="utf-8"), encoding="utf-8")
        well = nights.command("nightly", "--as-of", DAY)
        with_habits(
            server, failing=frozenset({"Condition", "Patient", "Observation", "Encounter", "MedicationRequest"})
        )
        server.sleep(hours=5)
        badly = nights.command("nightly", "--as-of", DAY)
    for done in (well, badly):
        said = lines(done.err)
        run_id = json.loads(done.out)["run_id"]
        assert {one.get("run_id", run_id) for one in said} == {run_id}
        assert (said[-1]["run_id"], said[-1]["command"]) == (run_id, "nightly")
        assert "canary" not in done.err.lower()
    assert badly.status != 0
