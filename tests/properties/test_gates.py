"""Who is kept off every list, by the SQL and by the oracle, which share nothing but the table of codes."""

from pathlib import Path

import duckdb
import pytest

from cohortfinder.engine.duckdb_engine import DuckDBEngine
from cohortfinder.engine.plan import standing_statements
from cohortfinder.gates import Gates
from cohortfinder.model import Trial
from cohortfinder.resources import resource_dir
from length import AT_LENGTH
from properties.engine import fill, terminology
from properties.moments import AS_OFS, Resource
from properties.refusals import people
from properties.resources import drawn, together
from reference.evaluate import site_of
from reference.gates import gates_of

TRIAL = Trial("T", "T", "Asia/Shanghai", (), (), (), "")
MAPPINGS = resource_dir("mappings")
LISTS = Gates(test_patients=("p1", "p2", "stranger"), do_not_contact=("p2", "p3"))
# of each gate somebody must come up, or it would not be compared
ALL = {"deceased", "test_patient", "restricted", "consent", "consent_unclear", "do_not_contact"}


@pytest.mark.parametrize("seed", range(12 if AT_LENGTH else 2))
def test_the_gates_are_those_of_the_oracle(connection: duckdb.DuckDBPyConnection, folder: Path, seed: int) -> None:
    as_of = AS_OFS[seed % 3]
    resources = together(drawn(people(as_of), 250, seed))
    behind = _gates(connection, resources, folder, seed)
    site = site_of(TRIAL, resources, MAPPINGS)
    lists = {"test_patients": LISTS.test_patients, "do_not_contact": LISTS.do_not_contact}
    assert {*behind} == gates_of(site, MAPPINGS, as_of, **lists)
    assert len(behind) == len({*behind})
    assert {gate for _, gate in behind} == ALL
    listed = connection.execute("SELECT patient_id FROM individual").fetchall()
    assert {patient for (patient,) in listed} == {*site.by_patient} - {patient for patient, _ in behind}


def _gates(
    connection: duckdb.DuckDBPyConnection, resources: list[Resource], folder: Path, seed: int
) -> list[tuple[str, str]]:
    fill(connection, resources, folder)
    engine = DuckDBEngine(connection)
    engine.run_all(standing_statements(TRIAL, terminology(), AS_OFS[seed % 3], LISTS))
    return connection.execute("SELECT patient_id, gate FROM gate").fetchall()
