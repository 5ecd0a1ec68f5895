"""`cohortfinder pull` from a small server in memory: what comes is what the server holds, whatever it does on the way."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.warehouse.connection import open_warehouse
from searched_server import Resource, Searched, serving, with_habits

CONFIGURATION = """
store = "{folder}/store"
trials = ["{trial}"]
[fhir]
url = "{url}"
allow_http = true
page_size = {page_size}
"""
# asks for one Observation, one diagnosis and one drug
TRIAL = """
trial: PULLED
title: A trial for pulling
time_zone: UTC
arms: {A: {name: All, entry: I-DX}}
inclusion:
  - {id: I-DX, text: lupus, condition: dx_sle, ever: yes}
  - {id: I-HB, text: haemoglobin, observation: hemoglobin, at_least: 80 g/L}
exclusion:
  - {id: E-BELI, text: belimumab, medication: rx_belimumab, within: 3 weeks}
"""


def patient(own_id: str, **more: Any) -> Resource:
    return {"resourceType": "Patient", "id": own_id, "gender": "female", "birthDate": "1980-01-01", **more}


def observation(own_id: str, of: str = "a", code: str = "718-7", value: float = 120.0) -> Resource:
    return {
        "resourceType": "Observation", "id": own_id, "status": "final", "subject": {"reference": f"Patient/{of}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "effectiveDateTime": "2026-11-01",
        "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "g/L", "unit": "g/L"},
    }  # fmt: skip


def condition(own_id: str, of: str = "a") -> Resource:
    coding = {"system": "http://snomed.info/sct", "code": "55464009"}
    return {
        "resourceType": "Condition",
        "id": own_id,
        "subject": {"reference": f"Patient/{of}"},
        "code": {"coding": [coding]},
    }


def order(own_id: str, medication: str, of: str = "a") -> Resource:
    return {
        "resourceType": "MedicationRequest", "id": own_id, "status": "active", "intent": "order",
        "subject": {"reference": f"Patient/{of}"}, "medicationReference": {"reference": medication},
    }  # fmt: skip


class Site:
    """A store, its configuration, and the server that it pulls from."""

    def __init__(self, folder: Path, server: Searched, run: Callable[..., Any], page_size: int) -> None:
        self.folder, self.server, self._run = folder, server, run
        self.store = folder / "store"
        (folder / "trial.yaml").write_text(TRIAL, encoding="utf-8")
        text = CONFIGURATION.format(folder=folder, trial="trial.yaml", url=server.url, page_size=page_size)
        (folder / "site.toml").write_text(text, encoding="utf-8")

    def pull(self, *options: object) -> Any:
        """Run the command."""
        return self._run("pull", "--config", self.folder / "site.toml", "--json", *options)

    def pulled(self, *options: object, status: int = 0) -> dict[str, Any]:
        """Pull, and return the summary."""
        done = self.pull(*options)
        assert done.status == status, done.err
        told: dict[str, Any] = json.loads(done.out)
        return told

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        with open_warehouse(self.store, read_only=True) as connection:
            return connection.execute(question).fetchall()

    def held(self, table: str = "observation") -> list[tuple[str, str]]:
        """Return id and version of the resources in a table."""
        return self.rows(f"SELECT DISTINCT id, version_id FROM {table} ORDER BY id")

    def agrees(self) -> None:
        """Make sure that the store holds what the server holds, version by version."""
        for table, kind in (
            ("patient", "Patient"),
            ("observation", "Observation"),
            ("condition", "Condition"),
            ("medication_request", "MedicationRequest"),
        ):
            expected = sorted(
                (key[1], one["meta"]["versionId"]) for key, one in self.server.held.items() if key[0] == kind
            )
            assert self.held(table) == expected

    def spool(self) -> list[str]:
        """Return what is in the spool, but for the lock."""
        return sorted(path.name for path in (self.store / "pull").iterdir() if path.name != "lock")


def furnish(server: Searched) -> None:
    """Give a server two patients, 30 results of the first, a diagnosis and a drug, an hour ago."""
    server.put(patient("a"), patient("b"), condition("c1"))
    for number in range(30):
        server.put(observation(f"o{number:02}", value=100.0 + number))
    server.put({"resourceType": "Medication", "id": "m1", "code": {"text": "belimumab"}}, order("r1", "Medication/m1"))
    server.sleep(hours=1)


@pytest.fixture
def server() -> Iterator[Searched]:
    with serving(Searched()) as one:
        furnish(one)
        yield one


@pytest.fixture
def site(tmp_path: Path, server: Searched, run: Callable[..., Any]) -> Site:
    return Site(tmp_path, server, run, page_size=7)


def test_what_the_server_holds_is_in_the_store_and_the_spool_is_empty(site: Site) -> None:
    told = site.pulled()
    site.agrees()
    assert told["types"]["Observation"] == {"got": 30, "new": 30, "changed": 0, "deleted": 0, "complete": True}
    assert site.spool() == []
    assert site.held("medication") == [("m1", "1")]


@pytest.mark.parametrize("links", ["absolute", "host", "base", "question"])
@pytest.mark.parametrize("pretty", [False, True])
def test_a_next_link_is_followed_in_every_form(site: Site, links: str, pretty: bool) -> None:
    with_habits(site.server, links=links, pretty=pretty)
    site.pulled()
    site.agrees()


def test_a_second_pull_without_a_change_changes_nothing(site: Site) -> None:
    site.pulled()
    told = site.pulled()
    assert sum(one["new"] + one["changed"] + one["deleted"] for one in told["types"].values()) == 0
    assert {one["_lastUpdated"] for one in site.server.searches("Observation")[1:]} == {"ge2026-11-20T08:40:32.000Z"}


def test_the_next_pull_brings_what_changed_and_what_was_deleted(site: Site) -> None:
    site.pulled()
    site.server.put(observation("o03", value=1.0), observation("new"), patient("c"))
    site.server.delete("Observation", "o07")
    site.server.delete("Condition", "c1")
    site.server.put({**observation("o04"), "status": "entered-in-error"})
    site.server.sleep(hours=1)
    told = site.pulled()
    site.agrees()
    assert told["types"]["Observation"] | {"got": 0} == {
        "got": 0,
        "new": 1,
        "changed": 2,
        "deleted": 1,
        "complete": True,
    }
    assert told["types"]["Condition"]["deleted"] == 1
    assert site.rows("SELECT status FROM observation WHERE id = 'o04'") == [("entered-in-error",)]


def test_a_time_of_change_far_ahead_holds_nothing_up(site: Site) -> None:
    """Where the next pull goes on is told by the clock of the server, and the next version is taken."""
    for own_id in ("o03", "o07", "o08"):
        site.server.held["Observation", own_id]["meta"]["lastUpdated"] = "2999-01-01T00:00:00.000Z"
    site.pulled()
    site.server.put(observation("o03", value=1.0), observation("new"))
    site.server.delete("Observation", "o07")
    site.server.sleep(hours=1)
    told = site.pulled()["types"]["Observation"]
    site.agrees()
    assert (told["new"], told["changed"], told["deleted"]) == (1, 1, 1)
    assert site.server.searches("Observation")[-1]["_lastUpdated"] == "ge2026-11-20T08:40:32.000Z"
    site.server.put(observation("o08", value=2.0))
    site.server.sleep(hours=1)
    site.pulled()
    site.agrees()


@pytest.mark.parametrize("dated", [True, False])
def test_what_was_deleted_and_came_back_is_there(site: Site, dated: bool) -> None:
    with_habits(site.server, history_dated=dated)
    site.pulled()
    site.server.put(observation("o08", value=5.0))
    site.server.delete("Observation", "o08")
    site.server.delete("Observation", "o07")
    site.server.put(observation("o06", value=5.0))
    site.server.sleep(minutes=5)
    assert site.pulled()["types"]["Observation"]["deleted"] == 2
    site.agrees()
    site.server.put(observation("o07", value=5.0))
    site.server.sleep(minutes=5)
    told = site.pulled()["types"]["Observation"]
    assert (told["new"] + told["changed"], told["deleted"]) == (1, 0)
    site.agrees()


@pytest.mark.parametrize(
    "habits",
    [{"most": 5}, {"repeats": 3}, {"sorts": False}, {"outcome": "warning"}, {"total": "exact"}, {"empty_pages": 3}],
    ids=str,
)  # fmt: skip
def test_habits_that_cost_nothing(site: Site, habits: dict[str, Any]) -> None:
    with_habits(site.server, **habits)
    site.pulled()
    site.agrees()


def test_a_page_that_is_too_large_is_halved(tmp_path: Path, server: Searched, run: Callable[..., Any]) -> None:
    with_habits(server, refuse_above=10)
    site = Site(tmp_path, server, run, page_size=80)
    site.pulled()
    site.agrees()
    assert [one["_count"] for one in server.searches("Observation")] == ["80", "40", "20", "10"]


@pytest.mark.parametrize("sorts", [True, False])
def test_a_search_that_the_server_forgets_is_gone_on_with(site: Site, sorts: bool) -> None:
    """From the last change where the pages came in this order, else from the beginning."""
    forgetting = iter(range(3))

    def forget(target: str) -> None:
        if "_at=2" in target and next(forgetting, None) is not None:
            site.server._kept.clear()

    site.server.before_answer = forget
    with_habits(site.server, sorts=sorts)
    site.pulled()
    site.agrees()
    windows = [one.get("_lastUpdated") for one in site.server.searches("Observation")]
    assert ("ge2026-11-20T08:00:15.000Z" in windows) == sorts


@pytest.mark.parametrize(
    ("habits", "said"),
    [
        ({"loop_at": 2}, "led back to a page that it gave already of Observation"),
        ({"same_page": True}, "gave the same page twice of Observation"),
        ({"empty_pages": 60}, "gave 50 empty pages in a row of"),
        ({"total": "40", "without_next": True}, "gave 7 of 40 resources of Observation"),
        ({"outcome": "error"}, "in part, with an error"),
    ],
    ids=str,
)
def test_a_type_whose_pages_are_wrong_does_not_advance_and_is_repaired_by_the_next_pull(
    site: Site, habits: dict[str, Any], said: str
) -> None:
    with_habits(site.server, **habits)
    done = site.pull()
    assert done.status in (3, 76)
    assert said in done.out + done.err
    if done.status == 3:
        assert json.loads(done.out)["types"]["Observation"]["complete"] is False
    with_habits(site.server, **{name: getattr(type(site.server.habits)(), name) for name in habits})
    site.pulled()
    site.agrees()


def test_what_went_while_it_was_paged_is_no_shortage(site: Site) -> None:
    def remove(target: str) -> None:
        if "_at=1" in target and ("Observation", "o20") in site.server.held:
            site.server.delete("Observation", "o20")

    site.server.before_answer = remove
    with_habits(site.server, total="exact")
    site.pulled()
    site.agrees()


def test_what_changed_while_it_was_paged_comes_at_the_latest_the_next_time(site: Site) -> None:
    changed = iter([("o01", 1.0), ("o29", 2.0), ("new", 3.0)])

    def change(target: str) -> None:
        if "_at=2" in target and (one := next(changed, None)) is not None:
            site.server.put(observation(one[0], value=one[1]))

    site.server.before_answer = change
    site.pulled()
    site.server.before_answer = lambda _: None
    site.server.sleep(minutes=1)
    site.pulled()
    site.agrees()


@pytest.mark.parametrize("told", [True, False])
def test_a_server_that_passes_over_a_parameter_ends_the_pull_and_nothing_is_kept(site: Site, told: bool) -> None:
    """By its self link, or by what is older than what was asked for."""
    site.pulled()
    before = site.held(), site.rows("SELECT * FROM store.pulled_type ORDER BY ALL")
    site.server.sleep(days=1)
    site.server.put(observation("new"))
    with_habits(site.server, passed_over=frozenset({"_lastUpdated"}), tells_passed_over=told)
    done = site.pull()
    assert (done.status, "passed over the parameter _lastUpdated" in done.err) == (76, True)
    assert (site.held(), site.rows("SELECT * FROM store.pulled_type ORDER BY ALL")) == before
    assert site.spool() == []


def test_a_type_that_is_refused_does_not_keep_the_others_back(site: Site) -> None:
    with_habits(site.server, refused=frozenset({"Condition"}))
    told = site.pulled(status=3)
    assert told["types"]["Condition"]["complete"] is False
    assert told["types"]["Observation"]["complete"] is True
    assert any("refused Condition" in problem for problem in told["problems"])
    with_habits(site.server, refused=frozenset())
    site.pulled()
    site.agrees()


def test_a_server_that_refuses_everything_ends_the_pull(site: Site) -> None:
    with_habits(site.server, refused=frozenset(site.server.habits.types))
    assert site.pull().status == 77


def test_only_what_the_trials_need_is_asked_for(site: Site) -> None:
    """Observations by the codes of the trial, none of a type that no rule reads."""
    site.server.put(
        observation("other", code="2160-0"),
        {"resourceType": "Procedure", "id": "p1", "subject": {"reference": "Patient/a"}},
    )
    site.pulled()
    assert ("other", "1") not in site.held()
    assert site.server.searches("Procedure") == site.server.searches("Immunization") == []
    assert {*site.server.searches("Observation")[0]} == {"combo-code", "_sort", "_count"}


def test_all_codes_takes_every_observation_from_the_beginning(site: Site) -> None:
    site.server.put(observation("other", code="2160-0"))
    site.pulled()
    site.pulled("--all-codes")
    site.agrees()
    site.server.searches("Observation")


def test_a_code_that_is_new_is_asked_for_from_the_beginning(site: Site) -> None:
    site.server.put(observation("krea", code="2160-0"))
    site.server.sleep(hours=1)
    site.pulled()
    trial = (
        (site.folder / "trial.yaml")
        .read_text()
        .replace(
            "exclusion:", "  - {id: I-KI, text: kidney, observation: creatinine_serum, at_most: 1.5 ULN}\nexclusion:"
        )
    )
    (site.folder / "trial.yaml").write_text(trial)
    asked = len(site.server.searches("Observation"))
    site.pulled()
    site.agrees()
    windows = {
        ("718-7" in one["combo-code"], "_lastUpdated" in one) for one in site.server.searches("Observation")[asked:]
    }
    assert windows == {(True, True), (False, False)}


def test_without_combo_code_the_code_and_that_of_a_component_are_asked_for(site: Site) -> None:
    with_habits(site.server, parameters=frozenset({"_id", "_lastUpdated", "patient", "code", "component-code"}))
    part = {**observation("part", code="85354-9"), "component": [{"code": observation("x")["code"]}]}
    site.server.put(part)
    site.pulled()
    asked = sorted(name for one in site.server.searches("Observation") for name in one if not name.startswith("_"))
    assert asked == ["code", "component-code"]
    site.agrees()


def test_a_server_that_cannot_be_asked_for_codes_is_asked_for_all_and_then_for_what_changed(site: Site) -> None:
    with_habits(site.server, parameters=frozenset({"_id", "_lastUpdated", "patient"}))
    site.server.put(observation("other", code="2160-0"))
    site.pulled()
    site.agrees()
    site.pulled()
    assert [("_lastUpdated" in one) for one in site.server.searches("Observation")] == [False, True]


def test_a_list_of_patients_is_all_that_is_pulled(site: Site) -> None:
    site.server.put(observation("b1", of="b"), condition("b2", of="b"))
    (site.folder / "list.txt").write_text("patient_id\nPatient/b\n")
    site.pulled("--patients", site.folder / "list.txt")
    assert (site.held("patient"), site.held(), site.held("condition")) == ([("b", "1")], [("b1", "1")], [("b2", "1")])
    (site.folder / "list.txt").write_text("b\na\n")
    site.pulled("--patients", site.folder / "list.txt")
    site.agrees()


def test_a_line_that_is_no_id_is_told(site: Site) -> None:
    (site.folder / "list.txt").write_text("a\nb c\n")
    done = site.pull("--patients", site.folder / "list.txt")
    assert (done.status, "list.txt:2: this is no id of a Patient" in done.err) == (64, True)
    assert "b c" not in done.err


def test_a_server_that_tells_no_changes_is_pulled_whole_and_says_so(site: Site) -> None:
    with_habits(site.server, parameters=frozenset({"_id", "patient", "combo-code"}), history=False, sorts=False)
    site.pulled()
    site.server.put(observation("o03", value=1.0))
    site.server.delete("Observation", "o07")
    told = site.pulled()
    site.agrees()
    assert told["types"]["Observation"] == {"got": 29, "new": 0, "changed": 1, "deleted": 1, "complete": True}
    assert any("does not tell what has changed of" in note for note in told["notes"])


def test_without_versions_the_content_decides_and_the_later_pull_wins(site: Site) -> None:
    with_habits(site.server, parameters=frozenset({"_id", "patient", "combo-code"}), history=False, sorts=False)

    def strip(_: str) -> None:
        for one in site.server.held.values():
            one.pop("meta", None)

    site.server.before_answer = strip
    site.pulled()
    for value in (50.0, 150.0, 50.0):
        site.server.put(observation("o03", value=value))
        told = site.pulled()
        assert told["types"]["Observation"]["changed"] == 1
        assert [float(row[0]) for row in site.rows("SELECT value FROM observation WHERE id = 'o03'")] == [value]
    assert site.pulled()["types"]["Observation"]["changed"] == 0


def test_a_sweep_finds_what_is_gone_and_nothing_that_was_only_not_listed(site: Site) -> None:
    with_habits(site.server, history=False)
    site.pulled()
    site.server.delete("Observation", "o07")
    site.server.sleep(days=1)
    assert site.pulled()["types"]["Observation"]["deleted"] == 0
    site.server.sleep(days=7)
    with_habits(site.server, unlisted=frozenset({"o09"}))
    assert site.pulled()["types"]["Observation"]["deleted"] == 1
    site.agrees()


def test_a_sweep_that_would_remove_half_of_a_type_removes_nothing(site: Site) -> None:
    with_habits(site.server, history=False)
    site.pulled()
    for number in range(29):
        site.server.delete("Observation", f"o{number:02}")
    told = site.pulled("--sweep", status=3)
    assert len(site.held()) == 30
    assert any("no longer has 29 of 30 resources of Observation" in problem for problem in told["problems"])


def test_what_came_from_files_is_never_swept(site: Site, run: Callable[..., Any]) -> None:
    with_habits(site.server, history=False)
    site.pulled()
    (site.folder / "own.ndjson").write_text(
        json.dumps({**observation("own"), "meta": {"versionId": "1", "lastUpdated": "2026-11-20T08:00:00Z"}}) + "\n"
    )
    run("load", site.folder / "own.ndjson", "--store", site.store)
    site.server.delete("Observation", "o07")
    site.pulled("--sweep")
    assert ("own", "1") in site.held()


def test_a_history_that_is_cut_is_replaced_by_a_sweep(site: Site) -> None:
    site.pulled()
    for number in range(5):
        site.server.delete("Observation", f"o{number:02}")
    with_habits(site.server, history_most=3)
    site.server.sleep(hours=1)
    assert site.pulled()["types"]["Observation"]["deleted"] == 5
    site.agrees()


def test_labelled_resources_are_counted_and_nowhere_in_the_store(site: Site) -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}
    secret = {**observation("secret"), "meta": {"security": [label]}, "note": [{"text": "CANARY"}]}
    restricted = {**observation("kept"), "meta": {"security": [{"code": "R"}]}}
    site.server.put(
        secret, restricted, {**observation("part2"), "meta": {"security": [{"code": "R"}, {"code": "42CFRPart2"}]}}
    )
    told = site.pulled()
    assert told["dropped"] == 2
    assert ("kept", "1") in site.held()
    assert {"secret", "part2"} & {own_id for own_id, _ in site.held()} == set()


def test_a_site_says_which_labels_keep_a_resource_out(site: Site) -> None:
    file = site.folder / "site.toml"
    file.write_text(file.read_text(encoding="utf-8") + 'exclude_labels = "N"\n', encoding="utf-8")
    site.server.put({**observation("normal"), "meta": {"security": [{"code": "N"}]}})
    site.server.put({**observation("very"), "meta": {"security": [{"code": "V"}]}})
    assert site.pulled()["dropped"] == 1
    assert {"normal", "very"} & {own_id for own_id, _ in site.held()} == {"very"}


def test_digits_survive_a_pull(site: Site) -> None:
    real = site.server.answer

    def answer(target: str) -> tuple[int, Any]:
        status, content = real(target)
        return status, json.dumps(content).replace("100.0", "0.0100") if isinstance(content, dict) else content

    site.server.answer = answer  # type: ignore[method-assign]
    site.pulled()
    assert site.rows("SELECT id, value_sent FROM exact_number WHERE id = 'o00'") == [("o00", "0.0100")]


def test_medications_are_read_by_their_ids_and_what_they_refer_to(site: Site) -> None:
    part = {"itemReference": {"reference": "Medication/part"}}
    site.server.put(
        {"resourceType": "Medication", "id": "whole", "ingredient": [part]}, {"resourceType": "Medication", "id": "part"},
        {"resourceType": "Medication", "id": "unused"}, order("r2", f"{site.server.url}/Medication/whole/_history/1"), order("r3", "Medication/lost"),
    )  # fmt: skip
    site.pulled()
    assert [own_id for own_id, _ in site.held("medication")] == ["m1", "part", "whole"]
    site.server.put({"resourceType": "Medication", "id": "whole", "code": {"text": "changed"}})
    site.server.sleep(hours=1)
    site.pulled()
    assert ("whole", "2") in site.held("medication")


def test_medications_that_were_refused_come_as_soon_as_they_may(site: Site) -> None:
    with_habits(site.server, refused=frozenset({"Medication"}))
    assert site.pulled(status=3)["types"]["Medication"]["complete"] is False
    with_habits(site.server, refused=frozenset())
    assert site.pulled()["types"]["Medication"]["complete"] is True
    assert site.held("medication") == [("m1", "1")]


def test_the_records_of_a_merged_patient_are_those_of_the_survivor(site: Site, run: Callable[..., Any]) -> None:
    """The server moves the records without touching their times: all of the survivor's are pulled."""
    site.pulled()
    site.server.put(patient("b", link=[{"other": {"reference": "Patient/a"}, "type": "replaced-by"}], active=False))
    moved = condition("b9", of="a")
    site.server.held["Condition", "b9"] = {**moved, "meta": {"versionId": "1", "lastUpdated": "2026-11-01T00:00:00Z"}}
    site.server.sleep(hours=1)
    site.pulled()
    site.agrees()
    site.pulled()
    run("screen", site.folder / "trial.yaml", "--config", site.folder / "site.toml", "--out", site.folder / "out")
    listed = (site.folder / "out" / "candidates.csv").read_text().splitlines()[1:]
    assert [line.split(",")[1] for line in listed] == ["a"]


