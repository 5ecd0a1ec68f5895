"""`cohortfinder diff`: a pair of nights for each cause, and each cause proved by what the two runs have stored."""

import csv
import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Resource = dict[str, Any]
Why = tuple[str, str | None]
TRIAL = """
trial: TWO-NIGHTS
title: A trial of two nights
time_zone: UTC
arms: {A: {name: All, entry: I-DX}}
inclusion:
  - {id: I-DX, text: lupus, condition: dx_sle, ever: yes}
  - {id: I-HB, text: haemoglobin, observation: hemoglobin, at_least: 80 g/L, within: 30 days}
  - {id: I-AGE, text: adult, age: {at_least: 18}}
exclusion:
  - {id: E-BELI, text: belimumab, medication: rx_belimumab, within: 3 weeks}
"""
FIRST, SECOND = "2026-11-19", "2026-11-20"
_SCT = "http://snomed.info/sct"


def patient(own_id: str, **more: Any) -> Resource:
    return {"resourceType": "Patient", "id": own_id, "gender": "female", "birthDate": "1980-01-01", **more}


def lupus(of: str, number: int = 1, **more: Any) -> Resource:
    return {
        "resourceType": "Condition", "id": f"dx{number}-{of}", "subject": {"reference": f"Patient/{of}"},
        "code": {"coding": [{"system": _SCT, "code": "55464009"}]}, "recordedDate": "2026-11-01", **more,
    }  # fmt: skip


def haemoglobin(of: str, value: float, day: str = "2026-11-10", number: int = 1, **more: Any) -> Resource:
    quantity = {"value": value, "system": "http://unitsofmeasure.org", "code": "g/L", "unit": "g/L"}
    return {
        "resourceType": "Observation", "id": f"hb{number}-{of}", "status": "final", "effectiveDateTime": day,
        "subject": {"reference": f"Patient/{of}"}, "valueQuantity": quantity,
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}, **more,
    }  # fmt: skip


def version(resource: Resource, number: int) -> Resource:
    meta = resource.get("meta", {})
    return resource | {"meta": {**meta, "versionId": str(number), "lastUpdated": f"2026-11-1{number}T00:00:00Z"}}


class Nights:
    """A folder in which each night has a store and a run of its own."""

    def __init__(self, folder: Path, run: Run) -> None:
        self.folder, self._run = folder, run

    def night(
        self, name: str, resources: list[Resource], *, as_of: str = SECOND, trial: str = TRIAL, config: str = "",
        cut: bytes = b"", options: tuple[object, ...] = (),
    ) -> Path:  # fmt: skip
        """Load a hospital as it is that night, and screen it."""
        place = self.folder / name
        place.mkdir()
        (place / "trial.yaml").write_text(trial, encoding="utf-8")
        (place / "site.toml").write_text(config, encoding="utf-8")
        (place / "data").mkdir()
        (place / "data" / "all.ndjson").write_text(
            "".join(json.dumps(one) + "\n" for one in resources), encoding="utf-8"
        )
        if cut:
            (place / "data" / "cut.ndjson.gz").write_bytes(cut)
        common = ("--store", place / "store", "--config", place / "site.toml")
        self._run("load", place / "data", *common)
        done = self._run("screen", place / "trial.yaml", "--as-of", as_of, "--out", place / "out", *common, *options)
        assert done.status in (0, 3), done.err
        return place / "out"

    def diff(self, old: Path, new: Path, *options: object) -> Any:
        return self._run("diff", old, new, *options)

    def told(self, old: Path, new: Path) -> dict[str, tuple[str, set[Why]]]:
        """Return the move of each patient with its causes and the criteria on which they rest."""
        done = self.diff(old, new, "--json")
        assert done.status == 0, done.err
        return {
            one["patient_id"]: (one["move"], {(cause["cause"], cause["criterion_id"]) for cause in one["causes"]})
            for one in json.loads(done.out)["patients"]
        }


@pytest.fixture
def nights(run: Run, tmp_path: Path) -> Nights:
    return Nights(tmp_path, run)


def both(own_id: str) -> list[Resource]:
    return [patient(own_id), lupus(own_id), haemoglobin(own_id, 120)]


