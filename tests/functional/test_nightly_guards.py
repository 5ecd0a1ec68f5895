"""What would mislead is not published: the old list stays with a notice, and a code accepts exactly what is told."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.runs.notice import read_notice
from cohortfinder.runs.record import read_record, write_record
from cohortfinder.runs.snapshots import current_run
from functional.test_load import write
from functional.test_load_exports import deletion, export
from functional.test_nightly import DAY, Nights
from functional.test_pull import TRIAL, condition, furnish, observation, patient
from searched_server import Searched, serving, with_habits


@pytest.fixture
def server() -> Iterator[Searched]:
    with serving(Searched()) as one:
        furnish(one)
        one.put(
            *(patient(f"p{number}") for number in range(8)),
            *(condition(f"d{number}", f"p{number}") for number in range(8)),
        )
        yield one


@pytest.fixture
def pulling(tmp_path: Path, server: Searched, run: Callable[..., Any]) -> Nights:
    nights = Nights(tmp_path, run, server.url)
    nights.night()
    return nights


@pytest.fixture
def loading(tmp_path: Path, run: Callable[..., Any]) -> Nights:
    nights = Nights(tmp_path, run)
    nights.load(
        *(patient(f"p{number}") for number in range(10)),
        *(condition(f"c{number}", f"p{number}") for number in range(10)),
    )
    nights.night()
    return nights


def test_an_incomplete_type_that_the_trials_read_stops_the_list(pulling: Nights, server: Searched) -> None:
    with_habits(server, refused=frozenset({"Condition"}))
    server.sleep(hours=5)
    told = pulling.refused("incomplete:Condition", status=3)
    assert told["refusals"][0]["accept"] == "the list is made without the missing Condition"
    # what would be published lies there to be looked at
    assert (pulling.store / "runs" / told["run_id"] / "trials" / "PULLED" / "report.html").is_file()
    taken = pulling.night("--accept", "incomplete:Condition", status=3)
    assert (taken["state"], taken["accepted"]) == ("published", ["incomplete:Condition"])
    assert read_notice(pulling.store) is None
    with_habits(server, refused=frozenset())
    assert pulling.night()["exit_status"] == 0


def test_a_type_that_shrank_by_more_than_a_fifth_stops_the_list(pulling: Nights, server: Searched) -> None:
    server.sleep(hours=5)
    for number in range(3):
        server.delete("Condition", f"d{number}")
    told = pulling.refused("shrunk:Condition", status=65)
    assert told["message"].startswith("Condition has shrunk by 33 % since the last list, from 9 to 6;")
    # another code accepts nothing of it
    pulling.refused("shrunk:Condition", status=65, options=("--accept", "shrunk:Patient"))
    notice = read_notice(pulling.store)
    assert notice is not None
    assert notice.nights == 2
    assert notice.sentence.startswith(f"This list is as of {DAY}: since 20")
    taken = pulling.night("--accept", "shrunk:Condition", status=3)
    assert len(pulling.listed()) == 6
    assert taken["warnings"][0].startswith("Accepted (shrunk:Condition): Condition has shrunk by 33 %")
    # from now on these are all there are
    assert pulling.night()["state"] == "published"


def test_a_type_that_shrank_by_a_fifth_is_published(loading: Nights, pulled_down: Callable[[int], None]) -> None:
    pulled_down(2)
    assert loading.night()["types"]["Condition"] == 8


def test_how_much_may_go_is_configured(loading: Nights, pulled_down: Callable[[int], None]) -> None:
    pulled_down(2)
    loading.configure(more="[nightly]\nshrink_percent = 10\n")
    loading.refused("shrunk:Condition", status=65)


@pytest.fixture
def pulled_down(loading: Nights) -> Callable[[int], None]:
    """Delete so many of ten diagnoses, as an export tells deletions."""

    def delete(count: int) -> None:
        folder = export(loading.folder / "export")
        write(folder / "deleted" / "Condition.ndjson", deletion(*(f"Condition/c{number}" for number in range(count))))
        write(folder / "Patient.ndjson", patient("p1"))
        assert loading.command("load", folder).status == 0

    return delete


def test_a_server_that_passes_over_a_parameter_stops_the_night(pulling: Nights, server: Searched) -> None:
    server.sleep(hours=5)
    with_habits(server, passed_over=frozenset({"_lastUpdated"}))
    told = pulling.refused("ignored-parameter", status=76)
    assert "screen PULLED" not in [one["name"] for one in told["steps"]]
    assert told["refusals"][0]["accept"] == "the list is made of what the store holds from the pulls before"
    assert pulling.night("--accept", "ignored-parameter", status=3)["state"] == "published"


def test_a_server_that_is_gone_stops_the_night_and_the_next_one_goes_on(
    tmp_path: Path, run: Callable[..., Any], server: Searched
) -> None:
    nights = Nights(tmp_path, run, server.url)
    first = nights.night()
    nights.configure(url="http://127.0.0.1:9")
    told = nights.refused("pull-failed", status=69)
    assert told["message"].startswith("The pull failed: ")
    taken = nights.night("--accept", "pull-failed", status=3)
    assert taken["load_ids"] == first["load_ids"]
    nights.configure(url=server.url)
    server.put(patient("late"), condition("c-late", "late"))
    assert nights.night()["trials"]["PULLED"]["new"] == 1


def test_a_concept_that_lost_a_code_stops_the_list(loading: Nights) -> None:
    loading.configure(more='[site.replace]\ndx_sle = "sle.csv"\n')
    columns = "concept,system,code,match,include,strength,label,note,source\n"
    row = "dx_sle,http://snomed.info/sct,55464009,exact,yes,definite,lupus,,ours\n"
    (loading.folder / "sle.csv").write_text(columns + row, encoding="utf-8")
    told = loading.refused("lost-codes:dx_sle", status=65)
    assert "The concept dx_sle has lost" in told["message"]
    assert loading.night("--accept", "lost-codes:dx_sle", status=3)["state"] == "published"
    assert loading.night()["state"] == "published"


def test_an_index_date_before_that_of_the_list_stops_it(loading: Nights) -> None:
    told = loading.refused("clock", status=65, day="2026-11-24")
    assert told["message"] == f"The index date 2026-11-24 is before {DAY}, that of the last list."
    assert loading.night("--accept", "clock", status=3, day="2026-11-24")["state"] == "published"


def test_a_clock_that_was_set_back_stops_the_list(loading: Nights) -> None:
    """What the store has of tomorrow is what it has when the clock is set back by a day."""
    first = read_record(loading.store, current_run(loading.store) or "")
    ahead = datetime.now(UTC) + timedelta(days=1)
    first.started_at = ahead.isoformat(timespec="seconds")
    write_record(loading.store, first)
    told = loading.refused("clock", status=65)
    assert told["message"].endswith(": it was set back.")
    assert told["run_id"] > first.run_id
    assert loading.night("--accept", "clock", status=3)["state"] == "published"


def test_a_clock_of_another_day_than_that_of_the_server_stops_the_list(pulling: Nights, server: Searched) -> None:
    """The server of these tests lives on 20 November 2026; the index date is only then that of the clock, where none is named."""
    server.now = datetime.now(UTC) - timedelta(days=2)
    server.put(condition("c7", "b"))
    before = current_run(pulling.store)
    done = pulling.command("nightly")
    assert done.status == 65, done.err
    told = json.loads(done.out)
    assert [one["code"] for one in told["refusals"]] == ["clock"]
    assert ", that of the server " in told["message"]
    assert current_run(pulling.store) == before
    server.now = datetime.now(UTC)
    server.put(condition("c8", "b"))
    assert pulling.command("nightly").status == 0


def test_a_trial_that_cannot_be_read_keeps_no_other_one_from_being_screened(loading: Nights) -> None:
    (loading.folder / "broken.yaml").write_text(TRIAL.replace("hemoglobin", "hemoglobine"), encoding="utf-8")
    loading.configure(trials='["trial.yaml", "broken.yaml"]')
    name = str(loading.folder / "broken.yaml")
    told = loading.refused(f"unreadable:{name}", status=64)
    assert "broken.yaml:8: unknown concept 'hemoglobine'" in told["message"]
    assert told["trials"]["PULLED"]["candidates"] == 10
    taken = loading.night("--accept", f"unreadable:{name}", status=3)
    assert [*taken["trials"]] == ["PULLED"]


def test_answers_that_cannot_be_read_stop_the_list(loading: Nights) -> None:
    (loading.folder / "answers.csv").write_text("patient_id,arm\n", encoding="utf-8")
    loading.configure(more='[nightly]\nanswers = "answers.csv"\n')
    loading.refused(f"unreadable:{loading.folder / 'trial.yaml'}", status=64)


def test_the_worst_of_several_reasons_is_the_status_and_all_are_told(pulling: Nights, server: Searched) -> None:
    server.sleep(hours=5)
    for number in range(8):
        server.delete("Patient", f"p{number}")
    with_habits(server, refused=frozenset({"Observation"}))
    server.put(observation("new"))
    done = pulling.command("nightly", "--as-of", DAY)
    told = json.loads(done.out)
    assert done.status == 65
    assert {one["code"] for one in told["refusals"]} == {"incomplete:Observation", "shrunk:Patient"}
    assert told["message"].endswith("(1 more: incomplete:Observation)")
