"""Who must not be listed is not listed, counted by gate, and named in no output."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

Run = Callable[..., Any]
Resource = dict[str, Any]
TRIAL = """
trial: GATED
title: A trial for gates
time_zone: UTC
arms: {A: {name: All, entry: I-SEX}}
inclusion:
  - {id: I-SEX, text: a woman, sex: female}
exclusion:
  - {id: E-OLD, text: older than 65, age: {at_least: 66}}
"""
AS_OF = "2026-11-20"


def patient(own_id: str, **more: Any) -> Resource:
    """A woman who will be too old on 2026-12-03."""
    return {"resourceType": "Patient", "id": own_id, "gender": "female", "birthDate": "1960-12-03", **more}


def consent(own_id: str, of: str, **provision: Any) -> Resource:
    return {
        "resourceType": "Consent", "id": own_id, "status": "active", "patient": {"reference": f"Patient/{of}"},
        "scope": {"coding": [{"code": "research"}]}, "provision": provision,
    }  # fmt: skip


def flag(own_id: str, of: str, text: str) -> Resource:
    subject = {"reference": f"Patient/{of}"}
    return {"resourceType": "Flag", "id": own_id, "status": "active", "subject": subject, "code": {"text": text}}


HOSPITAL = [
    patient("open-one"),
    patient("died", deceasedBoolean=True),
    patient("private", meta={"security": [{"code": "V"}]}),
    patient("trained", meta={"security": [{"code": "HTEST"}, {"code": "R"}]}),
    patient("refused"),
    consent("c1", "refused", type="deny"),
    patient("permits"),
    consent("c2", "permits", type="permit"),
    patient("mumbles"),
    consent("c3", "mumbles", type="perhaps"),
    patient("asked-not-to"),
    flag("f1", "asked-not-to", "do not contact"),
    patient("on-a-list"),
    patient("merged", link=[{"type": "replaced-by", "other": {"reference": "Patient/survivor"}}]),
    consent("c4", "merged", type="deny"),
    patient("survivor"),
]
LISTED = {"open-one", "permits"}
COUNTS = {
    "deceased": (1, 1), "test_patient": (1, 0), "restricted": (2, 1), "consent": (2, 2), "consent_unclear": (1, 1),
    "do_not_contact": (2, 2),
}  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with a trial, a list of the site, and a configuration that names it."""
    (tmp_path / "gated.yaml").write_text(TRIAL, encoding="utf-8")
    (tmp_path / "no.csv").write_text(
        "note,patient_id\nphoned,Patient/on-a-list\nleft town,stranger\n", encoding="utf-8"
    )
    config = f'store = "{tmp_path / "store"}"\n[gates]\ndo_not_contact = "no.csv"\n'
    (tmp_path / "site.toml").write_text(config, encoding="utf-8")
    return tmp_path


def load(run: Run, site: Path, resources: list[Resource]) -> Any:
    (site / "data.ndjson").write_text("".join(json.dumps(one) + "\n" for one in resources), encoding="utf-8")
    return run("load", site / "data.ndjson", "--config", site / "site.toml")


def screen(run: Run, site: Path, *options: str) -> Any:
    return run(
        "screen", site / "gated.yaml", "--config", site / "site.toml", "--as-of", AS_OF, "--out", site / "out", *options
    )


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


