"""`erase`: a person is in no file of the store any more, however it is packed, and no load brings her back."""

import gzip
import json
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import insert, select

from cohortfinder.errors import ReadWriteError
from cohortfinder.jobs.erase import erase
from cohortfinder.jobs.load import load
from cohortfinder.jobs.verify import verify
from cohortfinder.model import Trial
from cohortfinder.resources import resource_dir
from cohortfinder.review.access.accounts import add_account
from cohortfinder.review.lists.published import Published
from cohortfinder.review.store.audit import Deed, add_entry, faults
from cohortfinder.review.store.database import open_database
from cohortfinder.review.store.keys import Keys, open_keys
from cohortfinder.review.store.tables import ANSWER, APPEARANCE, AUDIT, DECISION, MESSAGE, NOTE, SHARE
from cohortfinder.review_settings import ReviewSettings
from cohortfinder.settings import Settings
from cohortfinder.terminology import load_terminology
from cohortfinder.trials.parser import parse_trial
from functional.test_load import SAMPLES, observation, write

HER, MERGED, OTHER = "pat-7731", "pat-7731-old", "ss-typical"
# her ids, and what stands for them: the hash in proof/people.parquet, a result of hers as an example of many
CANARIES = (
    "Quibberlyx",
    "pat-7731",
    "MRN-99887766",
    "canary-note-4711",
    md5(HER.encode()).hexdigest()[:16],
    "qobs-5521",
)


def her_resources() -> list[dict[str, Any]]:
    subject = {"reference": f"Patient/{HER}"}
    return [
        {"resourceType": "Patient", "id": HER, "gender": "female", "birthDate": "1980-04-01", "name": [{"family": "Quibberlyx"}],
         "identifier": [{"system": "urn:mrn", "value": "MRN-99887766"}], "link": [{"other": {"reference": f"Patient/{MERGED}"}, "type": "replaces"}]},
        {"resourceType": "Patient", "id": MERGED, "gender": "female", "name": [{"family": "Quibberlyx"}]},
        {"resourceType": "Condition", "id": "c1", "subject": {"reference": f"https://fhir.example.org/r4/Patient/{HER}"},
         "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M34.9"}]}, "note": [{"text": "canary-note-4711"}],
         "recordedDate": "2026-01-01", "clinicalStatus": {"coding": [{"code": "active"}]}},
        {"resourceType": "Observation", "id": "her-1", "status": "final", "subject": subject, "code": {"text": "x"}, "valueQuantity": {"value": 1.50}},
        {"resourceType": "Observation", "id": "her-2", "status": "final", "subject": {"reference": f"Patient/{MERGED}/_history/3"}, "code": {"text": "canary-note-4711"}},
        {"resourceType": "Observation", "id": "qobs-5521", "status": "final", "subject": subject, "effectiveDateTime": "2026-11-01",
         "code": {"coding": [{"system": "http://loinc.org", "code": "1742-6"}]}, "valueQuantity": {"value": 1, "unit": "furlongs"}},
        {"resourceType": "Encounter", "id": "her-3", "status": "finished", "class": {"code": "AMB"}, "subject": subject, "period": {"start": "2026-10-01"}},
        {"resourceType": "Claim", "id": "her-4", "patient": subject},
    ]  # fmt: skip


