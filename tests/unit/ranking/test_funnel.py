"""The funnel: whom each criterion takes away, in an arm and as people over all arms, against a plain count."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohortfinder.ranking.funnel import FunnelStep, PeopleStep, count_funnel, read_funnel, read_funnel_people
from unit.report.screened import a_trial, screened

# patient and arm, each criterion's verdict; the entry is None for one who is not listed
Ways = Mapping[tuple[str, str], Mapping[str, str | None]]
CRITERIA = ("I-DX", "I-RENAL", "I-WILL", "E-OTHER")  # the entry first, then as in the protocol
DECIDING = ("I-DX", "I-RENAL")


@pytest.fixture(scope="module")
def tables() -> duckdb.DuckDBPyConnection:
    return screened()


def counted(connection: duckdb.DuckDBPyConnection, ways: Ways) -> tuple[Sequence[FunnelStep], Sequence[PeopleStep]]:
    for name in ("verdict", "listing", "funnel_truth"):
        connection.execute(f"DELETE FROM {name}")
    truths = [(p, a, c, v or "unknown") for (p, a), way in ways.items() for c, v in way.items() if v or c == "I-DX"]
    listed = [(patient, arm) for (patient, arm), way in ways.items() if way["I-DX"]]
    for row in truths:
        connection.execute("INSERT INTO funnel_truth VALUES (?, ?, ?, ?)", row)
    for one in listed:
        connection.execute("INSERT INTO listing VALUES (?, ?, 'pass')", one)
    count_funnel(connection, a_trial())
    return read_funnel(connection, a_trial()), read_funnel_people(connection)


def plainly(ways: Ways, arms: Iterable[str]) -> list[tuple[int, int, int, int, int, int | None]]:
    """Walk the criteria one after the other: remaining, removed, unknown, certain, fails, fails_only of each."""
    here = {key: way for key, way in ways.items() if key[1] in arms}
    listed = {key for key, way in here.items() if way["I-DX"]}
    fails = {key: [c for c in CRITERIA if here[key][c] == "fail"] for key in listed}
    kept = {patient for (patient, _), failing in fails.items() if not failing}
    everyone, staying, sure = {patient for patient, _ in here}, set(listed), set(listed)
    rows: list[tuple[int, int, int, int, int, int | None]] = []
    remaining = everyone
    for criterion in CRITERIA:
        staying -= {key for key in staying if here[key][criterion] == "fail"}
        if criterion in DECIDING:
            sure -= {key for key in sure if here[key][criterion] == "unknown"}
        sure &= staying
        still = {patient for patient, _ in staying}
        unknown = {patient for patient, arm in staying if here[patient, arm][criterion] == "unknown"}
        failing = {patient for (patient, _), its in fails.items() if criterion in its}
        only = {patient for (patient, _), its in fails.items() if its == [criterion]} - kept
        gone = remaining - still
        first = criterion == "I-DX"
        rows.append(
            (len(still), len(gone), len(unknown), len({patient for patient, _ in sure}),
             len(gone) if first else len(failing), None if first else len(only))
        )  # fmt: skip
        remaining = still
    return rows


def numbers(step: FunnelStep | PeopleStep) -> tuple[int, int, int, int, int, int | None]:
    return (step.remaining, step.removed, step.unknown, step.certain, step.fails, step.fails_only)


VERDICT = st.sampled_from(("pass", "fail", "unknown"))
WAY = st.fixed_dictionaries(
    {"I-DX": st.sampled_from(("pass", "unknown", None)), "I-RENAL": VERDICT, "I-WILL": VERDICT, "E-OTHER": VERDICT}
)
PEOPLE = st.lists(st.tuples(WAY, WAY), max_size=6)


def of_two_arms(
    people: Sequence[tuple[Mapping[str, str | None], Mapping[str, str | None]]],
) -> dict[tuple[str, str], dict[str, str | None]]:
    """Name them; of one who is not listed in an arm nothing but the entry is known there."""
    return {
        (f"p{number}", arm): {c: v if way["I-DX"] else None for c, v in way.items()}
        for number, pair in enumerate(people)
        for arm, way in zip(("A", "B"), pair, strict=True)
    }


@given(people=PEOPLE)
@settings(max_examples=25, deadline=None)
def test_the_funnels_are_those_of_a_plain_walk(
    tables: duckdb.DuckDBPyConnection, people: list[tuple[dict[str, str | None], dict[str, str | None]]]
) -> None:
    ways = of_two_arms(people)
    steps, together = counted(tables, ways)
    for arm in ("A", "B"):
        assert [numbers(step) for step in steps if step.arm == arm] == plainly(ways, (arm,))
    assert [numbers(step) for step in together] == plainly(ways, ("A", "B"))
    for before, after in pairwise(together):
        assert after.remaining + after.removed == before.remaining


def test_a_patient_of_two_arms_is_one_person_and_stays_while_one_arm_keeps_them(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    """p0 fails creatinine in arm A alone: gone there, and still in the trial; nobody would be won without it."""
    passed = dict.fromkeys(CRITERIA, "pass")
    ways: Ways = {("p0", "A"): {**passed, "I-RENAL": "fail"}, ("p0", "B"): passed}
    steps, together = counted(tables, ways)
    arm = next(step for step in steps if (step.arm, step.criterion_id) == ("A", "I-RENAL"))
    whole = next(step for step in together if step.criterion_id == "I-RENAL")
    assert (arm.remaining, arm.removed, arm.fails_only) == (0, 1, 1)
    assert (whole.remaining, whole.removed, whole.fails, whole.fails_only, whole.arms) == (1, 0, 1, 0, 2)


def test_nobody_in_the_store_is_a_funnel_of_zeros(tables: duckdb.DuckDBPyConnection) -> None:
    steps, together = counted(tables, {})
    assert {numbers(step) for step in (*steps, *together)} == {(0, 0, 0, 0, 0, None), (0, 0, 0, 0, 0, 0)}


def test_the_first_step_over_all_arms_has_no_criterion(tables: duckdb.DuckDBPyConnection) -> None:
    _, together = counted(tables, {("p0", "A"): dict.fromkeys(CRITERIA, "pass")})
    assert [(step.order, step.criterion_id) for step in together] == [
        (1, None), (2, "I-RENAL"), (3, "I-WILL"), (4, "E-OTHER"),
    ]  # fmt: skip