def test_a_duplicate_that_does_not_know_it_is_no_candidate(site: Site, run: Callable[..., Any]) -> None:
    """Only the survivor has a link; along a chain all records of the last one are pulled."""
    site.server.put(
        condition("b9", of="b"), patient("c", link=[{"other": {"reference": "Patient/a"}, "type": "replaces"}])
    )
    site.pulled()
    asked = len(site.server.asked)
    site.server.put(patient("b", link=[{"other": {"reference": "Patient/a"}, "type": "replaced-by"}]))
    site.server.sleep(hours=1)
    site.pulled()
    assert any("patient=a,c" in one for one in site.server.asked[asked:])
    run("screen", site.folder / "trial.yaml", "--config", site.folder / "site.toml", "--out", site.folder / "out")
    listed = (site.folder / "out" / "candidates.csv").read_text().splitlines()[1:]
    assert [line.split(",")[1] for line in listed] == ["c"]


def test_two_pulls_at_once_are_not_possible(site: Site) -> None:
    site.pulled()
    second: list[Any] = []

    def pull_again(target: str) -> None:
        if not second and "metadata" not in target:
            second.append(None)
            second[0] = site.pull()

    site.server.before_answer = pull_again
    site.pulled()
    assert (second[0].status, "is pulling; try again when it has finished" in second[0].err) == (75, True)


