"""The files of `screen --out`: ranking, numbers, sentences and safety against hostile text."""

import json
from pathlib import Path

import duckdb
import pytest

from cohortfinder.errors import ReadWriteError
from cohortfinder.report.csv_files import (
    CANDIDATES,
    candidates_csv,
    clinic_steps_csv,
    concept_coverage_csv,
    data_quality_csv,
    funnel_csv,
    next_steps_csv,
    unknowns_csv,
)
from cohortfinder.report.explain import explain_text
from cohortfinder.report.outputs import FORMATS, write_outputs
from cohortfinder.report.screening import Screening, read_screening
from unit.report.screened import AS_OF, LABELS, a_trial, screened


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return screened()


@pytest.fixture(scope="module")
def screening(connection: duckdb.DuckDBPyConnection) -> Screening:
    return read_screening(connection, a_trial(), AS_OF, labels=LABELS, warnings=("one pull is incomplete",))


def test_candidates_are_ranked_by_the_estimated_chance_to_pass(screening: Screening) -> None:
    """In arm A creatinine is known for two and passes for one: (1 + 1) / (2 + 2); in B for none: 1 / 2."""
    assert candidates_csv(screening).decode().split("\r\n")[1:] == [
        "1,'=p1,A,possible,1,2,0,1,1,,,,false,,,,,,",
        "2,p2,A,possible,0.5,1,0,2,1,,I-RENAL,2026-11-01,false,,I-RENAL 50 % (passes in 1 of 2 known),,,,",
        "3,p3,B,possible,0.5,1,0,2,1,,I-RENAL,,false,,I-RENAL 50 % (nobody known),,,,",
        ",p3,A,excluded,0,0,1,2,1,,I-DX,,true,,I-DX 75 % (passes in 2 of 2 known),,,,",
        "",
    ]


def test_the_funnel_starts_from_all_living_patients_at_the_entry_criterion(screening: Screening) -> None:
    """Four live; three are listed in arm A, one is removed by creatinine; unknown ones stay."""
    assert funnel_csv(screening).decode().split("\r\n")[1:5] == [
        "A,1,I-DX,3,1,1,2,1,",
        "A,2,I-RENAL,2,1,1,1,1,1",
        "A,3,I-WILL,2,0,2,1,0,0",
        "A,4,E-OTHER,2,0,2,1,0,0",
    ]


def test_data_quality_counts_with_an_example(screening: Screening) -> None:
    assert sorted(data_quality_csv(screening).decode().split("\r\n")[1:-1]) == [
        "medication,,,,,unnamed_drug,1,1,MedicationRequest/m1,",
        "observation,,urn:lab,KREA,,unmapped_code,3,2,Observation/o9,<i>Creatinine</i>",
        "result,creatinine_serum,http://loinc.org,2160-0,,unit_missing,1,1,Observation/o2,",
    ]


def test_the_coverage_of_each_concept_is_a_row(screening: Screening) -> None:
    """Results first; of what nobody has, nothing is old."""
    assert concept_coverage_csv(screening).decode().split("\r\n")[1] == (
        "A,result,creatinine_serum,Creatinine,3,3,3,90 days,3,1,2,3,40,umol/L 2; no unit 1,1,unit_missing 1"
    )


def test_what_would_settle_most_comes_first(screening: Screening) -> None:
    assert unknowns_csv(screening).decode().split("\r\n")[1:-1] == [
        "concept,creatinine_serum,Creatinine,,,,2,2,2,2,1,I-RENAL 2,no_data 1; unit_missing 1",
        "observation,creatinine_serum,Creatinine,urn:lab,KREA,<i>Creatinine</i>,1,2,2,2,1,I-RENAL 2,",
    ]


def test_the_next_steps_of_each_candidate_are_rows_and_what_no_test_settles_is_one_without_a_test(
    screening: Screening,
) -> None:
    assert next_steps_csv(screening).decode().split("\r\n")[1:-1] == [
        "p2,A,1,blood_chemistry,Blood <i>chemistry</i>,blood or urine,15,I-RENAL,,0.5,0",
        "p3,B,1,blood_chemistry,Blood <i>chemistry</i>,blood or urine,15,I-RENAL,,1,0.5",
        "p3,B,,,No single test settles,,,I-DX,,,",
    ]


def test_a_test_for_the_clinic_names_those_whose_question_it_ends_most_likely_first(screening: Screening) -> None:
    """Two people of 15 minutes each: one and a half questions in half an hour."""
    assert clinic_steps_csv(screening).decode().split("\r\n")[1:-1] == [
        "blood_chemistry,Blood <i>chemistry</i>,blood or urine,15,2,2,1.5,0.5,3,I-RENAL 2,p3; p2"
    ]


def test_every_output_is_written_and_again_with_the_same_bytes(
    screening: Screening, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    write_outputs(tmp_path / "a", screening, connection)
    write_outputs(tmp_path / "b", screening, connection)
    written = [path.relative_to(tmp_path / "a").as_posix() for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert sorted(written) == sorted(FORMATS)
    for name in FORMATS:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    query = "SELECT count(*) FROM read_parquet(?)"
    count = duckdb.connect().execute(query, [str(tmp_path / "a" / "verdicts.parquet")]).fetchall()
    assert count == [(len(screening.verdicts),)]
    assert json.loads((tmp_path / "a" / "run.json").read_bytes())["rows"]["candidates"] == 4


def test_candidates_are_also_typed_rows_in_their_order(
    screening: Screening, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    write_outputs(tmp_path, screening, connection, formats=("candidates.parquet",))
    read = connection.execute("FROM read_parquet($file)", {"file": str(tmp_path / "candidates.parquet")})
    names = [name for name, *_ in read.description]
    assert names == list(CANDIDATES)[: len(names)]
    assert [row[:3] for row in read.fetchall()] == [(1, "=p1", "A"), (2, "p2", "A"), (3, "p3", "B"), (None, "p3", "A")]


def test_the_report_escapes_what_the_data_say_and_loads_nothing(screening: Screening, tmp_path: Path) -> None:
    write_outputs(tmp_path, screening, duckdb.connect(), formats=("report.html",))
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;b&gt;of our own" in page
    assert "&lt;i&gt;Creatinine" in page
    assert "one pull is incomplete" in page
    assert "src=" not in page.replace("script-src", "").replace("img-src", "")
    assert "http://" not in page.replace("http://loinc.org", "")


def test_a_folder_that_cannot_be_made_is_one_sentence_with_status_74(screening: Screening, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ReadWriteError, match="cannot write") as caught:
        write_outputs(tmp_path / "file", screening, duckdb.connect())
    assert caught.value.exit_status == 74


def test_explain_says_what_is_missing_first(screening: Screening) -> None:
    text = explain_text(screening, "p2")
    assert "Creatinine 90 on 2026-11-03 was sent without a unit and cannot be compared." in text
    assert text.index("Missing") < text.index("Passes")


def test_explain_says_what_to_do_next(screening: Screening) -> None:
    assert explain_text(screening, "p3").splitlines()[4:7] == [
        "Next, most likely to end the question for the effort first:",
        "  Blood <i>chemistry</i>: settles I-RENAL; ends the question; 15 min",
        "No single test settles: I-DX",
    ]
