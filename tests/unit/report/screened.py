"""A small screening of invented patients, as the engine leaves it: two arms, four criteria."""

from datetime import date
from decimal import Decimal

import duckdb

from cohortfinder.criteria.condition import ConditionQuestion
from cohortfinder.criteria.observation import ObservationQuestion
from cohortfinder.model import Arm, Criterion, Leaf, Quantity, Trial
from cohortfinder.ranking.candidates import rank, run
from cohortfinder.ranking.funnel import count_funnel
from cohortfinder.warehouse.tables import create_tables

AS_OF = date(2026, 11, 20)
LABELS = {"dx_sle": "systemic lupus erythematosus", "creatinine_serum": "creatinine"}


def a_trial() -> Trial:
    """Return a trial with an entry criterion, a laboratory limit, a judgement and one that is not computed."""
    entry = Leaf("I-DX.1", "condition", ConditionQuestion(condition=("dx_sle",), ever=True), False, 1)
    limit = Quantity(Decimal("1.5"), "ULN")
    lab = ObservationQuestion(observation=("creatinine_serum",), at_most=limit)
    leaf = Leaf("I-RENAL.1", "observation", lab, False, 2)
    both = ("A", "B")
    return Trial(
        id="T1",
        title="A trial <b>of our own</b>",
        time_zone="UTC",
        arms=(Arm("A", "First arm", "I-DX"), Arm("B", "Second arm", "I-DX")),
        criteria=(
            Criterion("I-RENAL", "inclusion", "creatinine at most 1.5 x ULN", both, "exact", leaf, 1, 2),
            Criterion("I-DX", "inclusion", "has the disease", both, "proxy", entry, 2, 1),
            Criterion("I-WILL", "inclusion", "willing to take part", both, "judgement", entry, 3, 1),
            Criterion("E-OTHER", "exclusion", "anything else", both, "exact", None, 4, 1),
        ),
        parameters=(),
        sha256="ab" * 32,
    )


VERDICTS = (
    # patient, arm, criterion, verdict, leaf, code, value
    ("=p1", "A", "I-RENAL", "pass", "I-RENAL.1", "met", "90 umol/L"),
    ("=p1", "A", "I-DX", "pass", "I-DX.1", "met", None),
    ("p2", "A", "I-RENAL", "unknown", "I-RENAL.1", "unit_missing", "90"),
    ("p2", "A", "I-DX", "pass", "I-DX.1", "met", None),
    ("p3", "A", "I-RENAL", "fail", "I-RENAL.1", "not_met", "<script>alert(1)</script>"),
    ("p3", "A", "I-DX", "unknown", "I-DX.1", "suggested", None),
    ("p3", "B", "I-RENAL", "unknown", "I-RENAL.1", "no_data", None),
    ("p3", "B", "I-DX", "pass", "I-DX.1", "met", None),
)
LISTED = (("=p1", "A"), ("p2", "A"), ("p3", "A"), ("p3", "B"))
LIVING = ("=p1", "p2", "p3", "p4")