def test_without_a_server_it_is_told_where_to_write_it(
    tmp_path: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("pull")
    assert (done.status, "write url under [fhir]" in done.err) == (78, True)


def refusal() -> Resource:
    return {
        "resourceType": "Consent", "id": "no", "status": "active", "patient": {"reference": "Patient/a"},
        "scope": {"coding": [{"code": "research"}]}, "provision": {"type": "deny"},
    }  # fmt: skip


def configure(site: Site, text: str) -> None:
    """Add to the configuration."""
    with (site.folder / "site.toml").open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.mark.parametrize(
    ("offered", "configured", "asked"),
    [(True, "", True), (False, "", False), (True, "pull = false", False), (True, "pull = true", True)],
)
def test_consents_and_flags_are_asked_for_where_they_are_to_be_had(
    site: Site, offered: bool, configured: str, asked: bool
) -> None:
    """Nothing is said of a server that has none, unless the site wants them."""
    types = (*site.server.habits.types, *(("Consent", "Flag") if offered else ()))
    with_habits(site.server, types=types)
    site.server.put(refusal())
    configure(site, f"[gates]\n{configured}\n")
    told = site.pulled()
    assert {"Consent", "Flag"} <= {*told["types"]} if asked else told["types"].keys().isdisjoint({"Consent", "Flag"})
    assert not any("Consent" in note for note in told["notes"])


def test_a_site_that_wants_consents_is_told_that_there_are_none(site: Site) -> None:
    configure(site, "[gates]\npull = true\n")
    assert "The server does not offer Consent; what rests on it stays unknown." in site.pulled()["notes"]
