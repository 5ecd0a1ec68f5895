"""How right the score was: what counts, the Brier score by hand, and shares that know nothing of the patient."""

from dataclasses import replace
from math import prod
from random import Random

import duckdb
import pytest

from cohortfinder.model import Prior, Ranking, Recalibration, Trial
from cohortfinder.ranking.calibration import Estimate, calibrate, calibration_of, wilson
from cohortfinder.ranking.candidates import rank
from unit.ranking.test_ranking import Row, ranked
from unit.report.screened import AS_OF, a_trial

PLAIN = Ranking()
CRITERIA = ("I-RENAL", "I-DX", "I-WILL")


def test_the_brier_score_is_the_mean_of_the_squares_beside_that_of_the_base_rate() -> None:
    """(0.2² + 0.6² + 0.5² + 0.9²) / 4; half of them pass, so that saying so of everybody gives 0.25."""
    found = calibration_of([(True, 0.8), (True, 0.4), (False, 0.5), (False, 0.9)], PLAIN)
    assert found.brier is not None
    assert found.brier.mean == pytest.approx((0.04 + 0.36 + 0.25 + 0.81) / 4)
    assert found.reference == pytest.approx(0.25)
    assert found.gain is not None
    assert found.gain.mean == pytest.approx(0.25 - 0.365)
    assert (found.passed, found.expected, found.enough) == (2, pytest.approx(2.6), False)
    # the standard deviation of the four squares is 0.325
    assert found.brier.high == pytest.approx(0.365 + 1.96 * 0.325 / 2, abs=1e-4)


def test_one_outcome_has_no_interval_and_none_no_score() -> None:
    assert calibration_of([(True, 0.8)], PLAIN).brier == Estimate(pytest.approx(0.04), None, None)
    none = calibration_of([], PLAIN)
    assert (none.ended, none.brier, none.groups, none.map) == ((), None, (), None)


def test_only_candidates_with_an_outcome_count_and_the_others_are_counted_apart() -> None:
    rows = [(True, 0.5), (False, 0.0), (True, 0.0), (None, 0.7), (True, None), (None, None)]
    found = calibration_of(rows, PLAIN)
    assert [tuple(one) for one in found.ended] == [(0.5, True)]
    assert (found.excluded, found.excluded_passed, found.unlisted, found.undecided) == (2, 1, 1, 2)


def test_groups_are_of_like_size_and_scores_that_lie_close_together_stay_together() -> None:
    rows = [(place % 2 == 0, 0.1 + place / 1000) for place in range(25)]
    rows += [(True, 0.2 + place / 100) for place in range(25)]
    found = calibration_of(rows, PLAIN)
    assert [(one.number, one.passed) for one in found.groups] == [(25, 13), (10, 10), (10, 10), (5, 5)]
    assert found.groups[0].score == pytest.approx(0.112)
    assert calibration_of(rows[:9], PLAIN).groups[0].number == 9


def test_the_interval_of_a_share_is_that_of_wilson() -> None:
    """Newcombe 1998, table I: 81 of 263, and 0 of 20."""
    assert wilson(81, 263) == (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4))
    assert wilson(0, 20) == (0, pytest.approx(0.1611, abs=1e-4))
    assert wilson(20, 20)[1] == 1


def test_the_score_is_corrected_where_the_trial_declares_it_and_there_are_enough() -> None:
    rows = [(place % 4 == 0, 0.5) for place in range(30)]
    declared = replace(PLAIN, declared=True, recalibration=Recalibration(weight=10, at_least=30))
    assert calibration_of(rows, PLAIN).map is None
    assert calibration_of(rows[:29], declared).map is None
    corrected = calibration_of(rows, declared)
    assert corrected.map is not None
    assert 0.25 < corrected.map.of(0.5) < 0.4
    assert corrected.unseen == pytest.approx(0.2, abs=0.02)


def test_the_order_of_the_rows_changes_nothing() -> None:
    rows = [(place % 3 == 0, place / 50) for place in range(1, 50)]
    declared = replace(PLAIN, recalibration=Recalibration(10, 10))
    assert calibration_of(rows[::-1], declared) == calibration_of(rows, declared)