_TABLES = """
CREATE TEMP TABLE trial_criterion (criterion_id VARCHAR, asked VARCHAR, arm VARCHAR, position INTEGER, kind VARCHAR, certainty VARCHAR, computed BOOLEAN);
CREATE TEMP TABLE listing (patient_id VARCHAR, arm VARCHAR, entry_verdict VARCHAR);
CREATE TEMP TABLE verdict (patient_id VARCHAR, arm VARCHAR, criterion_id VARCHAR, verdict VARCHAR,
    reasons STRUCT(leaf VARCHAR, code VARCHAR)[], flags VARCHAR[],
    evidence STRUCT(leaf VARCHAR, concept VARCHAR, resource VARCHAR, date VARCHAR, value VARCHAR, compared VARCHAR, searched VARCHAR, since VARCHAR, found INTEGER)[],
    changes_on DATE);
CREATE TEMP TABLE funnel_truth (patient_id VARCHAR, arm VARCHAR, criterion_id VARCHAR, verdict VARCHAR);
CREATE TEMP TABLE answered (patient_id VARCHAR, arm VARCHAR, criterion_id VARCHAR, truth BOOLEAN, by_data VARCHAR);
CREATE TEMP TABLE stop (patient_id VARCHAR, arm VARCHAR, stops_on DATE);
CREATE TEMP TABLE verdict_turn (patient_id VARCHAR, arm VARCHAR, criterion_id VARCHAR, asked VARCHAR, day DATE, verdict_from VARCHAR, verdict_to VARCHAR);
CREATE TEMP TABLE status_turn (patient_id VARCHAR, arm VARCHAR, day DATE, status_from VARCHAR, status_to VARCHAR);
CREATE TEMP TABLE told_turn (patient_id VARCHAR, asked VARCHAR, day DATE);
CREATE TEMP TABLE turned_leaf (patient_id VARCHAR, asked VARCHAR, day DATE, place INTEGER, leaf VARCHAR, was BOOLEAN, truth BOOLEAN, code_before VARCHAR, code VARCHAR,
    evidence_before STRUCT(leaf VARCHAR, concept VARCHAR, resource VARCHAR, date VARCHAR, value VARCHAR, compared VARCHAR, searched VARCHAR, since VARCHAR, found INTEGER)[],
    evidence STRUCT(leaf VARCHAR, concept VARCHAR, resource VARCHAR, date VARCHAR, value VARCHAR, compared VARCHAR, searched VARCHAR, since VARCHAR, found INTEGER)[]);
CREATE TEMP TABLE eligible_from (patient_id VARCHAR, arm VARCHAR, eligible_from DATE);
CREATE TEMP TABLE observed AS SELECT 'p2' AS patient_id, 'encounter' AS kind, unnest([DATE '2026-11-01', DATE '2026-12-01']) AS day, 1 AS resources;
CREATE TEMP TABLE everybody AS SELECT 'p2' AS patient_id, 'p2' AS person_id;
CREATE TEMP TABLE person AS SELECT 'p2' AS patient_id, 'p2' AS person_id;
CREATE TEMP TABLE individual AS SELECT 'p2' AS patient_id;
CREATE TEMP TABLE record AS SELECT 'p2' AS patient_id, 'creatinine_serum' AS concept, 'Observation/o2' AS resource;
CREATE TEMP TABLE result_problem AS SELECT 'creatinine_serum' AS concept, 'http://loinc.org' AS system, '2160-0' AS code,
    CAST(NULL AS VARCHAR) AS unit, 'unit_missing' AS reason, 'p2' AS patient_id, 'Observation/o2' AS resource;
CREATE TEMP TABLE unnamed_drug AS SELECT patient_id, 'MedicationRequest/m' || place AS resource
    FROM (VALUES ('p2', 1), ('p2', 1)) AS made (patient_id, place);
CREATE TEMP TABLE unmapped_code AS SELECT 'observation' AS kind, 'urn:lab' AS system, 'KREA' AS code, 3 AS count, 2 AS patients, 'Observation/o9' AS example, '<i>Creatinine</i>' AS text;
CREATE TEMP TABLE concept_coverage AS SELECT arm, kind, concept, label, 3 AS listed, patients, patients AS usable, within, patients AS in_time, 1 AS newest_q1,
        2 AS newest_median, 3 AS newest_q3, 40 AS newest_oldest, units, unusable, reasons
    FROM (VALUES
        ('A', 'result', 'creatinine_serum', 'Creatinine', 3, '90 days', 'umol/L 2; no unit 1', 1, 'unit_missing 1'),
        ('A', 'condition', 'dx_sle', 'Lupus', 2, NULL, NULL, 0, NULL),
        ('A', 'condition', 'dx_ild', 'Lung disease', 0, NULL, NULL, 0, NULL)
    ) AS had (arm, kind, concept, label, patients, within, units, unusable, reasons);
CREATE TEMP TABLE unknown AS SELECT kind, concept, label, system, code, text, settles, 2 AS may_settle, 2 AS unknown, 2 AS patients, 1 AS in_play, 'I-RENAL 2' AS criteria, reasons
    FROM (VALUES
        ('concept', 'creatinine_serum', 'Creatinine', NULL, NULL, NULL, 2, 'no_data 1; unit_missing 1'),
        ('observation', 'creatinine_serum', 'Creatinine', 'urn:lab', 'KREA', '<i>Creatinine</i>', 1, NULL)
    ) AS hanging (kind, concept, label, system, code, text, settles, reasons);
CREATE TEMP TABLE concept_test AS SELECT 'creatinine_serum' AS concept, 'blood_chemistry' AS test, 'Blood <i>chemistry</i>' AS label, 'blood or urine' AS work, 15 AS minutes;
CREATE TEMP TABLE next_step AS SELECT patient_id, arm, list_order, step, test, settles, [] :: VARCHAR[] AS may_settle, ends :: DOUBLE AS ends, passes :: DOUBLE AS passes
    FROM (VALUES
        ('p2', 'A', 2, 1, 'blood_chemistry', ['I-RENAL'], 0.5, 0.0),
        ('p3', 'B', 3, 1, 'blood_chemistry', ['I-RENAL'], 1.0, 0.5),
        ('p3', 'B', 3, NULL, NULL, ['I-DX'], NULL, NULL)
    ) AS found (patient_id, arm, list_order, step, test, settles, ends, passes);
CREATE TEMP TABLE gate AS SELECT 'dead' AS patient_id, unnest(['deceased', 'restricted']) AS gate;
CREATE TABLE quarantine (load_id VARCHAR, file VARCHAR, line BIGINT, resource_type VARCHAR, reason VARCHAR);
"""


def screened() -> duckdb.DuckDBPyConnection:
    """Return a connection that holds the engine's tables, ranked."""
    connection = duckdb.connect()
    create_tables(connection)
    connection.execute(_TABLES)
    trial = a_trial()
    for arm in ("A", "B"):
        for one in trial.criteria:
            row = [one.id, one.id, arm, one.position, one.kind, one.certainty, one.computed]
            connection.execute("INSERT INTO trial_criterion VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    for patient, arm in LISTED:
        connection.execute("INSERT INTO listing VALUES (?, ?, 'pass')", [patient, arm])
    open_ones = [(p, a, c, "unknown", "", "not_computed", None) for p, a in LISTED for c in ("I-WILL", "E-OTHER")]
    for patient, arm, criterion, verdict, leaf, code, value in (*VERDICTS, *open_ones):
        connection.execute(
            """INSERT INTO verdict SELECT $1, $2, $3, $4, [{'leaf': $5, 'code': $6}], [],
                CASE WHEN $7 IS NULL THEN [] ELSE [{'leaf': $5, 'concept': NULL, 'resource': 'Observation/o', 'date': '2026-11-03',
                'value': $7::VARCHAR, 'compared': $7::VARCHAR, 'searched': NULL, 'since': NULL, 'found': NULL}] END, NULL""",
            [patient, arm, criterion, verdict, leaf, code, value],
        )
    connection.execute("INSERT INTO funnel_truth SELECT patient_id, arm, criterion_id, verdict FROM verdict")
    for arm in ("A", "B"):
        for patient in LIVING:
            if (patient, arm) not in LISTED:
                connection.execute("INSERT INTO funnel_truth VALUES (?, ?, 'I-DX', 'unknown')", [patient, arm])
    rank(connection, trial, AS_OF)
    count_funnel(connection, trial)
    run(connection, "quality/data_quality.sql.jinja")
    return connection
