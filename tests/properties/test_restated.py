"""What a leaf says holds until the day that it names: reason, flags and evidence are then read again, and not before."""

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from cohortfinder.engine.asking import Asker
from cohortfinder.engine.duckdb_engine import DuckDBEngine
from cohortfinder.engine.plan import counts_apart
from cohortfinder.engine.rules import plan_rules
from cohortfinder.engine.setting import Setting
from length import AT_LENGTH
from properties.engine import landed, screened, terminology
from properties.moments import AS_OFS
from properties.resources import drawn, hospital
from properties.trials import a_trial, rules

PEOPLE, LEAVES = 40, 60
DAYS = 400 if AT_LENGTH else 120
ASKED = """
CREATE OR REPLACE TABLE leaf_asked AS
SELECT number, patient_id, CAST($day AS DATE) + CAST(day AS INTEGER) AS as_of
FROM (SELECT DISTINCT number FROM explained_leaf), individual, range($days) AS ahead(day)
"""
# Where a search found nothing, the beginning of its window moves with each day. On the day of a record that is dated to the
# future everything is asked again.
DIFFERING = """
WITH future AS (
    SELECT asked.patient_id, asked.as_of, min(observed.day) AS day
    FROM (SELECT DISTINCT patient_id, as_of FROM leaf_asked) AS asked
    JOIN (SELECT patient_id, day FROM observed UNION ALL SELECT patient_id, day FROM counted) AS observed ON observed.patient_id = asked.patient_id AND observed.day > asked.as_of
    GROUP BY ALL
), said AS (
    SELECT number, patient_id, as_of,
        {
            'truth': truth, 'suggested': suggested, 'reason': reason, 'flags': flags,
            'evidence': list_transform(evidence, lambda one: CASE WHEN one.found = 0 THEN one.leaf || one.searched ELSE CAST(one AS VARCHAR) END)
        } AS says,
        least(next_date, restated_on, future.day) AS until
    FROM leaf_answer
    LEFT JOIN future USING (patient_id, as_of)
)
SELECT number, min_by([one, other], [CAST(other.as_of - one.as_of AS VARCHAR), one.patient_id]) AS example
FROM said AS one
JOIN said AS other USING (number, patient_id)
WHERE other.as_of > one.as_of AND one.says IS DISTINCT FROM other.says AND NOT coalesce(one.until <= other.as_of, FALSE)
GROUP BY number
"""


@pytest.mark.parametrize("seed", range(3 if AT_LENGTH else 1))
def test_what_a_leaf_says_holds_until_the_day_that_it_names(seed: int, tmp_path: Path) -> None:
    as_of, filled = AS_OFS[seed], duckdb.connect()
    trial, resources = a_trial(drawn(rules(depth=0), LEAVES, seed)), hospital(as_of, PEOPLE, seed)
    screened(filled, trial, resources, tmp_path, as_of)
    engine = DuckDBEngine.of(filled)
    loaded = landed(resources, tmp_path)
    asker = Asker(engine, plan_rules(trial, Setting(terminology(), loaded)), counted=counts_apart(trial))
    filled.execute(ASKED, {"day": as_of - timedelta(days=60), "days": DAYS})
    asker.explain_leaves()
    assert filled.execute(DIFFERING).fetchall() == []