def judged(seed: int) -> tuple[list[Row], list[tuple[str, str, str, bool]]]:
    """Verdicts of twelve patients in two arms, and answers where the data had left the criterion open."""
    random = Random(seed)
    rows, answers = [], []
    for patient in range(12):
        for arm in ("A", "B") if patient % 3 else ("A",):
            for criterion in CRITERIA:
                verdict = random.choice(("pass", "fail", "unknown", "answered"))
                if verdict == "answered":
                    answers.append((f"p{patient}", arm, criterion, random.random() < 0.5))
                    verdict = "pass" if answers[-1][3] else "fail"
                rows.append((f"p{patient}", arm, criterion, verdict))
    return rows, answers


def prepared(rows: list[Row], answers: list[tuple[str, str, str, bool]]) -> duckdb.DuckDBPyConnection:
    """The tables of a screening with an outcome of each patient and arm, whatever the truths before were."""
    connection = ranked(rows)
    for answer in answers:
        connection.execute("INSERT INTO answered VALUES (?, ?, ?, ?, 'unknown')", answer)
    connection.execute("CREATE TABLE outcome AS SELECT patient_id, arm, TRUE AS passed, TRUE AS listed FROM listing")
    connection.execute("CREATE TABLE truth_before (patient_id VARCHAR, criterion_id VARCHAR, truth BOOLEAN, suggested BOOLEAN)")  # fmt: skip
    return connection


def shares_without(connection: duckdb.DuckDBPyConnection, trial: Trial, patient: str) -> dict[tuple[str, str], float]:
    """The shares as if nobody had ever heard of a patient."""
    connection.execute("BEGIN")
    for table in ("verdict", "listing", "answered"):
        connection.execute(f"DELETE FROM {table} WHERE patient_id = ?", [patient])
    rank(connection, trial, AS_OF)
    rows = connection.execute("SELECT arm, criterion_id, share FROM pass_share").fetchall()
    connection.execute("ROLLBACK")
    return {(arm, criterion): share for arm, criterion, share in rows}


@pytest.mark.parametrize("declared", [False, True])
def test_the_score_is_that_of_the_shares_of_all_others(declared: bool) -> None:
    """Neither the verdicts nor the answers of a patient have taught anything about her, in any arm."""
    ranking = Ranking(True, Prior(2, 1), 5, 10, {"I-WILL": Prior(3, 1)}) if declared else Ranking()
    trial, random = replace(a_trial(), ranking=ranking), Random(7)
    connection = prepared(*judged(7))
    truths = [(f"p{n}", one, random.choice((True, None, None))) for n in range(12) for one in CRITERIA]
    connection.executemany("INSERT INTO truth_before VALUES (?, ?, ?, TRUE)", truths)
    rank(connection, trial, AS_OF)
    found = [one.score for one in calibrate(connection, trial).ended]
    expected = []
    for patient, arm in connection.execute("SELECT patient_id, arm FROM listing").fetchall():
        shares = shares_without(connection, trial, patient)
        unknown = [one for name, one, truth in truths if name == patient and truth is None and (arm, one) in shares]
        expected.append(prod(shares[arm, one] for one in unknown))
    assert found == pytest.approx(sorted(expected))
    assert len({*found}) > 8


def test_who_fails_was_excluded_and_who_only_an_answer_lists_has_no_score() -> None:
    connection = prepared([(name, "A", "I-DX", "pass") for name in ("failing", "by_answer", "suggested", "off")], [])
    connection.execute("UPDATE outcome SET listed = FALSE WHERE patient_id = 'off'")
    connection.execute("""INSERT INTO truth_before VALUES ('failing', 'I-DX', TRUE, FALSE), ('failing', 'I-RENAL', FALSE, FALSE),
        ('by_answer', 'I-DX', NULL, FALSE), ('suggested', 'I-DX', NULL, TRUE)""")
    rank(connection, a_trial(), AS_OF)
    found = calibrate(connection, a_trial())
    assert (found.excluded, found.unlisted, len(found.ended)) == (1, 2, 1)