def test_what_happened_to_the_data_is_told_patient_by_patient(nights: Nights) -> None:
    """A pair of nights for each: what the second one changed is the cause, and nobody else is named."""
    names = (
        "still", "touched", "result", "mended", "erased", "refuted", "died", "restricted", "merged", "survivor", "gone",
    )  # fmt: skip
    before = {name: both(name) for name in names}
    before["survivor"] = [patient("survivor"), lupus("survivor")]
    before["newly"], before["freed"] = [patient("newly")], [*both("freed")]
    before["freed"][0] = patient("freed", meta={"security": [{"code": "R"}]})
    after: dict[str, list[Resource]] = {name: list(own) for name, own in before.items()}
    after["touched"] = [version(one, 2) for one in before["touched"]]
    after["result"].append(haemoglobin("result", 70, "2026-11-18", 2))
    after["mended"][2] = version(haemoglobin("mended", 60), 2)
    after["erased"].pop()
    after["refuted"][1] = version(lupus("refuted", verificationStatus={"coding": [{"code": "refuted"}]}), 2)
    after["died"][0] = patient("died", deceasedDateTime="2026-11-18")
    after["restricted"][0] = patient("restricted", meta={"security": [{"code": "R"}]})
    after["merged"][0] = patient("merged", link=[{"type": "replaced-by", "other": {"reference": "Patient/survivor"}}])
    after["newly"].append(lupus("newly"))
    after["freed"][0] = patient("freed")
    after["gone"] = []
    after["born"] = both("born")
    told = nights.told(
        nights.night("old", [one for own in before.values() for one in own], as_of=SECOND),
        nights.night("new", [one for own in after.values() for one in own], as_of=SECOND),
    )
    assert told == {
        "result": ("moved", {("new_result", "I-HB")}),
        "mended": ("moved", {("corrected_or_deleted", "I-HB")}),
        "erased": ("moved", {("corrected_or_deleted", "I-HB")}),
        "refuted": ("left", {("corrected_or_deleted", "I-DX")}),
        "died": ("left", {("death", None)}),
        "restricted": ("left", {("gate", None)}),
        "merged": ("left", {("merge", None)}),
        "survivor": ("moved", {("merge", "I-HB")}),
        "newly": ("entered", {("new_result", "I-DX")}),
        "freed": ("entered", {("gate", None)}),
        "gone": ("left", {("corrected_or_deleted", None)}),
        "born": ("entered", {("new_result", None)}),
    }


def test_time_alone_moves_by_the_day_that_was_foreseen(nights: Nights) -> None:
    """The same data a day later: a result grows too old, a birthday comes."""
    hospital = [
        *both("still"),
        patient("old-result"), lupus("old-result"), haemoglobin("old-result", 120, "2026-10-20"),
        patient("birthday", birthDate="2008-11-20"), lupus("birthday"), haemoglobin("birthday", 120),
    ]  # fmt: skip
    old, new = nights.night("old", hospital, as_of=FIRST), nights.night("new", hospital, as_of=SECOND)
    assert nights.told(old, new) == {
        "old-result": ("moved", {("time", "I-HB")}),
        "birthday": ("moved", {("time", "I-AGE")}),
    }


def test_new_data_and_time_are_told_apart_on_one_night(nights: Nights) -> None:
    """A day has passed, and one of the patients has a new result as well."""
    before = [*both("fresh"), patient("old"), lupus("old"), haemoglobin("old", 120, "2026-10-20")]
    after = [*before, haemoglobin("fresh", 60, "2026-11-19", 2)]
    told = nights.told(nights.night("a", before, as_of=FIRST), nights.night("b", after, as_of=SECOND))
    assert told == {"fresh": ("moved", {("new_result", "I-HB")}), "old": ("moved", {("time", "I-HB")})}


def test_another_text_of_the_trial_is_told_with_its_criterion(nights: Nights) -> None:
    """Only of the criterion that changed; a blank line before it changes nothing."""
    hospital = [patient("a"), lupus("a"), haemoglobin("a", 85)]
    stricter = TRIAL.replace("80 g/L", "90 g/L").replace("inclusion:", "\n\ninclusion:")
    told = nights.told(nights.night("old", hospital), nights.night("new", hospital, trial=stricter))
    assert told == {"a": ("moved", {("trial", "I-HB")})}


