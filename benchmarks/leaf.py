"""A leaf by itself: its compiled SQL against hand-written queries of the same columns, and of the truth alone."""

import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from duckdb import DuckDBPyConnection

from cohortfinder.engine.duckdb_engine import DuckDBEngine
from cohortfinder.engine.plan import fact_statements, people_statements
from cohortfinder.engine.questions import values_of
from cohortfinder.engine.setting import Setting
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.model import Leaf, Trial, leaves_of
from cohortfinder.settings import Settings
from cohortfinder.sql.environment import Rendered, render
from cohortfinder.terminology import Terminology
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.state import loaded_types

FOLDER = Path(__file__).parent / "leaves"
AS_OF = date(2026, 11, 1)
COPIES, ROUNDS = 20, 5
# what a screening makes once for all leaves; here it is part of the one that reads it
MADE_FIRST = ("contact", "searched")
COLUMNS = ("truth", "suggested", "reason", "flags", "evidence", "next_date")
# What a leaf reads, each patient many times over. One result a concept and day, as usual; every second copy has the
# reference ranges that this data lacks, and drugs that were taken for certain.
_USUAL = "QUALIFY row_number() OVER (PARTITION BY patient_id, concept, date_lo ORDER BY resource) = 1"
_RANGES = "".join(f", CASE WHEN copy % 2 = 0 THEN CAST(40 AS DECIMAL(28, 10)) END AS uln_{end}" for end in ("lo", "hi"))
_STANDING = "CASE WHEN copy % 2 = 0 THEN 'firm' ELSE standing END AS standing"
_TAKEN = f", {_STANDING}, CASE WHEN copy % 2 = 1 THEN problem END AS problem"
_READ = {"result": (_USUAL, _RANGES), "exposure_event": ("", _TAKEN), "observed": ("", "")}


@dataclass(frozen=True, slots=True)
class Asked:
    """The seconds of one leaf: all its columns and its truth, ours and by hand; the best of several rounds."""

    name: str
    ours: float
    by_hand: float
    our_truth: float
    truth_by_hand: float


def leaves(store: Path) -> tuple[int, list[Asked]]:
    """Return how many patients were asked, and what each leaf of benchmarks/leaves took."""
    terminology = read_terminology(Settings())
    trial = read_trial(str(FOLDER / "trial.yaml"), terminology, Settings())
    with open_warehouse(store, read_only=True, threads=2) as connection:
        loaded = {name: state.complete for name, state in loaded_types(connection).items()}
        engine = DuckDBEngine(connection)
        patients = _make_facts(engine, trial, terminology)
        setting = Setting(terminology, loaded)
        return patients, [_asked(connection, leaf, setting) for leaf in _leaves(trial)]


def _leaves(trial: Trial) -> list[Leaf]:
    return [leaf for one in trial.criteria if one.rule is not None for leaf in leaves_of(one.rule)]


def _make_facts(engine: DuckDBEngine, trial: Trial, terminology: Terminology) -> int:
    engine.run_all(people_statements(trial, terminology, AS_OF))
    engine.run_all(fact_statements(trial, terminology, AS_OF))
    connection = engine.connection
    connection.execute("CREATE TEMP MACRO shown(number) AS rtrim(rtrim(CAST(number AS VARCHAR), '0'), '.')")
    copies = f"range({COPIES}) AS copies(copy)"
    for table, (usual, changed) in _READ.items():
        connection.execute(
            f"CREATE TEMP TABLE {table} AS "
            f"SELECT once.* REPLACE (once.patient_id || '-' || copy AS patient_id{changed}) "
            f"FROM (SELECT * FROM {table} {usual}) AS once, {copies}"
        )
    people = (
        f"SELECT DISTINCT person_id || '-' || copy AS patient_id, CAST($day AS DATE) AS as_of FROM person, {copies}"
    )
    connection.execute(f"CREATE TEMP TABLE subject AS {people}", {"day": AS_OF})
    ((patients,),) = connection.execute("SELECT count(*) FROM subject").fetchall()
    return int(patients)


def _asked(connection: DuckDBPyConnection, leaf: Leaf, setting: Setting) -> Asked:
    """Take turns; the answers must be the same. Raises AssertionError where they are not."""
    name = leaf.id.partition(".")[0].lower().replace("-", "_")
    values = values_of(leaf, setting)
    template = f"criteria/{leaf.kind}.sql.jinja"
    queries = {
        "ours": render(template, bare=False, **values),
        "by_hand": Rendered((FOLDER / f"{name}.sql").read_text(encoding="utf-8"), {}),
        "our_truth": render(template, bare=True, **values),
        "truth_by_hand": Rendered((FOLDER / f"{name}_truth.sql").read_text(encoding="utf-8"), {}),
    }
    spent: dict[str, float] = {}
    for _ in range(ROUNDS):
        for whose, query in queries.items():
            started = time.perf_counter()
            for made in MADE_FIRST:
                if whose.startswith("our") and f" {made} ON " in query.text:
                    first = render(f"verdicts/{made}.sql.jinja", asked="subject", counted=False)
                    connection.execute(first.text, first.parameters)
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {whose} AS {query.text}", query.parameters)
            spent[whose] = min(spent.get(whose, float("inf")), time.perf_counter() - started)
    for other, columns in (("by_hand", COLUMNS), ("our_truth", ("truth", "next_date")), ("truth_by_hand", ("truth",))):
        _compare(connection, leaf.id, other, columns)
    return Asked(leaf.id.partition(".")[0], **spent)


def _compare(connection: DuckDBPyConnection, leaf: str, other: str, columns: tuple[str, ...]) -> None:
    differ = " OR ".join(f"ours.{column} IS DISTINCT FROM other.{column}" for column in columns)
    ((wrong,),) = connection.execute(
        f"SELECT count(*) FROM ours FULL JOIN {other} AS other USING (patient_id, as_of) WHERE {differ}"
    ).fetchall()
    assert wrong == 0, f"{leaf}: {other} says something else of {wrong} patients; correct benchmarks/leaves"
