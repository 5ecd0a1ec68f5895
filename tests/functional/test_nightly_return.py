"""Earlier lists: returned to in one moment, made again byte for byte, and told by `status`."""

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from markupsafe import escape

from cohortfinder.cli.main import status_of
from cohortfinder.jobs.front_page import renew_front_page
from cohortfinder.runs.notice import read_notice
from cohortfinder.runs.snapshots import current_run, snapshot_folder
from functional.test_nightly import DAY, Nights
from functional.test_pull import condition, furnish, observation, patient
from searched_server import Searched, serving


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Searched]]:
    """A store with the lists of three nights: somebody more each night, an answer, and a result that changes."""
    folder = tmp_path_factory.mktemp("three")

    def run(*arguments: object) -> int:
        return status_of([str(one) for one in arguments])

    with serving(Searched()) as server:
        furnish(server)
        nights = Nights(folder, run, server.url)
        (folder / "answers.csv").write_text(
            "patient_id,arm,criterion_id,answer,by,at,note\na,A,E-BELI,no,Dr. Li,2026-11-20,\n", encoding="utf-8"
        )
        nights.configure(url=server.url, more='[nightly]\nanswers = "answers.csv"\n')
        assert nights.command("nightly", "--as-of", "2026-11-23") == 0
        server.sleep(hours=5)
        server.put(condition("c2", "b"), observation("o-b", "b", value=70.0))
        assert nights.command("nightly", "--as-of", "2026-11-24") == 0
        server.sleep(hours=5)
        server.delete("Condition", "c1")
        server.put(patient("late"), condition("c3", "late"), observation("o-b", "b", value=120.0))
        assert nights.command("nightly", "--as-of", DAY) == 0
        yield folder, server


@pytest.fixture
def nights(three: tuple[Path, Searched], tmp_path: Path, run: Callable[..., Any]) -> Nights:
    """A copy of that store, to be changed."""
    folder, server = three
    own = Nights.__new__(Nights)
    own.folder, own._run, own.store, own.config = tmp_path, run, tmp_path / "store", tmp_path / "site.toml"
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    own.configure(url=server.url, more='[nightly]\nanswers = "answers.csv"\n')
    return own


def kept(nights: Nights) -> list[str]:
    """Return the runs whose lists are kept, oldest first."""
    return sorted(path.name for path in (nights.store / "snapshots").iterdir() if path.is_dir())


def test_rollback_returns_to_a_list_with_a_notice_and_the_next_night_ends_it(nights: Nights) -> None:
    first, _, last = kept(nights)
    assert nights.listed() == ["b", "late"]
    told = json.loads(nights.command("rollback").out)["lists"]
    assert [(one["run_id"], one["holds"]) for one in told] == [(last, True), (kept(nights)[1], False), (first, False)]
    assert nights.command("rollback", first).status == 0
    assert nights.listed() == ["a"]
    notice = read_notice(nights.store)
    assert notice is not None
    assert (
        notice.sentence
        == "This list is as of 2026-11-23. Somebody returned to it; the next night that publishes ends that."
    )
    assert nights.command("status").out.count("Somebody returned to it") == 1
    assert "These lists are old" in nights.front_page()
    assert str(escape(notice.sentence)) in nights.front_page()
    assert nights.command("rollback", last).status == 0
    assert (current_run(nights.store), read_notice(nights.store)) == (last, None)
    assert "These lists are old" not in nights.front_page()


def test_the_page_before_the_lists_says_what_holds_and_names_nobody(nights: Nights) -> None:
    page = nights.front_page()
    assert f'Lists as of <time datetime="{DAY}">{DAY}</time>' in page
    assert re.search(r'<th scope="row"><bdi>PULLED</bdi></th><td class="number">2</td>', page)
    assert not re.search(r"\blate\b|\bo-b\b", page)
    assert (nights.store / "snapshots" / "index.html").stat().st_mode & 0o777 == 0o600


