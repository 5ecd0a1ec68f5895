"""The typed tables as Parquet under pseudonyms: the rows of the store, and no id of it."""

import csv
import hmac
import json
from collections import Counter
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from cohortfinder.errors import CohortFinderError
from cohortfinder.gates import GateSettings
from cohortfinder.jobs.load import load
from cohortfinder.jobs.parquet import read_pseudonyms, write_parquet
from cohortfinder.report.pseudonyms import make_key
from cohortfinder.resources import resource_dir
from cohortfinder.site import SiteFile
from cohortfinder.warehouse.parquet import NodeManifest, read_layout
from cohortfinder.warehouse.parquet_runs import Target
from portable.parquet_rows import condition, patient, rows_of_files, rows_of_store

SAMPLES = resource_dir("sample_bundles")
# what an id in a column is of; `id` itself is of what the table is of
REFERS = {
    "patient_id": "patient", "replaced_by": "patient", "replaces": "patient", "encounter_id": "encounter",
    "medication_id": "medication", "ingredient_medication_id": "medication",
    "study_id": "research_study",
}  # fmt: skip
NO_LISTS = GateSettings()
OF = {"exact_number": "observation", "observation_range": "observation"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with every sample, the broken ones too."""
    store = tmp_path_factory.mktemp("samples") / "store"
    load([SAMPLES], store)
    return store


@pytest.fixture
def key(tmp_path: Path) -> Path:
    make_key(tmp_path / "site.key")
    return tmp_path / "site.key"


def write(
    store: Path, folder: Path, key: Path | None, lists: GateSettings = NO_LISTS, said: list[str] | None = None
) -> NodeManifest:
    target = Target(folder)
    pseudonyms = read_pseudonyms(target, key, folder.parent / "who.csv", lists) if key else None
    return write_parquet(store, target, pseudonyms=pseudonyms, log=(said if said is not None else []).append)


def pseudonym(key: Path, kind: str, own_id: str | None) -> str | None:
    if own_id is None:
        return None
    return hmac.new(bytes.fromhex(key.read_text()), f"{kind}/{own_id}".encode(), sha256).hexdigest()[:32]


def renamed(table: str, row: Mapping[str, Any], key: Path) -> tuple[Any, ...]:
    """Return a row of the store as it is to be written: without SQL, from what a column is called."""
    kind = OF.get(table, table.removesuffix("_dosage"))
    told = dict(row)
    for column, value in row.items():
        if column in REFERS and value is not None:
            told[column] = " ".join(str(pseudonym(key, REFERS[column], one)) for one in value.split(" "))
    if table == "quarantine":
        told["file"] = None
    else:
        told["id"] = pseudonym(key, kind, row["id"])
    if told.get("medication_reference") is not None:
        told["medication_reference"] = "Medication"
    return tuple(told.values())


def test_the_files_hold_the_rows_of_the_store_under_pseudonyms(store: Path, tmp_path: Path, key: Path) -> None:
    manifest = write(store, tmp_path / "tables", key)
    found = rows_of_files(read_layout(tmp_path / "tables"))
    for table, rows in rows_of_store(store).items():
        columns = [*manifest.schema[table]]
        expected = Counter(
            {renamed(table, dict(zip(columns, row, strict=True)), key): count for row, count in rows.items()}
        )
        # without the names of files some rows of what was put aside are the same
        assert found[table].total() == rows.total()
        assert table == "quarantine" or found[table] == expected, table


def test_no_id_of_the_store_is_in_any_text(store: Path, tmp_path: Path, key: Path) -> None:
    """Nor as a part of one: the ids of the samples are words that occur nowhere else."""
    write(store, tmp_path / "tables", key)
    of_store = rows_of_store(store)
    patients = {row[0] for row in of_store["patient"] if len(row[0]) > 6}
    assert len(patients) > 300
    written = {
        value
        for rows in rows_of_files(read_layout(tmp_path / "tables")).values()
        for row in rows
        for value in row
        if isinstance(value, str)
    }
    told = "\n".join(written)
    assert [own_id for own_id in sorted(patients) if own_id in told] == []
    others = {
        row[0] for table, rows in of_store.items() if table not in ("quarantine", "research_study") for row in rows
    }
    assert sorted(others & written) == []


def test_the_same_key_gives_the_same_tables_and_another_one_others(store: Path, tmp_path: Path, key: Path) -> None:
    make_key(tmp_path / "other.key")
    manifests = [write(store, tmp_path / name / "tables", own) for name, own in
                 (("a", key), ("b", key), ("c", tmp_path / "other.key"))]  # fmt: skip
    one, same, other = (rows_of_files(read_layout(tmp_path / name / "tables")) for name in "abc")
    assert one == same
    assert one["patient"].keys().isdisjoint(other["patient"].keys())
    assert manifests[0].pseudonyms == manifests[1].pseudonyms != manifests[2].pseudonyms
    assert len(manifests[0].pseudonyms) == 8


def test_the_identification_says_who_is_who_to_its_owner_alone(store: Path, tmp_path: Path, key: Path) -> None:
    write(store, tmp_path / "tables", key)
    file = tmp_path / "who.csv"
    assert file.stat().st_mode & 0o777 == 0o600
    with file.open(encoding="utf-8-sig", newline="") as stream:
        pairs = {row["patient_id"]: row["pseudonym"] for row in csv.DictReader(stream)}
    assert pairs == {row[0]: pseudonym(key, "patient", row[0]) for row in rows_of_store(store)["patient"]}


def test_who_is_on_a_list_of_the_site_is_not_written_nor_who_is_the_same_person(tmp_path: Path, key: Path) -> None:
    observation = {
        "resourceType": "Observation", "status": "final", "code": {"coding": [{"code": "1742-6"}]},
        "valueQuantity": {"value": 1.10}, "referenceRange": [{"high": {"value": 40}}],
    }  # fmt: skip
    link = [{"type": "replaced-by", "other": {"reference": "Patient/new-one"}}]
    resources = [
        patient("refuses"), patient("old-one", link=link), patient("new-one"), patient("for-tests"), patient("stays"),
        condition("c-nobody", None),
        *(condition(f"c-{one}", one) for one in ("refuses", "old-one", "new-one", "for-tests", "stays")),
        *({**observation, "id": f"o-{one}", "subject": {"reference": f"Patient/{one}"}}
          for one in ("refuses", "old-one", "new-one", "stays")),
    ]  # fmt: skip
    (tmp_path / "all.ndjson").write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in resources))
    load([tmp_path / "all.ndjson"], tmp_path / "store")
    (tmp_path / "not.csv").write_text("patient_id\nrefuses\nold-one\nnever-seen\n")
    (tmp_path / "test.csv").write_text("for-tests\n")
    lists = GateSettings(
        do_not_contact=SiteFile(tmp_path / "not.csv", "c.toml:1"),
        test_patients=SiteFile(tmp_path / "test.csv", "c.toml:2"),
    )
    said: list[str] = []
    write(tmp_path / "store", tmp_path / "tables", key, lists, said)
    found = rows_of_files(read_layout(tmp_path / "tables"))
    ids = {table: {row[0] for row in rows} for table, rows in found.items() if rows}
    assert ids["patient"] == {pseudonym(key, "patient", "stays")}
    assert ids["condition"] == {pseudonym(key, "condition", one) for one in ("c-stays", "c-nobody")}
    assert ids["observation"] == ids["observation_range"] == {pseudonym(key, "observation", "o-stays")}
    assert said[0] == "4 Patient records are kept back, by a list of the site"
    with (tmp_path / "who.csv").open(encoding="utf-8-sig") as stream:
        assert [row["patient_id"] for row in csv.DictReader(stream)] == ["stays"]


def test_a_node_that_writes_pseudonyms_does_not_go_back(store: Path, tmp_path: Path, key: Path) -> None:
    make_key(tmp_path / "other.key")
    write(store, tmp_path / "tables", key)
    before = sorted((tmp_path / "tables").rglob("*.parquet"))
    for own, said in ((None, "name the key with --key"), (tmp_path / "other.key", "name that one with --key")):
        with pytest.raises(CohortFinderError, match=said):
            write(store, tmp_path / "tables", own)
    assert sorted((tmp_path / "tables").rglob("*.parquet")) == before


def test_ids_that_were_written_before_go_at_once(store: Path, tmp_path: Path, key: Path) -> None:
    for _ in range(2):
        write(store, tmp_path / "tables", None)
    assert len([*(tmp_path / "tables" / "patient" / "node=main").iterdir()]) == 2
    last = write(store, tmp_path / "tables", key)
    runs = {path.name for path in (tmp_path / "tables").glob("*/node=main/*")}
    assert runs == {f"run={last.run}"}
    assert [path.name for path in (tmp_path / "tables" / "manifests").glob("*.json")] == [f"main.{last.run}.json"]


def test_the_command_writes_under_pseudonyms(run: Callable[..., Any], store: Path, tmp_path: Path, key: Path) -> None:
    tables, who = tmp_path / "tables", tmp_path / "site" / "who.csv"
    done = run("load", "--parquet", tables, "--key", key, "--identification", who, "--store", store, "--json")
    assert done.status == 0
    assert json.loads(done.out)["parquet"]["tables"]["patient"]["rows"] == rows_of_store(store)["patient"].total()
    assert key.read_text().strip() not in "".join(file.read_text() for file in (tables / "manifests").glob("*.json"))
    assert len(who.read_text().splitlines()) == rows_of_store(store)["patient"].total() + 1


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--parquet", "tables", "--identification", "who.csv"], 2, "name the key that makes them: --key FILE"),
        (["--key", "site.key", str(SAMPLES)], 2, "--key is for the tables of a store"),
        (
            ["--key", "site.key", "--parquet", "tables", "--engine", "spark", str(SAMPLES)],
            2,
            "--key is for the tables",
        ),
        (["--key", "tables/site.key", "--parquet", "tables"], 64, "would leave with it; keep it elsewhere"),
        (["--key", "site.key", "--identification", "tables/who.csv", "--parquet", "tables"], 64, "would leave with it"),
        (["--key", "no.key", "--parquet", "tables"], 64, "cohortfinder keys pseudonyms"),
        (["--key", "open.key", "--parquet", "tables"], 78, "open.key"),
    ],
)
def test_what_is_asked_wrongly_is_one_sentence(
    run: Callable[..., Any], store: Path, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: list[str], status: int, said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tables" / "manifests").mkdir(parents=True)
    make_key(tmp_path / "tables" / "site.key")
    (tmp_path / "open.key").write_text(key.read_text())
    (tmp_path / "open.key").chmod(0o644)
    done = run("load", *arguments, "--store", store)
    assert (done.status, done.err.count("\n")) == (status, 1)
    assert said in done.err
    assert not [*(tmp_path / "tables").rglob("*.parquet")]