@pytest.mark.parametrize("options", [(), ("--all",)])
def test_nobody_behind_a_gate_is_listed_and_each_gate_is_counted(
    run: Run, site: Path, options: tuple[str, ...]
) -> None:
    load(run, site, HOSPITAL)
    done = screen(run, site, *options)
    assert done.status == 0, done.err
    assert {row["patient_id"] for row in rows(site / "out" / "candidates.csv")} == LISTED
    told = {row["gate"]: (int(row["patients"]), int(row["only"])) for row in rows(site / "out" / "gates.csv")}
    assert told == COUNTS
    record = json.loads((site / "out" / "run.json").read_text())
    assert record["gates"] == {"patients": 8, **{gate: count for gate, (count, _) in COUNTS.items()}}
    assert str(site / "no.csv") in record["site_inputs"]
    steps = rows(site / "out" / "funnel.csv")
    assert [(step["remaining"], step["removed"]) for step in steps] == [("2", "0"), ("2", "0")]
    ahead = {(row["patient_id"], row["date"], row["status_to"]) for row in rows(site / "out" / "outlook.csv")}
    assert ahead == {(name, "2026-12-03", "excluded") for name in LISTED}
    assert b"SUMMARY:Recruitment list: 2 end" in (site / "out" / "outlook.ics").read_bytes()


def test_no_output_names_who_is_behind_a_gate(run: Run, site: Path) -> None:
    load(run, site, HOSPITAL)
    printed = screen(run, site)
    hidden = {one["id"] for one in HOSPITAL if one["resourceType"] == "Patient"} - LISTED
    texts = {path.name: path.read_bytes() for path in (site / "out").rglob("*") if path.is_file()}
    # what is compressed is read by DuckDB
    texts |= {
        path.name: str(duckdb.read_parquet(str(path)).fetchall()).encode() for path in (site / "out").rglob("*.parquet")
    }
    texts["printed"] = (printed.out + printed.err).encode()
    named = [(name, patient) for name, text in texts.items() for patient in hidden if patient.encode() in text]
    # the word in the headings, which is no id
    assert [one for one in named if one[1] not in ("died", "refused", "private")] == []
    page = texts["report.html"].decode()
    assert "8 patients of the store must not be listed" in page
    assert "A consent that cannot be read" in page


@pytest.mark.parametrize(
    ("patient", "standing", "words"),
    [
        ("died", "deceased", "recorded as deceased"),
        ("private", "restricted", "restricted by its security label"),
        ("trained", "test_patient", "a test patient"),
        ("merged", "consent", "refuses research"),
        ("mumbles", "consent_unclear", "cannot be read"),
        ("on-a-list", "do_not_contact", "not to be contacted"),
    ],
)
def test_explain_says_which_gate(run: Run, site: Path, patient: str, standing: str, words: str) -> None:
    load(run, site, HOSPITAL)
    asked = ("explain", site / "gated.yaml", patient, "--config", site / "site.toml", "--as-of", AS_OF)
    assert words in run(*asked).out
    assert json.loads(run(*asked, "--json").out)["standing"] == standing


def test_a_site_that_tries_things_out_lists_invented_patients(run: Run, site: Path) -> None:
    """What is labelled as a test is listed, who refuses is not."""
    (site / "site.toml").write_text(f'store = "{site / "store"}"\n[gates]\ntest_labels = "none"\n', encoding="utf-8")
    invented = {"tag": [{"code": "HTEST"}]}
    load(
        run,
        site,
        [patient("made", meta=invented), patient("refuser", meta=invented), consent("c", "refuser", type="deny")],
    )
    assert screen(run, site).status == 0
    assert [row["patient_id"] for row in rows(site / "out" / "candidates.csv")] == ["made"]


def test_a_refusal_that_could_not_be_loaded_is_said_aloud(run: Run, site: Path) -> None:
    """Whom it keeps off is not known, so that the list may hold somebody who refused."""
    broken = consent("bad", "open-one") | {"provision": [{"type": "deny"}]}
    assert load(run, site, [*HOSPITAL, broken]).status == 3
    done = screen(run, site)
    assert done.status == 3
    assert "1 Consents or Flags could not be loaded" in done.err + done.out