def say(store: Path) -> None:
    """Let somebody say something of her, in every way there is, and of others with her id in the words."""
    at, her = datetime(2026, 11, 20, 9, tzinfo=UTC), {"trial": "NCT06983964", "patient_id": MERGED}
    with closing(open_database(store, ReviewSettings())) as database, database.writing() as connection:
        anna = add_account(connection, "anna", "Anna", at=at)
        said: dict[str, Any] = {"account_id": anna, "at": at, "run_id": "run"}
        for table, more in (
            (ANSWER, {**said, "criterion_id": "I-AGE", "word": "yes", "note": "canary-note-4711", "verdict": "unknown"}),
            (DECISION, {**said, "state": "screening", "reason": "canary-note-4711"}),
            (NOTE, {"account_id": anna, "at": at, "text": "Quibberlyx called " * 500}),
            (MESSAGE, {"account_id": anna, "at": at, "text": "MRN-99887766"}),
            (SHARE, {"account_id": anna, "at": at, "expires_at": at, "token_hash": "x", "passcode_hash": "x"}),
            (APPEARANCE, {"run_id": "run", "at": at}),
        ):  # fmt: skip
            connection.execute(insert(table).values(**her, **more))
        other = {"trial": "NCT06983964", "patient_id": OTHER, "account_id": anna, "at": at}
        connection.execute(insert(NOTE).values(**other, text=f"sister of {HER}, see Observation/qobs-5521."))
        keys = open_keys(store / "review")
        for patient in (HER, OTHER):
            deed = Deed("view", anna, "anna", "coordinator", "NCT06983964", keys.candidate("NCT06983964", patient))
            add_entry(connection, keys, deed, at)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of four loads with her in it, something in quarantine, a pull under way, a run and a published list."""
    folder = tmp_path_factory.mktemp("erase")
    store = folder / "store"
    first = her_resources()
    load([write(folder / "a.ndjson", *first[:4]), *sorted(SAMPLES.glob("ss-t*.json"))], store)
    packed = folder / f"{HER}.ndjson.gz"
    packed.write_bytes(gzip.compress("".join(json.dumps(one) + "\n" for one in first[4:]).encode()))
    load([packed], store)
    # a newer version of what was loaded, one that the tables refuse, one that landing refuses
    newer = {**first[3], "meta": {"lastUpdated": "2026-11-01T00:00:00Z"}, "note": [{"text": "canary-note-4711"}]}
    wrong = {
        "resourceType": "Condition",
        "id": "c2",
        "subject": {"reference": f"Patient/{HER}"},
        "code": "canary-note-4711",
    }
    bad = write(folder / "b.ndjson", newer, wrong)
    bad.write_text(
        bad.read_text()
        + f'{{"resourceType": "Condition", "subject": {{"reference": "Patient/{HER}"}}, "note": "Quibberlyx"\n'
    )
    load([bad], store)
    load([write(folder / "o.ndjson", *(observation(f"o{number}", 1, number) for number in range(50)))], store)
    pages = store / "pull" / "0000"
    pages.mkdir(parents=True)
    (pages / "pages.ndjson.gz").write_bytes(gzip.compress(json.dumps(first[0]).encode()))
    config = folder / "site.toml"
    config.write_text(f'store = "{store}"\ntrials = ["NCT06983964"]\n[gates]\ntest_labels = "none"\n', encoding="utf-8")
    for day in ("2026-11-20", "2026-11-21"):
        command = [sys.executable, "-m", "cohortfinder", "nightly", "--config", str(config), "--as-of", day]
        assert subprocess.run(command, capture_output=True).returncode in (0, 3)
    say(store)
    # a night that was killed leaves an evaluation that is not finished, a killed erasure what it was writing
    state = next(store.glob("runs/*/trials/*/state.duckdb"))
    shutil.copy(state, state.with_name("state.duckdb.partial"))
    for lists in store.glob("snapshots/*/lists.duckdb"):
        shutil.copy(lists, lists.with_name(".lists.duckdb.part"))
    shutil.copy(store / "warehouse.duckdb", store / "warehouse.duckdb.damaged-1")
    return store


def texts(file: Path) -> Iterator[bytes]:
    """What stands in a file, as it lies there and however it is packed."""
    raw = file.read_bytes()
    yield file.name.encode() + raw
    if raw[:2] == b"\x1f\x8b":
        yield gzip.decompress(raw)
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            yield from map(packed.read, packed.namelist())
    with duckdb.connect() as connection:
        if file.suffix == ".parquet":
            yield repr(connection.execute("SELECT * FROM read_parquet(?)", [str(file)]).fetchall()).encode()
    if ".duckdb" in file.name and file.suffix != ".wal" and raw[8:12] == b"DUCK":
        with duckdb.connect(str(file), read_only=True) as connection:
            for schema, table in connection.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall():
                yield repr(connection.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall()).encode()


def found(store: Path) -> set[tuple[str, str]]:
    """In which files which canaries are."""
    files = [file for file in store.rglob("*") if file.is_file()]
    return {
        (str(file.relative_to(store)), canary)
        for file in files for text in texts(file) for canary in CANARIES if canary.encode() in text
    }  # fmt: skip


def rest(store: Path) -> dict[str, Any]:
    """What the tables hold of everybody else."""
    with duckdb.connect(str(store / "warehouse.duckdb"), read_only=True) as connection:
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name} WHERE {column} NOT LIKE 'pat-7731%'").fetchall(), key=repr)
            for name, column in (("patient", "id"), ("observation", "coalesce(patient_id, '')"), ("condition", "patient_id"), ("encounter", "patient_id"))
        }  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, made: Path) -> Path:
    shutil.copytree(made, tmp_path / "store")
    return tmp_path / "store"


def test_she_is_everywhere_before(store: Path) -> None:
    """Else the search would prove nothing: each kind of file in which she may be holds her."""
    places = {name.split("/")[0] for name, _ in found(store)}
    assert places >= {
        "landing",
        "quarantine",
        "warehouse.duckdb",
        "warehouse.duckdb.damaged-1",
        "pull",
        "runs",
        "snapshots",
        "review",
    }
    assert {canary for _, canary in found(store)} == set(CANARIES)
    kinds = {Path(name).suffix for name, _ in found(store)}
    assert kinds >= {".gz", ".ndjson", ".duckdb", ".csv", ".parquet", ".html", ".json", ".xlsx"}


def test_she_is_nowhere_afterwards_and_everybody_else_is(store: Path, run: Callable[..., Any]) -> None:
    before = rest(store)
    done = run("erase", HER, "--store", store)
    assert done.status == 0, done.err
    assert found(store) == set()
    assert (rest(store), verify(store)) == (before, ())
    assert HER not in done.out + done.err


def test_the_current_list_can_be_read_and_its_manifest_holds(store: Path) -> None:
    erase(store, HER)
    published = store / "snapshots" / (store / "CURRENT").read_text().strip()
    with duckdb.connect(str(published / "lists.duckdb"), read_only=True) as lists:
        (others,) = lists.execute("SELECT count(*) FROM candidates WHERE patient_id = ?", [OTHER]).fetchone() or (0,)
        (verdicts,) = lists.execute("SELECT count(*) FROM verdicts").fetchone() or (0,)
    manifest = json.loads((published / "manifest.json").read_text())
    assert others >= 1
    assert manifest["tables"]["verdicts"] == verdicts > 0
    assert (published / "NCT06983964" / "candidates.csv").read_text().count(f",{OTHER},") >= 1


def test_what_was_said_of_others_stays_and_the_audit_log_is_whole(store: Path) -> None:
    assert erase(store, HER).said == 7
    with closing(open_database(store, ReviewSettings())) as database, database.reading() as connection:
        notes = connection.execute(select(NOTE.c.patient_id, NOTE.c.text)).all()
        entries = connection.execute(select(AUDIT.c.id)).all()
        assert [*faults(connection, open_keys(store / "review"))] == []
    assert [tuple(row) for row in notes] == [(OTHER, "sister of (erased), see (erased).")]
    assert len(entries) == 2


def test_no_load_brings_her_back(tmp_path: Path, store: Path, run: Callable[..., Any]) -> None:
    erase(store, HER)
    again = [*her_resources(), observation("o-new", 1, 1)]
    done = run("load", write(tmp_path / "again.ndjson", *again), "--store", store)
    assert done.status == 0
    assert "8 resources of people who were erased were left out" in done.out
    assert found(store) == set()
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in her_resources()]}
    (tmp_path / "bundle.json").write_text(json.dumps(bundle))
    assert run("load", tmp_path / "bundle.json", "--store", store).status == 0
    assert found(store) == set()
    assert verify(store) == ()


def test_doing_it_twice_changes_nothing(store: Path, tmp_path: Path, run: Callable[..., Any]) -> None:
    (tmp_path / "id").write_text(f"{HER}\n")
    assert run("erase", "--id-file", tmp_path / "id", "--store", store).status == 0
    before = rest(store), sorted(path.name for path in store.rglob("*"))
    again = erase(store, HER)
    assert (again.resources, again.quarantined) == ({}, 0)
    assert (rest(store), sorted(path.name for path in store.rglob("*"))) == before


def test_it_goes_on_after_a_kill(store: Path, made: Path, tmp_path: Path) -> None:
    before = rest(store)
    command = [sys.executable, "-m", "cohortfinder", "erase", HER, "--store", str(store)]
    for seconds in (0.6, 1.0, 1.4, 2.0):
        shutil.rmtree(store)
        shutil.copytree(made, store)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(seconds)
            process.kill()
        erase(store, HER)
        assert found(store) == set(), seconds
        assert (rest(store), verify(store)) == (before, ()), seconds


@pytest.mark.parametrize("arguments", [(), (HER, "--id-file", "-"), ("two words",)])
def test_one_patient_has_to_be_named(store: Path, run: Callable[..., Any], arguments: tuple[str, ...]) -> None:
    assert run("erase", *arguments, "--store", store).status in (2, 64)


def _read_trial(file: Path) -> Trial:
    terminology = load_terminology(resource_dir("mappings"), Settings().site)
    return parse_trial(file.read_text(encoding="utf-8"), source=str(file), terminology=terminology)


def test_a_running_review_application_shows_her_no_longer(store: Path) -> None:
    """It has the list open, and had read it; a page that was being made is finished, or refused."""
    published = Published(store, Keys(b"k" * 32), _read_trial)
    before = published.current()
    assert before is not None
    assert HER in {row.patient_id for row in before.lists.candidates("NCT06983964")}
    assert HER in before.identities
    command = [sys.executable, "-m", "cohortfinder", "erase", HER, "--store", str(store)]
    assert subprocess.run(command, capture_output=True).returncode == 0
    after = published.current()
    assert after is not None
    listed = after.of("NCT06983964")
    assert listed is not None
    assert {row.patient_id for row in listed.rows} >= {OTHER}
    assert HER not in {row.patient_id for row in listed.rows}
    assert HER not in after.identities
    assert after.lists.verdicts("NCT06983964", HER) == ()
    assert published.current() is after
    with pytest.raises(ReadWriteError, match="changed while the page was made"):
        before.lists.candidates("NCT06983964")
