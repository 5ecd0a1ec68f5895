"""`screen --engine spark`: the same verdicts, evidence, days and files as DuckDB gives on one store, row for row."""

import csv
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from cohortfinder import __version__
from cohortfinder.cli.main import status_of
from cohortfinder.errors import ConfigurationError, InputError, StoreError
from cohortfinder.gates import GateSettings
from cohortfinder.jobs.dummy import Wish, dummy
from cohortfinder.jobs.load import load
from cohortfinder.jobs.parquet import read_pseudonyms, write_parquet
from cohortfinder.jobs.parts.task import Task, task_of
from cohortfinder.jobs.screen import read_terminology, read_trial, screen_store
from cohortfinder.jobs.screen_spark import SparkRun, evaluate_parts, screen_tables
from cohortfinder.jobs.screened import basis_of
from cohortfinder.model import Answers, Trial
from cohortfinder.report.outputs import FORMATS
from cohortfinder.report.pseudonyms import make_key
from cohortfinder.resources import resource_dir
from cohortfinder.settings import Settings
from cohortfinder.spark.session import spark_session
from cohortfinder.terminology import Terminology
from cohortfinder.trials.answers import read_answers
from cohortfinder.warehouse.parquet import Layout, read_layout
from cohortfinder.warehouse.parquet_files import Target
from portable.spark_needed import NEEDS_SPARK
from reference.bundles import read_folder
from reference.evaluate import outcome_of, site_of

pytestmark = NEEDS_SPARK

AS_OF = date(2026, 11, 20)
SAMPLES = Path(resource_dir("sample_bundles"))
TRIALS = sorted(path.stem for path in Path(resource_dir("trials")).glob("*.yaml"))
# what tells of other numbers, which Spark does not try, and of what ran
OTHERWISE = {"run.json", "report.html", "whatif.csv"}
ANSWERS = """patient_id,arm,criterion_id,answer,by,at,note
sle-typical,SLE,I-CONSENT,yes,Dr. Li,2026-11-18T10:00,signed today
nobody-here,SLE,I-CONSENT,yes,Dr. Li,2026-11-18,
sle-typical,SLE,outcome,enrolled,Dr. Li,2026-11-18,
aav-typical,AAV,outcome,eligible,Dr. Li,2026-11-10,
"""


