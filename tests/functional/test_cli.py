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


def test_json_prints_one_object(run: Run, demo: Path) -> None:
    done = run("screen", "T2D-EXAMPLE", "--store", demo, "--as-of", "2026-11-20", "--json")
    assert json.loads(done.out)["trial"] == "T2D-EXAMPLE"


def test_explain_shows_the_sentences_of_one_patient(run: Run, demo: Path) -> None:
    done = run("explain", "T2D-EXAMPLE", "none-diabetes", "--store", demo, "--as-of", "2026-11-20")
    assert done.status == 0
    assert "none-diabetes in T2D" in done.out


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