def test_no_page_before_the_lists_is_left_that_could_not_be_renewed(nights: Nights) -> None:
    """It would lead to a list without a word of its age."""
    first, _, last = kept(nights)
    file = snapshot_folder(nights.store, last) / "PULLED" / "run.json"
    file.chmod(0o600)
    file.write_text("{")
    renew_front_page(nights.store)
    assert not (nights.store / "snapshots" / "index.html").exists()
    assert nights.command("rollback", first).status == 0
    assert "These lists are old" in nights.front_page()


def test_a_night_after_a_rollback_compares_with_the_list_that_holds(nights: Nights) -> None:
    nights.command("rollback", kept(nights)[0])
    told = nights.night("--accept", "shrunk:Condition")
    assert {name: told["trials"]["PULLED"][name] for name in ("new", "left")} == {"new": 2, "left": 1}
    assert len(kept(nights)) == 4
    assert read_notice(nights.store) is None


def test_a_list_that_is_not_whole_is_not_returned_to(nights: Nights) -> None:
    first, _, last = kept(nights)
    file = snapshot_folder(nights.store, first) / "PULLED" / "candidates.csv"
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.chmod(0o600)
    file.write_bytes(content)
    done = nights.command("rollback", first)
    assert done.status == 65
    assert "this list is not as it was published (PULLED/candidates.csv); take another one" in done.err
    assert current_run(nights.store) == last
    unknown = nights.command("rollback", "20200101T000000-001")
    assert unknown.status == 64
    assert f"kept are: {first}, " in unknown.err


def test_every_past_list_is_made_again_byte_for_byte(nights: Nights) -> None:
    """The first one after two later nights have changed, deleted and added."""
    for run_id in kept(nights):
        done = nights.command("replay", run_id)
        assert done.status == 0, done.out + done.err
        told = json.loads(done.out)
        assert (told["differences"], told["files"]) == ([], 3)
    assert not (nights.store / "replay").exists()
    words = nights._run("replay", "--config", nights.config, kept(nights)[0])
    assert "The lists of PULLED as of 2026-11-23 are the same, byte for byte: 3 files, " in words.out


def test_a_list_that_was_changed_is_found_by_a_replay(nights: Nights) -> None:
    first = kept(nights)[0]
    file = snapshot_folder(nights.store, first) / "PULLED" / "candidates.csv"
    file.chmod(0o600)
    file.write_bytes(file.read_bytes().replace(b",a,A,", b",x,A,"))
    done = nights.command("replay", first)
    assert done.status == 65
    assert json.loads(done.out)["differences"] == ["PULLED/candidates.csv: line 2 is another one"]


def test_what_a_run_was_made_of_must_be_there(nights: Nights) -> None:
    first = kept(nights)[0]
    record = json.loads((nights.store / "runs" / first / "run.json").read_bytes())
    inputs = nights.store / "runs" / first / "trials" / "PULLED" / "inputs"
    (inputs / "answers.csv").write_text("patient_id,arm,criterion_id,answer,by,at,note\n", encoding="utf-8")
    changed = nights.command("replay", first)
    assert (changed.status, "was changed since" in changed.err) == (65, True)
    shutil.rmtree(nights.store / "landing" / record["load_ids"][0])
    purged = nights.command("replay", first)
    assert purged.status == 65
    assert f"landing/{record['load_ids'][0]}: these landing files" in purged.err
    record["versions"]["cohortfinder"] = "0.0.9"
    (nights.store / "runs" / first / "run.json").write_text(json.dumps(record), encoding="utf-8")
    other = nights.command("replay", first)
    assert (other.status, "was made by cohortfinder 0.0.9" in other.err) == (65, True)