def settings_of(store: Path) -> Settings:
    """Return settings by which invented patients are listed."""
    return replace(Settings(store=store), gates=GateSettings(test_labels=None), threads=2)


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    with spark_session(threads=2) as started:
        yield started


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of the sample bundles, and its tables."""
    folder = tmp_path_factory.mktemp("samples")
    load([SAMPLES], folder / "store")
    write_parquet(folder / "store", Target(folder / "tables", buckets=8))
    return folder


def read(name: str, settings: Settings) -> tuple[Trial, Terminology]:
    terminology = read_terminology(settings)
    return read_trial(name, terminology, settings), terminology


def both(
    name: str, store: Path, tables: Path, out: Path, *, everyone: bool = False, answers: Path | None = None,
    patients: int = 10_000,
) -> None:  # fmt: skip
    """Screen with DuckDB into out/duckdb and with Spark into out/spark."""
    settings = settings_of(store)
    trial, terminology = read(name, settings)
    asked: dict[str, Any] = {"as_of": AS_OF, "everyone": everyone, "in_full": 50}
    asked["answers"] = read_answers(answers, trial) if answers else Answers()
    screen_store(trial, terminology, settings, out=out / "duckdb", **asked)
    screen_tables(
        SparkRun(str(tables), patients_a_part=patients), trial, terminology, settings, out=out / "spark", **asked
    )


def differences(out: Path) -> dict[str, object]:
    """Return the outputs that differ: text by its bytes, Parquet by its rows."""
    return {
        name: found
        for name in FORMATS
        if name not in OTHERWISE
        for found in [difference(out / "duckdb" / name, out / "spark" / name)]
        if found
    }


def difference(one: Path, other: Path) -> object:
    if one.suffix != ".parquet":
        return one.read_bytes() != other.read_bytes()
    with duckdb.connect() as connection:
        query = "SELECT * FROM read_parquet($a) EXCEPT ALL SELECT * FROM read_parquet($b)"
        pairs = ((one, other), (other, one))
        return [row for a, b in pairs for row in connection.execute(query, {"a": str(a), "b": str(b)}).fetchall()]


@pytest.mark.parametrize("name", [name for name in TRIALS if name != "NCT06983964"])
def test_every_other_trial_gives_the_same_files_over_the_samples(
    session: Any, samples: Path, tmp_path: Path, name: str
) -> None:
    both(name, samples / "store", samples / "tables", tmp_path)
    assert differences(tmp_path) == {}


def test_the_first_trial_with_answers_of_people_gives_the_same_files_over_the_samples(
    session: Any, samples: Path, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text(ANSWERS)
    both("NCT06983964", samples / "store", samples / "tables", tmp_path, answers=answers)
    assert differences(tmp_path) == {}
    one, other = (json.loads((tmp_path / name / "run.json").read_text()) for name in ("duckdb", "spark"))
    for key in ("warnings", "gates", "rows", "calibration", "answers", "proof", "resources", "mappings_sha256"):
        assert one[key] == other[key], key
    assert other["engine"]["name"] == "spark"
    assert [*other["engine"]["nodes"]] == ["main"]


def test_everybody_in_every_arm_gives_the_same_files(session: Any, samples: Path, tmp_path: Path) -> None:
    both("T2D-EXAMPLE", samples / "store", samples / "tables", tmp_path, everyone=True, patients=40)
    assert differences(tmp_path) == {}


@pytest.mark.parametrize("name", TRIALS)
def test_the_cases_of_every_trial_get_the_same_verdicts_and_the_oracle_agrees(
    session: Any, tmp_path: Path, name: str
) -> None:
    """500 invented patients of the first trial, one for each verdict of the others."""
    settings = settings_of(tmp_path / "store")
    trial, terminology = read(name, settings)
    wish = Wish(count=500 if name == "NCT06983964" else None, form="ndjson")
    made = dummy(trial, terminology, settings, as_of=AS_OF, wish=wish, out=tmp_path / "made")
    load([tmp_path / "made" / "fhir"], tmp_path / "store")
    write_parquet(tmp_path / "store", Target(tmp_path / "tables", buckets=4))
    both(name, tmp_path / "store", tmp_path / "tables", tmp_path)
    assert differences(tmp_path) == {}
    assert disagreements(trial, tmp_path, {one.id for one in made.made}) == []


def disagreements(trial: Trial, folder: Path, ids: set[str]) -> list[object]:
    """Return the verdicts of Spark that are not the oracle's, in reason or day as well."""
    site = site_of(trial, read_folder(folder / "made" / "fhir"), resource_dir("mappings"))
    criteria = {criterion.id: criterion for criterion in trial.criteria}
    with (folder / "spark" / "verdicts.csv").open(newline="") as file:
        told = [row for row in csv.DictReader(file) if row["patient_id"] in ids]
    assert len({row["patient_id"] for row in told}) > len(ids) / 2
    found = []
    for row in told:
        criterion = criteria[row["criterion_id"]]
        outcome = outcome_of(site, criterion, row["patient_id"], AS_OF, row["arm"])
        if outcome.verdict != row["verdict"]:
            found.append((row["patient_id"], criterion.id, row["verdict"], outcome))
    return found


def test_a_person_of_several_records_is_evaluated_as_one(session: Any, tmp_path: Path) -> None:
    """Their records lie in the buckets of each Patient; every bucket is a part here, and all give what DuckDB gives."""
    lines = []
    for number in range(12):
        old, new = f"old-{number}", f"new-{number}"
        patient, condition, result = diabetic(new, number, 8.2)
        link = [{"other": {"reference": f"Patient/{new}"}, "type": "replaced-by"}]
        lines += [{"resourceType": "Patient", "id": old, "birthDate": "1980-01-01", "link": link}, patient]
        lines.append({**condition, "subject": {"reference": f"Patient/{old}"}})
        lines.append({**result, "subject": {"reference": f"Patient/{old if number % 2 else new}"}})
    file = tmp_path / "people.ndjson"
    file.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    load([file], tmp_path / "store")
    write_parquet(tmp_path / "store", Target(tmp_path / "tables", buckets=7))
    both("T2D-EXAMPLE", tmp_path / "store", tmp_path / "tables", tmp_path, patients=1)
    assert differences(tmp_path) == {}
    with (tmp_path / "spark" / "candidates.csv").open(newline="") as listed:
        assert {row["patient_id"] for row in csv.DictReader(listed)} == {f"new-{number}" for number in range(12)}


