"""The codes of the records that published verdicts rest on, in a file beside the lists.

When a person answers against a verdict, the codes that it rests on are those that may be mapped wrongly.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from cohortfinder.sql.environment import render

RECORD_CODES = "record_codes.parquet"
# the typed table of each type whose records have a code of their own
_TABLES = {
    "AllergyIntolerance": "allergy",
    "Condition": "condition",
    "FamilyMemberHistory": "family_history",
    "Immunization": "immunization",
    "MedicationAdministration": "medication_administration",
    "MedicationDispense": "medication_dispense",
    "MedicationRequest": "medication_request",
    "MedicationStatement": "medication_statement",
    "Observation": "observation",
    "Procedure": "procedure",
}


def write_record_codes(connection: duckdb.DuckDBPyConnection, proofs: Sequence[Path], target: Path) -> None:
    """Write the codes of the records that `proofs` (proof/records.parquet of each trial) name.

    A drug that is told by a reference to a Medication has none: its code is that of the Medication.
    """
    made = render(
        "snapshot/record_codes.sql.jinja", files=[str(file) for file in proofs], tables=_TABLES, target=str(target)
    )
    connection.execute(made.text, made.parameters)