def test_a_list_that_names_nobody_here_is_said_aloud(run: Run, site: Path) -> None:
    """Most often it holds another number than Patient.id."""
    load(run, site, HOSPITAL)
    (site / "no.csv").write_text("patient_id\n4711\n4712\n", encoding="utf-8")
    done = screen(run, site)
    assert done.status == 3
    assert "No patient of the store stands in the list do_not_contact" in done.err + done.out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("patient_id\nJane Doe\n", "no.csv:2: this is no id of a Patient"),
        ("patient_id,note\n,phoned\n", "no.csv:2: this is no id of a Patient"),
        (None, "cannot be read; name a CSV file in UTF-8"),
    ],
)
def test_a_list_that_cannot_be_read_stops_everything(run: Run, site: Path, text: str | None, words: str) -> None:
    load(run, site, HOSPITAL)
    (site / "no.csv").unlink()
    if text is not None:
        (site / "no.csv").write_text(text, encoding="utf-8")
    done = screen(run, site)
    assert done.status == 78
    assert words in done.err
    assert not (site / "out").exists() or not list((site / "out").iterdir())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[gates]\nrestrict = 'R'\n", "site.toml:2: unknown key 'restrict' under [gates]; known are restricted"),
        ("gates = 3\n", "site.toml:1: unknown key 'gates' under [gates]"),
        ("[gates]\nrestricted = 'R; V'\n", 'site.toml:2: restricted must be codes as "PSY, R+42CFRPart2"'),
        ("[gates]\npull = 'yes'\n", "site.toml:2: pull must be true or false"),
        ("[gates]\ntest_patients = 3\n", "site.toml:2: test_patients must name a file"),
    ],
)
def test_a_wrong_gate_is_named_with_its_line(run: Run, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "site.toml").write_text(text, encoding="utf-8")
    done = run("status", "--config", tmp_path / "site.toml")
    assert (done.status, words in done.err) == (78, True), done.err


def part(own_id: str, of: str, study: str, status: str = "on-study", **period: str) -> Resource:
    return {
        "resourceType": "ResearchSubject", "id": own_id, "status": status, "study": {"reference": f"ResearchStudy/{study}"},
        "individual": {"reference": f"Patient/{of}"}, **({"period": period} if period else {}),
    }  # fmt: skip


def test_the_other_studies_of_a_candidate_are_marked(run: Run, site: Path) -> None:
    """As long as they last, also those of a replaced record; the trial itself is none, by its identifier."""
    studies = [
        {
            "resourceType": "ResearchStudy",
            "id": "s1",
            "status": "active",
            "title": "One",
            "identifier": [{"value": "NCT1"}],
        },
        {"resourceType": "ResearchStudy", "id": "s2", "status": "active", "title": "Two"},
        {"resourceType": "ResearchStudy", "id": "own", "status": "active", "identifier": [{"value": "Gated"}]},
    ]
    parts = [
        part("r1", "takes-part", "s1"), part("r2", "takes-part", "s2", "candidate"), part("r3", "takes-part", "own"),
        part("r4", "was-in", "s1", "off-study"), part("r5", "was-in", "s2", "withdrawn"),
        part("r6", "ended", "s1", end="2026-11-19"), part("r7", "ends-today", "s1", end="2026-11-20"),
        part("r8", "old-record", "s1", "follow-up"), part("r9", "unknown-study", "elsewhere"),
    ]  # fmt: skip
    names = ("takes-part", "was-in", "ended", "ends-today", "new-record", "unknown-study")
    old = patient("old-record", link=[{"type": "replaced-by", "other": {"reference": "Patient/new-record"}}])
    load(run, site, [*(patient(name) for name in names), old, *studies, *parts, patient("on-a-list")])
    assert screen(run, site).status == 0
    marked = {row["patient_id"]: row["other_studies"] for row in rows(site / "out" / "candidates.csv")}
    assert marked == {
        "takes-part": "NCT1 (on-study); Two (candidate)", "was-in": "", "ended": "", "ends-today": "NCT1 (on-study)",
        "new-record": "NCT1 (follow-up)", "unknown-study": "ResearchStudy/elsewhere (on-study)",
    }  # fmt: skip
    assert (site / "out" / "report.html").read_text().count("in another study") == 4