def test_two_hospitals_give_what_one_store_of_both_gives(session: Any, tmp_path: Path) -> None:
    """Each has resources of the same ids as the other, of other patients."""
    for node, level in (("east", 8.2), ("west", 6.1)):
        file = tmp_path / f"{node}.ndjson"
        file.write_bytes(
            b"".join(orjson.dumps(one) + b"\n" for n in range(20) for one in diabetic(f"{node}-{n}", n, level))
        )
        load([file], tmp_path / node)
        write_parquet(tmp_path / node, Target(tmp_path / "tables", node, 3))
        both("T2D-EXAMPLE", tmp_path / node, tmp_path / "tables", tmp_path / f"out-{node}")
    whole = (tmp_path / "out-west" / "spark" / "verdicts.csv").read_text().splitlines()
    apart = [
        line
        for node in ("east", "west")
        for line in (tmp_path / f"out-{node}" / "duckdb" / "verdicts.csv").read_text().splitlines()[1:]
    ]
    assert sorted(whole[1:]) == sorted(apart)
    assert len({line.split(",")[0] for line in whole[1:]}) == 40


def diabetic(patient: str, number: int, level: float) -> list[dict[str, Any]]:
    """Return a patient with a diagnosis and a result, whose ids are numbers."""
    return [
        {"resourceType": "Patient", "id": patient, "birthDate": "1980-01-01", "gender": "female"},
        {"resourceType": "Condition", "id": f"c-{number}", "subject": {"reference": f"Patient/{patient}"},
         "code": {"coding": [{"system": "http://snomed.info/sct", "code": "44054006"}]}, "onsetDateTime": "2020-01-01",
         "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}},
        {"resourceType": "Observation", "id": f"o-{number}", "status": "final", "subject": {"reference": f"Patient/{patient}"},
         "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]}, "effectiveDateTime": "2026-11-01",
         "valueQuantity": {"value": level, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
         "referenceRange": [{"low": {"value": 4}, "high": {"value": 6}}]},
    ]  # fmt: skip


def task_for(layout: Layout, samples: Path, folder: Path) -> Task:
    """Return what workers are told of a screening whose results go into a folder."""
    settings = settings_of(samples / "store")
    trial, terminology = read("T2D-EXAMPLE", settings)
    basis = basis_of(trial, terminology, settings, layout.types, AS_OF, Answers(), everyone=False)
    return task_of(basis, str(folder / "results"), outlook_weeks=0)


def test_nothing_crosses_from_worker_to_worker_and_parts_may_be_told_twice(
    session: Any, samples: Path, tmp_path: Path
) -> None:
    layout = read_layout(samples / "tables")
    task = task_for(layout, samples, tmp_path)
    store = session.sparkContext._jsc.sc().statusStore()
    done = evaluate_parts(session, layout, task, 100, tmp_path / "a")
    (verdicts,) = {path.parent for path in (tmp_path / "results" / "verdict").iterdir()}
    before = {path.name: path.read_bytes() for path in verdicts.iterdir()}
    again = evaluate_parts(session, layout, task, 100, tmp_path / "b")
    assert {path.name: path.read_bytes() for path in verdicts.iterdir()} == before
    assert len(before) == len(done) == len(again)
    assert sum(one.patients for one in done) == sum(node.tables["patient"].rows for node in layout.nodes)
    modes = {(path.is_dir(), path.stat().st_mode & 0o777) for path in (tmp_path / "results").rglob("*")}
    assert modes == {(True, 0o700), (False, 0o600)}
    assert shuffled(store) == 0


def shuffled(store: Any) -> int:
    """Return how many bytes have crossed between workers since the session began."""
    executors = store.executorList(False)
    return sum(int(executors.apply(place).totalShuffleWrite()) for place in range(executors.size()))


def test_tables_under_pseudonyms_give_the_same_list_to_who_has_the_key(samples: Path, tmp_path: Path) -> None:
    """The verdicts are those of the store; of two records of one time another one may be shown, by its other id."""
    make_key(tmp_path / "site.key")
    settings, target = settings_of(samples / "store"), Target(tmp_path / "tables", buckets=8)
    pseudonyms = read_pseudonyms(target, tmp_path / "site.key", tmp_path / "who.csv", settings.gates)
    write_parquet(samples / "store", target, pseudonyms=pseudonyms)
    both("NCT06983964", samples / "store", tmp_path / "tables", tmp_path)
    with (tmp_path / "who.csv").open(encoding="utf-8-sig") as stream:
        who = {row["pseudonym"]: row["patient_id"] for row in csv.DictReader(stream)}

    def told(folder: str, columns: tuple[str, ...], names: Mapping[str, str]) -> Counter[tuple[str, ...]]:
        found: Counter[tuple[str, ...]] = Counter()
        for name in ("candidates.csv", "verdicts.csv"):
            with (tmp_path / folder / name).open(encoding="utf-8-sig") as stream:
                rows = [*csv.DictReader(stream)]
            found.update(
                (names.get(row["patient_id"], row["patient_id"]), *(row.get(column, "") for column in columns))
                for row in rows
            )
        return found

    columns = ("arm", "criterion_id", "status", "score", "verdict", "changes_on", "eligible_from")
    with_duckdb, with_spark = told("duckdb", columns, {}), told("spark", columns, who)
    assert with_duckdb == with_spark
    assert with_duckdb.total() > 10_000
    listed = (tmp_path / "spark" / "candidates.csv").read_text()
    assert not any(patient in listed for patient in who.values())


def test_what_stands_in_the_way_is_said_in_one_sentence(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: object) -> tuple[int, str]:
        status = status_of(["screen", "T2D-EXAMPLE", "--as-of", "2026-11-20", *map(str, arguments)])
        return status, capsys.readouterr().err.strip().splitlines()[-1]

    assert said("--engine", "spark")[0] == 2
    assert "load --parquet FOLDER" in said("--engine", "spark")[1]
    assert said("--tables", tmp_path) == (
        2, "cohortfinder: --tables and --results are for --engine spark; name that engine too, or leave them out",
    )  # fmt: skip
    assert "there are no typed tables here" in said("--engine", "spark", "--tables", tmp_path)[1]
    cut = tmp_path / "cut"
    shutil.copytree(samples / "tables", cut)
    next(cut.glob("observation/node=main/run=*/bucket=*/*.parquet")).unlink()
    assert "files with" in said("--engine", "spark", "--tables", cut)[1]


def test_a_worker_that_does_not_see_the_tables_or_loses_patients_ends_the_run(
    session: Any, samples: Path, tmp_path: Path
) -> None:
    """Else it would be as if these patients were not there, and the list shorter without a word."""
    layout = read_layout(samples / "tables")
    task = task_for(layout, samples, tmp_path)
    elsewhere = replace(layout, folder=str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="a worker of Spark does not see this part of the tables"):
        evaluate_parts(session, elsewhere, task, 10_000, tmp_path / "a")
    shutil.copytree(samples / "tables", tmp_path / "tables")
    fewer = read_layout(tmp_path / "tables")
    next((tmp_path / "tables" / "patient").rglob("*.parquet")).unlink()
    with pytest.raises(StoreError, match=r"there are 344 Patient records and the workers have seen [0-9]+;"):
        evaluate_parts(session, fewer, task, 10_000, tmp_path / "b")


def test_what_a_worker_says_comes_without_a_traceback(session: Any, samples: Path, tmp_path: Path) -> None:
    layout = read_layout(samples / "tables")
    task = task_for(layout, samples, tmp_path)
    task = replace(task, release="0.0.1")
    with pytest.raises(ConfigurationError, match=f"a worker of Spark has cohortfinder {__version__} and the run 0.0.1"):
        evaluate_parts(session, layout, task, 100, tmp_path / "a")