def test_other_files_of_the_site_are_told(nights: Nights) -> None:
    (nights.folder / "nobody.csv").write_text("patient_id\nnobody\n", encoding="utf-8")
    nights.configure(more='[gates]\ndo_not_contact = "nobody.csv"\n')
    done = nights.command("replay", kept(nights)[0])
    assert done.status == 65
    assert "was made with other files of the site: " in done.err
    assert "nobody.csv" in done.err


def test_status_tells_the_list_the_runs_and_the_disk(nights: Nights) -> None:
    told = json.loads(nights.command("status").out)
    assert told["types"]["Patient"]["resources"] == 3
    found = told["nights"]
    assert (found["published"]["run_id"], found["published"]["index_date"], found["published"]["rows"]) == (
        kept(nights)[-1],
        DAY,
        2,
    )
    assert [one["state"] for one in found["runs"]] == ["published"] * 3
    assert found["runs"][0]["candidates"] == {"PULLED": 2}
    assert {"screen PULLED", "publish"} <= found["runs"][0]["steps"].keys()
    assert (found["notice"], found["running"], found["problems"]) == (None, None, [])
    on_disk = sum(path.stat().st_size for path in nights.store.rglob("*") if path.is_file())
    assert 0 < sum(found["disk"].values()) <= on_disk
    words = nights._run("status", "--config", nights.config)
    assert f"List: {kept(nights)[-1]}, as of {DAY}, made " in words.out
    assert "on the disk" in words.out


def test_status_tells_a_night_that_was_killed(nights: Nights) -> None:
    file = nights.store / "runs" / kept(nights)[-1] / "run.json"
    record = json.loads(file.read_bytes())
    record |= {"run_id": "20991231T020000-001", "state": "running", "ended_at": None}
    other = nights.store / "runs" / "20991231T020000-001" / "run.json"
    other.parent.mkdir()
    other.write_text(json.dumps(record), encoding="utf-8")
    told = json.loads(nights.command("status").out)["nights"]
    assert told["runs"][0]["state"] == "interrupted"
    assert "was interrupted; the next one goes on." in told["notice"]


def test_a_current_that_names_nothing_is_told_and_put_right(nights: Nights) -> None:
    first = kept(nights)[0]
    (nights.store / "CURRENT").write_text("20200101T000000-001\n", encoding="utf-8")
    assert (
        "CURRENT: the list that it names is not in" in json.loads(nights.command("status").out)["nights"]["problems"][0]
    )
    failed = nights.night(status=65)
    assert (failed["state"], len(kept(nights))) == ("failed", 3)
    assert nights.command("rollback", first).status == 0
    assert nights.listed() == ["a"]


def test_who_reads_while_a_night_publishes_sees_one_list_or_the_other(nights: Nights) -> None:
    """A reader that asks all the time finds each time a whole list: that of before or that of after."""
    seen: set[tuple[str, int]] = set()
    over = threading.Event()
    failed: list[BaseException] = []

    def read() -> None:
        while not over.is_set():
            try:
                run_id = (nights.store / "CURRENT").read_text(encoding="utf-8").strip()
                folder = nights.store / "snapshots" / run_id
                manifest = json.loads((folder / "manifest.json").read_bytes())
                with duckdb.connect(str(folder / "lists.duckdb"), read_only=True) as lists:
                    (count,) = lists.execute("SELECT count(*) FROM candidates").fetchone() or (0,)
                assert count == manifest["tables"]["candidates"]
                seen.add((run_id, count))
            except BaseException as error:
                failed.append(error)
                return

    reader = threading.Thread(target=read)
    reader.start()
    try:
        before = current_run(nights.store)
        nights.load(patient("more"), condition("c-more", "more"))
        after = nights.night("--no-pull")["run_id"]
        nights.command("rollback", before)
        nights.command("rollback", after)
        # on a busy machine the reader comes late
        until = time.monotonic() + 60
        while (after, 3) not in seen and not failed and time.monotonic() < until:
            time.sleep(0.01)
    finally:
        over.set()
        reader.join()
    assert failed == []
    assert seen == {(before, 2), (after, 3)}
