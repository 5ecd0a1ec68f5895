"""Wrong input ends in one clear sentence and the exit status that scripts rely on, never in a traceback."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.resources import resource_dir

SAMPLES = resource_dir("sample_bundles")
Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("load", "nowhere"), 64, "no such file or folder"),
        (("frobnicate",), 2, "frobnicate"),
        (("screen", "NCT06983964", "--as-of", "tomorrow"), 2, "is no date"),
        (("screen", "NCT06983964", "--as-of", "2999-01-01"), 2, "in the future"),
        (("screen", "NCT0698396"), 64, "NCT06983964"),
        (("screen", "NCT06983964"), 64, "there is no store here"),
        (("explain", "NCT06983964", "someone"), 64, "there is no store here"),
        (("view", "nowhere.json", str(SAMPLES)), 64, "cannot be read"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], status: int, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.status == status
    assert words in done.err
    assert "Traceback" not in done.err


def test_an_empty_folder_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run("load", tmp_path / "empty", "--store", tmp_path / "store").status == 64


@pytest.mark.parametrize("name", ["login-page.json", "r5-medication-statement.json", "dstu2-observation.json"])
def test_what_is_no_r4_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    done = run("load", SAMPLES / "bad" / name, "--store", tmp_path / "store")
    assert done.status == 64
    assert len(done.err.strip().splitlines()[-1]) > 20


def test_an_unknown_concept_is_named_with_its_line_and_the_nearest(run: Run, tmp_path: Path, demo: Path) -> None:
    text = (resource_dir("trials") / "NCT06983964.yaml").read_text(encoding="utf-8")
    wrong = text.replace("observation: anti_sm", "observation: anti_smm")
    (tmp_path / "trial.yaml").write_text(wrong, encoding="utf-8")
    line = next(number for number, content in enumerate(wrong.splitlines(), 1) if "anti_smm" in content)
    done = run("screen", tmp_path / "trial.yaml", "--store", demo)
    assert done.status == 64
    assert f"trial.yaml:{line}: unknown concept 'anti_smm'. Did you mean 'anti_sm'?" in done.err


def test_an_output_folder_that_cannot_be_written(run: Run, tmp_path: Path, demo: Path) -> None:
    (tmp_path / "file").write_text("here is a file")
    done = run("screen", "T2D-EXAMPLE", "--store", demo, "--as-of", "2026-11-20", "--out", tmp_path / "file" / "out")
    assert done.status == 74
    assert "screening" not in done.err, "it is said before the work"


def test_json_prints_one_object(run: Run, demo: Path) -> None:
    done = run("screen", "T2D-EXAMPLE", "--store", demo, "--as-of", "2026-11-20", "--json")
    assert json.loads(done.out)["trial"] == "T2D-EXAMPLE"


def test_explain_shows_the_sentences_of_one_patient(run: Run, demo: Path) -> None:
    done = run("explain", "T2D-EXAMPLE", "none-diabetes", "--store", demo, "--as-of", "2026-11-20")
    assert done.status == 0
    assert "none-diabetes in T2D" in done.out


def explained(run: Run, store: Path, patient: str, *more: str, trial: str = "NCT06983964") -> Any:
    return run("explain", trial, patient, "--store", store, "--as-of", "2026-11-20", *more)


def test_explain_of_an_unknown_patient_says_what_to_do(run: Run, demo: Path) -> None:
    done = explained(run, demo, "nobody")
    assert (done.status, done.out) == (64, "")
    assert "the store holds no patient with this id; write Patient.id as it was sent" in done.err
    assert "nobody" not in done.err


def test_explain_of_an_unlisted_patient_shows_the_entry_criterion_of_each_arm(run: Run, demo: Path) -> None:
    done = explained(run, demo, "Patient/none-egpa")
    assert done.status == 0
    assert done.out.startswith("none-egpa is not listed in any arm of NCT06983964 on 2026-11-20. Why, arm by arm:\n")
    assert done.out.count("the entry criterion is not met.") == 5
    assert done.out.count("Would be a candidate for arm ") == 4
    assert "Will be no candidate for arm AAV, because of what neither time nor a new record changes:" in done.out
    assert "Eosinophilic granulomatosis with polyangiitis (recorded as M30.1, dated 2019-03-14)" in done.out
    assert "Condition/none-egpa-dx-egpa" in done.out


def test_explain_of_a_patient_of_whom_nothing_is_known_says_that_it_is_open(run: Run, demo: Path) -> None:
    done = explained(run, demo, "none-no-data", trial="T2D-EXAMPLE")
    assert done.out.count("the entry criterion is open, and no record suggests that it is met.") == 1


def test_explain_of_a_deceased_patient_says_so(run: Run, demo: Path) -> None:
    done = explained(run, demo, "none-deceased-flag")
    assert done.status == 0
    assert "recorded as deceased. Only living patients are listed." in done.out


def test_explain_follows_a_replaced_record_to_the_one_that_goes_on(run: Run, demo: Path) -> None:
    done = explained(run, demo, "none-merged-old")
    assert "none-merged-old was replaced by ss-merged; this is about ss-merged." in done.out
    assert "ss-merged in SS" in done.out
    why_not = done.out.index("Would be a candidate for arm SS")
    assert done.out.index("Excluded; score 0 %") < why_not < done.out.index("Fails (1)")
    assert "Changes of the next 12 weeks, without new data" in done.out


def test_explain_of_records_that_replace_each_other_calls_nobody_dead(run: Run, tmp_path: Path) -> None:
    circle = [
        {"resourceType": "Patient", "id": one, "link": [{"type": "replaced-by", "other": {"reference": f"Patient/{two}"}}]}
        for one, two in (("a", "b"), ("b", "a"))
    ]  # fmt: skip
    (tmp_path / "p.ndjson").write_text("".join(f"{json.dumps(one)}\n" for one in circle), encoding="utf-8")
    assert run("load", tmp_path / "p.ndjson", "--store", tmp_path / "store").status == 0
    done = explained(run, tmp_path / "store", "a")
    assert "replaced-by links lead to no record that stands for itself" in done.out
    assert "deceased" not in done.out


def test_explain_as_json_is_one_object(run: Run, demo: Path) -> None:
    listed = json.loads(explained(run, demo, "none-diabetes", "--json", trial="T2D-EXAMPLE").out)
    assert (listed["standing"], listed["listed"], listed["exit_status"]) == ("living", True, 0)
    assert [(arm["arm"], arm["status"]) for arm in listed["arms"]] == [("T2D", "possible")]
    assert len(listed["arms"][0]["verdicts"]) > 5
    unlisted = json.loads(explained(run, demo, "none-refuted", "--json").out)
    assert (unlisted["standing"], unlisted["listed"]) == ("living", False)
    entries = {arm["arm"]: arm["entry"] for arm in unlisted["arms"]}
    assert {arm: entry["verdict"] for arm, entry in entries.items()} == dict.fromkeys(entries, "fail")
    assert entries["SLE"]["evidence"][0]["resource"] == "Condition/none-refuted-dx-sle"
    dead = json.loads(explained(run, demo, "none-deceased", "--json").out)
    assert (dead["standing"], dead["listed"], dead["arms"]) == ("deceased", False, [])


def test_sql_as_json_names_each_statement_and_gives_what_the_script_gives(run: Run, demo: Path) -> None:
    import duckdb

    asked = ("sql", "NCT06983964", "I-RENAL", "--store", demo, "--as-of", "2026-11-20")
    said = json.loads(run(*asked, "--json").out)
    assert (said["trial"], said["as_of"]) == ("NCT06983964", "2026-11-20")
    assert [one["criterion"] for one in said["criteria"]] == ["I-RENAL"]
    named = [*said["facts"], *said["criteria"][0]["statements"]]
    assert {"person", "result", "subject"} < {one["name"] for one in said["facts"]}
    script = run(*asked).out
    with duckdb.connect(str(demo / "warehouse.duckdb"), read_only=True) as connection:
        expected = sorted(connection.execute(script).fetchall(), key=str)
    with duckdb.connect(str(demo / "warehouse.duckdb"), read_only=True) as connection:
        for statement in (*said["setup"], *(one["sql"] for one in named)):
            connection.execute(statement)
        assert sorted(connection.execute("FROM criterion_at").fetchall(), key=str) == expected


def test_sql_of_a_whole_trial_holds_every_computed_criterion(run: Run, demo: Path) -> None:
    said = json.loads(run("sql", "T2D-EXAMPLE", "--store", demo, "--json").out)
    assert len(said["criteria"]) == 11
    assert {one["statements"][-1]["name"] for one in said["criteria"]} == {"criterion_at"}


def test_sql_of_a_criterion_that_does_not_exist_names_the_nearest(run: Run, demo: Path) -> None:
    done = run("sql", "NCT06983964", "I-RENA", "--store", demo)
    assert done.status == 64
    assert "has no such criterion. Did you mean 'I-RENAL'?" in done.err


def test_sql_of_a_criterion_without_a_rule_says_why_there_is_none(run: Run, demo: Path, tmp_path: Path) -> None:
    trial = tmp_path / "later.yaml"
    trial.write_text(
        "trial: LATER\ntitle: x\ntime_zone: UTC\narms:\n  A: {name: x, entry: I-1}\ninclusion:\n"
        "  - {id: I-1, text: x, sex: male}\n  - {id: I-2, text: x, computed: no}\n"
    )
    done = run("sql", trial, "I-2", "--store", demo)
    assert done.status == 64
    assert "LATER has no rule for this criterion yet" in done.err


def test_a_configuration_may_hold_the_parameters_of_several_trials(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "site.toml"
    config.write_text(
        '[parameters]\nbp_days = 3\n\n[parameters.T2D-EXAMPLE]\nhba1c_lowest = "8 %"\n\n'
        "[parameters.NCT06983964]\nbp_days = 4\n",
        encoding="utf-8",
    )
    assert "hba1c_lowest = 8 %." in run("describe", "T2D-EXAMPLE", "--config", config).out
    assert "bp_days = 4." in run("describe", "NCT06983964", "--config", config).out


def test_a_parameter_that_would_do_nothing_is_an_error_with_its_line(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "site.toml"
    config.write_text("[parameters.NCT06983964]\nbp_day = 4\n", encoding="utf-8")
    done = run("describe", "NCT06983964", "--config", config)
    assert done.status == 78
    assert f"{config}:2: NCT06983964 declares no parameter 'bp_day'" in done.err
    assert "Did you mean 'bp_days'?" in done.err


def test_the_printed_sql_runs_in_a_duckdb_shell(run: Run, demo: Path) -> None:
    import duckdb

    done = run("sql", "NCT06983964", "I-RENAL", "--store", demo, "--as-of", "2026-11-20")
    with duckdb.connect(str(demo / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute(done.out).fetchall()
    assert len(rows) > 150
    assert "$p" not in done.out


def test_status_and_verify(run: Run, demo: Path) -> None:
    assert "Observation" in run("status", "--store", demo).out
    assert run("verify", "--store", demo).status == 0


def test_view_prints_rows(run: Run) -> None:
    view = resource_dir("mappings") / "views" / "patient.json"
    done = run("view", view, SAMPLES / "sle-typical.json", "--format", "json")
    assert done.status == 0
    assert json.loads(done.out)[0]["id"]