def test_another_mapping_is_told_with_the_criteria_that_read_it(nights: Nights) -> None:
    """A local code that the site maps now; the record itself was there before."""
    local = haemoglobin("a", 120)
    local["code"] = {"coding": [{"system": "urn:lab", "code": "HB"}]}
    hospital = [patient("a"), lupus("a"), local]
    codes = "source_system,source_code,target_system,target_code,equivalence\nurn:lab,HB,http://loinc.org,718-7,equivalent\n"
    (nights.folder / "local.csv").write_text(codes, encoding="utf-8")
    config = f'[site]\nlocal_codes = "{nights.folder / "local.csv"}"\n'
    told = nights.told(nights.night("old", hospital), nights.night("new", hospital, config=config))
    assert told == {"a": ("moved", {("mapping", "I-HB")})}


def test_an_answer_of_a_person_is_told(nights: Nights) -> None:
    """Also when it is taken back."""
    hospital = [patient("a"), lupus("a")]
    answers = nights.folder / "answers.csv"
    answers.write_text("patient_id,arm,criterion_id,answer,by,at,note\na,A,I-HB,no,Dr B,2026-11-19,seen on paper\n")
    old = nights.night("old", hospital)
    new = nights.night("new", hospital, options=("--answers", answers))
    assert nights.told(old, new) == nights.told(new, old) == {"a": ("moved", {("answer", "I-HB")})}


def test_what_a_load_that_was_not_complete_lacks_is_not_called_deleted(nights: Nights) -> None:
    """A file was cut in the middle: the results that are missing may exist. When they come, they are not called new."""
    complete = [*both("a"), *both("b")]
    lacking = [one for one in complete if one["id"] != "hb1-a"]
    lines = "".join(json.dumps(haemoglobin("b", 120 + number, number=number)) + "\n" for number in range(2, 400))
    cut = gzip.compress(lines.encode())[:-400]
    old, new = nights.night("old", complete), nights.night("new", lacking, cut=cut)
    assert json.loads((new / "run.json").read_text())["proof"]["types"]["Observation"] is False
    assert nights.told(old, new)["a"] == ("moved", {("incomplete_load", "I-HB")})
    assert nights.told(new, old)["a"] == ("moved", {("incomplete_load", "I-HB")})


def test_the_same_night_twice_moves_nobody(nights: Nights) -> None:
    hospital = both("a")
    old, new = nights.night("old", hospital), nights.night("new", hospital[::-1])
    assert nights.told(old, new) == {}
    assert "Nobody entered, left or moved" in nights.diff(old, new).out


def test_the_files_say_the_same_as_the_words(nights: Nights) -> None:
    old = nights.night("old", both("a"))
    new = nights.night("new", [*both("a"), haemoglobin("a", 60, "2026-11-18", 2)])
    done = nights.diff(old, new, "--out", nights.folder / "diff")
    assert "0 entered, 0 left, 1 moved" in done.out
    assert "new data (I-HB)" in done.out
    with (nights.folder / "diff" / "diff.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row == {
        "move": "moved", "patient_id": "a", "arm": "A", "status_before": "possible", "status_after": "excluded",
        "cause": "new_result", "criterion_id": "I-HB", "verdict_before": "pass", "verdict_after": "fail",
        "detail": "Observation/hb2-a",
    }  # fmt: skip
    summary = json.loads((nights.folder / "diff" / "diff.json").read_text())
    assert (summary["moves"], summary["causes"]) == ({"moved": 1}, {"new_result": 1})


def test_what_cannot_be_compared_is_refused_in_one_sentence(nights: Nights, tmp_path: Path) -> None:
    run = nights.night("old", both("a"))
    other = nights.night("other", both("a"), trial=TRIAL.replace("TWO-NIGHTS", "OTHER"))
    later = nights.night("later", both("a"), as_of=FIRST)
    words: Mapping[Path, str] = {
        tmp_path / "nowhere": "there is no run here",
        other: "this run is of OTHER",
        later: "name the older one first",
    }
    for place, said in words.items():
        done = nights.diff(run, place)
        assert (done.status, said in done.err) == (64, True), done.err
    (run / "proof" / "records.parquet").unlink()
    assert "written without proof/records.parquet" in nights.diff(run, run).err
