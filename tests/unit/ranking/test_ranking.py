"""The recruitment list: order, score and status, from verdicts as the engine leaves them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from cohortfinder.model import Prior, Ranking
from cohortfinder.ranking.candidates import Candidate, Factor, rank, read_candidates
from cohortfinder.report.cells import table
from cohortfinder.report.factor_words import criterion_names, factor_in_words, factors_cell
from cohortfinder.report.html import report_html
from cohortfinder.report.outputs import write_outputs
from cohortfinder.report.screening import read_screening
from cohortfinder.wording import Language, share_words
from unit.report.screened import AS_OF, LABELS, a_trial, screened

Row = tuple[str, str, str, str]


def ranked(rows: Sequence[Row], *, contacts: dict[str, str] | None = None) -> duckdb.DuckDBPyConnection:
    """Rank verdicts (patient, arm, criterion, verdict) of patients who are all listed; others are unknown."""
    connection = screened()
    for name in ("verdict", "listing", "funnel_truth", "eligible_from", "next_step"):
        connection.execute(f"DELETE FROM {name}")
    connection.execute("CREATE OR REPLACE TEMP TABLE observed (patient_id VARCHAR, kind VARCHAR, day DATE)")
    for patient, day in (contacts or {}).items():
        connection.execute("INSERT INTO observed VALUES (?, 'encounter', ?)", [patient, day])
    for patient, arm, criterion, verdict in rows:
        connection.execute(
            "INSERT INTO verdict (patient_id, arm, criterion_id, verdict) VALUES (?, ?, ?, ?)",
            [patient, arm, criterion, verdict],
        )
    connection.execute("INSERT INTO listing SELECT DISTINCT patient_id, arm, 'pass' FROM verdict")
    connection.execute("INSERT INTO funnel_truth SELECT patient_id, arm, criterion_id, verdict FROM verdict")
    return connection


def listed(connection: duckdb.DuckDBPyConnection) -> tuple[Candidate, ...]:
    rank(connection, a_trial(), AS_OF)
    return read_candidates(connection)


def test_ties_are_broken_by_the_newer_contact_then_by_patient_id() -> None:
    rows = [(patient, "A", "I-DX", "pass") for patient in ("c", "a", "b", "d")]
    contacts = {"c": "2026-11-01", "d": "2026-10-01"}
    assert [one.patient_id for one in listed(ranked(rows, contacts=contacts))] == ["c", "d", "a", "b"]


def test_a_patient_with_every_criterion_passed_is_eligible_and_with_one_fail_a_near_miss() -> None:
    rows = [
        ("well", "A", "I-DX", "pass"),
        ("near", "A", "I-DX", "fail"),
        ("far", "A", "I-DX", "fail"),
        ("far", "A", "I-RENAL", "fail"),
    ]
    found = {one.patient_id: (one.status, one.near_miss, one.rank) for one in listed(ranked(rows))}
    assert found == {"well": ("eligible", False, 1), "near": ("excluded", True, None), "far": ("excluded", False, None)}


def test_an_unknown_counts_as_the_smoothed_share_of_known_patients_who_pass() -> None:
    """Two of three known patients pass: (2 + 1) / (3 + 2)."""
    verdicts = {"p": "pass", "q": "pass", "r": "fail", "s": "unknown"}
    rows = [(patient, "A", "I-RENAL", verdict) for patient, verdict in verdicts.items()]
    scores = {one.patient_id: one.score for one in listed(ranked(rows))}
    assert scores == {"p": 1.0, "q": 1.0, "r": 0.0, "s": 0.6}


def test_what_only_a_person_can_tell_does_not_touch_score_or_eligibility() -> None:
    rows = [("p", "A", "I-DX", "pass"), ("p", "A", "I-WILL", "unknown")]
    (one,) = listed(ranked(rows))
    assert (one.score, one.unknown, one.judgement, one.next_step, one.status) == (1.0, 0, 1, None, "eligible")


def test_the_day_from_which_nothing_fails_is_shown() -> None:
    connection = ranked([("p", "A", "I-RENAL", "fail")])
    connection.execute("INSERT INTO eligible_from VALUES ('p', 'A', DATE '2027-02-11')")
    (one,) = listed(connection)
    assert one.eligible_from == date(2027, 2, 11)
    screening = read_screening(connection, a_trial(), AS_OF, labels=LABELS)
    assert "nothing fails from <time>2027-02-11" in report_html(screening).decode()


def test_the_same_verdicts_in_another_order_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [(f"p{n}", "A", "I-RENAL", ("pass", "fail", "unknown")[n % 3]) for n in range(30)]
    outputs = []
    for order in (rows, rows[::-1]):
        connection = ranked(order)
        listed(connection)
        screening = read_screening(connection, a_trial(), AS_OF, labels=LABELS)
        files = write_outputs(tmp_path, screening, connection, ("candidates.csv", "verdicts.csv"))
        outputs.append([file.read_bytes() for file in files])
    assert outputs[0] == outputs[1]


def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe() -> None:
    text = table(("a",), [("=1+1",), ("@x",), ("-2",), ("\tx",), ("plain",), (-2,)]).decode()
    assert text.split("\r\n")[1:-1] == ["'=1+1", "'@x", "'-2", "'\tx", "plain", "-2"]


def test_names_that_are_markup_or_run_right_to_left_stay_text() -> None:
    names = ("<script>alert(1)</script>", "مريض-٧", "\u202eevil", "x" * 300)
    connection = ranked([(name, "A", "I-DX", "pass") for name in names])
    listed(connection)
    page = report_html(read_screening(connection, a_trial(), AS_OF, labels=LABELS)).decode()
    assert "<script>alert" not in page
    for name in ("&lt;script&gt;alert(1)&lt;/script&gt;", *names[1:]):
        assert f"<bdi>{name}</bdi>" in page


def shares(ranking: Ranking, verdicts: Sequence[Row], answered: Sequence[tuple[str, str, str, bool]] = ()) -> dict[tuple[str, str], float]:  # fmt: skip
    """The chance of each criterion in each arm; `answered` (patient, arm, criterion, truth) were unknown by the data."""
    connection = ranked(verdicts)
    for row in answered:
        connection.execute("INSERT INTO answered VALUES (?, ?, ?, ?, 'unknown')", row)
    rank(connection, replace(a_trial(), ranking=ranking), AS_OF)
    rows = connection.execute("SELECT arm, criterion_id, share FROM pass_share").fetchall()
    return {(arm, criterion): share for arm, criterion, share in rows}


def renal(arm: str, passes: int, fails: int, unknown: int = 0) -> list[Row]:
    said = ["pass"] * passes + ["fail"] * fails + ["unknown"] * unknown
    return [(f"{arm}{number}", arm, "I-RENAL", verdict) for number, verdict in enumerate(said)]


def test_a_small_arm_is_shrunk_towards_the_whole_trial_and_a_large_one_hardly() -> None:
    """Of the trial 80 of 100 pass, with the prior 81 of 102; arm B alone would be 0 of 2."""
    found = shares(Ranking(declared=True, shrinkage=20), renal("A", 80, 18) + renal("B", 0, 2))
    whole = 81 / 102
    assert found["A", "I-RENAL"] == pytest.approx((80 + 1 + 20 * whole) / (98 + 2 + 20))
    assert found["B", "I-RENAL"] == pytest.approx((0 + 1 + 20 * whole) / (2 + 2 + 20))
    assert shares(Ranking(), renal("A", 80, 18) + renal("B", 0, 2))["B", "I-RENAL"] == 1 / 4


def test_where_nobody_is_known_the_prior_stands() -> None:
    assert shares(Ranking(), renal("A", 0, 0, 3))["A", "I-RENAL"] == 0.5
    own = {"I-RENAL": Prior(9, 1)}
    assert shares(Ranking(declared=True, criteria=own), renal("A", 0, 0, 3))["A", "I-RENAL"] == pytest.approx(0.9)


def test_what_a_person_judges_counts_with_a_declared_prior_and_learns_from_answers() -> None:
    rows = [(f"p{n}", "A", "I-WILL", "pass" if n else "unknown") for n in range(4)]
    said = [(f"p{n}", "A", "I-WILL", True) for n in range(1, 4)]
    ranking = Ranking(declared=True, criteria={"I-WILL": Prior(5, 5)})
    assert ("A", "I-WILL") not in shares(Ranking(declared=True), rows, said)
    assert shares(ranking, rows[:1])["A", "I-WILL"] == 0.5
    assert shares(ranking, rows, said)["A", "I-WILL"] == pytest.approx(8 / 13)


def test_answers_for_those_whom_the_data_left_open_are_counted_apart_from_the_known() -> None:
    """Nine of ten known pass; of four answered one. With a weight of 20, (1 + 20 x share) / (4 + 20)."""
    rows = [*renal("A", 9, 1), *((f"q{n}", "A", "I-RENAL", "pass" if n == 0 else "fail") for n in range(4))]
    said = [(f"q{n}", "A", "I-RENAL", n == 0) for n in range(4)]
    base = (9 + 1) / (10 + 2)
    assert shares(Ranking(declared=True, shrinkage=0, known_weight=20), rows, said)["A", "I-RENAL"] == pytest.approx(
        (1 + 20 * base) / 24
    )
    assert shares(Ranking(), rows, said)["A", "I-RENAL"] == (10 + 1) / (14 + 2), "without a declaration they are known"


def test_a_factor_says_what_it_comes_from() -> None:
    rows = renal("A", 2, 1, 1)
    (one,) = [one for one in listed(ranked(rows)) if one.factors]
    assert factors_cell(one) == "I-RENAL 60 % (passes in 2 of 3 known)"
    names = criterion_names(a_trial(), Language(LABELS, AS_OF))
    assert factor_in_words(one.factors[0], names) == "creatinine (I-RENAL), passes in 2 of 3 known"
    assert share_words(Factor("X", 0.7, judged=True)) == "70 % expected"
    assert share_words(Factor("X", 0.7, 0, 0, 3, 4)) == "nobody known, passes in 3 of 4 answered by people"
